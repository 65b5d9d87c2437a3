"""Reopen: it was not over after all."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import MERGED
from listener.errors import NeedsPerson

LABEL, ORDER = "Reopen", 40


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what is over; in the menu of what was answered."""
    return {"closed": "button", "dismissed": "button", "answered": "menu"}.get(standing.state)  # type: ignore[return-value]


def do(doing: Doing) -> Done:
    """Open again; the clock runs on from where it started."""
    if doing.case.outcome == MERGED:
        raise NeedsPerson(f"case {doing.case_id} went into another one: split its posts off there")
    doing.move("open", "reopened it")
    return Done(f"Case {doing.case_id} is open again.")
