"""Claim: one person takes the case; the others see who."""

from typing import Literal

from alerts.act import Doing, Done, Standing

LABEL, ORDER = "Claim", 10


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """The first button of a case that nobody has."""
    return "button" if standing.state == "open" else None


def do(doing: Doing) -> Done:
    """It is theirs, and how long a person was waited for is in the record."""
    doing.move("claimed", "claimed it")
    return Done(f"Case {doing.case_id} is yours.")
