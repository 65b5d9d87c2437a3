"""A backup holds one moment of everything, whatever is written meanwhile, and is there whole or not at all."""

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from conftest import PROJECT
from sqlalchemy import Engine
from sqlmodel import Session

from config.load import NAMES
from config.schema import Config
from listener import keep
from listener.backup import DATABASE, Backup, back_up, prune, workshop
from listener.errors import NeedsPerson
from listener.post import Page, Post

NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
PAIR = pyrage.x25519.Identity.generate()
WORDS = "seven hours in the waiting room of St. Brigid's"


@pytest.fixture
def data(engine: Engine, config: Config, tmp_path: Path) -> Path:
    """A data folder with a few posts."""
    posts = [Post(source="x", ref=f"{n}", text=f"{WORDS} {n}", written_at=NOW, author=f"ann{n}") for n in range(50)]
    with Session(engine) as session:
        keep.keep(session, "x", Page(tuple(posts), {}), config.hospital, NOW)
    return tmp_path / "data"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where backups go."""
    (tmp_path / "shelf").mkdir()
    return tmp_path / "shelf"


def made(data: Path, to: Path, at: datetime = NOW, **how: Any) -> Backup:
    return back_up(data, PROJECT / "config", to, at, **how)


def parts(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]


def test_it_is_one_file_with_everything_and_for_its_owner(data: Path, shelf: Path) -> None:
    (data / "reports").mkdir()
    (data / "reports" / "2026-W46.html").write_text("<main>")
    (data / "center.key").write_text("a secret")
    done = made(data, shelf, reports=True)
    assert done.path == shelf / "call-light-20261116T150000Z.tar.gz"
    assert done.path.stat().st_mode & 0o777 == 0o600
    found = parts(done.path)
    assert list(found) == [
        "manifest.json", *sorted(f"config/{name}" for name in NAMES), "reports/2026-W46.html", DATABASE
    ]  # fmt: skip
    said = json.loads(found["manifest.json"])
    assert (said["rows"]["mention"], said["revision"], said["at"]) == (50, "0008", "2026-11-16T15:00:00Z")
    assert said["parts"][DATABASE]["size"] == len(found[DATABASE])
    assert {path.suffix for path in shelf.iterdir()} == {".gz", ".txt"}, "the list of who was forgotten lies beside it"
    assert "center.key" not in found
    assert not list(data.glob("backup-*")), "no copy is left"


def test_without_being_asked_no_reports(data: Path, shelf: Path) -> None:
    (data / "reports").mkdir()
    (data / "reports" / "2026-W46.html").write_text("<main>")
    assert not any(name.startswith("reports/") for name in parts(made(data, shelf).path))


def test_with_a_key_nobody_else_reads_it(data: Path, shelf: Path) -> None:
    done = made(data, shelf, key=f"{PAIR.to_public()} {pyrage.x25519.Identity.generate().to_public()}")
    content = done.path.read_bytes()
    assert done.path.suffix == ".age"
    assert content.startswith(b"age-encryption.org/v1\n")
    assert pyrage.decrypt(content, [PAIR]).startswith(b"\x1f\x8b")
    assert WORDS.encode() not in content


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("age1xyz", "no public key of age"),
        (str(PAIR), "secret key, which must not be on this machine"),
        ("", "the key for the backup is empty"),
        ("  ", "the key for the backup is empty"),
    ],
    ids=["none", "secret", "empty", "blank"],  # the pair is another one in each process
)
def test_a_wrong_key_is_refused_before_anything_is_written(data: Path, shelf: Path, key: str, says: str) -> None:
    with pytest.raises(NeedsPerson, match=says) as refused:
        made(data, shelf, key=key)
    assert str(PAIR)[20:] not in str(refused.value)
    assert list(shelf.iterdir()) == []


def test_it_writes_over_nothing(data: Path, shelf: Path) -> None:
    there = shelf / "family.jpg"
    there.write_text("photo")
    with pytest.raises(NeedsPerson, match="exists already"):
        made(data, there)
    assert there.read_text() == "photo"
    with pytest.raises(NeedsPerson, match="there is no folder"):
        made(data, shelf / "no" / "file.tar.gz")
    with pytest.raises(NeedsPerson, match="nothing to back up"):
        made(shelf, shelf)


@pytest.mark.parametrize("where", ["everywhere", "in one page of posts"])
def test_a_damaged_database_takes_no_place(data: Path, shelf: Path, engine: Engine, where: str) -> None:
    engine.dispose()
    page = 3 if where == "everywhere" else (data / DATABASE).read_bytes().index(f"{WORDS} 7".encode()) // 4096
    with (data / DATABASE).open("r+b") as file:
        file.seek(4096 * page)
        file.write(os.urandom(4096 * 20) if where == "everywhere" else b"\xff" * 100)
    with pytest.raises(NeedsPerson, match=r"database cannot be read whole .* no backup was made"):
        made(data, shelf)
    assert not list(shelf.glob("call-light-2*"))


def test_a_full_disk_is_a_sentence(data: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(NeedsPerson, match="MB left; make room on it"):
        made(data, shelf)
    assert not list(shelf.glob("call-light-2*"))


@pytest.mark.parametrize("keep_", [1, 3])
def test_only_our_oldest_are_taken_away(data: Path, shelf: Path, keep_: int) -> None:
    others = [shelf / name for name in ("call-light-notes.txt", "call-light-20200101T000000Z.tar.gz.md5", "old.tar.gz")]
    for other in others:
        other.write_text("somebody's")
    names = [made(data, shelf, NOW + timedelta(days=day)).path for day in range(4)]
    assert prune(shelf, keep_) == names[:-keep_]
    assert [path for path in names if path.exists()] == names[-keep_:]
    assert all(other.exists() for other in others)


# ---------------------------------------------------------------- while others write


def test_while_a_writer_writes_it_is_one_moment(data: Path, shelf: Path, engine: Engine, config: Config) -> None:
    """Each post and its number in the Watch are written in one transaction: no backup may see one without the other."""
    stop, wrote, waited, written = threading.Event(), threading.Event(), [0.0], [50]

    def write() -> None:
        number = 50
        while not stop.is_set():
            posts = [
                Post(
                    source="x",
                    ref=f"{number + n}",
                    text=f"{WORDS} {number + n} {os.urandom(400).hex()}",
                    written_at=NOW,
                )
                for n in range(40)
            ]
            began = time.monotonic()
            with Session(engine) as session:
                keep.keep(session, "x", Page(tuple(posts), {}), config.hospital, NOW)
            waited[0] = max(waited[0], time.monotonic() - began)
            number += 40
            written[0] = number
            wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for day in range(6):
            wrote.clear()
            assert wrote.wait(60)
            before = written[0]
            rows = made(data, shelf, NOW + timedelta(days=day)).manifest.rows
            path = shelf / f"call-light-{NOW + timedelta(days=day):%Y%m%dT%H%M%SZ}.tar.gz"
            copy = shelf / "copy.db"
            copy.write_bytes(parts(path)[DATABASE])
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                kept = connection.execute("SELECT kept FROM watch WHERE name = 'x'").fetchone()[0]
                assert connection.execute("SELECT count(*) FROM mention").fetchone()[0] == kept == rows["mention"]
            assert kept >= before, "what was there when it began is in it"
            counts.append(kept)
    finally:
        stop.set()
        writer.join()
    assert counts[-1] > counts[0] > 50, "it was written to meanwhile"
    assert waited[0] < 5, "who writes waits for no backup"


def _slow(data: Path, shelf: Path, reached: Any) -> None:
    """A backup that stops half-way in the packing, until it is killed."""

    def tell(what: str, done: int, total: int) -> None:
        if what == "packing" and done > total / 2:
            reached.set()
            threading.Event().wait()

    back_up(data, PROJECT / "config", shelf, NOW, None, False, tell)


def test_killed_half_way_it_leaves_nothing_under_its_name(data: Path, shelf: Path) -> None:
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    process = context.Process(target=_slow, args=(data, shelf, reached))
    process.start()
    assert reached.wait(60)
    process.kill()
    process.join()
    assert list(shelf.glob("call-light-2*")) == []
    assert list(data.glob("backup-*")), "its copy is still there"
    assert list(shelf.glob(".call-light-*"))
    done = made(data, shelf)
    assert {path.name for path in shelf.iterdir() if path.suffix != ".txt"} == {done.path.name}, (
        "the next one tidies up"
    )
    assert list(data.glob("backup-*")) == []


def test_in_a_container_every_process_may_have_the_same_number(data: Path, shelf: Path) -> None:
    """What one left that was killed is not taken for ours, nor kept for ever; a restore tidies up too."""
    left = data / f"backup-{os.getpid()}-abc"
    left.mkdir()
    (left / DATABASE).write_bytes(b"posts")
    with workshop(data) as work:
        assert not left.exists()
        assert work.exists()


def test_what_a_living_process_works_on_stays(data: Path, shelf: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    work = data / f"backup-{other.pid}-abc"
    work.mkdir()
    made(data, shelf)
    assert work.exists()
    other.communicate(b"\n")
