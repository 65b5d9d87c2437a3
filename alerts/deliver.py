"""STAGE 5: the outbox. Every card, digest, note and report reaches people once.

First it writes down what has to be sent ("which case has no card?"), then it sends, the most urgent first. A row is
`sending` before the request leaves; after an unknown outcome, or a kill, the message is looked for before it is sent
again. No request is made inside a transaction: while Slack is slow, the other stages must be able to write.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import CursorResult, String, cast, delete, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts import report
from alerts.case import RANK, WAITING, Case
from alerts.delivery import PAGE, Delivery, DigestLine
from alerts.door import Door, Sent
from alerts.figures import figures
from alerts.message import DIGEST_LINES, CaseView, DigestItem, Message, card, digest, note, summary
from alerts.verdict import Verdict
from config.schema import Config
from listener.errors import AskedToWait, CallLightError, NeedsPerson, OutcomeUnknown, TryLater
from listener.mention import Mention
from listener.watch import Alarm, Gap
from nlp.reading import Reading

log = logging.getLogger(__name__)

_BACKOFF = (timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5))
_REPAIR = timedelta(minutes=2)  # until a person may have mended what needs one
_DANGER_WAITS = timedelta(seconds=15)  # at most, between two tries
_UNDER_WAY = timedelta(seconds=20)  # longer than a request takes: so long another process leaves a row alone
_SHOWN_POSTS = 200  # of a case that are looked through for its card
_ALSO = 3  # further posts of a case that its card shows
_FORGETS = timedelta(days=7)  # so far back it is looked for what is gone: far longer than any stop
_PASS = 20.0  # seconds after which a pass ends, so that danger that came meanwhile is read
_NOTE_RANK, _DIGEST_RANK, _REPORT_RANK = 6, 7, 8
_DIGEST_TITLES = {"praise": "Kind words", "care": "Remarks", "ops": "In the news"}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Delivered:
    """What a pass came to."""

    sent: int = 0
    updated: int = 0
    waiting: int = 0
    trouble: tuple[str, ...] = ()  # what a person has to mend, or that there is no connection


def deliver(
    session: Session, config: Config, door: Door, now: datetime, stop: Callable[[], bool] = lambda: False
) -> Delivered:
    """Write down what must be sent, then send what may be sent now."""
    _enqueue_cards(session, now)
    _enqueue_notes(session, now)
    _enqueue_digests(session, config, now)
    _enqueue_due_report(session, config, now)
    session.commit()
    ends = monotonic() + _PASS
    sent = 0
    held: set[str] = set()  # channels that said to wait, in this pass
    trouble: list[str] = []
    while not stop() and (row := _next(session, now, held)):
        sent += _send(session, config, door, row, now, held, trouble)
        if monotonic() > ends:
            break
    updated = _update(session, config, door, now, lambda: stop() or monotonic() > ends)
    waiting = session.exec(select(func.count()).select_from(Delivery).where(Delivery.state != "sent")).one()
    session.commit()
    if sent or updated or waiting:
        log.info("action=deliver sent=%d updated=%d waiting=%d", sent, updated, waiting)
    return Delivered(sent, updated, waiting, tuple(dict.fromkeys(trouble)))


# ---------------------------------------------------------------- what must be sent


def enqueue_report(session: Session, since: datetime, config: Config, now: datetime) -> bool:
    """Put the summary of the week that begins at `since` into the queue, once, if anything was heard in it.

    Raises NeedsPerson while that week is not over. The caller commits.
    """
    zone = config.hospital.zone
    name = report.week_name(since, zone)
    since, until = report.week(name, zone, now)
    if now < until:
        raise NeedsPerson(f"the week {name} is not over; its summary can be sent from {until:%a %d %b} on")
    about = f"week:{name}"
    known = select(Delivery.id).where(Delivery.kind == "report", Delivery.about == about)
    heard = select(Mention.id).where(Mention.heard_at >= since, Mention.heard_at < until)
    if session.exec(known).first() is not None or session.exec(heard.limit(1)).first() is None:
        return False
    session.add(_row("report", about, config.report.channel, _REPORT_RANK, now))
    return True


def _enqueue_due_report(session: Session, config: Config, now: datetime) -> None:
    """The summary of the last week that is over, from its day and hour on. What was missed before stays missed."""
    zone = config.hospital.zone
    since, until = report.week(None, zone, now)
    day = until.date() + timedelta(days=_DAYS.index(config.report.day))
    if now >= datetime.combine(day, time(config.report.hour), zone).astimezone(UTC):
        enqueue_report(session, since, config, now)


def _row(kind: str, about: str, channel: str, rank: int, now: datetime, case_id: int | None = None) -> Delivery:
    key = uuid.uuid4().hex
    return Delivery(
        key=key, kind=kind, about=about, channel=channel, rank=rank, created_at=now, next_try_at=now, case_id=case_id
    )


def _enqueue_cards(session: Session, now: datetime) -> None:
    """A card for each case that has none in its channel: a case that becomes danger gets one there too, and one that a
    post reopens gets a new one, as nobody looks at the old one any more."""
    has_card = exists().where(
        and_(col(Delivery.case_id) == Case.id, col(Delivery.channel) == Case.channel, col(Delivery.kind) == "card"),
        col(Delivery.round) == Case.round,
    )
    for case in session.exec(select(Case).where(~has_card).order_by(col(Case.id))).all():
        about = f"case:{case.id}" if case.round == 1 else f"case:{case.id}:{case.round}"
        row = _row("card", about, case.channel, RANK[case.urgency], now, case.id)
        row.round = case.round
        session.add(row)
    waiting = select(Delivery, Case.urgency).where(Delivery.case_id == Case.id, Delivery.state != "sent")
    for row, urgency in session.exec(waiting):
        row.rank = RANK[urgency]  # it may have become worse since


def _enqueue_pages(session: Session, channel: str, now: datetime) -> None:
    """Danger that cannot reach its channel goes to the care team too: a page that nobody sees is a person harmed."""
    paged, row = aliased(Delivery), Delivery
    has_page = exists().where(col(paged.case_id) == row.case_id, col(paged.about).startswith(PAGE))
    stranded = select(row.case_id).where(
        row.channel == channel,
        row.channel != "care",
        row.kind == "card",
        row.rank == RANK["danger"],
        row.state != "sent",
        row.case_id == Case.id,
        col(Case.state).in_(WAITING),
        ~has_page,
    )
    for case_id in session.exec(stranded).all():
        session.add(_row("card", f"{PAGE}{case_id}", "care", RANK["danger"], now, case_id))


def _enqueue_notes(session: Session, now: datetime) -> None:
    told = exists().where(col(Delivery.gap_id) == Gap.id)
    for gap in session.exec(select(Gap).where(~told)).all():
        row = _row("note", f"gap:{gap.id}", "health", _NOTE_RANK, now)
        row.gap_id = gap.id
        session.add(row)
    known = exists().where(col(Delivery.about) == "alarm:" + cast(col(Alarm.id), String))
    for alarm in session.exec(select(Alarm).where(~known)).all():
        _note_alarm(session, alarm, f"alarm:{alarm.id}", now)
    known = exists().where(col(Delivery.about) == "alarm:" + cast(col(Alarm.id), String) + ":over")
    over = and_(col(Alarm.over_at).is_not(None), col(Alarm.over).is_not(None))
    for alarm in session.exec(select(Alarm).where(over, ~known)).all():
        _note_alarm(session, alarm, f"alarm:{alarm.id}:over", now)


def _note_alarm(session: Session, alarm: Alarm, about: str, now: datetime) -> None:
    row = _row("note", about, "health", _NOTE_RANK, now)
    row.alarm_id = alarm.id
    session.add(row)


def _enqueue_digests(session: Session, config: Config, now: datetime) -> None:
    """Digests of what waited long enough, in messages of DIGEST_LINES."""
    newer = aliased(Verdict)
    is_old = exists().where(col(newer.mention_id) == Verdict.mention_id, col(newer.id) > col(Verdict.id))
    lined = exists().where(col(DigestLine.mention_id) == Verdict.mention_id)
    waiting = session.exec(
        select(Verdict).where(Verdict.outcome == "digest", ~lined, ~is_old).order_by(col(Verdict.mention_id))
    ).all()
    for channel in dict.fromkeys(verdict.channel for verdict in waiting):
        lines = [verdict for verdict in waiting if verdict.channel == channel]
        if channel is None or now - min(verdict.decided_at for verdict in lines) < config.care.digest.every:
            continue
        for start in range(0, len(lines), DIGEST_LINES):
            row = _row("digest", f"digest:{lines[start].mention_id}", channel, _DIGEST_RANK, now)
            session.add(row)
            session.flush()
            assert row.id is not None
            for verdict in lines[start : start + DIGEST_LINES]:
                session.add(DigestLine(mention_id=verdict.mention_id, delivery_id=row.id))


# ---------------------------------------------------------------- sending


def _next(session: Session, now: datetime, held: set[str]) -> Delivery | None:
    """The most urgent message that may be sent now. Asked anew each time: danger that came meanwhile goes first."""
    waiting = select(Delivery).where(
        col(Delivery.state).in_(("pending", "sending")),
        col(Delivery.next_try_at) <= now,
        col(Delivery.channel).not_in(held),
    )
    return session.exec(waiting.order_by(col(Delivery.rank), col(Delivery.id)).limit(1)).first()


def _claim(session: Session, row: Delivery, now: datetime) -> bool:
    """Mark a row as being sent; False if another process was first."""
    unchanged = and_(
        col(Delivery.id) == row.id, col(Delivery.state) == row.state, col(Delivery.attempts) == row.attempts
    )
    values = {"state": "sending", "attempts": row.attempts + 1, "next_try_at": now + _UNDER_WAY}
    claimed = session.execute(
        update(Delivery).where(unchanged).values(**values), execution_options={"synchronize_session": False}
    )
    assert isinstance(claimed, CursorResult)
    session.expire(row)
    return claimed.rowcount == 1


def _send(
    session: Session, config: Config, door: Door, row: Delivery, now: datetime, held: set[str], trouble: list[str]
) -> bool:
    was_cut_off = row.state == "sending"
    if not _claim(session, row, now):
        session.rollback()
        return False
    try:
        message, version = _message(session, config, row, now)
        channel, key, since, place = row.channel, row.key, row.created_at, _place_of(session, row.channel, door)
        session.commit()
        found = door.find(channel, key, since, place) if was_cut_off else None
        sent = found or _posted(door, channel, message, key, since, place)
    except CallLightError as error:
        if not isinstance(error, AskedToWait):
            trouble.append(str(error))
        _put_off(session, row, error, was_cut_off, now, held)
        return False
    # A card that was found may have been sent before the case changed.
    row.shown_version = 0 if found else version
    row.state, row.trouble, row.sent_at = "sent", None, now
    row.door, row.place, row.ref = door.name, sent.place, sent.ref
    session.add(row)
    if row.case_id is not None and not row.about.startswith(PAGE):
        # The danger channel works again: a page that has not left yet is not needed.
        page = and_(col(Delivery.about) == f"{PAGE}{row.case_id}", col(Delivery.state) == "pending")
        session.execute(delete(Delivery).where(page, col(Delivery.id) != row.id))
    session.commit()
    log.info(
        "action=send kind=%s delivery=%s case=%s channel=%s attempts=%d",
        row.kind,
        row.id,
        row.case_id,
        row.channel,
        row.attempts,
    )
    return True


def _posted(door: Door, channel: str, message: Message, key: str, since: datetime, place: str | None) -> Sent:
    """Post; where the answer is lost, look at once whether it arrived. What is not seen yet is looked for again later."""
    try:
        return door.post(channel, message, key)
    except OutcomeUnknown as unknown:
        try:
            found = door.find(channel, key, since, place)
        except CallLightError:
            raise unknown from None
        if found is None:
            raise
        return found


def _put_off(
    session: Session, row: Delivery, error: CallLightError, was_cut_off: bool, now: datetime, held: set[str]
) -> None:
    """Back to the queue: `sending` stays where the outcome is unknown, so that it is looked for first."""
    held.add(row.channel)
    if not was_cut_off and not isinstance(error, OutcomeUnknown):
        row.state = "pending"
    row.trouble, row.next_try_at = str(error), _next_try(row, error, now)
    if isinstance(error, TryLater) and error.at:
        same = and_(
            col(Delivery.channel) == row.channel,
            col(Delivery.state) != "sent",
            col(Delivery.next_try_at) < row.next_try_at,
        )
        session.execute(update(Delivery).where(same).values(next_try_at=row.next_try_at))
    session.add(row)
    if isinstance(error, NeedsPerson) and row.kind == "card" and row.rank == RANK["danger"]:
        _enqueue_pages(session, row.channel, now)
    session.commit()
    log.warning(
        "action=send delivery=%s case=%s channel=%s attempts=%d remedy=%s",
        row.id,
        row.case_id,
        row.channel,
        row.attempts,
        type(error).__name__,
    )


def _next_try(row: Delivery, error: CallLightError, now: datetime) -> datetime:
    if isinstance(error, TryLater) and error.at:
        return max(error.at, now)
    wait = _REPAIR if isinstance(error, NeedsPerson) else _BACKOFF[min(row.attempts, len(_BACKOFF)) - 1]
    return now + (min(wait, _DANGER_WAITS) if row.rank == RANK["danger"] else wait)


def _place_of(session: Session, channel: str, door: Door) -> str | None:
    """The door's name for a channel, as an earlier message taught it."""
    earlier = select(Delivery.place).where(Delivery.channel == channel, Delivery.door == door.name)
    return session.exec(earlier.order_by(col(Delivery.id).desc()).limit(1)).first()


