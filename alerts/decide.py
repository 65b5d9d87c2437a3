"""STAGE 4: reading + care rules -> verdict, with its reason. Opens the case of an alert in the same transaction."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import insert, update
from sqlalchemy.orm import Bundle
from sqlmodel import Session, col, exists, func, or_, select

from alerts.case import (
    COPY,
    OTHER_PERSON,
    RANK,
    SAME_PERSON,
    WAITING,
    Case,
    forget_author,
    forget_before,
    join,
    open_case,
    raise_urgency,
)
from alerts.clockface import due
from alerts.verdict import GOES_ON, Verdict, without_words
from config.schema import Care, Config, Outcome, Rule
from listener.deletions import gone_since
from listener.logs import logger
from listener.mention import Mention
from listener.tombstones import is_mark
from nlp.read import in_parts
from nlp.reading import Reading

log = logger(__name__)

BATCH = 500
# A post read again under changed rules opens a new card only while an answer still makes sense.
RECONSIDER = timedelta(hours=24)
# So many answers upwards it is looked for the post that opened a case.
DEEPEST = 20
_GONE = "gone at its place before it was decided"
_STRENGTH = {"dismiss": 0, "digest": 1, "alert": 2}


class Said(Protocol):
    """What is decided on: these fields of a Reading."""

    urgency: str
    readable: bool
    language: str
    kind: str | None
    voice: str
    categories: list[dict[str, Any]]
    reasons: list[str]
    signs: list[str]


@dataclass(frozen=True)
class Decision:
    """What the rules say of one reading."""

    outcome: Outcome
    channel: str | None
    reason: str


class Earlier(NamedTuple):
    """What was decided of a mention before."""

    decision: Decision
    case_id: int | None
    revision: int  # of the post, as it was when that was decided


def judge(reading: Said, own: bool, care: Care, source: str = "") -> Decision:
    """What becomes of a post from this place. Pure."""
    if own:
        return Decision("dismiss", None, "the hospital's own post")
    if reading.urgency == "danger":
        return Decision("alert", "danger", "danger is always a card that pages the on-call people")
    if not reading.readable:
        return Decision("alert", "care", f"unread: no phrases for language {reading.language}, a person must read it")
    for rule in care.rules:
        if _fits(rule, reading, source):
            return Decision(rule.do, rule.to, f"rule {rule.name!r}: {_because(reading)}")
    return Decision("digest", "care", "no rule fits, so a person looks at it")


def stands(decision: Decision, previous: Earlier | None, is_news: bool) -> Decision:
    """The decision that is in force when a post was decided before. Pure.

    What people were told is not taken back; and an old post is not alerted because a keyword file changed.
    """
    if previous is None:
        return decision
    before = previous.decision
    if not is_news:
        return before
    if _STRENGTH[decision.outcome] > _STRENGTH[before.outcome]:
        return decision
    return decision if before.outcome == "alert" and decision.channel == "danger" else before


def decide(session: Session, config: Config, now: datetime, limit: int = BATCH) -> int:
    """Decide up to `limit` readings, the most urgent first, and commit; how many were decided."""
    undecided = _undecided(session, limit)
    if not undecided:
        return 0
    earlier = _earlier(session, [mention.id for _, mention in undecided])
    rows, alerted = [], []
    for reading, mention in undecided:
        previous = earlier.get(mention.id)
        is_news = _is_news(reading, mention, previous, now)
        judged = judge(reading, mention.own, config.care, mention.source)
        if mention.deleted_at is not None:
            judged = Decision("dismiss", None, _GONE)
        elif judged.outcome != "alert" and previous is None and (case := _waiting_case_of_author(session, mention)):
            judged = Decision("alert", case.channel, GOES_ON)
        decision = stands(judged, previous, is_news)
        case_id = previous.case_id if previous else None
        if decision.outcome == "alert" and is_news:
            case_id = _case(session, reading, mention, decision, previous, config, now).id
        row = {
            **asdict(decision),
            "reading_id": reading.id,
            "mention_id": mention.id,
            "case_id": case_id,
            "decided_at": now,
        }
        earlier[mention.id] = Earlier(decision, case_id, max(reading.revision, previous.revision if previous else 0))
        rows.append(row)
        if case_id is not None:  # at once: the next post may belong to the same case
            session.execute(insert(Verdict), rows)
            rows.clear()
            if previous is None or previous.case_id != case_id:
                alerted.append({"mention": mention.id, "case": case_id, "urgency": reading.urgency})
    if rows:
        session.execute(insert(Verdict), rows)
    session.commit()
    log.info("decide", count=len(undecided))
    for one in alerted:
        log.info("alert", **one)
    return len(undecided)


def forget(session: Session, now: datetime) -> int:
    """Take out of verdicts and cases what they know of posts that are gone; how many. What was decided stays decided."""
    of_post: tuple[Any, ...] = (Mention.id, Mention.source, Mention.ref, Mention.thread)
    wanted: tuple[Any, ...] = (Verdict.id, Verdict.reason, Verdict.case_id, Bundle("mention", *of_post))
    gone = session.execute(
        select(*wanted)
        .where(col(Verdict.mention_id) == Mention.id, col(Verdict.forgotten).is_(False))
        .where(col(Mention.deleted_at) > gone_since(session, now))
    ).all()
    for id_, reason, _, _ in gone:
        kept = {"reason": without_words(reason), "forgotten": True}
        session.execute(update(Verdict).where(col(Verdict.id) == id_).values(**kept))
    in_cases = {case_id for _, _, case_id, _ in gone if case_id is not None}
    # One whose posts went into another goes on showing the post that began it.
    for some in in_parts([one.id for *_, one in gone]):
        in_cases.update(session.exec(select(Case.id).where(col(Case.mention_id).in_(some))))
    cases = sorted(in_cases)
    for case_id in cases:
        forget_author(session, case_id, now)
    for case_id in _answering(session, {(one.source, one.thread or one.ref) for *_, one in gone}) - {*cases}:
        forget_before(session, case_id, now)
    _rename_threads(session, cases, {one.ref for *_, one in gone if is_mark(one.ref)})
    session.commit()
    return len(gone)


def _answering(session: Session, threads: Collection[tuple[str, str]]) -> set[int]:
    """The cases of posts in these conversations: their cards quote what was said before."""
    found = set[int]()
    for source in {source for source, _ in threads}:
        for some in in_parts([thread for its, thread in threads if its == source]):
            of_them = (Mention.source == source, col(Mention.thread).in_(some), col(Verdict.mention_id) == Mention.id)
            found.update(
                number for number in session.exec(select(Verdict.case_id).where(*of_them)) if number is not None
            )
    return found


def _rename_threads(session: Session, cases: Sequence[int], marks: Collection[str]) -> None:
    """A case is found by the thread of its first post, whose name at the place has become a mark. See keep.forget."""
    thread = select(func.coalesce(Mention.thread, Mention.ref)).where(Mention.id == Case.mention_id).scalar_subquery()
    theirs = [col(Case.id).in_(some) for some in in_parts(cases)]
    theirs += [
        col(Case.mention_id).in_(select(Mention.id).where(col(Mention.thread).in_(some))) for some in in_parts([*marks])
    ]
    for some in theirs:
        renamed = update(Case).where(some, col(Case.thread) != thread).values(thread=thread)
        session.execute(renamed, execution_options={"synchronize_session": False})


def hand_over(session: Session, case_id: int, to: int, mention_ids: Collection[int] | None = None) -> int:
    """Posts of one case belong to another from now on, all or these; how many. The caller commits."""
    theirs = select(Verdict.mention_id).where(Verdict.case_id == case_id).distinct()
    moved = [number for number in session.exec(theirs) if mention_ids is None or number in mention_ids]
    of_them = (col(Verdict.case_id) == case_id, col(Verdict.mention_id).in_(moved))
    session.execute(update(Verdict).where(*of_them).values(case_id=to))
    return len(moved)


def _is_news(reading: Any, mention: Any, previous: Earlier | None, now: datetime) -> bool:
    """Whether people may be told: the post is new, its author changed it, or an answer still makes sense."""
    if previous is None or reading.revision > previous.revision:
        return True
    return bool(now - mention.written_at <= RECONSIDER)


def _fits(rule: Rule, reading: Said, source: str) -> bool:
    when = rule.when
    return (
        (not when.urgency or reading.urgency in when.urgency)
        and (not when.kind or reading.kind in when.kind)
        and (not when.voice or reading.voice in when.voice)
        and (not when.source or source in when.source)
        and (not when.sign or bool(set(when.sign) & set(reading.signs)))
        and (not when.category or any(category["id"] in when.category for category in reading.categories))
    )


def _because(reading: Said) -> str:
    if reading.voice != "patient":
        return next((reason for reason in reading.reasons if reason.startswith("voice ")), reading.voice)
    return f"{reading.kind}, {reading.urgency}"


def _undecided(session: Session, limit: int) -> list[Any]:
    """Readings without a verdict, each with what is needed of its mention."""
    rows = session.execute(_without_verdict().limit(limit)).all()
    # The worst first, then in the order of writing, so that a thread's first post opens its case.
    return sorted(rows, key=lambda row: (RANK[row.reading.urgency] > 0, row.mention.id, row.reading.id))


@cache  # asked with every pass: to put it together takes longer than to answer it
def _without_verdict() -> Any:
    decided = exists().where(col(Verdict.reading_id) == Reading.id)
    wanted: tuple[Any, ...] = (
        Reading.id,
        Reading.revision,
        Reading.urgency,
        Reading.readable,
        Reading.language,
        Reading.kind,
        Reading.voice,
        Reading.categories,
        Reading.reasons,
        Reading.signs,
    )
    of_mention: tuple[Any, ...] = (
        Mention.id,
        Mention.own,
        Mention.written_at,
        Mention.source,
        Mention.ref,
        *(Mention.thread, Mention.author, Mention.answers, Mention.quotes, Mention.story),
        *(Mention.revised_at, Mention.deleted_at),
    )
    newest_first: Any = select(Bundle("reading", *wanted), Bundle("mention", *of_mention)).order_by(
        col(Reading.id).desc()
    )
    return newest_first.where(col(Reading.mention_id) == Mention.id, ~decided)


def _earlier(session: Session, mention_ids: Sequence[int]) -> dict[int, Earlier]:
    rows = session.exec(
        select(Verdict, Reading.revision)
        .where(col(Verdict.mention_id).in_(mention_ids), Verdict.reading_id == Reading.id)
        .order_by(col(Verdict.id))
    )
    return {
        v.mention_id: Earlier(Decision(cast(Outcome, v.outcome), v.channel, v.reason), v.case_id, revision)
        for v, revision in rows
    }


def _case(
    session: Session,
    reading: Any,
    mention: Any,
    decision: Decision,
    previous: Earlier | None,
    config: Config,
    now: datetime,
) -> Case:
    """The case that this alert belongs to: its own from before, that of the same person's thread, or a new one."""
    assert decision.channel is not None
    is_edit = previous is not None and reading.revision > previous.revision
    # What is urgent about an edited post was said only then.
    spoken_at = mention.revised_at or mention.written_at
    # A clock ahead of ours must not give us a later target.
    clock_from = min(spoken_at, now)
    topics = [category["id"] for category in reading.categories]
    due_at = due(reading.urgency, clock_from, config.hospital, config.care.targets, topics)
    # Locked: on PostgreSQL someone may press a button between our look and our change.
    mine = previous and previous.case_id
    case, what = (session.get(Case, mine, with_for_update=True), "") if mine else _case_of(session, mention, reading)
    if case is not None:
        if what:
            join(session, case, what, reading.urgency, decision.channel, clock_from, due_at, now)
        else:
            raise_urgency(session, case, reading.urgency, decision.channel, clock_from, due_at, now)
            case.version += is_edit  # its card shows other words now
        return case
    return open_case(
        session,
        Case(
            mention_id=mention.id,
            source=mention.source,
            thread=mention.thread or mention.ref,
            author=mention.author,
            channel=decision.channel,
            urgency=reading.urgency,
            opened_at=now,
            clock_from=clock_from,
            due_at=due_at,
        ),
        without_words(decision.reason),
    )


