"""Look whether the reply was posted: after no answer came, before anyone sends it again."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.actions.send import answered, asking, settings_of, settle
from alerts.answer import take
from alerts.case import changed
from listener import collect

LABEL, ORDER = "Was it posted?", 7


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """The first button while nobody knows."""
    return "button" if standing.answer == "unknown" else None


def do(doing: Doing) -> Done:
    """Found at its place, it is settled; not found, it may be sent again."""
    answer, _, post = answered(doing)
    text, settings = answer.text, settings_of(doing, post.source)
    doing.session.commit()  # no request inside a transaction
    found = collect.find_reply(post.source, settings, post, text, asking(doing))
    if found is None:
        take(doing.session, answer, "written", trouble=None)
        changed(doing.session, doing.case, doing.now, doing.who, "changed", "looked: the reply is not there")
        return Done("It is not there. Wait a minute and look at the post yourself; then it may be sent again.")
    answer.ref, answer.url = found.ref, found.url
    settle(doing, answer, "sent", "replied in public")
    return Done("It is there. The clock has stopped.")
