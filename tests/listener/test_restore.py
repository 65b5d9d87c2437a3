"""What was saved comes back row by row; what is wrong with a file is one sentence, and then nothing was touched."""

import gzip
import hashlib
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from conftest import NOW, PROJECT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from config.schema import Config
from listener import keep, lease, tombstones
from listener.backup import DATABASE, Backup, back_up, rows_of, workshop
from listener.errors import NeedsPerson
from listener.mention import Mention
from listener.post import Page, Post
from listener.restore import examine, forget_again, in_use, marks_for, put_back, unpack
from listener.watch import Alarm, Watch

PAIR = pyrage.x25519.Identity.generate()
WORDS = "seven hours in the waiting room of St. Brigid's"
DAY = timedelta(days=1)
CONFIG = PROJECT / "config"


def quiet(what: str, done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def hear(engine: Engine, config: Config) -> Callable[..., None]:
    def hear(*refs: str, text: str = WORDS, author: str = "ann") -> None:
        posts = [Post(source="x", ref=ref, text=f"{text} {ref}", written_at=NOW, author=author) for ref in refs]
        with Session(engine) as session:
            keep.keep(session, "x", Page(tuple(posts), {}), config.hospital, NOW)

    return hear


@pytest.fixture
def data(engine: Engine, hear: Callable[..., None], tmp_path: Path) -> Path:
    hear(*map(str, range(40)))
    with Session(engine) as session:
        session.add(Watch(name="bluesky", cursor={"é": ["ünï", None, 1.5]}, trouble="odd 'signs' \"here\" \n and 🏥"))
        session.add(Alarm(collector="x", kind="silent", why="quiet", raised_at=NOW))
        session.commit()
    return tmp_path / "data"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "shelf").mkdir()
    return tmp_path / "shelf"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity"
    path.write_text(f"# created: 2026-11-16\n# public key: {PAIR.to_public()}\n{PAIR}\n")
    return path


def save(data: Path, shelf: Path, at: datetime = NOW, **how: Any) -> Backup:
    return back_up(data, CONFIG, shelf, at, **how)


