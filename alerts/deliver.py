"""STAGE 5: the outbox. Every card, note and page reaches people once.

First it writes down what has to be sent ("which case has no card?"), then it sends, the most urgent first. A row is
`sending` before the request leaves; after an unknown outcome, or a kill, the message is looked for before it is sent
again. Its charts and files were uploaded before (alerts/uploads.py). No request is made inside a transaction: while Slack
is slow, the other stages must be able to write.

What there is to send is one file a kind of message in alerts/notices/ with
    THROUGH                                         the door it leaves by: "people" (if left out), "pager" or "hooks"
    EDIT_EVERY                                      (may be left out) how long an edited message is left alone
    enqueue(session, config, now)                   a row for everything that has none yet
    write(session, config, row, now)                what a row says as things stand now, and the version it shows
    stale(session, config, may, now)                (may be left out) rows that were sent and show things as they were
Each door has an outbox of its own, so that a slow CRM holds up no card.
"""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any, Protocol, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, and_, col, func, or_, select

import alerts.notices
from alerts import uploads
from alerts.case import RANK, Case
from alerts.delivery import GIVEN_UP, PAGE, Delivery
from alerts.door import Door, Sent
from alerts.message import Message
from alerts.notices import card
from config.schema import Config
from listener import health, stages
from listener.errors import AskedToWait, CallLightError, NeedsPerson, NoChannel, OutcomeUnknown, TryLater
from listener.logs import logger

log = logger(__name__)

_BACKOFF = {  # by kind; the others as a card
    "card": (timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1)),  # a reply is due in minutes
    "hook": (  # as Standard Webhooks say
        *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5)),
        *(timedelta(hours=10), timedelta(hours=14), timedelta(hours=20), timedelta(hours=24)),
    ),
}
_REPAIR = timedelta(minutes=2)  # until a person may have mended what needs one
_DANGER_WAITS = timedelta(seconds=15)  # at most, between two tries
_UNDER_WAY = timedelta(seconds=20)  # longer than a request takes: so long another process leaves a row alone
_PASS = 20.0  # seconds after which a pass ends, so that danger that came meanwhile is read
# Slack takes a message a second in a channel, and a few at once. Danger does not wait for it.
_AT_ONCE, _SPAN = 3, timedelta(seconds=3)
_WRONG_CLOCK = timedelta(days=2)  # further ahead than anything is put off: such a time is of a clock that was wrong
CHANNEL = "channel"  # the kind of an alarm: a channel that cannot be reached


@dataclass(frozen=True)
class Delivered:
    """What a pass came to."""

    sent: int = 0
    updated: int = 0
    waiting: int = 0
    trouble: tuple[str, ...] = ()  # what a person has to mend, or that there is no connection
    is_paced: bool = False  # what waits can go in a second: its channel has just taken enough


@dataclass
class Held:
    """Channels that take nothing more in this pass."""

    sent: Counter[str]  # messages of the last seconds, in this pass too
    refused: set[str] = field(default_factory=set)

    @property
    def paced(self) -> list[str]:
        """Channels that have just taken as many messages as Slack takes at once."""
        return [channel for channel, count in self.sent.items() if count >= _AT_ONCE]


