"""STAGE 4: reading + care rules -> verdict, with its reason. Opens the case of an alert in the same transaction."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import insert
from sqlalchemy.orm import Bundle
from sqlmodel import Session, col, exists, select

from alerts.case import RANK, Case, join, open_case, raise_urgency
from alerts.clockface import due
from alerts.verdict import Verdict
from config.schema import Care, Config, Outcome, Rule
from listener.mention import Mention
from nlp.reading import Reading

log = logging.getLogger(__name__)

BATCH = 500
# A post read again under changed rules opens a new card only while an answer still makes sense.
_RECONSIDER = timedelta(hours=24)
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


def judge(reading: Said, own: bool, care: Care) -> Decision:
    """What becomes of a post. Pure."""
    if own:
        return Decision("dismiss", None, "the hospital's own post")
    if reading.urgency == "danger":
        return Decision("alert", "danger", "danger is always a card that pages the on-call people")
    if not reading.readable:
        return Decision("alert", "care", f"unread: no phrases for language {reading.language}, a person must read it")
    for rule in care.rules:
        if _fits(rule, reading):
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
    rows = []
    for reading, mention in undecided:
        previous = earlier.get(mention.id)
        is_news = _is_news(reading, mention, previous, now)
        decision = stands(judge(reading, mention.own, config.care), previous, is_news)
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
    session.execute(insert(Verdict), rows)
    session.commit()
    log.info("action=decide count=%d", len(undecided))
    return len(undecided)


def _is_news(reading: Any, mention: Any, previous: Earlier | None, now: datetime) -> bool:
    """Whether people may be told: the post is new, its author changed it, or an answer still makes sense."""
    if previous is None or reading.revision > previous.revision:
        return True
    return bool(now - mention.written_at <= _RECONSIDER)


def _fits(rule: Rule, reading: Said) -> bool:
    when = rule.when
    return (
        (not when.urgency or reading.urgency in when.urgency)
        and (not when.kind or reading.kind in when.kind)
        and (not when.voice or reading.voice in when.voice)
        and (not when.category or any(category["id"] in when.category for category in reading.categories))
    )


def _because(reading: Said) -> str:
    if reading.voice != "patient":
        return next((reason for reason in reading.reasons if reason.startswith("voice ")), reading.voice)
    return f"{reading.kind}, {reading.urgency}"


def _undecided(session: Session, limit: int) -> list[Any]:
    """Readings without a verdict, each with what is needed of its mention."""
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
    )
    of_mention: tuple[Any, ...] = (
        Mention.id,
        Mention.own,
        Mention.written_at,
        Mention.edited_at,
        Mention.source,
        Mention.ref,
        Mention.thread,
        Mention.author,
    )
    rows = session.execute(
        select(Bundle("reading", *wanted), Bundle("mention", *of_mention))
        .where(col(Reading.mention_id) == Mention.id, ~decided)
        .order_by(col(Reading.id).desc())
        .limit(limit)
    ).all()
    # The worst first, then in the order of writing, so that a thread's first post opens its case.
    return sorted(rows, key=lambda row: (RANK[row.reading.urgency] > 0, row.mention.id, row.reading.id))


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
    spoken_at = (mention.edited_at or now) if is_edit else mention.written_at
    # A clock ahead of ours must not give us a later target.
    clock_from = min(spoken_at, now)
    due_at = due(reading.urgency, clock_from, config.hospital, config.care.targets)
    # Locked: on PostgreSQL someone may press a button between our look and our change.
    mine = previous and previous.case_id
    case = session.get(Case, mine, with_for_update=True) if mine else _case_of_thread(session, mention)
    if case is not None:
        told = join if previous is None else raise_urgency  # an edit is no further post
        told(session, case, reading.urgency, decision.channel, clock_from, due_at, now)
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
        decision.reason,
    )


def _case_of_thread(session: Session, mention: Any) -> Case | None:
    if mention.author is None:
        return None
    same = select(Case).where(
        Case.source == mention.source, Case.thread == (mention.thread or mention.ref), Case.author == mention.author
    )
    return session.exec(same.order_by(col(Case.id).desc()).limit(1).with_for_update()).first()
