"""Split: some posts of a case are another matter, which gets a case of its own."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.case import RANK as HOW_URGENT
from alerts.case import Case, changed, open_case
from alerts.clockface import due
from alerts.decide import hand_over
from alerts.form import Choice, Field, Form
from alerts.message import shorten
from alerts.view import posts_of
from listener.errors import NeedsPerson

LABEL, ORDER = "Split off posts…", 80


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits and has several posts."""
    return "menu" if standing.state in ("open", "claimed") and standing.posts > 1 else None


def form(doing: Doing) -> Form:
    """Which posts; the first stays, the case is named by it."""
    others = [
        (post, reading) for post, reading in posts_of(doing.session, doing.case) if post.id != doing.case.mention_id
    ]
    if not others:
        raise NeedsPerson(f"case {doing.case_id} has one post only: there is nothing to split off")
    posts = tuple(Choice(str(post.id), shorten(reading.redacted_text, 75) or "(no words)") for post, reading in others)
    return Form(
        "Split off posts", "Split", (Field("posts", "Which posts are another matter?", "choices", posts[-100:]),)
    )


def do(doing: Doing) -> Done:
    """They are a case of their own, open, its clock from the first of them."""
    chosen = {int(number) for number in doing.answers["posts"]}
    posts = [(post, reading) for post, reading in posts_of(doing.session, doing.case) if post.id in chosen]
    (first, reading), case = posts[0], doing.case
    assert first.id is not None
    urgency = min((said.urgency for _, said in posts), key=HOW_URGENT.__getitem__)
    urgency = urgency if urgency not in ("low", "none") else "routine"
    topics = [topic["id"] for topic in reading.categories]
    new = open_case(
        doing.session,
        Case(
            mention_id=first.id,
            source=first.source,
            thread=first.thread or first.ref,
            author=first.author,
            channel="danger" if urgency == "danger" else case.channel if case.channel != "danger" else "care",
            urgency=urgency,
            opened_at=doing.now,
            clock_from=first.written_at,
            due_at=due(urgency, first.written_at, doing.config.hospital, doing.config.care.targets, topics),
            posts=len(posts),
        ),
        f"split off case {case.id}",
        doing.who,
    )
    assert new.id is not None
    hand_over(doing.session, doing.case_id, new.id, chosen)
    case.posts = max(1, case.posts - len(posts))
    changed(doing.session, case, doing.now, doing.who, "split", f"case {new.id} was split off it")
    return Done(f"Case {new.id} was split off case {case.id}.")
