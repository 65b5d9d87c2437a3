"""Snooze: the clock stands still for a while, with a reason. Danger is never snoozed."""

from datetime import timedelta
from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import snooze
from alerts.clockface import in_words
from alerts.form import CAREFUL, Choice, Field, Form
from config.schema import parse_duration

LABEL, ORDER = "Snooze…", 65
_SPANS = ("15m", "30m", "1h", "2h", "4h", "12h", "24h")


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits and is no danger."""
    return "menu" if standing.state in ("open", "claimed") and standing.urgency != "danger" else None


def form(doing: Doing) -> Form:
    """How long, and why."""
    spans = tuple(Choice(span, in_words(parse_duration(span))) for span in _SPANS)
    why = Field("why", "What is waited for?", "text", hint=CAREFUL, longest=200)
    return Form("Snooze", "Snooze", (Field("span", "For how long?", "choice", spans), why))


def do(doing: Doing) -> Done:
    """Its target moves by as long as it slept."""
    span: timedelta = parse_duration(doing.answers["span"])
    snooze(doing.session, doing.case, doing.now + span, doing.answers["why"], doing.who, doing.now)
    return Done(f"Case {doing.case_id} sleeps for {in_words(span)}.")
