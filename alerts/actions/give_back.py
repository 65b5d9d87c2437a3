"""Give back: its owner cannot go on; somebody else may take it."""

from typing import Literal

from alerts.act import Doing, Done, Standing

LABEL, ORDER = "Give back to the team", 70


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what somebody has."""
    return "menu" if standing.state == "claimed" else None


def do(doing: Doing) -> Done:
    """Open again, without an owner."""
    doing.move("open", "gave it back to the team", "given_back")
    return Done(f"Case {doing.case_id} is with the team again.")
