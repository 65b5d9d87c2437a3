"""Tell the person: after a case was closed with an outcome, the words that say so, checked like any other."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.actions import draft
from alerts.form import Form

LABEL, ORDER, STAYS = "Tell the person…", 30, True


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what was closed with an outcome that can be told, until it was."""
    is_under_way = standing.answer in ("waiting", "written", "sending", "unknown")
    return "button" if standing.state == "closed" and standing.can_tell and not is_under_way else None


def form(doing: Doing) -> Form:
    """The template of the outcome."""
    return draft.form_for(doing, doing.case.outcome)


def check(doing: Doing) -> None:
    """As a first reply."""
    draft.check(doing)


def do(doing: Doing) -> Done:
    """As a first reply."""
    return draft.do(doing)
