"""Live: what admins save is taken up while the service runs; broken files are refused, and the last good version goes on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from config.files import cut_off, digest
from config.load import NAMES, ConfigError, Problem, read_files
from listener import versions
from listener.errors import CallLightError
from listener.logs import logger

log = logger(__name__)

Ready = TypeVar("Ready")
# Makes of files by name, and of what is wrong with those that cannot be read, all that the service needs to go by them; `True`
# where they went through it before. Raises ConfigError or CallLightError for whatever is wrong.
MakeReady = Callable[[Mapping[str, str], Sequence[Problem], bool], Ready]
_Signature = tuple[tuple[int, ...] | None, ...]


class Live(Generic[Ready]):
    """Watches the folder of the config files, and writes down each version that it sees."""

    def __init__(self, folder: Path, engine: Engine, make_ready: MakeReady[Ready], now: Callable[[], datetime]) -> None:
        self._folder, self._engine, self._make_ready, self._now = folder, engine, make_ready, now
        self._looked_at: _Signature = ()  # the files as they were when they were taken up or refused
        self._seen: _Signature = ()  # as they were at the last look
        # The digest of what this copy of the service goes by; the database knows what any copy took up.
        self._goes_by = ""

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def begin(self) -> Ready:
        """What the files say; where they are wrong, what the last good version said.

        Raises ConfigError with every mistake when there is no good version.
        """
        self._looked_at = self._seen = self._signature()
        texts, unread = self._read()
        with Session(self._engine) as session:
            last = versions.in_force(session)
        try:
            return self._take_up(texts, unread, last)
        except (CallLightError, ConfigError):
            if last is None:
                raise
            log.error("config", refused=True, version=last.number)
            self._goes_by = last.digest
            return self._make_ready(last.texts, (), True)

    def look(self) -> Ready | None:
        """What was saved since the last look; None when nothing was, when it is still being written, and when it is wrong."""
        signature = self._signature()
        if signature == self._looked_at or signature != self._seen:
            self._seen = signature
            return None
        texts, unread = self._read()
        if self._signature() != signature:  # saved again meanwhile
            return None
        with Session(self._engine) as session:
            newest, last = versions.newest(session), versions.in_force(session)
        ready = None
        if not (newest and newest.trouble is None and newest.digest == digest(texts) == self._goes_by):  # only touched
            with suppress(CallLightError, ConfigError):  # it is written down, and people are told
                ready = self._take_up(texts, unread, last)
        self._looked_at = signature  # not before: where the database takes nothing now, the next look tries again
        return ready

    def _take_up(
        self, texts: Mapping[str, str], unread: Sequence[Problem], last: versions.ConfigVersion | None
    ) -> Ready:
        was = last.texts if last else {}
        names = [name for name, text in texts.items() if text != was.get(name)]
        author = versions.author(self._folder, names or list(texts))
        try:
            ready = self._make_ready(texts, [*unread, *self._cut_off(texts, was)], was == dict(texts))
        except (CallLightError, ConfigError) as error:
            self._write_down(texts, author, str(error))
            raise
        except Exception as error:  # whatever the files hold, the last good version goes on and people are told
            log.error("config", error=error)
            self._write_down(texts, author, f"they could not be checked ({type(error).__name__}); please report it")
            raise CallLightError("the config files could not be checked") from error
        self._write_down(texts, author)
        self._goes_by = digest(texts)
        return ready

    def _cut_off(self, texts: Mapping[str, str], was: Mapping[str, str]) -> list[Problem]:
        """Files that are half written, as it seems; not those that were in force so: these were put back."""
        found = cut_off(self._folder, texts, was)
        if not found:
            return []
        with Session(self._engine) as session:
            known = {
                str(self._folder / name) for name, text in texts.items() if versions.was_in_force(session, name, text)
            }
        return [problem for problem in found if problem.file not in known]

    def _write_down(self, texts: Mapping[str, str], author: str, trouble: str | None = None) -> None:
        with Session(self._engine) as session:
            versions.write_down(session, texts, author, self._now(), trouble)

    def _read(self) -> tuple[dict[str, str], list[Problem]]:
        try:
            return read_files(self._folder)
        except ConfigError as error:  # the whole folder is gone: it may come back
            return {}, error.problems

    def _signature(self) -> _Signature:
        return tuple(_state(self._folder / name) for name in NAMES)


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # The last one changes with the rights too: a file that may not be read stays as it is when it may.
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns
