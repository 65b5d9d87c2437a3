"""Escalate: somebody beyond the team has to know now."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import changed
from alerts.delivery import ASKED, Reminder
from alerts.form import CAREFUL, Choice, Field, Form

LABEL, ORDER = "Escalate…", 60


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits."""
    return "menu" if standing.state in ("open", "claimed") else None


def form(doing: Doing) -> Form:
    """To whom, and why."""
    slack = doing.config.care.slack
    people = (Choice("oncall", "The on-call people"), *([Choice("manager", "The manager")] if slack.manager else []))
    why = Field("why", "What do they need to do?", "text", hint=CAREFUL, longest=200)
    return Form("Escalate", "Tell them", (Field("to", "Who has to know?", "choice", people), why))


def do(doing: Doing) -> Done:
    """They are told with the reminders."""
    to, why = doing.answers["to"], doing.answers["why"]
    changed(doing.session, doing.case, doing.now, doing.who, "escalated", f"{to}: {why}")
    step = f"{ASKED} at {doing.case.version}"
    doing.session.add(Reminder(case_id=doing.case_id, round=doing.case.round, step=step, at=doing.now, tells=to))
    return Done(f"Case {doing.case_id}: they are told.")
