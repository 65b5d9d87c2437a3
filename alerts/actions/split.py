"""Split: some posts of a case are another matter, which gets a case of its own."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlmodel import col, select

from alerts.act import Doing, Done, Standing
from alerts.case import RANK as HOW_URGENT
from alerts.case import Case, changed, move, open_case
from alerts.clockface import due
from alerts.decide import hand_over
from alerts.form import Choice, Field, Form
from alerts.message import shorten
from alerts.view import Said, posts_of
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
    case, new = doing.case, _case_of_its_own(doing, posts)
    assert new.id is not None
    hand_over(doing.session, doing.case_id, new.id, chosen)
    case.posts = max(1, case.posts - len(posts))
    changed(doing.session, case, doing.now, doing.who, "split", f"case {new.id} was split off it")
    return Done(f"Case {new.id} was split off case {case.id}.")


def _case_of_its_own(doing: Doing, posts: Sequence[Said]) -> Case:
    """A new case; or the one that they had been before it was merged."""
    (first, reading), case, why = posts[0], doing.case, f"split off case {doing.case_id}"
    assert first.id is not None
    urgency = min((said.urgency for _, said in posts), key=HOW_URGENT.__getitem__)
    urgency = urgency if urgency not in ("low", "none") else "routine"
    topics = [topic["id"] for topic in reading.categories]
    values: dict[str, Any] = {
        "channel": "danger" if urgency == "danger" else case.channel if case.channel != "danger" else "care",
        "urgency": urgency,
        "clock_from": first.written_at,
        "due_at": due(urgency, first.written_at, doing.config.hospital, doing.config.care.targets, topics),
        "posts": len(posts),
    }
    opened_by = col(Case.mention_id).in_([post.id for post, _ in posts])
    before = doing.session.exec(select(Case).where(opened_by).order_by(col(Case.id)).limit(1)).first()
    if before is not None:
        assert before.id is not None
        move(doing.session, before.id, "open", doing.who, why, doing.now)
        before.sqlmodel_update(values | {"round": before.round + 1})
        doing.session.add(before)
        return before
    values |= {"source": first.source, "thread": first.thread or first.ref, "author": first.author}
    return open_case(doing.session, Case(mention_id=first.id, opened_at=doing.now, **values), why, doing.who)
