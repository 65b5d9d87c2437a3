"""Approve: a second person reads the exact words of a reply to danger or a serious matter before it can be sent."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.answer import newest_answer, take
from alerts.case import changed
from alerts.form import Form
from alerts.people import named
from listener.errors import NeedsPerson

LABEL, ORDER, STAYS = "Approve the reply…", 5, True


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """The first button while a reply waits for it."""
    return "button" if standing.answer == "waiting" and standing.state != "dismissed" else None


def form(doing: Doing) -> Form:
    """The exact words, and who wrote them."""
    answer = newest_answer(doing.session, doing.case_id)
    assert answer is not None
    says = (f"Written by {named(doing.session, answer.written_by)}. Read it as a stranger would.",)
    return Form("Approve the reply", "Approve", says=says, exact=answer.text)


def do(doing: Doing) -> Done:
    """It may be sent."""
    answer = newest_answer(doing.session, doing.case_id)
    assert answer is not None
    if answer.written_by == doing.who:
        raise NeedsPerson("you wrote it: a second person has to approve it")
    if not take(doing.session, answer, "written", approved_by=doing.who):
        raise NeedsPerson("somebody else has just decided on it; look at the card")
    changed(doing.session, doing.case, doing.now, doing.who, "draft", "approved the reply")
    return Done("Approved.", then="send")
