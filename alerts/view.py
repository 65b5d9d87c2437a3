"""What a card shows of a case, read from the database: the post that people must see, what belongs to it, how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session, col, exists, or_, select

from alerts.act import known_actions, offered, standing
from alerts.answer import newest_answer
from alerts.card import CaseView, Offer
from alerts.case import RANK, US, WAITING, Case, CaseEvent
from alerts.people import in_slack, named
from alerts.spikes import on_topic
from alerts.topic import titles_of
from alerts.verdict import Verdict
from config.schema import Config, Runbook
from listener.mention import Mention
from nlp.reading import Reading, reading_in_force

_SHOWN_POSTS = 200  # of a case that are looked through for its card
_ALSO = 3  # further posts of a case that its card shows
_BEFORE = 2  # posts of the conversation before it

Said = tuple[Mention, Reading]


def view(session: Session, config: Config, case: Case, key: str, now: datetime, channel: str | None = None) -> CaseView:
    """Everything a card says that stands in `channel`; None: wherever the case belongs."""
    posts = posts_of(session, case)
    mention, reading = foremost(posts)
    topics = topics_of(session, case, reading)
    answer = newest_answer(session, case.id or 0)
    stands = standing(config, case, answer)
    spike = on_topic(session, topics, now) if case.state in WAITING else None
    assert case.id is not None
    return CaseView(
        case_id=case.id,
        delivery_key=key,
        state=case.state,
        urgency=case.urgency,
        owner=in_slack(case.owner) if case.owner else None,
        offers=[Offer(name, known_actions()[name].LABEL, where) for name, where in offered(stands).items()],
        posts=case.posts,
        people=len({post.author for post, _ in posts if post.author}),
        also=_also(posts, mention),
        before=_before(session, mention),
        clock_from=case.clock_from,
        due_at=case.due_at,
        answered_at=case.answered_at,
        snoozed_until=case.snoozed_until,
        snooze_why=case.snooze_why,
        outcome=config.care.outcomes.get(case.outcome, case.outcome) if case.outcome else None,
        source=case.source,
        url=mention.url,
        reach=mention.reach,
        rating=mention.rating,
        redacted_text=reading.redacted_text,
        language=reading.language,
        readable=reading.readable,
        mood=reading.mood,
        kind=reading.kind,
        categories=_categories(reading, topics),
        titles=titles_of(config),
        site=reading.site,
        departments=reading.departments,
        reasons=reading.reasons,
        runbook=runbook_of(config, case.urgency, reading, topics),
        answer=answer.state if answer else None,
        answer_trouble=answer.trouble if answer else None,
        other_cases=_other_cases(session, case),
        spike=spike.known or "" if spike is not None else None,
        moved=_moved(session, config, case) if channel not in (None, case.channel) else None,
        gone=mention.deleted_why,
        contact=mention.author is not None and mention.url is None,
        zone=config.hospital.zone,
    )


@dataclass(frozen=True)
class Spoken:
    """One post of a conversation, as it may be shown."""

    by: Literal["we", "they", "somebody"]  # the hospital, the author of the case, anybody else
    at: datetime
    words: str  # redacted
    is_ours: bool  # it belongs to the case
    urgency: str
    mood: float
    gone: str | None


def conversation(session: Session, case: Case) -> list[Spoken]:
    """What was said in the thread of a case, by whoever, and what else belongs to it, in the order of writing."""
    own = posts_of(session, case)
    in_force = reading_in_force()
    in_thread = (Mention.source == case.source, Mention.thread == case.thread, Reading.mention_id == Mention.id)
    others = select(Mention, Reading).where(*in_thread, in_force).order_by(col(Mention.written_at).desc())
    found = {mention.id: (mention, reading) for mention, reading in session.exec(others.limit(_SHOWN_POSTS))}
    found |= {mention.id: (mention, reading) for mention, reading in own}
    ids = {mention.id for mention, _ in own}
    ordered = sorted(found.values(), key=lambda said: (said[0].written_at, said[0].id or 0))
    return [_spoken(mention, reading, case, mention.id in ids) for mention, reading in ordered]


def _spoken(mention: Mention, reading: Reading, case: Case, is_ours: bool) -> Spoken:
    is_author = case.author is not None and mention.author == case.author
    by: Literal["we", "they", "somebody"] = (
        "we" if mention.own else "they" if is_author or mention.id == case.mention_id else "somebody"
    )
    words = "" if mention.deleted_at else reading.redacted_text
    return Spoken(by, mention.written_at, words, is_ours, reading.urgency, reading.mood, mention.deleted_why)


def newest_reading(session: Session, mention_id: int) -> Reading:
    """The reading of a mention that is in force."""
    readings = select(Reading).where(Reading.mention_id == mention_id)
    return session.exec(readings.order_by(col(Reading.id).desc()).limit(1)).one()


def posts_of(session: Session, case: Case) -> list[Said]:
    """The posts of a case in the order of writing. Of a story that hundreds copied, the first of them will do."""
    ids = select(Verdict.mention_id).where(Verdict.case_id == case.id).distinct().order_by(col(Verdict.mention_id))
    of_it = or_(Mention.id == case.mention_id, col(Mention.id).in_(ids.limit(_SHOWN_POSTS)))
    in_force = reading_in_force()
    posts = select(Mention, Reading).where(Reading.mention_id == Mention.id, of_it, in_force)
    return list(session.exec(posts.order_by(col(Mention.written_at), col(Mention.id))))


def foremost(posts: Sequence[Said]) -> Said:
    """The most urgent post that is not gone: that is what people must see."""
    return min(posts, key=lambda post: (post[0].deleted_at is not None, RANK[post[1].urgency]))


def topics_of(session: Session, case: Case, reading: Reading | None = None) -> list[str]:
    """What a case is about: as a person corrected it, else as its foremost post was read."""
    if case.topics is not None:
        return list(case.topics)
    reading = reading or foremost(posts_of(session, case))[1]
    return [category["id"] for category in reading.categories]


def runbook_of(config: Config, urgency: str, reading: Reading, topics: Sequence[str]) -> Runbook | None:
    """The first runbook of care.toml that fits."""
    danger = reading.danger_of if urgency == "danger" else None
    for runbook in config.care.runbooks.values():
        if danger in runbook.danger or set(runbook.sign) & set(reading.signs) or set(runbook.category) & set(topics):
            return runbook
    return None


def _moved(session: Session, config: Config, case: Case) -> str:
    """Who changed how urgent a case is, so that it went to another channel, and to which."""
    there = f"It goes on in {config.care.slack.channels.get(case.channel, case.channel)}"
    changes = select(CaseEvent).where(CaseEvent.case_id == case.id, col(CaseEvent.kind).in_(("urgency", "raised")))
    change = session.exec(changes.order_by(col(CaseEvent.id).desc()).limit(1)).first()
    if change is None:
        return there
    by = "" if change.who == US else f" by {named(session, change.who)}"
    return f"Changed{by}: {change.what}. {there}"


def _categories(reading: Reading, topics: Sequence[str]) -> list[dict[str, Any]]:
    """The topics with the words that show them; one that a person added has none."""
    words = {category["id"]: category["words"] for category in reading.categories}
    return [{"id": topic, "words": words.get(topic, [])} for topic in topics]


def _also(posts: Sequence[Said], shown: Mention) -> tuple[str, ...]:
    """What else was said in a case, the newest posts; copies say the same."""
    story = shown.story or shown.id
    others = [
        reading.redacted_text
        for post, reading in posts
        if post.id != shown.id and post.deleted_at is None and story not in (post.story, post.id)
    ]
    return tuple(others[-_ALSO:])


def _before(session: Session, mention: Mention) -> tuple[str, ...]:
    """What was said in the conversation just before, by whoever: what the post answers."""
    if mention.thread in (None, mention.ref):
        return ()
    is_read = exists().where(col(Reading.mention_id) == Mention.id)  # danger is read first, what it answers later
    earlier = (
        select(Mention)
        .where(Mention.source == mention.source, Mention.thread == mention.thread, Mention.id != mention.id)
        .where(Mention.written_at < mention.written_at, col(Mention.deleted_at).is_(None), is_read)
        .order_by(col(Mention.written_at).desc())
        .limit(_BEFORE)
    )
    found = [(post, newest_reading(session, post.id or 0)) for post in session.exec(earlier)]
    return tuple(f"{_speaker(post, mention)}: {reading.redacted_text}" for post, reading in found)[::-1]


def _speaker(post: Mention, mention: Mention) -> str:
    if post.own:
        return "we"
    return "same person" if post.author is not None and post.author == mention.author else "somebody"


def _other_cases(session: Session, case: Case) -> tuple[int, ...]:
    """What else the same author waits for."""
    if case.author is None:
        return ()
    theirs = select(Case.id).where(Case.source == case.source, Case.author == case.author, Case.id != case.id)
    return tuple(number for number in session.exec(theirs.where(col(Case.state).in_(WAITING))) if number)
