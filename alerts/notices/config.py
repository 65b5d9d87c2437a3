"""Notes in the health channel when admins have changed the config files: taken up, or refused, and who has to do what."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, exists, func, or_, select

from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.message import Message, note, shorten
from config.changes import changes, in_words
from config.schema import Config
from listener import versions
from listener.versions import ConfigVersion

_RANK = len(RANK)  # after every card, with the other notes
_TAKEN, _REFUSED = "version:", "refused after:"
_AT_START = ("slack.mode", "slack.listen", "slack.base_url")  # the line to Slack stays as it is while it is open
_WAS_TRIED = or_(col(ConfigVersion.trouble).is_(None), col(ConfigVersion.trouble).not_in(versions.UNTRIED))
_MISTAKES, _LONGEST = 3, 300  # mistakes that a note names, and characters of one


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One note each time that files are taken up, but the first; one for all that is refused until then.

    Who saves every half minute while they mend a file is told once: that note is edited.
    """
    last_told = select(func.max(Delivery.shown_version)).where(Delivery.kind == "config")
    told = session.exec(last_told).one() or 0
    seen = select(ConfigVersion.number, ConfigVersion.trouble).where(col(ConfigVersion.number) > told, _WAS_TRIED)
    for number, trouble in session.exec(seen).all():
        before = versions.earlier(session, number or 0)
        if before is None:
            continue
        about = f"{_TAKEN}{number}" if trouble is None else f"{_REFUSED}{before.number}"
        known = select(exists().where(col(Delivery.kind) == "config", col(Delivery.about) == about))
        if not session.exec(known).one():
            session.add(pending("config", about, "health", _RANK, now))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """What was changed and by whom; or what is wrong, who mends it, and what goes on meanwhile."""
    if row.about.startswith(_TAKEN):
        version = session.get_one(ConfigVersion, int(row.about.removeprefix(_TAKEN)))
        return _taken(session, version, row.key), version.number or 0
    good = session.get_one(ConfigVersion, int(row.about.removeprefix(_REFUSED)))
    version = _newest_refused(session, good)
    return _refused(version, good, config, row.key), version.number or 0


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Notes of what was refused, when it was saved again and is still wrong."""
    notes = select(Delivery).where(
        *(Delivery.kind == "config", col(Delivery.about).startswith(_REFUSED), may, col(Delivery.next_try_at) <= now)
    )
    good = versions.in_force(session)
    if good is None:
        return []
    newest = _newest_refused(session, good)
    about = f"{_REFUSED}{good.number}"
    return session.exec(notes.where(Delivery.about == about, col(Delivery.shown_version) < newest.number)).all()


def _newest_refused(session: Session, good: ConfigVersion) -> ConfigVersion:
    """The last of what was refused while this version was in force."""
    later = select(ConfigVersion).where(col(ConfigVersion.number) > good.number, _WAS_TRIED)
    found = good
    for version in session.exec(later.order_by(col(ConfigVersion.number))):
        if version.trouble is None:
            break
        found = version
    return found


def _taken(session: Session, version: ConfigVersion, key: str) -> Message:
    before = versions.earlier(session, version.number or 0)
    old = before.texts if before else {}
    if before and before.digest == version.digest:
        sentence = (
            f"The config files are right again: they say what version {before.number} said, which went on meanwhile"
        )
        return note(f"{sentence}.", "Config right again", key)
    what = "; ".join(in_words(old, version.texts))
    later = [change.key for change in changes(old, version.texts) if change.key in _AT_START]
    deaf = bool(_listens(old)) and not _listens(version.texts)
    sentence = (
        f"{version.author} saved the config files, and version {version.number} is in force now. {what}. "
        f"{'Nothing is listened to any more: every collector is off. ' if deaf else ''}"
        f"{', '.join(later) + ': only once the service is started again. ' if later else ''}"
        "What it did: call-light config try. To take it back: call-light config back"
    )
    return note(f"{sentence}.", f"Config version {version.number}", key)


def _listens(texts: Mapping[str, str]) -> list[str]:
    """The collectors that are on in files that were in force."""
    listening = tomllib.loads(texts.get("listening.toml", "").removeprefix("\ufeff"))
    return [name for name, table in listening.get("collectors", {}).items() if table.get("on")]


def _refused(version: ConfigVersion, good: ConfigVersion, config: Config, key: str) -> Message:
    mistakes = (version.trouble or "").splitlines()
    shown = "\n".join(shorten(line, _LONGEST) for line in mistakes[:_MISTAKES])
    more = f"\nand {len(mistakes) - _MISTAKES} more" if len(mistakes) > _MISTAKES else ""
    since = good.at.astimezone(config.hospital.zone)
    sentence = (
        f"{version.author} saved config files that cannot be used:\n{shown}{more}\n"
        f"Version {good.number} of {since:%a %d %b %H:%M} goes on, nothing is lost. {version.author}: mend the file and save it again; "
        "call-light config check shows every mistake, call-light config back puts the last good files there"
    )
    return note(f"{sentence}.", "Config refused", key)
