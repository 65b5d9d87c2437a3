"""Backup: what is kept, in one file, made while the service runs. restore.py is the way back.

The file is a tar, packed with gzip; where a key is given it is encrypted as the program `age` does, to a public key: the machine
that makes backups cannot read them. In it are manifest.json (what it holds, with the SHA-256 of each part), the config files,
the pages of reports where they are wanted, and the database. Secrets (.env) and the key of the Listening Center are not.
"""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Literal

import pyrage
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session

from config.load import NAMES
from listener import tombstones
from listener.database import check_whole
from listener.errors import NeedsPerson
from listener.keep import EXPIRED

DATABASE = "call-light.db"
MANIFEST = "manifest.json"
FORMAT = 1
PART = re.compile(rf"{re.escape(DATABASE)}|config/(?:{'|'.join(map(re.escape, NAMES))})|reports/[\w.-]{{1,100}}\.html")
_OURS = re.compile(r"call-light-\d{8}T\d{6}Z\.tar\.gz(\.age)?")  # the names that --keep may take away
_LEFT = re.compile(r"(?:\.call-light-(\d+)-.*|backup-(\d+)-\w+)")  # what a killed backup leaves behind
_PAGES = 4096  # of the database that are copied between two looks at the clock
_CHUNK = 1 << 20
_LEVEL = 1  # of packing: the third level takes a quarter longer and saves a twentieth

Tell = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


class Part(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True)
    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(frozen=True)
    made_by: Literal["call-light"] = "call-light"
    format: int
    at: datetime
    revision: str  # of the database's tables
    rows: dict[str, int]  # by table
    parts: dict[str, Part]  # by name within the file


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    path: Path
    size: int
    is_encrypted: bool
    manifest: Manifest
    listed: bool  # whether the list of what was forgotten lies beside it
    taken_away: Sequence[Path] = ()  # older ones


