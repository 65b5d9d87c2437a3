"""Send the reply: the exact words, one person's press, once. Where the place or care.toml does not let a program send,
the person posts it on the site's own form, with the words filled in."""

from typing import Literal

from sqlmodel import col, select

from alerts.act import Doing, Done, Standing
from alerts.answer import Answer, newest_answer, take
from alerts.case import WAITING, changed, move
from alerts.form import Form, Link
from alerts.message import place as place_name
from config.schema import CollectorSettings
from listener import collect, keep
from listener.errors import CallLightError, NeedsPerson, OutcomeUnknown
from listener.mention import Mention
from listener.post import Answerable, Asking, names_account

LABEL, ORDER, STAYS = "Send the reply…", 6, True


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """The first button once a reply may be sent."""
    if standing.state == "dismissed":
        return None
    return "button" if standing.answer == "written" else None


def form(doing: Doing) -> Form:
    """The exact words that will be public, and where."""
    answer, mention, post = answered(doing)
    _second(doing, answer)
    where = place_name(mention.source)
    if _by_program(doing, post):
        says = (f"These exact words will be public on {where} as the hospital's reply:",)
        return Form("Send the reply", "Send it", says=says, exact=collect.preview(mention.source, post, answer.text))
    address = collect.by_hand(mention.source, post, answer.text)
    says = (f"Post these words on {where} yourself; then say so here, if {where} is not read by the program.",)
    link = Link(f"Answer on {where}", address) if address else None
    return Form("Post the reply", "I have posted it", says=says, exact=answer.text, link=link)


def do(doing: Doing) -> Done:
    """Public, and the clock stops; or the sentence that says why not."""
    answer, mention, post = answered(doing)
    _second(doing, answer)
    if not _by_program(doing, post):
        settle(doing, answer, "by_hand", "posted the reply by hand")
        return Done("Thank you. The clock has stopped.")
    settings = settings_of(doing, post.source)
    if not take(doing.session, answer, "sending", sent_by=doing.who, sent_at=doing.now):
        raise NeedsPerson("somebody else is sending it; look at the card")
    text = answer.text
    doing.session.commit()  # before the request: whatever happens now, nobody sends it twice
    try:
        replied = collect.reply(post.source, settings, post, text, asking(doing))
    except OutcomeUnknown as unknown:
        _bill(doing, post, text)
        _failed(doing, answer, "unknown", str(unknown))
        raise
    except CallLightError as error:
        _failed(doing, answer, "written", str(error))
        raise
    _bill(doing, post, text)
    answer.ref, answer.url = replied.ref, replied.url
    settle(doing, answer, "sent", "replied in public")
    return Done(f"It is public on {place_name(mention.source)}.")


def answered(doing: Doing) -> tuple[Answer, Mention, Answerable]:
    """The reply, the post that it answers, and what its place needs to know of that."""
    answer = newest_answer(doing.session, doing.case_id)
    if answer is None:
        raise NeedsPerson("there is no reply to send; draft one first")
    mention = doing.session.get_one(Mention, answer.mention_id)
    if mention.deleted_at is not None:
        raise NeedsPerson(f"nobody would read it: the post is gone ({mention.deleted_why}). Close the case instead")
    account = getattr(doing.config.hospital.accounts, mention.source, "")
    quoted = select(Mention.id).where(
        Mention.source == mention.source, Mention.ref == mention.quotes, col(Mention.own).is_(True)
    )
    names_us = names_account(mention.text, account) or doing.session.exec(quoted).first() is not None
    return answer, mention, Answerable(mention.source, mention.ref, mention.url, mention.author, names_us)


def _second(doing: Doing, answer: Answer) -> None:
    """Raises NeedsPerson where the case has become more urgent since one person alone wrote the reply."""
    if doing.case.urgency in doing.config.care.replies.second_person and answer.approved_by is None:
        raise NeedsPerson(
            "the case is more urgent than when the reply was written: draft it anew, and a second person approves it"
        )


def _by_program(doing: Doing, post: Answerable) -> bool:
    """Whether care.toml lets the program send there, and the place takes it from a program."""
    may = post.source in doing.config.care.replies.send and collect.can_reply(post.source)
    anyone = getattr(doing.config.collectors.get(post.source), "answer_anyone", True)
    return may and (anyone or post.mentions_account)


def settings_of(doing: Doing, source: str) -> CollectorSettings:
    """What listening.toml says of the place. Raises NeedsPerson."""
    settings = doing.config.collectors.get(source)
    if settings is None:
        raise NeedsPerson(
            f"listening.toml has no [collectors.{source}]; write it there, on or off, to answer from here"
        )
    return settings


def asking(doing: Doing) -> Asking:
    """What a collector may know when it answers."""
    return Asking(doing.config.hospital, doing.now, doing.secrets)


def settle(doing: Doing, answer: Answer, state: str, what: str) -> None:
    """The reply is public: the clock stops, if it runs."""
    answer.state, answer.trouble, answer.sent_by, answer.sent_at = state, None, doing.who, doing.now
    doing.session.add(answer)
    doing.session.refresh(doing.case)
    if doing.case.state in WAITING:
        move(doing.session, doing.case_id, "answered", doing.who, what, doing.now)
    else:
        changed(doing.session, doing.case, doing.now, doing.who, "answered", what)


def _bill(doing: Doing, post: Answerable, text: str) -> None:
    """What may be public is taken for billed: rather a cent too much in the figures than one too few."""
    keep.bill(doing.session, post.source, 0, collect.price(post.source, post, text), doing.now)


def _failed(doing: Doing, answer: Answer, state: str, why: str) -> None:
    answer.state, answer.trouble = state, why
    doing.session.add(answer)
    changed(doing.session, doing.case, doing.now, doing.who, "changed", "tried to send the reply")
    doing.session.commit()