def rows(database: Path) -> dict[str, list[Any]]:
    """Every row of every table."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in rows_of(connection)
        }


def bring_back(file: Path, data: Path, config: Path, at: datetime = NOW, identity: Path | None = None) -> Any:
    """As the command does it."""
    data.mkdir(exist_ok=True)
    with workshop(data) as work:
        manifest = unpack(file, work, identity, quiet)
        engine = examine(work, manifest, file, quiet)
        marks, has_list = marks_for(engine, file, data)
        again = forget_again(engine, marks, at, quiet)
        engine.dispose()
        return put_back(work, data, config, at), again, has_list


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_it_comes_back_row_by_row(data: Path, shelf: Path, tmp_path: Path, identity: Path, is_encrypted: bool) -> None:
    done = save(data, shelf, key=str(PAIR.to_public()) if is_encrypted else None)
    other = tmp_path / "other"
    put, again, has_list = bring_back(done.path, other, CONFIG, identity=identity)
    assert rows(other / DATABASE) == rows(data / DATABASE)
    assert (put.beside, put.config, again, has_list) == (None, None, 0, True)
    assert [path.name for path in other.iterdir()] == [DATABASE], "no log, no copy, nothing half done"
    assert (other / DATABASE).stat().st_mode & 0o777 == 0o600


def test_what_was_there_is_kept_beside(data: Path, shelf: Path, engine: Engine, hear: Any) -> None:
    (data / "reports").mkdir()
    (data / "reports" / "2026-W46.html").write_text("then")
    done = save(data, shelf, reports=True)
    before = rows(data / DATABASE)
    hear("later")
    (data / "reports" / "2026-W46.html").write_text("now")
    engine.dispose()
    put, _, _ = bring_back(done.path, data, CONFIG)
    assert rows(data / DATABASE) == before
    assert len(rows(put.beside / DATABASE)["mention"]) == 41
    assert (
        (data / "reports" / "2026-W46.html").read_text(),
        (put.beside / "reports" / "2026-W46.html").read_text(),
    ) == (
        "then",
        "now",
    )


def test_config_files_go_back_where_none_are(data: Path, shelf: Path, tmp_path: Path) -> None:
    done = save(data, shelf)
    put, _, _ = bring_back(done.path, tmp_path / "a", tmp_path / "empty")
    assert (put.config, put.config_is_in_force) == (tmp_path / "empty", True)
    assert (tmp_path / "empty" / "care.toml").read_bytes() == (CONFIG / "care.toml").read_bytes()
    (tmp_path / "empty" / "care.toml").write_text("# mine")
    put, _, _ = bring_back(done.path, tmp_path / "b", tmp_path / "empty")
    assert put.config.parent == tmp_path / "b"
    assert not put.config_is_in_force
    assert (tmp_path / "empty" / "care.toml").read_text() == "# mine"


# ---------------------------------------------------------------- what is refused


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_a_little(content: bytes) -> bytes:
    return content[:-5]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("is_encrypted", [False, True])
@pytest.mark.parametrize("break_it", [cut, cut_a_little, flipped])
def test_a_torn_file(
    data: Path, shelf: Path, tmp_path: Path, identity: Path, is_encrypted: bool, break_it: Callable[[bytes], bytes]
) -> None:
    path = save(data, shelf, key=str(PAIR.to_public()) if is_encrypted else None).path
    path.write_bytes(break_it(path.read_bytes()))
    with pytest.raises(NeedsPerson, match=r"is damaged or was cut off, so nothing was restored"):
        bring_back(path, tmp_path / "other", CONFIG, identity=identity)
    assert list((tmp_path / "other").iterdir()) == []


def test_the_wrong_key_and_none(data: Path, shelf: Path, tmp_path: Path, identity: Path) -> None:
    path = save(data, shelf, key=str(pyrage.x25519.Identity.generate().to_public())).path
    with pytest.raises(NeedsPerson, match="encrypted to another key than that in"):
        bring_back(path, tmp_path / "other", CONFIG, identity=identity)
    with pytest.raises(NeedsPerson, match=r"is encrypted; name the file of the secret key with --identity"):
        bring_back(path, tmp_path / "other", CONFIG)
    for content in ("nothing here", str(PAIR.to_public()), ""):
        identity.write_text(content)
        with pytest.raises(NeedsPerson, match="holds no secret key of age"):
            bring_back(path, tmp_path / "other", CONFIG, identity=identity)


def packed(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def manifest(**changes: Any) -> bytes:
    said = {"made_by": "call-light", "format": 1, "at": "2026-11-16T15:00:00Z", "revision": "0008", "rows": {}}
    return json.dumps({**said, "parts": {DATABASE: {"size": 3, "sha256": "0" * 64}}, **changes}).encode()


OUT = {"../../evil": {"size": 1, "sha256": "0"}, DATABASE: {"size": 3, "sha256": "0"}}


FOREIGN = {
    "empty": (b"", "is no backup of Call Light"),
    "text": (b"hello", "is no backup of Call Light"),
    "packed text": (gzip.compress(b"hello"), "is damaged or was cut off"),
    "photos": (packed(("a.txt", b"photos")), "is no backup of Call Light"),
    "says nothing": (packed(("manifest.json", b"{}")), "is no backup of Call Light"),
    "of another program": (packed(("manifest.json", manifest(made_by="other"))), "is no backup of Call Light"),
    "names a place outside": (
        packed(("manifest.json", manifest(parts=OUT)), ("../../evil", b"x")),
        "is no backup of Call Light",
    ),
    "holds nothing": (packed(("manifest.json", manifest(parts={}))), "is no backup of Call Light"),
    "of a later schema": (packed(("manifest.json", manifest(revision="9999"))), "made by a newer version"),
    "of a later format": (packed(("manifest.json", manifest(format=2))), "made by a newer version"),
    "without its database": (packed(("manifest.json", manifest())), "is damaged or was cut off"),
    "another database": (packed(("manifest.json", manifest()), (DATABASE, b"abc")), "is damaged or was cut off"),
    "a file outside": (packed(("manifest.json", manifest()), ("../evil", b"abc")), "is damaged or was cut off"),
    "larger than the disk": (
        packed(("manifest.json", manifest(parts={DATABASE: {"size": 10**15, "sha256": ""}})), (DATABASE, b"a")),
        "more than the disk has left",
    ),
}


# What is packed carries the second it was packed in: a case is named, for the workers to agree on the list of tests.
@pytest.mark.parametrize(("content", "says"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NeedsPerson, match=says):
        bring_back(tmp_path / "file", tmp_path / "data", CONFIG)
    assert list((tmp_path / "data").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"file", "data"}
    with pytest.raises(NeedsPerson, match="cannot read"):
        bring_back(tmp_path / "no such", tmp_path / "data", CONFIG)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"age-encryption.org/v1\n-> X25519 "]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_of_strangers_are_one_sentence(tmp_path: Path, content: bytes, begins: bytes) -> None:
    (tmp_path / "file").write_bytes(begins + content)
    (tmp_path / "identity").write_text(str(PAIR))
    with pytest.raises(NeedsPerson):
        bring_back(tmp_path / "file", tmp_path / "data", CONFIG, identity=tmp_path / "identity")


DB = (tarfile.TarInfo(DATABASE), b"abc")
DB[0].size = 3
ABC = manifest(parts={DATABASE: {"size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}})


def forged(kind: bytes = tarfile.REGTYPE, name: str = DATABASE, link: str = "", **headers: str) -> bytes:
    """A backup with one part of another kind, or with odd numbers in its head."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.pax_headers = kind, link, headers
    entry.size = 3 if kind == tarfile.REGTYPE else 0
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        first = tarfile.TarInfo("manifest.json")
        first.size = len(ABC)
        tar.addfile(first, io.BytesIO(ABC))
        tar.addfile(entry, io.BytesIO(b"abc"[: entry.size]))
        if name != DATABASE:
            tar.addfile(DB[0], io.BytesIO(DB[1]))
    return out.getvalue()


