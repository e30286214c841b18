"""What this engine does not rate: refused by name, never rated wrongly."""

from cdr.rules.rates import Boundary, Policy, Rate, RateTable


class UnsupportedRate(ValueError):
    """A table or rate uses a column this engine does not rate.

    `rate_id` is None where the column belongs to the table.
    """

    def __init__(self, rate_id: int | None, prefix: str, column: str, value: object) -> None:
        subject = "rate table" if rate_id is None else f"rate {rate_id} (prefix {prefix!r})"
        super().__init__(f"{subject}: {column} {str(value)!r} is not supported by the engine")
        self.rate_id = rate_id
        self.column = column
        self.value = value


def require_supported_table(table: RateTable) -> None:
    """:raises UnsupportedRate: the table has a parent or splits xDRs at price boundaries."""
    if table.parent:
        raise UnsupportedRate(None, "", "parent", table.parent)
    if table.boundary is not Boundary.START:
        raise UnsupportedRate(None, "", "boundary", table.boundary)


def require_supported_rate(rate: Rate) -> None:
    """:raises UnsupportedRate: the rate applies to some xDRs only, or in steps, or on top."""
    if rate.steps:
        raise UnsupportedRate(rate.id, rate.prefix, "steps", rate.steps)
    if rate.time_profile:
        raise UnsupportedRate(rate.id, rate.prefix, "time_profile", rate.time_profile)
    if rate.policy is not Policy.REGULAR:
        raise UnsupportedRate(rate.id, rate.prefix, "policy", rate.policy)
    if rate.tag:
        raise UnsupportedRate(rate.id, rate.prefix, "tag", rate.tag)
    if rate.origin_prefix:
        raise UnsupportedRate(rate.id, rate.prefix, "origin_prefix", rate.origin_prefix)
    if rate.min_digits is not None:
        raise UnsupportedRate(rate.id, rate.prefix, "min_digits", rate.min_digits)
    if rate.max_digits is not None:
        raise UnsupportedRate(rate.id, rate.prefix, "max_digits", rate.max_digits)
