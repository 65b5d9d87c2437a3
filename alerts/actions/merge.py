"""Merge: two cases are one matter; this one goes into the other."""

from typing import Literal

from alerts.act import Doing, Done, Standing, case_of
from alerts.case import MERGED, WAITING, changed
from alerts.case import RANK as HOW_URGENT
from alerts.decide import hand_over
from alerts.form import Field, Form
from listener.errors import NeedsPerson

LABEL, ORDER = "Merge into another case…", 85


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits."""
    return "menu" if standing.state in ("open", "claimed") else None


def form(doing: Doing) -> Form:
    """Into which."""
    field = Field("into", "Number of the other case", "number", hint="It stands on its card.")
    return Form("Merge", "Merge", (field,), (f"Case {doing.case_id} goes into the other one, with its posts.",))


def do(doing: Doing) -> Done:
    """Its posts are the other's, which keeps the earlier clock and the worse urgency."""
    into = case_of(doing.session, int(doing.answers["into"]))
    case = doing.case
    if into.id == case.id or into.state not in WAITING:
        raise NeedsPerson(f"case {into.id} cannot take it: name another case that still waits")
    if case.urgency == "danger" and into.urgency != "danger":
        raise NeedsPerson(f"case {case.id} is danger: merge case {into.id} into it instead")
    posts = hand_over(doing.session, doing.case_id, int(doing.answers["into"]))
    into.posts += posts
    into.clock_from, into.due_at = min(into.clock_from, case.clock_from), min(into.due_at, case.due_at)
    into.urgency = min(into.urgency, case.urgency, key=HOW_URGENT.__getitem__)
    changed(doing.session, into, doing.now, doing.who, "merged", f"case {case.id} went into it")
    doing.move("closed", f"merged into case {into.id}", "merged")
    doing.session.refresh(case)
    case.outcome = MERGED
    doing.session.add(case)
    return Done(f"Case {case.id} went into case {into.id}.")
