"""Answered: for a reply that the program cannot hear. One that it hears stops the clock by itself, with its own time."""

from typing import Literal

from alerts.act import Doing, Done, Standing

LABEL, ORDER = "Answered", 20


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """A button once somebody has it."""
    return {"claimed": "button", "open": "menu"}.get(standing.state)  # type: ignore[return-value]


def do(doing: Doing) -> Done:
    """The clock stops now."""
    doing.move("answered", "answered in public")
    return Done(f"Case {doing.case_id} is answered.")
