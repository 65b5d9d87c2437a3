"""Restore: a backup back into its place. Everything is checked before anything is touched, and what was there is kept beside."""

import gzip
import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

import pyrage
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from config.load import NAMES
from listener import forget, keep, lease, tombstones
from listener.backup import DATABASE, FORMAT, MANIFEST, PART, Manifest, Tell, rows_of, sync_folder
from listener.database import check_whole, is_known, open_database
from listener.errors import NeedsPerson
from listener.mention import Mention

_AGE = b"age-encryption.org/"
_ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE"
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_LONGEST = 1 << 20  # bytes of a manifest
_BETWEEN = 1 << 16  # bytes of a tar that are no content: the head of the next part, and what fills the end
_BATCH = 5_000  # posts whose marks are looked at, at once
_OLD = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "demo")  # what a restore puts aside
_TORN = "is damaged or was cut off, so nothing was restored; take another backup"
_FOREIGN = "is no backup of Call Light; give a file that call-light backup has made"


@dataclass(frozen=True)
class PutBack:
    """What a restore has done with the folders."""

    beside: Path | None  # where what was there is kept
    config: Path | None  # where the config files of the backup are, if there were any
    config_is_in_force: bool  # whether that is the folder that the service reads


def in_use(database: Path, now: datetime) -> str | None:
    """Who uses a database, in words; None where nobody does. Afterwards everything that was written is in the one file."""
    if not database.exists():
        return None
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        try:
            held = connection.execute("SELECT holder, until FROM lease").fetchall()
            # Only whoever is alone with a database may end its write-ahead mode.
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            return "another process" if "locked" in str(error) else None
        except sqlite3.DatabaseError:  # damaged: the more reason to restore
            return None
    for holder, until in held:
        if datetime.fromisoformat(until).replace(tzinfo=UTC) > now and not lease.is_dead(holder):
            return f"a service on {holder.partition(':')[0]}"
    return None


def unpack(file: Path, into: Path, identity: Path | None, tell: Tell) -> Manifest:
    """Take a backup apart into an empty folder, every part checked. Raises NeedsPerson."""
    try:
        with file.open("rb") as content:
            begins = content.read(len(_ARMOUR))
    except OSError as error:
        raise NeedsPerson(f"cannot read {file} ({error.strerror}); check the name and its permissions") from None
    packed = file
    if begins.startswith((_AGE, _ARMOUR)):
        packed = into / "packed"
        tell("decrypting", 0, 1)
        _decrypt(file, packed, identity)
    elif not begins.startswith(_GZIP):
        raise NeedsPerson(f"{file} {_FOREIGN}")
    try:
        with gzip.open(packed) as unzipped, _metered(unzipped) as (tar, meter):
            manifest = _manifest(tar, file, into, meter)
            _take_out(tar, manifest, file, into, tell, meter)
            meter.may_read(_BETWEEN)
            while meter.read(_CHUNK):  # to the end, where the check of the whole stands
                pass
    # Numbers that are none, or too large, in the head of a part are not always an error of tarfile.
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, LookupError, OverflowError):
        raise NeedsPerson(f"{file} {_TORN}") from None
    except OSError as error:
        raise NeedsPerson(
            f"cannot unpack {file} ({error.strerror or error}); check the free space in {into.parent}"
        ) from None
    if packed != file:
        packed.unlink()
    return manifest


def _decrypt(file: Path, to: Path, identity: Path | None) -> None:
    if identity is None:
        raise NeedsPerson(f"{file} is encrypted; name the file of the secret key with --identity FILE")
    try:
        lines = [line.strip() for line in identity.read_text(encoding="utf-8").splitlines()]
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        keys = []
    if not keys:
        raise NeedsPerson(f"{identity} holds no secret key of age; it is the file that age-keygen has made")
    try:
        with file.open("rb") as closed, os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            pyrage.decrypt_io(closed, out, keys)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise NeedsPerson(
                f"{file} was encrypted to another key than that in {identity}; try the others that you have"
            ) from None
        raise NeedsPerson(f"{file} {_TORN}") from None
    except OSError as error:
        if error.errno is None:  # of the library: what is there was changed, or ends too early
            raise NeedsPerson(f"{file} {_TORN}") from None
        raise NeedsPerson(
            f"cannot decrypt {file} ({error.strerror}); check the free space in {to.parent.parent}"
        ) from None


