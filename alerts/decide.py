"""STAGE 4: reading + care rules -> verdict, with its reason. Opens the case of an alert in the same transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


@dataclass(frozen=True)
class Decision:
    """What the rules say of one reading."""

    outcome: Outcome
    channel: str | None
    reason: str


def judge(reading: Reading, own: bool, care: Care) -> Decision:
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


def stands(decision: Decision, previous: Verdict | None, written_at: datetime, now: datetime) -> Decision:
    """The decision that is in force when a post was decided before. Pure.

    What people were told is not taken back; and an old post is not alerted because a keyword file changed.
    """
    if previous is None:
        return decision
    stronger = _STRENGTH[decision.outcome] > _STRENGTH[previous.outcome]
    if stronger and now - written_at <= _RECONSIDER:
        return decision
    if decision.outcome == previous.outcome == "alert" and decision.channel == "danger":
        return decision  # an edit made it danger
    outcome: Outcome = previous.outcome  # type: ignore[assignment]
    return Decision(outcome, previous.channel, previous.reason)


def decide(session: Session, config: Config, now: datetime, limit: int = BATCH) -> int:
    """Decide up to `limit` readings, the most urgent first, and commit; how many were decided."""
    undecided = _undecided(session, limit)
    if not undecided:
        return 0
    earlier = _earlier(session, [mention for _, mention in undecided])
    for reading, mention in undecided:
        assert reading.id is not None and mention.id is not None
        previous = earlier.get(mention.id)
        decision = stands(judge(reading, mention.own, config.care), previous, mention.written_at, now)
        verdict = Verdict(
            reading_id=reading.id,
            mention_id=mention.id,
            outcome=decision.outcome,
            channel=decision.channel,
            reason=decision.reason,
            case_id=previous.case_id if previous else None,
            decided_at=now,
        )
        if decision.outcome == "alert":
            verdict.case_id = _case(session, reading, mention, decision, previous, config, now).id
        session.add(verdict)
        earlier[mention.id] = verdict
    session.commit()
    log.info("action=decide count=%d", len(undecided))
    return len(undecided)


def _fits(rule: Rule, reading: Reading) -> bool:
    when = rule.when
    return (
        (not when.urgency or reading.urgency in when.urgency)
        and (not when.kind or reading.kind in when.kind)
        and (not when.voice or reading.voice in when.voice)
        and (not when.category or any(category["id"] in when.category for category in reading.categories))
    )


def _because(reading: Reading) -> str:
    if reading.voice != "patient":
        return next((reason for reason in reading.reasons if reason.startswith("voice ")), reading.voice)
    return f"{reading.kind}, {reading.urgency}"


def _undecided(session: Session, limit: int) -> Sequence[tuple[Reading, Mention]]:
    decided = exists().where(col(Verdict.reading_id) == Reading.id)
    pairs = session.exec(
        select(Reading, Mention)
        .where(col(Reading.mention_id) == Mention.id, ~decided)
        .order_by(col(Reading.id).desc())
        .limit(limit)
    ).all()
    # The worst first, then in the order of writing, so that a thread's first post opens its case.
    return sorted(pairs, key=lambda pair: (RANK[pair[0].urgency] > 0, pair[1].id))


def _earlier(session: Session, mentions: Sequence[Mention]) -> dict[int, Verdict]:
    ids = [mention.id for mention in mentions]
    rows = session.exec(select(Verdict).where(col(Verdict.mention_id).in_(ids)).order_by(col(Verdict.id)))
    return {verdict.mention_id: verdict for verdict in rows}


def _case(
    session: Session, reading: Reading, mention: Mention, decision: Decision, previous: Verdict | None, config: Config, now: datetime
) -> Case:
    """The case that this alert belongs to: its own from before, that of the same person's thread, or a new one."""
    assert mention.id is not None and decision.channel is not None
    # A clock ahead of ours must not give us a later target.
    clock_from = min(mention.written_at, now)
    due_at = due(reading.urgency, clock_from, config.hospital, config.care.targets)
    case = session.get(Case, previous.case_id) if previous and previous.case_id else _case_of_thread(session, mention)
    if case is not None:
        told = join if previous is None else raise_urgency  # an edit is no further post
        told(session, case, reading.urgency, decision.channel, due_at, now)
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


def _case_of_thread(session: Session, mention: Mention) -> Case | None:
    if mention.author is None:
        return None
    same = select(Case).where(
        Case.source == mention.source, Case.thread == (mention.thread or mention.ref), Case.author == mention.author
    )
    return session.exec(same.order_by(col(Case.id).desc())).first()
