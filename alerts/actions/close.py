"""Close: nothing more to do, with what became of it. An outcome with a follow-up lets people tell the person."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.form import Choice, Field, Form

LABEL, ORDER = "Close", 25


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """A button once somebody has it or it was answered."""
    if standing.state in ("claimed", "answered"):
        return "button"
    return "menu" if standing.state == "open" else None


def form(doing: Doing) -> Form:
    """What became of it."""
    outcomes = tuple(Choice(name, title) for name, title in doing.config.care.outcomes.items())
    return Form("Close the case", "Close", (Field("outcome", "What became of it?", "choice", outcomes),))


def do(doing: Doing) -> Done:
    """It is over."""
    outcome = doing.answers["outcome"]
    doing.move("closed", f"closed it: {doing.config.care.outcomes[outcome].lower()}")
    doing.session.refresh(doing.case)
    doing.case.outcome = outcome
    doing.session.add(doing.case)
    return Done(f"Case {doing.case_id} is closed.")
