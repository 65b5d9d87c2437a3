"""Reopen: it was not over after all."""

from typing import Literal

from alerts.act import Doing, Done, Standing

LABEL, ORDER = "Reopen", 40


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what is over; in the menu of what was answered."""
    return {"closed": "button", "dismissed": "button", "answered": "menu"}.get(standing.state)  # type: ignore[return-value]


def do(doing: Doing) -> Done:
    """Open again; the clock runs on from where it started."""
    doing.move("open", "reopened it")
    return Done(f"Case {doing.case_id} is open again.")
