"""Assign: a case is given to somebody, who is told."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import changed
from alerts.delivery import ASSIGNED, Reminder
from alerts.form import Field, Form
from alerts.people import called

LABEL, ORDER = "Assign to…", 55


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits."""
    return "menu" if standing.state in ("open", "claimed") else None


def form(doing: Doing) -> Form:
    """To whom."""
    return Form("Assign the case", "Assign", (Field("to", "Who takes it over?", "person"),))


def do(doing: Doing) -> Done:
    """It is theirs."""
    to = doing.answers["to"]
    doing.case.state, doing.case.owner, doing.case.claimed_at = "claimed", to, doing.now
    changed(doing.session, doing.case, doing.now, doing.who, "assigned", f"gave it to {called(doing.session, to)}")
    step = f"{ASSIGNED} at {doing.case.version}"
    doing.session.add(Reminder(case_id=doing.case_id, round=doing.case.round, step=step, at=doing.now, tells="owner"))
    return Done(f"Case {doing.case_id} is with {called(doing.session, to)}.")
