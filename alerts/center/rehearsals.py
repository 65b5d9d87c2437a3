"""Changed config files, tried in the browser: what is wrong with them, what they would do, and saving them. One try at a time."""

import contextlib
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from alerts.center.room import Room
from alerts.center.task import Progress, Task
from alerts.checked import failing
from alerts.known import config_of
from alerts.rehearse import Rehearsal, gone, rehearse
from config.changes import in_words
from config.files import NotSaved, cut_off, digest, write_files
from config.load import ConfigError, Problem, read_files
from config.schema import Config
from listener import versions
from listener.database import reading
from listener.errors import NeedsPerson

_CHANGES = 50  # that are told in words
_KEPT_FOR = timedelta(hours=1)  # it shows what posts said
_LEADS = ("base_url", "instance", "service")  # keys that say to whom tokens are shown
_NOWHERE = Path("config")  # how mistakes name their place where no folder is known


@dataclass(frozen=True)
class Outcome:
    """What a try came to: mistakes, or what the files would do; neither where nothing would differ."""

    problems: Sequence[Problem] = ()
    changes: Sequence[str] = ()  # in words
    before: Config | None = None
    after: Config | None = None
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True)
class Attempt:
    """Somebody's try."""

    who: str
    at: datetime
    texts: Mapping[str, str]  # of all five files
    was: Mapping[str, str]  # as they were when they were shown
    since: datetime
    task: Task[Outcome]

    @property
    def changed(self) -> list[str]:
        """The files that differ."""
        return [name for name, text in self.texts.items() if text != self.was.get(name)]

    @property
    def may_be_saved(self) -> bool:
        """Whether they are right, and differ."""
        found = self.task.result
        return found is not None and not found.problems and bool(self.changed)


class Rehearsals:
    """The last try."""

    def __init__(self, room: Room) -> None:
        self._room, self._lock = room, threading.Lock()
        self._attempt: Attempt | None = None

    def last(self) -> Attempt | None:
        """It, as long as its posts may be shown: for an hour, and none of them is gone since."""
        with self._lock:
            attempt = self._attempt
        if attempt is None or not attempt.task.is_over:
            return attempt
        found = attempt.task.result.rehearsal if attempt.task.result else None
        is_old = self._room.now() - attempt.at > _KEPT_FOR
        if not is_old and found is not None:
            with reading(self._room.engine) as session:
                is_old = gone(session, found.since, found.until) != found.gone
        if is_old:
            with self._lock:
                self._attempt = None if self._attempt is attempt else self._attempt
            return None
        return attempt

    def begin(self, who: str, texts: Mapping[str, str], was: Mapping[str, str], since: datetime) -> Attempt:
        """Try files in the place of those that were shown. Raises NeedsPerson while another try is under way."""
        with self._lock:
            if self._attempt is not None and not self._attempt.task.is_over:
                raise NeedsPerson(f"{self._attempt.who} is trying something already; wait for it, or stop it")
            room, now = self._room, self._room.now()
            task = Task("rehearsal", lambda progress: _tried(room, texts, was, since, now, progress))
            self._attempt = Attempt(who, now, texts, was, since, task)
            return self._attempt


def files(session: Session, room: Room) -> dict[str, str]:
    """The files as they are saved, also those that were refused; else as the version in force has them."""
    if room.files is not None:
        try:
            return read_files(room.files)[0]
        except ConfigError:  # the folder is away
            pass
    version = versions.in_force(session)
    return version.texts if version is not None else {}


def as_typed(typed: str, was: str) -> str:
    """A text from a browser, which ends lines in its own way, with the line ends that the file has."""
    text = typed.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n") if "\r\n" in was else text


def save(engine: Engine, folder: Path, attempt: Attempt, who: str, now: datetime) -> list[Path]:
    """Save files that were tried, and write down who did; which were written. Raises NeedsPerson."""
    if not attempt.may_be_saved:
        raise NeedsPerson("these files have not been tried to the end, or have mistakes; nothing was saved")
    if set(_leads(attempt.texts)) != set(_leads(attempt.was)):
        raise NeedsPerson(
            "base_url, instance and service say to whom tokens are shown: change them in the files on the machine; nothing was saved"
        )
    try:
        paths = write_files(folder, {name: attempt.texts[name] for name in attempt.changed}, attempt.was)
    except NotSaved as error:
        raise NeedsPerson(str(error)) from None
    with Session(engine) as session:  # before the service takes them up, which it does at its second look
        versions.saved(session, attempt.texts, who, now)
    return paths


def _leads(files: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    """Each such key of files, with its place and value."""
    for name, text in files.items():
        with contextlib.suppress(tomllib.TOMLDecodeError):
            yield from _leading(tomllib.loads(text.replace("\r\n", "\n").removeprefix("\ufeff")), name)


def _leading(table: Mapping[str, Any], *where: str) -> Iterator[tuple[object, ...]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leading(value, *where, key)
        elif key in _LEADS:
            yield (*where, key, str(value))


def _tried(
    room: Room, texts: Mapping[str, str], was: Mapping[str, str], since: datetime, now: datetime, progress: Progress
) -> Outcome:
    folder, before = room.files or _NOWHERE, room.config()
    changes = in_words(was, texts, most=_CHANGES)
    try:
        after = config_of(texts, folder, cut_off(folder, texts, was))
        problems = failing(after, texts, folder)
    except ConfigError as error:
        return Outcome(error.problems, changes)
    if problems or before == after:
        return Outcome(problems, changes)
    progress(0, 0)  # until here nobody could stop it
    with reading(room.engine) as session:
        return Outcome((), changes, before, after, rehearse(session, before, after, since, now, progress))


def is_as_shown(texts: Mapping[str, str], shown: str) -> bool:
    """Whether the files are still those that somebody was shown, by their digest."""
    return digest(texts) == shown
