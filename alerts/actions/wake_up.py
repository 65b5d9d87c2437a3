"""Wake up: the snooze ends before its time."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import wake

LABEL, ORDER = "Wake up", 64


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what sleeps."""
    return "menu" if standing.is_snoozed and standing.state in ("open", "claimed") else None


def do(doing: Doing) -> Done:
    """The clock runs on."""
    wake(doing.session, doing.case, doing.who, doing.now)
    return Done(f"Case {doing.case_id} is awake.")