class _Meter:
    """A file of which no more is read than may be: a few bytes, unpacked, can be all the memory and all the time there is."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file, self._left = file, 0
        self.may_read(_BETWEEN)

    def may_read(self, size: int) -> None:
        """From here on so many bytes."""
        self._left = size

    def read(self, size: int) -> bytes:
        """At most so many bytes. Raises tarfile.ReadError where there are more than may be read."""
        chunk = self._file.read(min(size, self._left + 1))
        self._left -= len(chunk)
        if self._left < 0:
            raise tarfile.ReadError("more than it says")
        return chunk


@contextmanager
def _metered(file: gzip.GzipFile) -> Iterator[tuple[tarfile.TarFile, _Meter]]:
    meter = _Meter(file)
    with tarfile.open(fileobj=cast(IO[bytes], meter), mode="r|") as tar:
        yield tar, meter


def _manifest(tar: tarfile.TarFile, file: Path, into: Path, meter: _Meter) -> Manifest:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.isfile() and first.name == MANIFEST else None
    if content is None or first is None or first.size > _LONGEST:
        raise NeedsPerson(f"{file} {_FOREIGN}")
    meter.may_read(first.size + _BETWEEN)
    try:
        manifest = Manifest.model_validate_json(content.read())
    except ValidationError:
        raise NeedsPerson(f"{file} {_FOREIGN}") from None
    if manifest.format > FORMAT or not is_known(manifest.revision):
        raise NeedsPerson(f"{file} was made by a newer version of Call Light; install that version, then restore it")
    if DATABASE not in manifest.parts or not all(map(PART.fullmatch, manifest.parts)):
        raise NeedsPerson(f"{file} {_FOREIGN}")
    needed = sum(part.size for part in manifest.parts.values())
    if shutil.disk_usage(into).free < needed:
        raise NeedsPerson(
            f"what is in {file} takes {needed / 1e6:,.0f} MB, more than the disk has left; make room on it"
        )
    return manifest


def _take_out(tar: tarfile.TarFile, manifest: Manifest, file: Path, into: Path, tell: Tell, meter: _Meter) -> None:
    total, done, found = sum(part.size for part in manifest.parts.values()), 0, set[str]()
    while (entry := _next(tar, meter)) is not None:
        part = manifest.parts.get(entry.name)
        content = tar.extractfile(entry) if entry.isfile() else None
        if part is None or content is None or entry.size != part.size or entry.name in found:
            raise NeedsPerson(f"{file} {_TORN}")
        meter.may_read(part.size + _BETWEEN)
        place = into / entry.name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            if _copied(content, out, tell, done, total) != part.sha256:
                raise NeedsPerson(f"{file} {_TORN}")
        os.utime(place, (entry.mtime, entry.mtime))
        found.add(entry.name)
        done += part.size
    if found != set(manifest.parts):
        raise NeedsPerson(f"{file} {_TORN}")


def _next(tar: tarfile.TarFile, meter: _Meter) -> tarfile.TarInfo | None:
    meter.may_read(_BETWEEN)
    return tar.next()


def _copied(content: IO[bytes], out: IO[bytes], tell: Tell, done: int, total: int) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        out.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        tell("unpacking", done, total)
    return digest.hexdigest()


def examine(work: Path, manifest: Manifest, file: Path, tell: Tell) -> Engine:
    """The database that was unpacked, whole, with the rows that the manifest names, its tables up to date. Raises NeedsPerson."""
    tell("checking the database", 0, 1)
    try:
        with closing(sqlite3.connect(work / DATABASE)) as connection:
            check_whole(connection)
            rows = rows_of(connection)
    except sqlite3.DatabaseError:
        raise NeedsPerson(f"{file} {_TORN}") from None
    if rows != manifest.rows:
        raise NeedsPerson(f"{file} {_TORN}")
    engine = open_database(work)
    if not _only_ours(work / DATABASE, work):
        engine.dispose()
        raise NeedsPerson(
            f"the database in {file} does things by itself that Call Light's does not (triggers or views): somebody has changed "
            "it, so nothing was restored; take another backup, and find out who may write where it lay"
        )
    return engine


def _only_ours(database: Path, work: Path) -> bool:
    """Whether nothing acts within a database but what acts within a new one: it would go on to act with every post."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        open_database(Path(folder)).dispose()
        return _acting(database) == _acting(Path(folder) / DATABASE)


