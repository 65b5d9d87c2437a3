"""Draft a reply: the template's words, made personal where it is lawful, and the privacy check on every one of them."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.answer import PENDING, newest_answer, write
from alerts.case import changed
from alerts.form import CAREFUL, Field, Form, Link, Refused
from alerts.message import shorten
from alerts.replies import About, draft, too_long
from alerts.replies import objections as objections_to
from alerts.spikes import on_topic
from alerts.view import Said, foremost, posts_of, topics_of
from listener.errors import NeedsPerson

LABEL, ORDER, STAYS = "Draft a reply…", 50, True
_LONGEST = 3000  # of Slack's field; each place has its own limit below that


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits, unless a reply is on its way, or may be public."""
    is_under_way = standing.answer in ("sending", "unknown")
    return "menu" if standing.state in ("open", "claimed") and not is_under_way else None


def form(doing: Doing) -> Form:
    """The words that become public, to be changed."""
    return form_for(doing, None)


def form_for(doing: Doing, outcome: str | None) -> Form:
    """The same for what became of a case: the words that tell the person."""
    mention, reading = foremost(posts_of(doing.session, doing.case))
    if mention.deleted_at is not None:
        raise NeedsPerson(
            f"nobody would read a reply: the post is gone ({mention.deleted_why}). Close the case instead"
        )
    earlier = newest_answer(doing.session, doing.case_id)
    text = earlier.text if earlier and earlier.state in PENDING else proposed(doing, (mention, reading), outcome)
    says = [f"In short, without personal details: {shorten(reading.redacted_text, 500) or '(no words)'}"]
    if doing.case.urgency in doing.config.care.replies.second_person:
        says.append("A second person approves it before it can be sent.")
    field = Field("reply", "The words that become public", "words", initial=text, hint=CAREFUL, longest=_LONGEST)
    link = Link("Read the post at its place", mention.url) if mention.url else None
    return Form("Draft a reply", "Check it", (field,), tuple(says), link=link)


def proposed(doing: Doing, said: Said, outcome: str | None) -> str:
    """The template that fits, with what is known if many speak of it now."""
    _, reading = said
    topics = topics_of(doing.session, doing.case, reading)
    spike = on_topic(doing.session, topics, doing.now)
    about = About(
        kind=reading.kind,
        categories=tuple(topics),
        stage=reading.stage,
        urgency=doing.case.urgency,
        danger_of=reading.danger_of,
        language=reading.language,
        mood=reading.mood,
    )
    known = spike.known if spike is not None else None
    return draft(about, doing.config.care.replies, doing.config.hospital, known, outcome) or ""


def check(doing: Doing) -> None:
    """What the privacy check has against the words, word by word."""
    mention, _ = foremost(posts_of(doing.session, doing.case))
    text = doing.answers["reply"]
    problems = objections_to(text, doing.config.hospital, mention.text, doing.config.care.replies)
    if problem := too_long(mention.source, text):
        problems = [*problems, problem]
    if problems:
        raise Refused({"reply": " ".join(problems)})


def do(doing: Doing) -> Done:
    """Kept, to be sent; or to be approved first."""
    mention, _ = foremost(posts_of(doing.session, doing.case))
    needs_second = doing.case.urgency in doing.config.care.replies.second_person
    assert mention.id is not None
    write(doing.session, doing.case_id, mention.id, doing.answers["reply"], doing.who, doing.now, needs_second)
    what = "wrote a reply; it waits for a second person" if needs_second else "wrote a reply"
    changed(doing.session, doing.case, doing.now, doing.who, "draft", what)
    if needs_second:
        return Done("The check has nothing against it. A second person approves it on the card; then it can be sent.")
    return Done("The check has nothing against it.", then="send")