def back_up(
    data: Path,
    config: Path,
    to: Path,
    now: datetime,
    key: str | None = None,
    reports: bool = False,
    tell: Tell = lambda what, done, total: None,
) -> Backup:
    """Make a backup of a data folder: a new file, or one named by its time where `to` is a folder. Raises NeedsPerson.

    `key` is an age recipient, or several separated by blanks.
    """
    recipients = _recipients(key)
    database = data / DATABASE
    if not database.is_file():
        raise NeedsPerson(
            f"{database} does not exist, so there is nothing to back up; name the data folder with --data DIR"
        )
    place = _place(to, now, bool(recipients))
    sweep(place.parent)
    try:
        with workshop(data) as work:
            _has_room(work, _size(database) * (2 if recipients else 1))
            listed = _list_beside(database, place.parent)
            _collect(work, database, config, data / "reports" if reports else None, tell)
            manifest = _manifest(work, now, tell)
            with _new(place) as out:
                if recipients:
                    with (work / "packed").open("w+b") as packed:
                        _pack(packed, work, manifest, tell)
                        packed.seek(0)
                        tell("encrypting", 0, 1)
                        pyrage.encrypt_io(packed, out, recipients)
                else:
                    _pack(out, work, manifest, tell)
    except sqlite3.DatabaseError as error:
        raise NeedsPerson(
            f"the database cannot be read whole ({error}), so no backup was made; run call-light doctor"
        ) from None
    except (OSError, pyrage.EncryptError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NeedsPerson(
            f"the backup cannot be written to {place} ({why}); check the folder and the free space"
        ) from None
    return Backup(place, place.stat().st_size, bool(recipients), manifest, listed)


def prune(folder: Path, keep: int) -> list[Path]:
    """Take the oldest backups of a folder away until `keep` are left; those that were taken. Other files are never touched."""
    ours = sorted(path for path in folder.iterdir() if _OURS.fullmatch(path.name) and path.is_file())
    old = ours[:-keep]
    for path in old:
        path.unlink()
    return old


def _recipients(key: str | None) -> list[pyrage.x25519.Recipient]:
    found = []
    for one in (key or "").split():
        if one.upper().startswith("AGE-SECRET-KEY-"):
            raise NeedsPerson(
                "this is the secret key, which must not be on this machine; give the public one, which begins with age1"
            )
        try:
            found.append(pyrage.x25519.Recipient.from_str(one))
        except pyrage.RecipientError:
            raise NeedsPerson(
                f"{one[:12]!r}… is no public key of age; age-keygen makes a pair, the public one begins with age1"
            ) from None
    if key is not None and not found:
        raise NeedsPerson(
            "the key for the backup is empty; age-keygen makes a pair, give the one that begins with age1"
        )
    return found


def _place(to: Path, now: datetime, is_encrypted: bool) -> Path:
    """Where the backup goes; never over something else."""
    try:
        if to.is_dir():
            to = to / f"call-light-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar.gz{'.age' if is_encrypted else ''}"
        if to.exists():
            raise NeedsPerson(f"{to} exists already and stays as it is; name a folder, or another file")
        if not to.parent.is_dir():
            raise NeedsPerson(f"there is no folder {to.parent}; make it, readable by the service's user only")
    except OSError as error:
        raise NeedsPerson(f"cannot look at {to} ({error.strerror}); check its folder and permissions") from None
    return to


# ---------------------------------------------------------------- folders and files of the work


@contextmanager
def workshop(data: Path) -> Iterator[Path]:
    """A folder beside the database, for its owner alone, that is taken away again: copies are no less secret than what they copy."""
    sweep(data)
    work = Path(tempfile.mkdtemp(prefix=f"backup-{os.getpid()}-", dir=data))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _new(place: Path) -> Iterator[IO[bytes]]:
    """A file that is in its place whole or not at all, readable by its owner alone."""
    part = place.with_name(f".call-light-{os.getpid()}-{place.name}")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
        sync_folder(place.parent)
    finally:
        with suppress(OSError):
            part.unlink()


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Take away what backups and restores have left that were killed."""
    with suppress(OSError):
        for path in folder.iterdir():
            found = _LEFT.fullmatch(path.name)
            if found and not _lives(int(found[1] or found[2])):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _lives(pid: int) -> bool:
    if pid == os.getpid():  # we have begun nothing yet: in a container each process may have the same number
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's
        return True
    return True


def _size(database: Path) -> int:
    wal = database.with_name(f"{database.name}-wal")
    return database.stat().st_size + (wal.stat().st_size if wal.exists() else 0)


def _has_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NeedsPerson(
            f"the copy needs {needed / 1e6:,.0f} MB beside the database and the disk has {free / 1e6:,.0f} MB left; make room on it"
        )


# ---------------------------------------------------------------- what goes in


def _list_beside(database: Path, folder: Path) -> bool:
    """The list of what was forgotten, where the backup will lie; whether it does. The backup holds the key to it."""
    engine = create_engine(URL.create("sqlite", database=str(database)))
    try:
        with Session(engine) as session:
            stones = tombstones.begun(session)
            tombstones.lies_in(session, folder)
            session.commit()
            tombstones.write_list(stones, tombstones.every(session, but=EXPIRED), folder)
    except DatabaseError:  # tables of an earlier version, or a disk that takes nothing: the data is saved all the same
        return False
    finally:
        engine.dispose()
    return True


def _collect(work: Path, database: Path, config: Path, reports: Path | None, tell: Tell) -> None:
    """Copy everything into the workshop, the database as it is at one moment."""
    snapshot(database, work / DATABASE, tell)
    (work / "config").mkdir()
    for name in NAMES:
        with suppress(FileNotFoundError):  # a file that is away is in no backup; versions of it are in the database
            shutil.copyfile(config / name, work / "config" / name)
    if reports is not None and reports.is_dir():
        (work / "reports").mkdir()
        for page in sorted(reports.glob("*.html")):
            if PART.fullmatch(f"reports/{page.name}"):
                shutil.copy2(page, work / "reports" / page.name)


def snapshot(database: Path, to: Path, tell: Tell) -> None:
    """Copy a database that is in use. One moment of it is read throughout, so nobody who writes waits, or makes it begin anew."""
    os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as source,
        closing(sqlite3.connect(to, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it is that moment
        source.backup(
            copy, pages=_PAGES, progress=lambda _, left, total: tell("copying the database", total - left, total)
        )
        source.execute("ROLLBACK")
        tell("checking the copy", 0, 1)
        check_whole(copy)


def rows_of(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has; SQLite's own, and those of the index of words, are none."""
    named = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search%'"
    )
    tables = [name for (name,) in connection.execute(f"{named} ORDER BY name")]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608  # names of tables that SQLite itself lists


def _manifest(work: Path, now: datetime, tell: Tell) -> Manifest:
    with closing(sqlite3.connect(work / DATABASE)) as copy:
        rows = rows_of(copy)
        found = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    names = sorted(path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file())
    names.sort(key=lambda name: name == DATABASE)  # the large one last
    parts = {name: Part(size=(work / name).stat().st_size, sha256=_sha256(work / name)) for name in names}
    return Manifest(format=FORMAT, at=now, revision=found[0] if found else "", rows=rows, parts=parts)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(out: IO[bytes], work: Path, manifest: Manifest, tell: Tell) -> None:
    total, done = sum(part.size for part in manifest.parts.values()), 0
    said = json.dumps(manifest.model_dump(mode="json"), indent=1).encode()
    with (
        gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        _add(tar, MANIFEST, io.BytesIO(said), len(said), manifest.at)
        for name, part in manifest.parts.items():
            with (work / name).open("rb") as content:
                told = _Told(content, partial(_packed, tell, done, total))
                _add(tar, name, told, part.size, datetime.fromtimestamp((work / name).stat().st_mtime, UTC))
            done += part.size


def _packed(tell: Tell, before: int, total: int, so_far: int) -> None:
    tell("packing", before + so_far, total)


def _add(tar: tarfile.TarFile, name: str, content: "IO[bytes] | _Told", size: int, at: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, at.timestamp(), 0o600
    tar.addfile(entry, content)


class _Told:
    """A file that says how much of it was read."""

    def __init__(self, file: IO[bytes], tell: Callable[[int], None]) -> None:
        self._file, self._tell = file, tell

    def read(self, size: int = -1) -> bytes:
        """So many bytes."""
        chunk = self._file.read(size)
        self._tell(self._file.tell())
        return chunk