def heads(kind: bytes, size: int, count: int = 1) -> bytes:
    """Heads that are followed by others, or by very much of nothing."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    head = entry.tobuf(tarfile.USTAR_FORMAT) + b"10 a=aaaa\n".ljust(512 * -(-size // 512), b"\0")
    return gzip.compress(head * count + gzip.decompress(forged()))


@pytest.mark.parametrize(
    "content",
    [
        forged(mtime="inf"),
        forged(mtime="nan"),
        forged(mtime="1e300"),
        forged(**{"GNU.sparse.map": "a,b", "GNU.sparse.size": "3"}),
        forged(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "3"}),
        forged(size="-5"),
        forged(tarfile.SYMTYPE, link="/etc/passwd"),
        forged(tarfile.LNKTYPE, link="/etc/passwd"),
        forged(tarfile.CHRTYPE),
        forged(tarfile.FIFOTYPE),
        forged(tarfile.SYMTYPE, "config", "/tmp"),
        heads(tarfile.XHDTYPE, 10, 2_000),  # deeper than Python goes
        heads(tarfile.XGLTYPE, 10, 2_000),
        heads(tarfile.GNUTYPE_LONGNAME, 10, 2_000),
        heads(tarfile.XHDTYPE, 100_000),
        gzip.compress(gzip.decompress(forged()) + bytes(100_000)),
    ],
)
def test_what_somebody_has_made_in_its_place(tmp_path: Path, content: bytes) -> None:
    """One sentence, and no more read than there may be: a few kilobytes, unpacked, fill any memory."""
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "work").mkdir()
    with pytest.raises(NeedsPerson, match="is damaged or was cut off"):
        unpack(tmp_path / "file", tmp_path / "work", None, quiet)


def test_what_it_says_and_no_more_is_taken(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    (tmp_path / "file").write_bytes(forged(mtime="1.5"))
    (tmp_path / "work").mkdir()
    unpack(tmp_path / "file", tmp_path / "work", None, quiet)
    assert (tmp_path / "work" / DATABASE).read_bytes() == b"abc"


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TRIGGER helpful AFTER INSERT ON "case" BEGIN DELETE FROM delivery; END',
        "DROP VIEW searchable",
        "DROP TRIGGER search_after_gone",
    ],
)
def test_a_database_that_acts_by_itself_is_refused(
    data: Path, shelf: Path, tmp_path: Path, engine: Engine, statement: str
) -> None:
    """A trigger would go on to hide danger long after."""
    engine.dispose()
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute(statement)
    path = save(data, shelf).path
    with pytest.raises(NeedsPerson, match="does things by itself that Call Light's does not"):
        bring_back(path, tmp_path / "other", CONFIG)
    assert list((tmp_path / "other").iterdir()) == []


def test_another_config_file_than_it_says(data: Path, shelf: Path, tmp_path: Path) -> None:
    """Nobody changes a phrase in a backup by a slip: each part has its sum."""
    path = save(data, shelf).path
    with tarfile.open(path) as tar:
        files = [(entry.name, tar.extractfile(entry).read()) for entry in tar]  # type: ignore[union-attr]
    path.write_bytes(packed(*((name, content.replace(b"Saint", b"Feint")) for name, content in files)))
    with pytest.raises(NeedsPerson, match="is damaged"):
        bring_back(path, tmp_path / "other", CONFIG)


def test_other_rows_than_it_says(data: Path, shelf: Path, tmp_path: Path) -> None:
    path = save(data, shelf).path
    (tmp_path / "work").mkdir()
    found = unpack(path, tmp_path / "work", None, quiet)
    with pytest.raises(NeedsPerson, match="is damaged"):
        examine(tmp_path / "work", found.model_copy(update={"rows": {"mention": 3}}), path, quiet)


# ---------------------------------------------------------------- who uses it


@pytest.fixture
def idle(data: Path, engine: Engine) -> Path:
    engine.dispose()
    return data / DATABASE


def test_nobody_uses_it(idle: Path, tmp_path: Path) -> None:
    assert in_use(idle, NOW) is None
    assert in_use(tmp_path / "none.db", NOW) is None
    (tmp_path / "broken.db").write_bytes(b"no database" * 100)
    assert in_use(tmp_path / "broken.db", NOW) is None


def test_an_open_connection_uses_it(data: Path, engine: Engine) -> None:
    with engine.connect():
        pass  # it goes back to the pool, and stays open
    assert in_use(data / DATABASE, NOW) == "another process"
    engine.dispose()
    assert in_use(data / DATABASE, NOW) is None


def test_a_lease_of_another_machine_uses_it(idle: Path, engine: Engine) -> None:
    with Session(engine) as session:
        lease.take(session, "elsewhere:7", NOW)
    engine.dispose()
    assert in_use(idle, NOW) == "a service on elsewhere"
    assert in_use(idle, NOW + timedelta(minutes=2)) is None, "it was not renewed"


# ---------------------------------------------------------------- who was forgotten since


@pytest.fixture
def since_forgotten(data: Path, shelf: Path, engine: Engine, hear: Any) -> Path:
    """A backup, and then somebody in it was forgotten, before anybody made another."""
    hear("99", text="@kim_9 said that my dad", author="bob")
    hear("100", author="kim_9")
    path = save(data, shelf).path
    with Session(engine) as session:
        stones = tombstones.begun(session)
        last = session.exec(select(Mention.id).where(Mention.ref == "100")).one()
        keep.forget(session, [last or 0], keep.FORGOTTEN, NOW)
        tombstones.bury(session, {stones.of_person("x", "kim_9")})
        marks = tombstones.every(session, but=keep.EXPIRED)
        session.commit()
        tombstones.write_list(stones, marks, tombstones.folders(session)[0])
    engine.dispose()
    return path


def test_they_stay_so_by_the_list_beside_the_backup(since_forgotten: Path, tmp_path: Path) -> None:
    """The machine that forgot them has burnt: another one restores."""
    _, again, has_list = bring_back(since_forgotten, tmp_path / "new", CONFIG, NOW + DAY)
    assert (again, has_list) == (1, True)
    content = (tmp_path / "new" / DATABASE).read_bytes()
    assert b"kim_9" not in content
    assert b"said that my dad" in content, "of others nothing goes but the name"
    assert WORDS.encode() + b" 100" not in content


def test_they_stay_so_by_the_database_that_is_replaced(since_forgotten: Path, data: Path, shelf: Path) -> None:
    for path in shelf.glob("*.txt"):
        path.unlink()
    _, again, has_list = bring_back(since_forgotten, data, CONFIG, NOW + DAY)
    assert (again, has_list) == (1, True)
    assert b"kim_9" not in (data / DATABASE).read_bytes()


def test_without_any_list_it_is_said(since_forgotten: Path, tmp_path: Path, shelf: Path) -> None:
    for path in shelf.glob("*.txt"):
        path.unlink()
    _, again, has_list = bring_back(since_forgotten, tmp_path / "new", CONFIG, NOW + DAY)
    assert (again, has_list) == (0, False)


def test_the_list_of_another_house_forgets_nobody(since_forgotten: Path, tmp_path: Path, shelf: Path) -> None:
    (mine,) = shelf.glob("*.txt")
    mine.rename(shelf / "call-light-forgotten-00000000.txt")
    _, again, _ = bring_back(since_forgotten, tmp_path / "new", CONFIG, NOW + DAY)
    assert again == 0


def test_a_later_backup_keeps_what_they_say_later(since_forgotten: Path, data: Path, shelf: Path, hear: Any) -> None:
    """Who was forgotten may need help again: what they post from then on is a post like any."""
    hear("101", text="my dad collapsed", author="kim_9")
    path = save(data, shelf, NOW + DAY).path
    _, again, _ = bring_back(path, data.parent / "new", CONFIG, NOW + 2 * DAY)
    assert again == 0
    with closing(sqlite3.connect(data.parent / "new" / DATABASE)) as connection:
        assert connection.execute("SELECT author FROM mention WHERE ref = '101'").fetchone() == ("kim_9",)


# ---------------------------------------------------------------- an earlier version


def test_an_earlier_version_is_brought_up(tmp_path: Path) -> None:
    """A backup from before an upgrade comes back with the tables of today."""
    from alembic import command
    from alembic.config import Config as Alembic
    from sqlalchemy import create_engine

    old = tmp_path / "old"
    old.mkdir()
    settings_ = Alembic()
    settings_.set_main_option("script_location", str(PROJECT / "listener" / "migrations"))
    engine = create_engine(f"sqlite:///{old / DATABASE}")
    with engine.begin() as connection:
        settings_.attributes["connection"] = connection
        command.upgrade(settings_, "0003")
    engine.dispose()
    (tmp_path / "shelf").mkdir()
    done = save(old, tmp_path / "shelf")
    assert done.manifest.revision == "0003"
    bring_back(done.path, tmp_path / "new", CONFIG)
    with closing(sqlite3.connect(tmp_path / "new" / DATABASE)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0008",)