def _update(session: Session, config: Config, door: Door, now: datetime, stop: Callable[[], bool]) -> int:
    """Edit the messages that no longer show things as they are: cases that moved on, posts that are gone."""
    may = and_(
        col(Delivery.state) == "sent",
        col(Delivery.door) == door.name,
        or_(col(Delivery.next_try_at) <= now, col(Delivery.trouble).is_(None)),
    )
    card_is_old = and_(col(Delivery.kind) == "card", col(Delivery.shown_version) < Case.version)
    cards = select(Delivery).where(col(Delivery.case_id) == Case.id, card_is_old, may)
    stale = [
        *session.exec(cards.order_by(col(Delivery.rank), col(Delivery.id))),
        *_quoting_what_is_gone(session, config, may, now),
    ]
    updated = 0
    held: set[str] = set()
    for row in stale:
        if stop():
            break
        if row.channel in held:
            continue
        try:
            _update_one(session, config, door, row, now)
        except CallLightError as error:
            row.trouble, row.next_try_at = str(error), _next_try(row, error, now)
            session.add(row)
            session.commit()
            if isinstance(error, TryLater):
                break  # the place itself asks to wait: the next pass goes on
            held.add(row.channel)
        else:
            updated += 1
    return updated


def _quoting_what_is_gone(session: Session, config: Config, may: Any, now: datetime) -> list[Delivery]:
    """Digests and reports that were sent before a post in them was gone."""
    lately = col(Mention.deleted_at) > now - _FORGETS
    first, last = session.exec(select(func.min(Mention.heard_at), func.max(Mention.heard_at)).where(lately)).one()
    if first is None:
        return []
    digests = (
        select(Delivery)
        .where(col(DigestLine.delivery_id) == Delivery.id, DigestLine.mention_id == Mention.id, lately, may)
        .distinct()
    )
    found = list(session.exec(digests))
    for row in session.exec(select(Delivery).where(Delivery.kind == "report", may)):
        since, until = _week_of(row, config, now)
        found += [row] if first < until and last >= since else []
    return [row for row in found if _gone_from(session, config, row, now) > row.shown_version]


