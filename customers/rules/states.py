"""The states of a customer's account, and which may follow which."""

# The states' names are the choice values of `Customer.State`.
_FOLLOWING = {
    "AWAITING_CONFIRMATION": frozenset({"DRAFT", "ACTIVE", "TERMINATED"}),
    "DRAFT": frozenset({"ACTIVE", "TERMINATED"}),
    "ACTIVE": frozenset({"RESTRICTED", "DISABLED", "TERMINATED"}),
    "RESTRICTED": frozenset({"ACTIVE", "DISABLED", "TERMINATED"}),
    "DISABLED": frozenset({"ACTIVE", "RESTRICTED", "TERMINATED"}),
    "TERMINATED": frozenset[str](),
}


def may_follow(state: str, next_state: str) -> bool:
    """Whether an account in `state` may be put into `next_state`.

    An account comes alive once, may then be restricted (no purchases) and disabled (only paying)
    and back, and is terminated for good.
    """
    return next_state in _FOLLOWING[state]


def following(state: str) -> frozenset[str]:
    """The states an account in `state` may be put into."""
    return _FOLLOWING[state]