def _case_of(session: Session, mention: Any, reading: Any) -> tuple[Case | None, str]:
    """The case that a post joins, and as what: its author's in this thread, that of its copies, that of what it answers.

    Who says the same again at the same place is calling again, and is no copy. Somebody else who is in danger, or whose
    matter is more urgent, is no part of another person's case: a card that only changes would tell nobody.
    """
    if case := _case_of_author(session, mention):
        return case, SAME_PERSON
    if case := _case_of_story(session, mention):
        again = mention.author is not None and (case.source, case.author) == (mention.source, mention.author)
        return case, SAME_PERSON if again else COPY
    case = None if reading.urgency == "danger" else _case_answered(session, mention)
    if case is not None and RANK[reading.urgency] >= RANK[case.urgency]:
        return case, OTHER_PERSON
    return None, ""


def _case_of_author(session: Session, mention: Any) -> Case | None:
    if mention.author is None:
        return None
    thread = mention.thread or mention.ref
    theirs = (
        select(Case)
        .where(col(Verdict.case_id) == Case.id, Verdict.mention_id == Mention.id, Case.source == mention.source)
        .where(or_(col(Mention.thread) == thread, col(Mention.ref) == thread), Mention.author == mention.author)
    )
    return session.exec(theirs.order_by(col(Case.id).desc()).limit(1).with_for_update()).first()


