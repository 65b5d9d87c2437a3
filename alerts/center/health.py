"""How this installation fares: what is wrong first, with what to do, then the numbers behind it."""

import importlib.metadata
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from alerts.center.outbox import Door, outbox
from alerts.center.page import Words
from alerts.center.room import Room
from alerts.clockface import in_words
from alerts.today import Sound, by_collector, sound
from config.schema import CollectorSettings, Config
from listener import versions
from listener.collect import known_collectors
from listener.health import is_listening
from listener.versions import ConfigVersion
from listener.watch import Alarm, Gap, Spend, Watch
from nlp.encoder import FOLDER

ROUND = timedelta(minutes=1)  # in which the flow comes round; it does so every few seconds
GAPS = timedelta(days=7)  # that are shown
_MOST_GAPS = 100
_WAITS_LONG = timedelta(minutes=10)  # of a message
_LITTLE = 2**30  # bytes that are free


@dataclass(frozen=True)
class Wrong:
    """Something that is wrong, since when, and what to do."""

    what: str
    todo: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Billed:
    """Posts and US dollars that a place has billed."""

    reads: int = 0
    dollars: float = 0.0


@dataclass(frozen=True)
class Ear:
    """How one collector fares."""

    name: str
    sound: Sound
    watch: Watch
    settings: CollectorSettings
    today: Billed
    month: Billed


@dataclass(frozen=True)
class Health:
    """Everything on the page."""

    wrong: Sequence[Wrong]
    ears: Sequence[Ear]
    gaps: Sequence[Gap]
    doors: Mapping[str, Door]
    version: ConfigVersion | None
    program: str
    model: str | None  # None: phrases alone
    database: int | None  # bytes of a file; None where it is on a server
    free: int  # bytes beside it
    flowed_at: datetime | None


def health(session: Session, room: Room, say: Words) -> Health:
    """As it is now, in the words of the visitor."""
    config, now = room.config(), room.now()
    ears, doors, free = _ears(session, config, now), outbox(session), shutil.disk_usage(room.data).free
    wrong = [
        *_of_service(room, free, say),
        *_of_config(session, say),
        *_alarms(session),
        *_of_ears(ears, room, say),
        *_of_doors(doors, now, say),
    ]
    lately = select(Gap).where(Gap.found_at > now - GAPS).order_by(col(Gap.id).desc()).limit(_MOST_GAPS)
    return Health(
        wrong=wrong,
        ears=ears,
        gaps=session.exec(lately).all(),
        doors=doors,
        version=versions.in_force(session),
        program=importlib.metadata.version("call-light"),
        model=model_of(config),
        database=size_of(room.engine),
        free=free,
        flowed_at=room.flowed_at(),
    )


