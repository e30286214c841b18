"""A destination number as prefixes are written: digits only, country code first."""


def normalise_number(text: str) -> str:
    """`text` without blanks and without the international sign `+` or `00`.

    Anything else stays, so that what is not a number is seen not to be one.
    """
    number = "".join(text.split())
    if number.startswith("+"):
        return number[1:]
    return number.removeprefix("00")
