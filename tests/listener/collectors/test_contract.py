"""What every collector keeps to, whatever its place: each is run through stages 1 and 2 against its fake.

A collector joins by its file name; its fake has the same name in tests/fakes/ and says with a reason what cannot be there.
"""

import importlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.place import Place
from fakes.server import BrokenShape, Fault, NotJson, RateLimited, Reset, Stall, Status
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from alerts.console import Console
from config.schema import Config
from listener import collect, tombstones
from listener.collect import can_look, known_collectors
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.mention import Mention
from listener.post import Asking
from listener.service import Passed, Service
from listener.watch import Gap, Watch

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SAID = "Four hours in the waiting room at St. Brigid's, number {}"


@pytest.fixture(params=sorted(known_collectors()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(name: str, clock: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    """The fake of the collector; skips what its site cannot do."""
    with importlib.import_module(f"fakes.{name}").place(clock, tmp_path) as place:
        test = request.function.__name__.removeprefix("test_")
        if test in place.cannot:
            pytest.skip(f"{name}: {place.cannot[test]}")
        yield place
        place.heal()


@pytest.fixture
def settings(name: str, place: Place) -> Any:
    return known_collectors()[name].Settings(**{"on": True, **place.settings})


@pytest.fixture
def service(name: str, place: Place, settings: Any, config: Config, engine: Engine, clock: Any) -> Service:
    only = config.model_copy(update={"collectors": {name: settings}})
    return Service(only, engine, Console({}), place.secrets, lambda: clock.at)


@pytest.fixture
def hear(name: str, service: Service) -> Callable[[], Passed]:
    """One pass of the collector, kept."""
    return lambda: service.collect(name)


@pytest.fixture
def error(name: str, place: Place, settings: Any, config: Config, clock: Any) -> Callable[[], Exception | None]:
    """What a pass from the beginning raises."""

    def ask() -> Exception | None:
        try:
            list(collect.pages(name, "fetch", settings, {}, Asking(config.hospital, clock.at, place.secrets)))
        except Exception as error:
            return error
        return None

    return ask


@pytest.fixture(autouse=True)
def wait_only(name: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """How long the collector waits for its site; nobody sleeps between two tries."""
    module = known_collectors()[name]
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda self: None)

    def wait(seconds: float) -> None:
        if hasattr(module, "_TIMEOUT"):
            monkeypatch.setattr(module, "_TIMEOUT", seconds)

    wait(place.patience)
    return wait


def mentions(engine: Engine, own: bool = False) -> list[Mention]:
    with Session(engine) as session:
        return list(session.exec(select(Mention).where(Mention.own == own).order_by(col(Mention.written_at))).all())


def watch(engine: Engine, name: str) -> Watch:
    with Session(engine) as session:
        return session.get_one(Watch, name)


# hearing


def test_first_run(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    refs = [place.post(SAID.format(n), clock.at - (5 - n) * MINUTE, f"author{n}") for n in range(3)]
    assert hear().trouble == []
    heard = mentions(engine)
    assert [mention.ref for mention in heard] == refs
    for n, mention in enumerate(heard):
        assert SAID.format(n) in mention.text
        assert mention.written_at == clock.at - (5 - n) * MINUTE
        assert mention.heard_at == clock.at
        assert mention.url is None or mention.url.startswith("https://")
        assert "<" not in mention.text


def test_nothing_new(place: Place, hear: Any, engine: Engine, clock: Any, name: str) -> None:
    place.post(SAID.format(1), clock.at - MINUTE)
    hear()
    clock.at += 2 * MINUTE
    passed = hear()
    assert (passed.new, passed.edited, passed.trouble) == (0, 0, [])
    assert watch(engine, name).asked_at == clock.at
    assert watch(engine, name).heard_at == clock.at - 2 * MINUTE


def test_what_is_new_since(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    place.post(SAID.format(1), clock.at - MINUTE)
    hear()
    clock.at += 5 * MINUTE
    later = place.post(SAID.format(2), clock.at - MINUTE, "bob")
    assert hear().new == 1
    assert mentions(engine)[-1].ref == later
    assert mentions(engine)[-1].author in ("bob", None) or "bob" in (mentions(engine)[-1].author or "")


def test_several_pages(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    refs = [
        place.post(SAID.format(n), clock.at - HOUR + n * timedelta(seconds=10), f"a{n}") for n in range(place.several)
    ]
    assert hear().trouble == []
    assert {mention.ref for mention in mentions(engine)} == set(refs)


def test_crash_between_pages(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    refs = [
        place.post(SAID.format(n), clock.at - HOUR + n * timedelta(seconds=10), f"a{n}") for n in range(place.several)
    ]
    commits = 0

    def killed(_connection: Any) -> None:
        nonlocal commits
        with_posts = _connection.exec_driver_sql("SELECT count(*) FROM mention").scalar()
        commits += bool(with_posts)
        if commits == 2:
            raise KeyboardInterrupt

    def hear_until_killed() -> None:
        for _ in range(10):
            hear()
            place.post("one more for St. Brigid's", clock.at - MINUTE)

    event.listen(engine, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        hear_until_killed()
    event.remove(engine, "commit", killed)
    clock.at += 3 * MINUTE
    hear()
    hear()
    kept = [mention.ref for mention in mentions(engine)]
    assert set(refs) <= set(kept)
    assert len(kept) == len(set(kept))


def test_duplicates(place: Place, hear: Any, engine: Engine, clock: Any, name: str) -> None:
    """The cursor is lost, as after a restored backup: everything comes again."""
    for n in range(5):
        place.post(SAID.format(n), clock.at - (9 - n) * MINUTE, f"a{n}")
    hear()
    with Session(engine) as session:
        row = session.get_one(Watch, name)
        row.cursor = {}
        session.add(row)
        session.commit()
    assert hear().new == 0
    assert [mention.revision for mention in mentions(engine)] == [1] * 5


def test_edited_post(place: Place, hear: Any, service: Service, engine: Engine, clock: Any, settings: Any) -> None:
    ref = place.post("All fine at St. Brigid's", clock.at - 10 * MINUTE)
    hear()
    clock.at += 3 * MINUTE
    place.edit(ref, "My dad collapsed at St. Brigid's and nobody comes", clock.at - MINUTE)
    hear()
    if mentions(engine)[0].revision == 1:  # the site does not give it again: looking for deletions sees it
        clock.at += settings.recheck
        service.forget()
    (mention,) = mentions(engine)
    assert (mention.ref, mention.revision) == (ref, 2)
    assert "collapsed" in mention.text
    assert mention.revised_at is not None


def test_deleted_post(place: Place, hear: Any, service: Service, engine: Engine, clock: Any, settings: Any) -> None:
    gone = place.post(SAID.format(1), clock.at - 10 * MINUTE)
    stays = place.post(SAID.format(2), clock.at - 9 * MINUTE, "bob")
    hear()
    place.delete(gone)
    clock.at += settings.recheck + MINUTE
    hear()
    service.forget()
    is_gone, is_there = mentions(engine)  # the older one first
    assert is_gone.deleted_at is not None
    assert tombstones.is_mark(is_gone.ref)
    assert (is_gone.text, is_gone.author, is_gone.url) == ("", None, None)
    assert (is_there.ref, is_there.deleted_at) == (stays, None)
    assert SAID.format(2) in is_there.text


def test_looking_again_is_not_done_too_often(
    place: Place, hear: Any, service: Service, engine: Engine, clock: Any, settings: Any, name: str
) -> None:
    if not can_look(name):
        pytest.skip(f"{name}: tells of deletions by itself")
    place.post(SAID.format(1), clock.at - 10 * MINUTE)
    hear()
    asked = len(place.server.requests) if place.server else 0
    clock.at += settings.recheck / 2
    service.forget()
    assert (len(place.server.requests) if place.server else 0) == asked
    clock.at += settings.recheck
    service.forget()
    assert (mentions(engine)[0].looked_at, mentions(engine)[0].deleted_at) == (clock.at, None)


def test_gap(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    place.post(SAID.format(1), clock.at - HOUR)
    hear()
    place.lose()
    hear()
    with Session(engine) as session:
        (gap,) = session.exec(select(Gap)).all()
    assert gap.since < gap.until <= clock.at
    assert gap.why


def test_own_reply(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    asked = place.post(SAID.format(1), clock.at - 10 * MINUTE)
    hear()
    clock.at += 5 * MINUTE
    answered = place.answer(asked, "Thank you for telling us. Please call Patient Relations.", clock.at - 2 * MINUTE)
    hear()
    (reply,) = mentions(engine, own=True)
    assert (reply.ref, reply.answers) == (answered, asked)
    assert reply.written_at == clock.at - 2 * MINUTE


# trouble


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (Status(401), (NeedsPerson,)),
        (Status(402), (NeedsPerson, TryLater)),
        (Status(403), (NeedsPerson,)),
        (Status(404), (NeedsPerson, TryLater)),
        (RateLimited(), (AskedToWait,)),
        (Status(500), (TryLater,)),
        (Status(502), (TryLater,)),
        (Status(503), (TryLater,)),
        (Stall(20), (TryLater,)),
        (Reset(), (TryLater,)),
        (NotJson(), (TryLater, NeedsPerson)),
        (BrokenShape([1, {"odd": None}]), (TryLater, NeedsPerson)),
    ],
    ids=["401", "402", "403", "404", "429", "500", "502", "503", "no answer", "reset", "not JSON", "wrong shape"],
)
def test_trouble(
    place: Place, hear: Any, error: Any, engine: Engine, clock: Any, name: str, fault: Fault, kinds: Any, wait_only: Any
) -> None:
    ref = place.post(SAID.format(1), clock.at - MINUTE)
    place.fail(fault, times=None)
    if isinstance(fault, Stall):
        wait_only(0.4)
    raised = error()
    assert isinstance(raised, kinds)
    sentence = str(raised)
    assert sentence.startswith(f"{name}: ")
    assert not any(secret in sentence for secret in place.secrets.values())
    passed = hear()
    assert passed.trouble
    assert mentions(engine) == []
    assert watch(engine, name).failures >= 1
    assert watch(engine, name).trouble
    place.heal()
    wait_only(place.patience)
    clock.at += 20 * MINUTE
    assert hear().trouble == []
    assert [mention.ref for mention in mentions(engine)] == [ref]
    assert (watch(engine, name).failures, watch(engine, name).trouble) == (0, None)


def test_asked_to_wait_until(place: Place, hear: Any, engine: Engine, clock: Any, name: str) -> None:
    place.post(SAID.format(1), clock.at - MINUTE)
    place.fail(RateLimited(reset=clock() + 300, retry_after=300), times=None)
    hear()
    until = watch(engine, name).paused_until
    assert until is not None
    assert abs(until - (clock.at + 5 * MINUTE)) <= timedelta(seconds=2)
    place.heal()
    asked = len(place.server.requests) if place.server else 0
    hear()
    assert (len(place.server.requests) if place.server else 0) == asked, "not before the time"
    clock.at += 6 * MINUTE
    assert hear().new == 1


def test_trouble_half_way(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    refs = [
        place.post(SAID.format(n), clock.at - HOUR + n * timedelta(seconds=10), f"a{n}") for n in range(place.several)
    ]
    place.fail(Status(503), times=None, after=2)
    hear()
    assert len(mentions(engine)) < len(refs)
    place.heal()
    clock.at += 3 * MINUTE
    assert hear().trouble == []
    kept = [mention.ref for mention in mentions(engine)]
    assert sorted(kept) == sorted(refs)


# clocks


@pytest.mark.parametrize("off", [-HOUR, HOUR], ids=["behind", "ahead"])
def test_our_clock_is_wrong(place: Place, hear: Any, engine: Engine, clock: Any, off: timedelta) -> None:
    """By an hour: nothing is lost and nothing is heard twice."""
    right = clock.at
    one = place.post(SAID.format(1), right - 2 * MINUTE)
    clock.at = right + off
    hear()
    clock.at = right + 3 * MINUTE
    two = place.post(SAID.format(2), right + MINUTE, "bob")
    hear()
    assert sorted(mention.ref for mention in mentions(engine)) == sorted([one, two])


def test_cursor_from_the_future(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    """A database that was last used where the clock was two days ahead: what is posted now is heard all the same."""
    clock.at += 2 * DAY
    place.post(SAID.format(1), clock.at - MINUTE)
    hear()
    clock.at -= 2 * DAY
    ref = place.post(SAID.format(2), clock.at - MINUTE, "bob")
    hear()
    assert ref in [mention.ref for mention in mentions(engine)]


@pytest.mark.deep
def test_ten_thousand_posts(place: Place, hear: Any, engine: Engine, clock: Any) -> None:
    start = clock.at - 5 * HOUR
    refs = {place.post(SAID.format(n), start + n * timedelta(seconds=1), f"a{n % 977}") for n in range(10_000)}
    for _ in range(30):
        if hear().new == 0:
            break
        clock.at += 16 * MINUTE
    assert {mention.ref for mention in mentions(engine)} == refs
