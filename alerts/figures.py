"""The one place that figures come from: what was heard in a span of time, and what became of it.

Everything is counted by the time a mention was heard, so that the sections of a report and the ledger agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts.case import MERGED, Case
from alerts.delivery import PAGE, Delivery, DigestLine, Fold
from alerts.verdict import Verdict
from config.schema import Config
from listener.mention import Mention
from listener.watch import Alarm, Gap, Spend
from nlp.reading import Reading

# Two passes of the slowest usual rhythm: what has gone no further by then is stuck.
STUCK_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Heard:
    """One mention with its newest reading and the verdict in force; None for what it does not have yet."""

    mention_id: int
    source: str
    heard_at: datetime
    written_at: datetime
    voice: str | None
    kind: str | None
    categories: Sequence[str]
    urgency: str | None
    mood: float
    site: str | None
    redacted_text: str
    outcome: str | None
    reason: str | None
    case_id: int | None
    card_sent: bool
    deleted: bool = False
    digest_held: datetime | None = None  # since when its digest is ready and not sent
    collector: str = ""


@dataclass(frozen=True)
class Figures:
    """Everything a report is counted from. `since` <= heard_at < `until`."""

    since: datetime
    until: datetime
    zone: ZoneInfo
    now: datetime
    heard: Sequence[Heard]
    cases: Sequence[Case]
    gaps: Sequence[Gap]
    titles: dict[str, str]
    owners: dict[str, str]
    targets: dict[str, timedelta]
    hospital: str
    spends: Sequence[Spend] = ()  # of the UTC days that begin in the span
    alarms: Sequence[Alarm] = ()  # that were on at some time in the span
    before: "Figures | None" = field(default=None, repr=False)  # the span of the same length before this one

    def of_patients(self) -> list[Heard]:
        """What patients, relatives and visitors said."""
        return [heard for heard in self.heard if heard.voice == "patient"]


def figures(session: Session, config: Config, since: datetime, until: datetime, now: datetime) -> Figures:
    """The figures of a span, with those of the span before for comparison."""
    before = _one(session, config, since - (until - since), since, now, None)
    return _one(session, config, since, until, now, before)


def heard_between(session: Session, since: datetime | None, until: datetime) -> list[Heard]:
    """Every mention heard from `since` (None: ever) until `until`."""
    newest_reading = select(func.max(Reading.id)).group_by(col(Reading.mention_id))
    newest_verdict = select(func.max(Verdict.id)).group_by(col(Verdict.mention_id))
    # Its card where its urgency belongs, or the page that stands in for it.
    there = or_(
        and_(col(Delivery.channel) == Case.channel, col(Delivery.round) == Case.round),
        col(Delivery.about).startswith(PAGE),
    )
    there = and_(there, col(Delivery.kind) == "card")
    carded = exists().where(
        and_(col(Case.id) == Verdict.case_id, col(Delivery.case_id) == Case.id, col(Delivery.state) == "sent", there)
    )
    folded = exists().where(
        *(col(Fold.case_id) == Verdict.case_id, col(Fold.delivery_id) == Delivery.id, col(Delivery.state) == "sent")
    )
    sent = or_(carded, folded)
    rows = session.exec(
        select(Mention, Reading, Verdict, sent)
        .join(Reading, and_(col(Reading.mention_id) == Mention.id, col(Reading.id).in_(newest_reading)), isouter=True)
        .join(Verdict, and_(col(Verdict.mention_id) == Mention.id, col(Verdict.id).in_(newest_verdict)), isouter=True)
        .where(Mention.heard_at < until, *([Mention.heard_at >= since] if since else []))
        .order_by(col(Mention.id))
    )
    waiting = select(DigestLine.mention_id, Delivery.created_at).where(
        DigestLine.delivery_id == Delivery.id, Delivery.state != "sent"
    )
    held = dict(session.exec(waiting).all())
    return [
        _heard(mention, reading, verdict, bool(is_sent), held.get(mention.id or 0))
        for mention, reading, verdict, is_sent in rows
    ]


def _one(
    session: Session, config: Config, since: datetime, until: datetime, now: datetime, before: Figures | None
) -> Figures:
    heard = heard_between(session, since, until)
    opened_by = and_(col(Case.mention_id) == Mention.id, col(Mention.heard_at) >= since, col(Mention.heard_at) < until)
    counts = or_(col(Case.outcome).is_(None), col(Case.outcome) != MERGED)  # else its posts are another case's
    cases = session.exec(select(Case).where(opened_by, counts).order_by(col(Case.id))).all()
    gaps = session.exec(select(Gap).where(col(Gap.found_at) >= since, col(Gap.found_at) < until)).all()
    first, last = (moment.astimezone(UTC).date() for moment in (since, until))
    spends = session.exec(select(Spend).where(col(Spend.day) >= first, col(Spend.day) < last)).all()
    still_on = or_(col(Alarm.over_at).is_(None), col(Alarm.over_at) >= since)
    alarms = session.exec(select(Alarm).where(col(Alarm.raised_at) < until, still_on).order_by(col(Alarm.id))).all()
    targets = config.care.targets
    return Figures(
        since,
        until,
        config.hospital.zone,
        now,
        heard,
        cases,
        gaps,
        {name: category.title for name, category in config.keywords.categories.items()},
        {name: category.owner for name, category in config.keywords.categories.items()},
        {name: getattr(targets, name) for name in ("danger", "here_now", "serious", "routine")},
        config.hospital.name,
        spends,
        alarms,
        before,
    )


def _heard(mention: Mention, reading: Any, verdict: Any, card_sent: bool, digest_held: datetime | None) -> Heard:
    assert mention.id is not None
    return Heard(
        mention.id,
        mention.source,
        mention.heard_at,
        mention.written_at,
        reading.voice if reading else None,
        reading.kind if reading else None,
        [category["id"] for category in reading.categories] if reading else [],
        reading.urgency if reading else None,
        reading.mood if reading else 0.0,
        reading.site if reading else None,
        reading.redacted_text if reading else "",
        verdict.outcome if verdict else None,
        verdict.reason if verdict else None,
        verdict.case_id if verdict else None,
        card_sent,
        mention.deleted_at is not None,
        digest_held,
        mention.collector,
    )