class Notice(Protocol):
    """What a file in alerts/notices/ holds; THROUGH, EDIT_EVERY and stale() are looked for."""

    def enqueue(self, session: Session, config: Config, now: datetime) -> None:
        """Add a row for everything that has none yet."""

    def write(self, session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
        """What a row says, and the version that it shows."""


@cache
def known_notices() -> dict[str, Notice]:
    """Every kind of message by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(alerts.notices.__path__))
    return {name: cast(Notice, importlib.import_module(f"alerts.notices.{name}")) for name in names}


def deliver(
    session: Session,
    config: Config,
    door: Door,
    now: datetime,
    stop: Callable[[], bool] = lambda: False,
    through: str = "people",
) -> Delivered:
    """Write down what must be sent, then send what may be sent now. A mistake in one kind of message is raised at the end."""
    mistake = _enqueue(session, config, now, through)
    ends = monotonic() + _PASS
    sent = 0
    held = Held(_just_sent(session, door, now))
    trouble: list[str] = []
    while not stop() and (row := _next(session, now, held, through)):
        sent += _send(session, config, door, row, now, held, trouble)
        if monotonic() > ends:
            break
    updated = _update(session, config, door, now, lambda: stop() or monotonic() > ends, through, trouble)
    left = (col(Delivery.state).in_(("pending", "sending")), col(Delivery.kind).in_(_leaving(through)))
    waiting = session.exec(select(func.count()).select_from(Delivery).where(*left)).one()
    session.commit()
    if sent or updated or waiting:
        log.info("deliver", through=through, sent=sent, updated=updated, waiting=waiting)
    if mistake is not None:
        raise mistake
    return Delivered(sent, updated, waiting, tuple(dict.fromkeys(trouble)), bool(held.paced) and waiting > 0)


def _enqueue(session: Session, config: Config, now: datetime, through: str) -> Exception | None:
    """What has no row yet gets one; a mistake in one kind of message holds up no other, danger least of all."""
    mistake: Exception | None = None
    for kind, notice in _leaving(through).items():
        try:
            notice.enqueue(session, config, now)
            session.commit()
        except DatabaseError:  # nothing can be written down at all
            raise
        except Exception as error:
            session.rollback()
            log.error("enqueue", kind=kind, error=error)
            mistake = mistake or error
    return mistake


def edit(session: Session, config: Config, door: Door, case_id: int, now: datetime) -> None:
    """Show a case as it now is on its cards, at once: somebody has just pressed a button and waits. What cannot be
    edited now is left to the next pass."""
    may = and_(_may_be_edited(door, now), col(Delivery.case_id) == case_id)
    for row in card.stale(session, config, may, now):
        try:
            _update_one(session, config, door, row, now)
        except CallLightError as error:
            log.warning("edit", delivery=row.id, remedy=type(error).__name__)
            session.rollback()


def show_again(session: Session, config: Config, door: Door, now: datetime) -> tuple[int, list[str]]:
    """Edit what people see where a post in it is gone, and send nothing new: how many messages, and what a person has to mend."""
    trouble: list[str] = []
    count = _update(session, config, door, now, lambda: False, "people", trouble)
    return count, trouble


@cache
def _leaving(through: str) -> dict[str, Notice]:
    """The kinds that leave by a door."""
    return {name: notice for name, notice in known_notices().items() if getattr(notice, "THROUGH", "people") == through}


def _just_sent(session: Session, door: Door, now: datetime) -> Counter[str]:
    """How many messages each channel got within the last seconds. A terminal takes any number."""
    if door.name != "slack":
        return Counter()
    lately = (Delivery.door == door.name, col(Delivery.sent_at) > now - _SPAN)
    return Counter(
        dict(session.exec(select(Delivery.channel, func.count()).where(*lately).group_by(col(Delivery.channel))).all())
    )


# ---------------------------------------------------------------- sending


def _next(session: Session, now: datetime, held: Held, through: str) -> Delivery | None:
    """The most urgent message that may be sent now. Asked anew each time: danger that came meanwhile goes first."""
    paced_out = and_(col(Delivery.channel).in_(held.paced), col(Delivery.rank) > RANK["danger"])
    waiting = select(Delivery).where(
        col(Delivery.state).in_(("pending", "sending")),
        col(Delivery.kind).in_(_leaving(through)),
        _is_due(now),
        col(Delivery.channel).not_in(held.refused),
        ~paced_out,
    )
    return session.exec(waiting.order_by(col(Delivery.rank), col(Delivery.id)).limit(1)).first()


def _is_due(now: datetime) -> Any:
    """Whether a message may be tried now."""
    return or_(col(Delivery.next_try_at) <= now, col(Delivery.next_try_at) > now + _WRONG_CLOCK)


def _claim(session: Session, row: Delivery, now: datetime) -> bool:
    """Mark a row as being sent; False if another process was first."""
    unchanged = and_(
        col(Delivery.id) == row.id, col(Delivery.state) == row.state, col(Delivery.attempts) == row.attempts
    )
    values = {"state": "sending", "attempts": row.attempts + 1, "next_try_at": now + _UNDER_WAY, "trouble": None}
    claimed = session.execute(
        update(Delivery).where(unchanged).values(**values), execution_options={"synchronize_session": False}
    )
    assert isinstance(claimed, CursorResult)
    session.expire(row)
    return claimed.rowcount == 1


def _send(
    session: Session, config: Config, door: Door, row: Delivery, now: datetime, held: Held, trouble: list[str]
) -> bool:
    was_cut_off = row.state == "sending"
    assert row.id is not None
    row_id = row.id
    if not _claim(session, row, now):
        session.rollback()
        return False
    try:
        message, version = write(session, config, row, now)
        channel, key, since, place = row.channel, row.key, row.created_at, _place_of(session, row.channel, door)
        session.commit()
        found = door.find(channel, key, since, place) if was_cut_off else None
        if found is None:
            message = uploads.attach(session, door, row, message, version, now)
            session.commit()
        with uploads.showing(session, row_id):
            sent = found or _posted(door, channel, message, key, since, place)
    except CallLightError as error:
        if not isinstance(error, AskedToWait):
            trouble.append(str(error))
        held.refused.add(row.channel)
        _put_off(session, config, row, error, was_cut_off, now)
        return False
    held.sent[row.channel] += door.name == "slack"
    row.shown_version = 0 if found else version  # a card that was found may have been sent before the case changed
    wrong = sent.trouble or (None if found else message.trouble)
    row.state, row.trouble, row.sent_at, row.next_try_at = "sent", wrong, now, now
    row.door, row.place, row.ref = door.name, sent.place, sent.ref
    session.add(row)
    trouble += [wrong] if wrong else []
    if row.kind == "card" and not row.about.startswith(PAGE):
        # The danger channel works again: a page that has not left yet is not needed.
        page = and_(col(Delivery.about) == f"{PAGE}{row.case_id}", col(Delivery.state) == "pending")
        session.execute(delete(Delivery).where(page, col(Delivery.id) != row.id))
        if row.rank == RANK["danger"] and row.round == 1 and (case := session.get(Case, row.case_id)):
            stages.danger_card(case.clock_from, case.opened_at, now)
    if row.attempts > 1:
        _go_on(session, row.channel, now)
    health.over(session, row.channel, CHANNEL, now)
    session.commit()
    channel = _in_log(row.channel)
    log.info("send", kind=row.kind, delivery=row.id, case=row.case_id, channel=channel, attempts=row.attempts)
    return True


def _in_log(channel: str) -> str:
    """A hook's name among channels has a blank."""
    return channel.replace(" ", ":")


def _go_on(session: Session, channel: str, now: datetime) -> None:
    """A channel takes messages again. What was tried in vain meanwhile has waited longest, and goes before what is new
    and less urgent; what is on its way in another process has no trouble yet, and stays there."""
    put_off = (col(Delivery.channel) == channel, col(Delivery.state).in_(("pending", "sending")))
    tried = (col(Delivery.kind) != "hook", col(Delivery.trouble).is_not(None))
    soon = col(Delivery.next_try_at).between(now, now + _BACKOFF["card"][-1])  # what a person has to mend stays away
    session.execute(update(Delivery).where(*put_off, *tried, soon).values(next_try_at=now))


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
    session: Session, config: Config, row: Delivery, error: CallLightError, was_cut_off: bool, now: datetime
) -> None:
    """Back to the queue: `sending` stays where the outcome is unknown, so that it is looked for first."""
    if not was_cut_off and not isinstance(error, OutcomeUnknown):
        row.state = "pending"
    row.trouble, row.next_try_at = str(error), _next_try(row, error, now)
    if isinstance(error, TryLater) and error.at:
        same = and_(
            col(Delivery.channel) == row.channel,
            col(Delivery.state).in_(("pending", "sending")),
            col(Delivery.next_try_at) < row.next_try_at,
        )
        session.execute(update(Delivery).where(same).values(next_try_at=row.next_try_at))
    session.add(row)
    if row.kind == "hook" and row.attempts > len(_BACKOFF["hook"]):
        row.state = GIVEN_UP
    if isinstance(error, NeedsPerson) and row.kind == "card" and row.rank == RANK["danger"]:
        card.page(session, row.channel, now)
    if isinstance(error, NoChannel):
        _cannot_be_reached(session, config, row, error, now)
    session.commit()
    log.warning(
        "send",
        delivery=row.id,
        case=row.case_id,
        channel=_in_log(row.channel),
        attempts=row.attempts,
        remedy=type(error).__name__,
    )