def size_of(engine: Engine) -> int | None:
    """Bytes of the database and of what is not written into it yet; None where it is no file."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    files = (Path(engine.url.database + ending) for ending in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def model_of(config: Config) -> str | None:
    """The version of the trained model, as its card says it; None where reading is by phrases alone."""
    reader = config.keywords.reader
    return _version_in(Path(reader.folder) if reader.folder else FOLDER) if reader.model else None


@lru_cache(maxsize=2)
def _version_in(folder: Path) -> str:
    try:
        return str(json.loads((folder / "model.json").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return "?"


# ---------------------------------------------------------------- what is wrong


def _of_service(room: Room, free: int, say: Words) -> Iterator[Wrong]:
    flowed_at, now = room.flowed_at(), room.now()
    if flowed_at is None:
        yield Wrong(
            say("The service has not come round yet, so nothing is read or sent."),
            say("If this stays for longer than a minute, look at its log: call-light run."),
        )
    elif now - flowed_at > ROUND:
        yield Wrong(
            say("The service does not come round any more, so nothing is read or sent."),
            say("Look at its log, and start it again: call-light run. Nothing is lost meanwhile."),
            flowed_at,
        )
    if free < _LITTLE:
        yield Wrong(
            say("The disk with the data is nearly full: {n} MB are free.", n=f"{free // 2**20:,}"),
            say("Make room there; when it is full, no post can be kept."),
        )
    if not room.config().keywords.reader.model:
        yield Wrong(
            say("The trained model is turned off: phrases alone miss half."),
            say("Set model = true under [reader] in keywords.toml."),
        )


def _of_config(session: Session, say: Words) -> Iterator[Wrong]:
    newest, good = versions.newest(session), versions.in_force(session)
    if newest is None or newest.trouble in (None, *versions.UNTRIED):
        return
    mistakes = newest.trouble.splitlines()
    many = say.many("{n} mistake in the config files, so they are not used.",
                    "{n} mistakes in the config files, so they are not used.", len(mistakes))  # fmt: skip
    todo = say("{author} saved them last. Mend the file, or put the last good ones back: call-light config back.",
               author=newest.author) if good else ""  # fmt: skip
    yield Wrong(f"{many} {mistakes[0]}", todo, newest.at)


def _alarms(session: Session) -> list[Wrong]:
    """What people were told of and is not over; the sentence says what to do."""
    standing = select(Alarm).where(col(Alarm.over_at).is_(None)).order_by(col(Alarm.id).desc())
    return [Wrong(f"{alarm.why}.", "", alarm.raised_at) for alarm in session.exec(standing)]


def _of_ears(ears: Sequence[Ear], room: Room, say: Words) -> Iterator[Wrong]:
    now, on = room.now(), [ear for ear in ears if ear.sound != "off"]
    if not on:
        yield Wrong(
            say("Nothing is listened to: every collector is off."),
            say("Set on = true for one of them in listening.toml."),
        )
    for ear in on:
        secrets = known_collectors()[ear.name].SECRETS if ear.name in known_collectors() else ()
        if missing := [name for name in secrets if not room.secrets.get(name)]:
            yield Wrong(
                say("{name} lacks its access: {secrets}.", name=ear.name, secrets=", ".join(missing)),
                say("Set it in the environment or in .env, and start the service again."),
            )
        if ear.watch.asked_at is not None and not is_listening(ear.watch, ear.settings, now):
            yield Wrong(
                say("{name} has not been asked for longer than it should.", name=ear.name),
                say("Does call-light run run, and is it this copy that collects? Its log says so."),
                ear.watch.asked_at,
            )


def _of_doors(doors: Mapping[str, Door], now: datetime, say: Words) -> Iterator[Wrong]:
    titles = {"people": say("the care team"), "pager": say("the pager"), "hooks": say("other systems")}
    for name, door in doors.items():
        if door.oldest is not None and now - door.oldest > _WAITS_LONG:
            waiting = say.many("{n} message to {door} waits, the oldest for {time}.",
                               "{n} messages to {door} wait, the oldest for {time}.",
                               door.waiting, door=titles[name], time=in_words(now - door.oldest))  # fmt: skip
            yield Wrong(f"{waiting} {door.trouble or ''}".strip(), say("They go by themselves when the door opens."))
        if door.given_up:
            yield Wrong(
                say.many("{n} message to {door} was given up.", "{n} messages to {door} were given up.",
                         door.given_up, door=titles[name]),
                say("Tell them again when the other system takes them: call-light hooks replay --since 7d."),
            )  # fmt: skip


# ---------------------------------------------------------------- collectors


def _ears(session: Session, config: Config, now: datetime) -> list[Ear]:
    """Those that listen first."""
    watches = {watch.name: watch for watch in session.exec(select(Watch))}
    day, billed = now.date(), (Spend.collector, func.sum(Spend.reads), func.sum(Spend.cost))
    month = _billed(
        session.exec(select(*billed).where(Spend.day >= day.replace(day=1)).group_by(Spend.collector)).all()
    )
    today = _billed(session.exec(select(*billed).where(Spend.day == day).group_by(Spend.collector)).all())
    troubles = by_collector(session.exec(select(Alarm).where(col(Alarm.over_at).is_(None))).all())
    ears = []
    for name, settings in config.collectors.items():
        watch = watches.get(name) or Watch(name=name)
        heard = sound(settings, watch, troubles.get(name, ()), now)
        ears.append(Ear(name, heard, watch, settings, today.get(name, Billed()), month.get(name, Billed())))
    return sorted(ears, key=lambda ear: ear.sound == "off")


def _billed(rows: Sequence[tuple[str, int, float]]) -> dict[str, Billed]:
    return {name: Billed(reads, dollars) for name, reads, dollars in rows}