def _acting(database: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"))


# ---------------------------------------------------------------- what was forgotten since


def marks_for(engine: Engine, file: Path, data: Path, more: Iterable[Path] = ()) -> tuple[set[str], bool]:
    """The marks of what was forgotten, from the list beside a backup, those that are named, and the database that is there;
    and whether there was any list."""
    with Session(engine) as session:
        stones = tombstones.standing(session)
    if stones is None:
        return set(), False
    lists = [path for path in (tombstones.list_of(stones, file.parent), *more) if path.is_file()]
    marks = {mark for path in lists for mark in tombstones.read_list(path)}
    with suppress(sqlite3.DatabaseError):
        marks |= _marks_there(data / DATABASE, stones)
    return marks, bool(lists) or bool(marks)


def _marks_there(database: Path, stones: tombstones.Tombstones) -> set[str]:
    """Those of the database that is about to be replaced, if it is of the same house."""
    if not database.is_file():
        return set()
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute(
            "SELECT json_extract(cursor, '$.key'), json_extract(cursor, '$.people') FROM watch WHERE name = ?",
            (tombstones.ROW,),
        ).fetchone()
        if row is None or row[0] != stones.key.hex():
            return set()
        refs = connection.execute(
            "SELECT ref FROM mention WHERE ref LIKE 'gone:%' AND deleted_why <> ?", (keep.EXPIRED,)
        )
        people = connection.execute("SELECT value FROM json_each(?)", (row[1],))
        return {mark for rows in (refs, people) for (mark,) in rows}


def forget_again(engine: Engine, marks: set[str], now: datetime, tell: Tell) -> int:
    """Forget in a restored database what its marks are of; how many posts. People who were forgotten are named no more."""
    with Session(engine) as session:
        stones = tombstones.standing(session)
        if stones is None or not marks:
            return 0
        gone = keep.forget(session, _meant(session, stones, marks, tell), keep.FORGOTTEN, now)
        tombstones.bury(session, marks)
        session.commit()
        stones, sources = tombstones.begun(session), session.exec(select(Mention.source).distinct()).all()
        session.rollback()
    if stones.people:
        forget.scrub(engine, lambda name: stones.knows(name, sources))
    return gone


def _meant(session: Session, stones: tombstones.Tombstones, marks: set[str], tell: Tell) -> list[int]:
    """The posts of these marks that still have words."""
    found: list[int] = []
    last, most = 0, session.exec(select(Mention.id).order_by(col(Mention.id).desc()).limit(1)).first() or 0
    while True:
        page = select(Mention.id, Mention.source, Mention.ref).where(col(Mention.id) > last)
        rows = session.exec(page.order_by(col(Mention.id)).limit(_BATCH)).all()
        if not rows:
            return found
        for id_, source, ref in rows:
            last = id_ or last
            if stones.of_post(source, ref) in marks:
                found.append(last)
        tell("forgetting again", last, most)


# ---------------------------------------------------------------- the folders


def put_back(work: Path, data: Path, config: Path, now: datetime) -> PutBack:
    """Put what was unpacked in its place; what was there is kept in a folder beside it."""
    beside = data / f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    brings = ("reports",) if (work / "reports").is_dir() else ()  # else the pages that are there stay
    old = [data / name for name in (*_OLD, *brings) if (data / name).exists()]
    if old:
        beside.mkdir(mode=0o700)
    for path in old:
        if path.name != DATABASE:
            path.rename(beside / path.name)
    place = data / DATABASE
    if place.exists():
        _second_name(place, beside / DATABASE)
    with (work / DATABASE).open("rb") as file:
        os.fsync(file.fileno())
    os.replace(work / DATABASE, place)  # at no moment is there no database, which a service would make anew, empty
    if brings:
        (work / "reports").rename(data / "reports")
    sync_folder(data)
    files = {name: (work / "config" / name).read_bytes() for name in NAMES if (work / "config" / name).is_file()}
    there, is_in_force = _config_back(files, data, config, now)
    return PutBack(beside if old else None, there, is_in_force)


def _second_name(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except OSError:  # a disk that knows no second names
        shutil.copy2(path, other)


def _config_back(files: Mapping[str, bytes], data: Path, config: Path, now: datetime) -> tuple[Path | None, bool]:
    """Config files go to where the service reads them if none are there; else they are put beside, for people to compare."""
    there = {name: (config / name).read_bytes() for name in NAMES if (config / name).is_file()}
    if not files or there == files:
        return None, True
    folder = data / f"config-of-backup-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}" if there else config
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder, not there