def _cannot_be_reached(session: Session, config: Config, row: Delivery, error: NoChannel, now: datetime) -> None:
    """A channel was archived, or the bot taken out of it: people hear of it in one that is left."""
    why = f"messages cannot be delivered to {row.channel}, and wait: {error}"
    health.raised(session, row.channel, CHANNEL, why, f"{row.channel} can be reached again", now)
    if row.kind == "note" or row.about.startswith(PAGE):  # these have to reach somebody, wherever it is
        broken = health.standing(session, CHANNEL) | {row.channel}
        left = [name for name in ("health", "care", "danger", *config.care.slack.channels) if name not in broken]
        row.channel, row.next_try_at = (left[0], now) if left else (row.channel, row.next_try_at)


def _next_try(row: Delivery, error: CallLightError, now: datetime) -> datetime:
    if isinstance(error, TryLater) and error.at:
        return max(error.at, now)
    backoff = _BACKOFF.get(row.kind, _BACKOFF["card"])
    wait = _REPAIR if isinstance(error, NeedsPerson) else backoff[min(row.attempts, len(backoff)) - 1]
    return now + (min(wait, _DANGER_WAITS) if row.rank == RANK["danger"] else wait)


def _place_of(session: Session, channel: str, door: Door) -> str | None:
    """The door's name for a channel, as an earlier message taught it."""
    earlier = select(Delivery.place).where(Delivery.channel == channel, Delivery.door == door.name)
    return session.exec(earlier.order_by(col(Delivery.id).desc()).limit(1)).first()


