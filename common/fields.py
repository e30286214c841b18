"""What a row's columns can hold, checked before the database has to refuse it."""

from django.core.exceptions import ValidationError
from django.db.models import Model

from common.errors import DomainError


def check_fields(row: Model, refusal: type[DomainError], *names: str) -> None:
    """Check that the named fields are given, short enough, and e-mail addresses where they are.

    :raises refusal: naming every field that is not, and what is wrong with it.
    """
    others = [field.name for field in row._meta.fields if field.name not in names]
    try:
        row.clean_fields(exclude=others)
    except ValidationError as error:
        by_field = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        named = (
            f"{name.replace('_', ' ').capitalize()}: {text}" for name, text in by_field.items()
        )
        raise refusal(" ".join(named), by_field=by_field) from error
