"""Trying changed files: mistakes, what they would do, one at a time; and saving them as the person who did."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import visit
from conftest import NOW, PROJECT
from sqlalchemy import Engine

from alerts.center import rehearsals
from alerts.center.rehearsals import Attempt, Rehearsals, as_typed, files, is_as_shown, save
from alerts.center.room import Room
from alerts.known import config_of
from config.files import digest
from config.load import NAMES, Problem
from config.schema import Config
from listener import versions
from listener.database import reading
from listener.errors import NeedsPerson
from listener.keep import DELETED, forget
from listener.live import Live

pytestmark = pytest.mark.slow  # a reader is made, often two
SINCE = NOW - timedelta(days=30)
TEXTS = {name: (PROJECT / "config" / name).read_text() for name in NAMES}
TEXTS["keywords.toml"] = TEXTS["keywords.toml"].replace("model = true", "model = false")
BEFORE = config_of(TEXTS, Path("config"), replies=False)


def changed(old: str, new: str, name: str = "keywords.toml") -> dict[str, str]:
    assert old in TEXTS[name]
    return {**TEXTS, name: TEXTS[name].replace(old, new, 1)}


WITHOUT_PARKING = changed('"fish fry"', '"fish fry", "circling"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def room(desk: Any, engine: Engine, folder: Path) -> Iterator[Room]:
    """Where a post is kept that is changed by WITHOUT_PARKING."""
    desk.clock = NOW
    desk.post = desk.alert("circling the garage for an hour at St. Brigid's", categories=[])
    yield visit.room(engine, BEFORE, folder, files=folder, now=lambda: desk.clock)
    visit.ended("rehearsal")


def tried(room: Room, texts: Mapping[str, str], known: Rehearsals | None = None) -> Attempt:
    attempt = (known or Rehearsals(room)).begin("Ana", texts, TEXTS, SINCE)
    attempt.task.wait(60)
    assert attempt.task.result is not None, attempt.task.problem
    return attempt


def test_what_it_would_do(room: Room) -> None:
    attempt = tried(room, WITHOUT_PARKING)
    found = attempt.task.result
    assert found is not None
    assert found.rehearsal is not None
    assert (found.problems, list(found.changes)) == ((), ["exclude.phrases: 'circling' added"])
    assert [change.text for change in found.rehearsal.dropped] == ["circling the garage for an hour at St. Brigid's"]
    assert (attempt.changed, attempt.may_be_saved) == (["keywords.toml"], True)


@pytest.mark.parametrize(
    ("texts", "line", "key"),
    [
        (changed("[exclude]", "[exclde]"), None, "exclde"),
        ({**TEXTS, "report.toml": "x = ["}, 1, None),
        ({**TEXTS, "care.toml": TEXTS["care.toml"][:200]}, None, "file"),  # half of it
        (changed("match = [", 'match = ["nothing of the kind", '), None, None),  # an example that fails
    ],
)
def test_mistakes(room: Room, texts: dict[str, str], line: int | None, key: str | None) -> None:
    attempt = tried(room, texts)
    assert attempt.task.result is not None
    first = attempt.task.result.problems[0]
    assert line in (None, first.line)
    assert key is None or key in [problem.key for problem in attempt.task.result.problems]
    assert (attempt.task.result.rehearsal, attempt.may_be_saved) == (None, False)


def test_nothing_to_save_and_nothing_that_differs(room: Room) -> None:
    same = tried(room, TEXTS)
    assert (same.changed, same.may_be_saved) == ([], False)
    comment = tried(room, {**TEXTS, "report.toml": TEXTS["report.toml"] + "\n# as agreed\n"})
    assert comment.task.result is not None
    assert (comment.task.result.rehearsal, comment.may_be_saved) == (None, True)


def test_one_at_a_time_and_stopping_it(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(session: Any, before: Any, after: Any, since: Any, now: Any, progress: Any) -> Any:
        progress(1, 9)
        begun.set()
        go_on.wait(30)
        progress(2, 9)
        pytest.fail("it went on")

    monkeypatch.setattr(rehearsals, "rehearse", slow)
    known = Rehearsals(room)
    attempt = known.begin("Ana", WITHOUT_PARKING, TEXTS, SINCE)
    assert begun.wait(60)
    assert (attempt.task.done, attempt.task.of) == (1, 9)
    with pytest.raises(NeedsPerson, match="Ana is trying something already"):
        known.begin("Bo", TEXTS, TEXTS, SINCE)
    attempt.task.stop()
    go_on.set()
    attempt.task.wait(30)
    assert (attempt.task.result, attempt.task.problem, attempt.may_be_saved) == (None, "It was stopped.", False)
    assert known.last() is attempt


def test_it_is_shown_for_an_hour_and_not_when_a_post_is_gone(desk: Any, room: Room) -> None:
    known = Rehearsals(room)
    attempt = tried(room, WITHOUT_PARKING, known)
    desk.clock = NOW + timedelta(minutes=59)
    assert known.last() is attempt
    desk.clock = NOW + timedelta(minutes=61)
    assert known.last() is None
    desk.clock = NOW
    attempt = tried(room, WITHOUT_PARKING, known)
    forget(desk.session, [1], DELETED, NOW)
    desk.session.commit()
    assert known.last() is None


@pytest.mark.parametrize(
    ("typed", "was", "text"),
    [("a\r\nb\r\n", "a\n", "a\nb\n"), ("a\r\nb", "x\r\ny", "a\r\nb"), ("a\nb", "x\r\ny", "a\r\nb"), ("", "", "")],
)
def test_line_ends_stay_as_they_are_in_the_file(typed: str, was: str, text: str) -> None:
    assert as_typed(typed, was) == text


def test_which_files(desk: Any, room: Room, folder: Path, engine: Engine) -> None:
    assert files(desk.session, room) == TEXTS
    away = visit.room(engine, BEFORE, folder)
    assert files(desk.session, away) == {}
    versions.write_down(desk.session, {"care.toml": "x"}, "ana", NOW)
    assert files(desk.session, away) == {"care.toml": "x"}
    assert files(desk.session, visit.room(engine, BEFORE, folder, files=folder / "none")) == {"care.toml": "x"}
    assert is_as_shown(TEXTS, digest(TEXTS))
    assert not is_as_shown(WITHOUT_PARKING, digest(TEXTS))


# ---------------------------------------------------------------- saving


def service(engine: Engine, folder: Path) -> Live[Config]:
    """What takes up the files of this folder."""

    def make_ready(texts: Mapping[str, str], unread: Sequence[Problem], is_known: bool) -> Config:
        return config_of(texts, folder, unread, replies=False)

    live = Live(folder, engine, make_ready, lambda: NOW)
    live.begin()
    return live


def kept(engine: Engine) -> list[tuple[str, str | None]]:
    """Who saved each version, and what is wrong with it; the newest first."""
    with reading(engine) as session:
        return [(version.author, version.trouble) for version in versions.every(session)]


def test_saved_files_are_taken_up_as_theirs(room: Room, folder: Path, engine: Engine) -> None:
    live = service(engine, folder)
    first = kept(engine)
    attempt = tried(room, WITHOUT_PARKING)
    assert save(engine, folder, attempt, "U1ANA", NOW) == [folder / "keywords.toml"]
    assert (folder / "keywords.toml").read_text() == WITHOUT_PARKING["keywords.toml"]
    assert kept(engine) == [("U1ANA", versions.SAVED), *first], "not in force before the service has looked"
    assert [live.look() is not None for _ in range(3)] == [False, True, False]
    assert kept(engine) == [("U1ANA", None), *first]


def test_what_somebody_else_saved_meanwhile_stays(room: Room, folder: Path, engine: Engine, desk: Any) -> None:
    attempt = tried(room, WITHOUT_PARKING)
    theirs = changed('"fish fry"', '"clam bake"')["keywords.toml"]
    (folder / "keywords.toml").write_text(theirs)
    with pytest.raises(NeedsPerson, match="changed by somebody else"):
        save(engine, folder, attempt, "U1ANA", NOW)
    assert ((folder / "keywords.toml").read_text(), versions.newest(desk.session)) == (theirs, None)


def test_files_with_mistakes_are_not_saved(room: Room, folder: Path, engine: Engine) -> None:
    attempt = tried(room, changed("[exclude]", "[exclde]"))
    with pytest.raises(NeedsPerson, match="nothing was saved"):
        save(engine, folder, attempt, "U1ANA", datetime.now(NOW.tzinfo))
    assert (folder / "keywords.toml").read_text() == TEXTS["keywords.toml"]