def _may_be_edited(door: Door, now: datetime) -> Any:
    return and_(
        col(Delivery.state) == "sent",
        col(Delivery.door) == door.name,
        or_(_is_due(now), col(Delivery.trouble).is_(None)),
    )


def _update(
    session: Session,
    config: Config,
    door: Door,
    now: datetime,
    stop: Callable[[], bool],
    through: str,
    trouble: list[str],
) -> int:
    """Edit the messages that no longer show things as they are: cases that moved on, posts that are gone."""
    may = _may_be_edited(door, now)
    stale = [
        row
        for notice in _leaving(through).values()
        if hasattr(notice, "stale")
        for row in notice.stale(session, config, may, now)
    ]
    updated = 0
    held: set[str] = set()
    for row in sorted(stale, key=lambda row: (row.rank, row.id)):
        if stop():
            break
        if row.channel in held:
            continue
        try:
            wrong = _update_one(session, config, door, row, now)
        except CallLightError as error:
            if not isinstance(error, AskedToWait):
                trouble.append(str(error))
            row.trouble, row.next_try_at = str(error), _next_try(row, error, now)
            session.add(row)
            session.commit()
            if isinstance(error, TryLater):
                break  # the place itself asks to wait: the next pass goes on
            held.add(row.channel)
        else:
            updated += 1
            trouble += [wrong] if wrong else []
    return updated


def _update_one(session: Session, config: Config, door: Door, row: Delivery, now: datetime) -> str | None:
    """Edit a message; what a person has to mend, though it could be edited. Commits."""
    message, version = write(session, config, row, now)
    assert row.id is not None
    row_id, sent, before = row.id, Sent(row.place or "", row.ref or ""), row.shown_version
    message = uploads.attach(session, door, row, message, version, now)
    session.commit()
    try:
        with uploads.showing(session, row_id):
            door.update(sent, message)
    except NeedsPerson:  # until somebody mends it, which may be never, the old files quote what is gone
        uploads.take_back(session, door, row, now)
        raise
    uploads.take_back(session, door, row, now)
    rest: timedelta = getattr(known_notices()[row.kind], "EDIT_EVERY", timedelta())
    as_seen = (col(Delivery.id) == row_id, col(Delivery.shown_version) == before)
    values = {"shown_version": version, "trouble": message.trouble, "next_try_at": now + rest}
    written = session.execute(update(Delivery).where(*as_seen).values(**values))
    assert isinstance(written, CursorResult)
    if written.rowcount != 1:  # somebody else edited it meanwhile, and nobody knows whose words arrived last
        session.execute(update(Delivery).where(col(Delivery.id) == row_id).values(shown_version=0))
    session.commit()
    return message.trouble


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The message of a row as things stand now, and the version that it shows. Raises NeedsPerson."""
    try:
        return known_notices()[row.kind].write(session, config, row, now)
    except CallLightError:
        raise
    except Exception as error:
        # One message that cannot be written must not hold up those behind it.
        log.error("write", delivery=row.id, kind=row.kind, error=error)
        raise NeedsPerson(f"this message cannot be written ({type(error).__name__}); please report it") from error