def _waiting_case_of_author(session: Session, mention: Any) -> Case | None:
    """The case that a post goes on with, whatever it says by itself: "3/3 and nobody came"."""
    if mention.own or mention.thread in (None, mention.ref):
        return None
    case = _case_of_author(session, mention)
    return case if case is not None and case.state in WAITING else None


def _case_of_story(session: Session, mention: Any) -> Case | None:
    first = mention.story or mention.id
    told = (
        select(Case)
        .where(col(Verdict.case_id) == Case.id, Verdict.mention_id == Mention.id, Mention.id != mention.id)
        .where(or_(col(Mention.story) == first, col(Mention.id) == first))
    )
    return session.exec(told.order_by(col(Case.id)).limit(1).with_for_update()).first()


def _case_answered(session: Session, mention: Any) -> Case | None:
    """The case of the post that this one answers or quotes, or of the one that answers, and so on upwards."""
    ref = mention.answers or mention.quotes
    for _ in range(DEEPEST):
        if ref is None:
            break
        above = session.exec(
            select(Mention.id, Mention.answers).where(Mention.source == mention.source, Mention.ref == ref)
        ).first()
        if above is None:
            break
        id_, ref = above
        case = select(Case).where(col(Verdict.case_id) == Case.id, Verdict.mention_id == id_)
        if found := session.exec(case.order_by(col(Case.id).desc()).limit(1).with_for_update()).first():
            return found
    return None