def _gone_from(session: Session, config: Config, row: Delivery, now: datetime) -> int:
    """How many posts that a digest or a report was made of are gone by now."""
    gone = select(func.count()).select_from(Mention).where(col(Mention.deleted_at).is_not(None))
    if row.kind == "digest":
        lines = select(DigestLine.mention_id).where(DigestLine.delivery_id == row.id)
        return session.exec(gone.where(col(Mention.id).in_(lines))).one()
    since, until = _week_of(row, config, now)
    return session.exec(gone.where(Mention.heard_at >= since, Mention.heard_at < until)).one()


def _week_of(row: Delivery, config: Config, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of a report's week."""
    return report.week(row.about.removeprefix("week:"), config.hospital.zone, now)


def _update_one(session: Session, config: Config, door: Door, row: Delivery, now: datetime) -> None:
    message, version = _message(session, config, row, now)
    sent = Sent(row.place or "", row.ref or "")
    session.commit()
    door.update(sent, message)
    row.shown_version, row.trouble = version, None
    session.add(row)
    session.commit()


# ---------------------------------------------------------------- what a row says


def _message(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The message of a row as things stand now, and the version of the case that it shows. Raises NeedsPerson."""
    try:
        if row.kind == "card":
            case = session.get_one(Case, row.case_id)
            return card(_view(session, config, case, row.key), config.care.slack.oncall), case.version
        if row.kind == "digest":
            title = _DIGEST_TITLES.get(row.channel, "Digest")
            return digest(_items(session, row), title, row.key, config.hospital.zone), _gone_from(
                session, config, row, now
            )
        if row.kind == "report":
            return _summary(session, config, row, now), _gone_from(session, config, row, now)
        if row.alarm_id is not None:
            return _alarm_note(session.get_one(Alarm, row.alarm_id), row), 0
        return _gap_note(session.get_one(Gap, row.gap_id), config, row.key), 0
    except CallLightError:
        raise
    except Exception as error:
        # One message that cannot be written must not hold up those behind it.
        log.error("action=write delivery=%s kind=%s error=%s", row.id, row.kind, type(error).__name__)
        raise NeedsPerson(f"this message cannot be written ({type(error).__name__}); please report it") from error


def _gap_note(gap: Gap, config: Config, key: str) -> Message:
    zone = config.hospital.zone
    since, until = (moment.astimezone(zone).strftime("%a %d %b %H:%M") for moment in (gap.since, gap.until))
    sentence = f"{gap.collector} could not be heard from {since} to {until}: {gap.why}. Posts of that time are not in the ledger; please look there by hand."
    return note(sentence, f"Not heard: {gap.collector}", key)


def _alarm_note(alarm: Alarm, row: Delivery) -> Message:
    if row.about.endswith(":over"):
        return note(f"{alarm.over}.", f"Well again: {alarm.collector}", row.key)
    return note(f"{alarm.why}.", f"Please look: {alarm.collector}", row.key)


def _summary(session: Session, config: Config, row: Delivery, now: datetime) -> Message:
    since, until = _week_of(row, config, now)
    numbers = figures(session, config, since, until, now)
    title = f"{config.hospital.name}: what was said, {report.span_in_words(numbers)}"
    return summary(report.report(numbers, config.report.sections), title, row.key)


def newest_reading(session: Session, mention_id: int) -> Reading:
    """The reading of a mention that is in force."""
    readings = select(Reading).where(Reading.mention_id == mention_id)
    return session.exec(readings.order_by(col(Reading.id).desc()).limit(1)).one()


def _view(session: Session, config: Config, case: Case, key: str) -> CaseView:
    posts = _posts_of(session, case)
    # The most urgent post that is not gone: that is what people must see.
    mention, reading = min(posts, key=lambda post: (post[0].deleted_at is not None, RANK[post[1].urgency]))
    assert case.id is not None
    return CaseView(
        case_id=case.id,
        delivery_key=key,
        state=case.state,
        urgency=case.urgency,
        owner=case.owner,
        posts=case.posts,
        people=len({post.author for post, _ in posts if post.author}),
        also=_also(posts, mention),
        clock_from=case.clock_from,
        due_at=case.due_at,
        answered_at=case.answered_at,
        source=case.source,
        url=mention.url,
        reach=mention.reach,
        rating=mention.rating,
        redacted_text=reading.redacted_text,
        language=reading.language,
        readable=reading.readable,
        mood=reading.mood,
        kind=reading.kind,
        categories=reading.categories,
        titles={name: category.title for name, category in config.keywords.categories.items()},
        site=reading.site,
        departments=reading.departments,
        reasons=reading.reasons,
        gone=mention.deleted_why,
        contact=mention.author is not None and mention.url is None,
        zone=config.hospital.zone,
    )


def _posts_of(session: Session, case: Case) -> list[tuple[Mention, Reading]]:
    """The posts of a case in the order of writing. Of a story that hundreds copied, the first of them will do."""
    ids = select(Verdict.mention_id).where(Verdict.case_id == case.id).distinct().order_by(col(Verdict.mention_id))
    numbers = {case.mention_id, *session.exec(ids.limit(_SHOWN_POSTS))}
    posts = [(session.get_one(Mention, number), newest_reading(session, number)) for number in sorted(numbers)]
    return sorted(posts, key=lambda post: (post[0].written_at, post[0].id))


def _also(posts: Sequence[tuple[Mention, Reading]], shown: Mention) -> tuple[str, ...]:
    """What else was said in a case, the newest posts; copies say the same."""
    story = shown.story or shown.id
    others = [
        reading.redacted_text
        for post, reading in posts
        if post.id != shown.id and post.deleted_at is None and story not in (post.story, post.id)
    ]
    return tuple(others[-_ALSO:])


def _items(session: Session, row: Delivery) -> Sequence[DigestItem]:
    items = []
    lines = select(Mention).where(col(DigestLine.mention_id) == Mention.id, DigestLine.delivery_id == row.id)
    for mention in session.exec(lines.order_by(col(Mention.id))):
        assert mention.id is not None
        reading = newest_reading(session, mention.id)
        if mention.deleted_at is None:
            items.append(
                DigestItem(mention.source, mention.written_at, mention.url, reading.redacted_text, reading.mood)
            )
    return items
