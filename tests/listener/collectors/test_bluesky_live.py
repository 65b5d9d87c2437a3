"""Jetstream: everything on Bluesky as it happens, against a server that speaks its protocol."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.bluesky import COLLECTION, HOSPITAL
from fakes.bluesky_live import METHOD, FakeJetstream, rfc3339
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.schema import Config
from listener.collectors import bluesky_live as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Asking, Page

PROFILES, RESOLVE = "getProfiles", "resolveHandle"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
US = "Waiting at St. Brigid's"
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 1.2)


@pytest.fixture
def jetstream(clock: Any) -> Iterator[FakeJetstream]:
    with FakeJetstream(now=clock) as fake:
        fake.user(HOSPITAL)
        yield fake


@pytest.fixture
def settings(jetstream: FakeJetstream) -> collector.Settings:
    return collector.Settings(on=True, base_url=jetstream.base_url)


@pytest.fixture
def ask(settings: collector.Settings, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass from a cursor until it has caught up."""
    return lambda cursor=None: one_pass(collector, settings, cursor or {})


@pytest.fixture
def stay(settings: collector.Settings, config: Config, clock: Any) -> Callable[..., Iterator[Page]]:
    """The pages of a collector that stays, until `stopped`."""

    def listen(stopped: Callable[[], bool] = lambda: False, cursor: dict[str, Any] | None = None) -> Iterator[Page]:
        asking = Asking(config.hospital, clock.at, stays=True, stopped=stopped)
        return collector.fetch(settings, cursor or {}, asking)

    return listen


def did(jetstream: FakeJetstream, handle: str = HOSPITAL) -> str:
    return jetstream.user(handle).did


def drained(pages: Iterator[Page]) -> tuple[list[Page], Exception | None]:
    """Every page, and how it ended."""
    heard = []
    try:
        for page in pages:
            heard.append(page)
    except Exception as error:
        return heard, error
    return heard, None


def micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000


# what a post becomes


def test_a_post_with_all_that_is_known_of_it(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    first = jetstream.post("anyone?", "bob.bsky.social", clock.at - 3 * HOUR)
    jetstream.user("ann.bsky.social", name="Ann", followers=42)
    made = jetstream.post(US, "ann.bsky.social", clock.at - HOUR, answers=first, embed={"images": [{"alt": "a sign"}]})
    passed = ask()
    (post,) = passed.posts
    assert post.model_dump() == {
        "source": "bluesky",
        "ref": made,
        "text": f"{US}\n\na sign",
        "written_at": clock.at - HOUR,
        "edited_at": None,
        "url": f"https://bsky.app/profile/ann.bsky.social/post/{made.rpartition('/')[2]}",
        "author": "ann.bsky.social",
        "author_name": "Ann",
        "thread": first,
        "answers": first,
        "quotes": None,
        "place": None,
        "rating": None,
        "reach": 42,
        "about_us": False,
        "own": False,
    }
    assert passed.cursor == {"time_us": micros(clock.at - HOUR), "own": [HOSPITAL, did(jetstream)]}
    assert [dict(page.matched) for page in passed.pages] == [{"names": 1}]


def test_it_is_the_post_that_the_search_finds(jetstream: FakeJetstream, ask: Any, asking: Any) -> None:
    """Hearing it twice is one mention; that it is looked up changes nothing."""
    jetstream.post(US, "ann.bsky.social", embed={"images": [{"alt": "a sign"}]})
    (heard,) = ask().posts
    settings = collector.Settings(base_url=jetstream.base_url)
    (found,) = collector.lookup(settings, [heard.ref], asking()).posts
    assert found.model_dump(exclude={"reach"}) == heard.model_dump(exclude={"reach"})


def test_who_is_meant(jetstream: FakeJetstream, ask: Any) -> None:
    ours = jetstream.post("Our new parking deck is open.", HOSPITAL)
    theirs = jetstream.post("Nice weather.", "bob.bsky.social")
    us = did(jetstream)
    mention = {"features": [{"$type": "app.bsky.richtext.facet#mention", "did": us}]}
    root = {"root": jetstream.posts[ours].named(), "parent": jetstream.posts[theirs].named()}
    heard = {
        ours,
        jetstream.post("SBMC ER is full", "a.bsky.social"),
        jetstream.post("look", "a.bsky.social", embed={"images": [{"alt": "the door of st brigids hospital"}]}),
        jetstream.post("#mybrigid is down", "a.bsky.social"),
        jetstream.post("my dad collapsed", "a.bsky.social", answers=ours),
        jetstream.post("my dad collapsed", "a.bsky.social", reply=root),
        jetstream.post("shame", "a.bsky.social", embed={"record": jetstream.posts[ours].named()}),
        jetstream.post("hello @care", "a.bsky.social", facets=["odd", {"features": "odd"}, mention]),
    }
    jetstream.post("Waiting for the bus", "a.bsky.social")
    jetstream.post("so true", "a.bsky.social", answers=theirs)
    jetstream.post("odd", "a.bsky.social", facets="odd", reply="odd", embed=["odd"])
    passed = ask()
    assert set(passed.refs) == heard
    assert [post.ref for post in passed.posts if post.own] == [ours]
    assert sum(page.matched["names"] for page in passed.pages) == len(heard) - 1


def test_a_record_that_is_put_anew(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    made = jetstream.post(US, "ann.bsky.social")
    first = ask()
    clock.at += MINUTE
    jetstream.edit(made, f"{US}, my dad collapsed")
    before, after = ask(first.cursor).posts  # the last event comes again
    assert (before.ref, before.edited_at, before.text) == (made, None, US)
    assert (after.ref, after.edited_at, after.text) == (made, clock.at, f"{US}, my dad collapsed")


def deleted(passed: Any) -> set[tuple[str, str]]:
    return {(ref.source, ref.ref) for page in passed.pages for ref in page.deleted}


def test_what_is_deleted(jetstream: FakeJetstream, ask: Any) -> None:
    mine, other = jetstream.post(US, "ann.bsky.social"), jetstream.post("hello")
    for uri in (mine, other):
        jetstream.delete(uri)
    passed = ask()
    assert deleted(passed) == {("bluesky", mine), ("bluesky", other)}
    assert passed.refs == [mine]


def test_what_is_posted_anew_is_not_deleted(jetstream: FakeJetstream, ask: Any) -> None:
    """Before its page is made, which the first post that is heard decides: here it is the last event."""
    back = jetstream.post("hello", "eve.bsky.social")
    jetstream.delete(back)
    jetstream.posts[back].record = {**jetstream.posts[back].record, "text": US}
    jetstream.changed(back, "create")
    passed = ask()
    assert (deleted(passed), passed.refs) == (set(), [back])


def test_deletions_are_handed_on_some_at_a_time(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(collector, "_PAGE_DELETED", 50)
    monkeypatch.setattr(collector, "_PAGE_EVENTS", 100)
    monkeypatch.setattr(collector, "_PAGE_EVERY", 60.0)
    for number in range(120):
        jetstream.happens(f"at://{DID}/{COLLECTION}/3m{number}", "delete", clock.at.timestamp() - 3600)
    for number in range(250):
        jetstream.post("hello", at=clock.at - HOUR + number * SECOND)
    passed = ask()
    assert [len(page.deleted) for page in passed.pages] == [50, 50, 20, 0, 0]
    assert passed.pages[2].cursor["time_us"] == micros(clock.at - HOUR + 79 * SECOND)


# the place


def test_the_first_time_it_listens_a_few_hours_back(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    jetstream.post("old", at=clock.at - 7 * HOUR)
    made = jetstream.post(US, at=clock.at - 5 * HOUR)
    assert ask().refs == [made]
    (request,) = jetstream.seen(METHOD)
    assert request.query == {
        "collections": COLLECTION,
        "kinds": "commit",
        "cursor": str(micros(clock.at - 6 * HOUR)),
        "maxMessageSizeBytes": "1000000",
    }
    assert request.headers["sec-websocket-protocol"] == "xrpc.v1.json"


def test_nothing_at_all_was_posted(jetstream: FakeJetstream, ask: Any) -> None:
    passed = ask()
    (page,) = passed.pages
    assert (passed.error, page.posts, page.cursor) == (None, (), {"own": [HOSPITAL, did(jetstream)]})
    assert page.matched == {"names": 0}


def test_what_is_too_old_is_told(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    jetstream.post(US)
    first = ask()
    clock.at += 3 * DAY
    made = jetstream.post(US, at=clock.at - HOUR)
    passed = ask(first.cursor)
    (gap,) = passed.unheard
    assert (gap.since, gap.until) == (clock.at - 3 * DAY, clock.at - HOUR)
    assert passed.refs == [made]
    assert ask(passed.cursor).unheard == []


def test_a_server_that_repeats_nothing_leaves_a_hole(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    """One that takes no cursor says nothing of it."""
    jetstream.post(US)
    first = ask()
    jetstream.events.clear()
    jetstream.times.clear()
    clock.at += HOUR
    jetstream.post("hello")
    (gap,) = ask(first.cursor).unheard
    assert (gap.since, gap.until) == (clock.at - HOUR, clock.at)


@pytest.mark.parametrize(
    "cursor",
    [
        {"time_us": 5},
        {"time_us": -1},
        {"time_us": 10**30},
        {"time_us": "2026"},
        {"time_us": None, "own": "odd"},
        {"own": [HOSPITAL]},
        {"own": [HOSPITAL, 5]},
        {"time_us": 4_102_444_800_000_000},
    ],
    ids=str,
)
def test_a_place_that_cannot_be(jetstream: FakeJetstream, ask: Any, clock: Any, cursor: dict[str, Any]) -> None:
    made = jetstream.post(US, at=clock.at - 9 * MINUTE)
    passed = ask(cursor)
    assert (passed.error, passed.refs, passed.unheard) == (None, [made], [])


def test_a_batch_is_kept_before_the_next(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    made = [jetstream.post(f"{US} {n}", at=clock.at - HOUR + n * SECOND) for n in range(250)]
    passed = ask()
    assert passed.refs == made
    assert max(len(page.posts) for page in passed.pages) <= 100
    for page in passed.pages:
        assert page.cursor["time_us"] == micros(page.posts[-1].written_at)


# staying connected


def test_a_post_waits_for_no_other(jetstream: FakeJetstream, stay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 120.0)
    monkeypatch.setattr(collector, "_LOOK", 60.0)
    jetstream.post(US)
    began = time.monotonic()
    assert next(stay()).posts
    assert time.monotonic() - began < 15


def test_a_post_is_handed_on_when_it_comes(
    jetstream: FakeJetstream, stay: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_PAGE_EVERY", 60.0)
    jetstream.post("hello", at=clock.at - MINUTE)
    stop = threading.Event()

    def people() -> None:
        while not jetstream.connections:
            time.sleep(0.01)
        jetstream.post(US)
        jetstream.post("hello")

    thread = threading.Thread(target=people)
    thread.start()
    pages = stay(stop.is_set)
    began = time.monotonic()
    heard = next(page for page in pages if page.posts)
    assert time.monotonic() - began < 15
    assert heard.posts[0].text == US
    stop.set()
    rest = list(pages)
    thread.join()
    assert [page.posts for page in rest] in ([], [()])


def test_without_a_word_of_us_the_place_moves_too(
    jetstream: FakeJetstream, stay: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_PAGE_EVERY", 0.1)
    jetstream.post("hello", at=clock.at - MINUTE)
    began = time.monotonic()
    page = next(stay())
    assert (page.posts, page.cursor["time_us"]) == ((), micros(clock.at - MINUTE))
    assert time.monotonic() - began < 15


def test_it_looks_whether_to_stop_while_nothing_comes(jetstream: FakeJetstream, stay: Any) -> None:
    jetstream.post(US)
    stop = threading.Event()
    pages = stay(stop.is_set)
    next(pages)
    threading.Timer(0.05, stop.set).start()
    assert list(pages) == []


def test_a_stream_that_is_stuck(jetstream: FakeJetstream, stay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_SILENCE", 0.2)
    jetstream.post(US)
    jetstream.silent = True
    with pytest.raises(TryLater, match="sent nothing"):
        next(stay())  # no page: it would look as if it heard


def test_a_server_that_ends_is_no_trouble(jetstream: FakeJetstream, stay: Any) -> None:
    jetstream.post(US)
    pages = stay()
    next(pages)
    jetstream.say_goodbye()
    assert list(pages) == []


def test_a_server_that_ends_before_it_began(jetstream: FakeJetstream, stay: Any) -> None:
    jetstream.post(US)
    jetstream.say_goodbye()
    with pytest.raises(TryLater, match="closed the connection"):
        next(stay())


def test_a_connection_that_breaks_loses_nothing(jetstream: FakeJetstream, stay: Any, clock: Any) -> None:
    made = [jetstream.post(f"{US} {n}", at=clock.at - HOUR + n * SECOND) for n in range(150)]
    jetstream.cut_after = 130
    heard, error = drained(stay())
    assert isinstance(error, TryLater)
    assert "closed the connection" in str(error)
    assert [post.ref for page in heard for post in page.posts] == made[:130]
    stop = threading.Event()
    for page in stay(stop.is_set, dict(heard[-1].cursor)):
        heard.append(page)
        if page.posts[-1].ref == made[-1]:
            stop.set()
    assert [post.ref for page in heard for post in page.posts] == [*made[:130], *made[129:]]


# frames that are none


def frames(jetstream: FakeJetstream, monkeypatch: pytest.MonkeyPatch, *texts: str) -> None:
    """What the next connection sends."""
    sent = iter(texts)
    monkeypatch.setattr("fakes.bluesky_live._framed", lambda payload: next(sent))
    for number, _ in enumerate(texts):
        jetstream.happens(f"at://{DID}/{COLLECTION}/{number}", "delete")


def frame(**more: Any) -> str:
    at = rfc3339(datetime(2026, 11, 18, 8, tzinfo=UTC).timestamp())
    record = {"text": US, "createdAt": at}
    payload = {"$type": f"{METHOD}#commit", "seq": 1, "did": DID, "time": at, "operation": "create"}
    return json.dumps(
        {"$type": "message", "payload": payload | {"collection": COLLECTION, "rkey": "3m", "record": record} | more}
    )


ODD = [
    "<html>",
    "",
    "[]",
    "5",
    '{"$type": "message"}',
    '{"$type": "message", "payload": []}',
    '{"$type": "new"}',
    "[" * 100_000,
    '{"$type": "message", "payload": {"$type": 5' + ",5" * 10,
    "1" * 5000,
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:30])
def test_what_is_no_frame_of_jetstream(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    frames(jetstream, monkeypatch, odd)
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "not what Jetstream sends" in str(passed.error)
    assert passed.pages == []


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:30])
def test_one_odd_frame_among_good_ones_is_passed_over(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    """Strangers write what is in a frame: none of them may make it deaf."""
    frames(jetstream, monkeypatch, frame(rkey="3a"), odd, frame(rkey="3b"))
    passed = ask()
    assert (passed.error, [ref[-2:] for ref in passed.refs]) == (None, ["3a", "3b"])


@pytest.mark.parametrize(
    ("more", "skipped"),
    [
        ({"did": None}, "bluesky_live:1: unknown shape"),
        ({"rkey": 5}, "bluesky_live:1: unknown shape"),
        ({"time": "soon"}, "bluesky_live:1: unknown shape"),
        ({"seq": {}, "time": None}, "bluesky_live:{}: unknown shape"),
        ({"rkey": "3" * 300}, f"bluesky:{f'at://{DID}/{COLLECTION}/' + '3' * 300:.80}: ref"),
        ({"did": "someone"}, f"bluesky:at://someone/{COLLECTION}/3m: its name"),
        ({"record": None}, None),
        ({"record": {"text": 5}}, None),
        ({"record": {"text": "hello"}}, None),
        ({"collection": "app.bsky.feed.like"}, None),
        ({"$type": f"{METHOD}#identity"}, None),
        ({"$type": f"{METHOD}#something"}, None),
    ],
    ids=str,
)
def test_a_malformed_event_is_named_and_the_others_go_on(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], skipped: str | None
) -> None:
    frames(jetstream, monkeypatch, frame(**more), frame(rkey="3good"))
    passed = ask()
    assert (passed.error, len(passed.posts)) == (None, 1)
    assert passed.refs[0].endswith("3good")
    assert len(passed.skipped) == (0 if skipped is None else 1)
    assert skipped is None or passed.skipped[0].startswith(skipped)


@pytest.mark.parametrize("came", [0, 2], ids=["at once", "later"])
def test_jetstream_says_why_it_ends(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch, came: int
) -> None:
    error = json.dumps({"$type": "error", "error": "ConsumerTooSlow", "message": "..."})
    good = [frame(), frame(rkey="3n", time="2026-11-18T08:30:00Z", record={"text": "hello"})]
    frames(jetstream, monkeypatch, *good[:came], error)
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "ConsumerTooSlow" in str(passed.error)
    assert [ref[-2:] for ref in passed.refs] == (["3m"] if came else [])
    assert passed.cursor.get("time_us") == (micros(datetime(2026, 11, 18, 8, 30, tzinfo=UTC)) if came else None)


def test_the_place_is_when_jetstream_saw_it(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator may set the other time; a place is found by this one."""
    frames(jetstream, monkeypatch, frame(witnessedAt="2026-11-18T08:45:00.000001Z"))
    assert ask().cursor["time_us"] == micros(datetime(2026, 11, 18, 8, 45, tzinfo=UTC)) + 1


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.lists(st.text(max_size=5), max_size=2)
KEYS = st.sampled_from(
    ["did", "rkey", "record", "operation", "collection", "seq", "text", "createdAt", "facets", "reply"]
)


@given(st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=4), max_size=8))
def test_no_event_of_a_stranger_stops_the_stream(config: Config, commit: dict[str, Any]) -> None:
    asking = Asking(config.hospital, datetime(2026, 11, 18, 9, tzinfo=UTC))
    closed = collector.Settings(base_url="http://127.0.0.1:9")
    people = collector._People(closed, asking, [HOSPITAL, DID])
    stream = collector._Stream(None, asking, None)  # type: ignore[arg-type]
    batch = collector._Batch(None)
    batch.add(
        {"operation": "create", "did": DID, "rkey": "3m", "collection": COLLECTION} | commit | {"seen": asking.now},
        people,
    )
    page = collector._page(batch, people, stream)
    assert len(page.posts) + len(page.skipped) <= 1


# trouble


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400), TryLater, "400"),
        (Status(401), NeedsPerson, "listening.toml"),
        (Status(404), NeedsPerson, "version 2"),
        (Status(503), TryLater, "503"),
        (RateLimited(reset=1_795_000_000), AskedToWait, "wait"),
        (Reset(), TryLater, "no connection"),
        (DropAfter(), TryLater, "no connection"),
        (Stall(30), TryLater, "TimeoutError"),
        (NotJson(), TryLater, "not what Jetstream sends"),
        (BrokenShape({}), TryLater, "not what Jetstream sends"),
    ],
    ids=str,
)
def test_trouble_becomes_its_remedy(
    jetstream: FakeJetstream, ask: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    made = jetstream.post(US)
    jetstream.fail_next(fault, on=METHOD)
    passed = ask()
    assert type(passed.error) is kind
    assert str(passed.error).startswith("bluesky_live: ")
    assert words in str(passed.error)
    assert passed.pages == []
    assert ask().refs == [made]


def test_until_when_to_wait(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    jetstream.fail_next(RateLimited(retry_after=90), on=METHOD)
    assert ask().error.at == clock.at + 90 * SECOND


def test_nobody_listens(jetstream: FakeJetstream, ask: Any) -> None:
    jetstream.close()
    assert isinstance(ask().error, TryLater)


def test_a_gateway_is_reached_without_a_proxy(
    jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made = jetstream.post(US, "ann.bsky.social")
    (post,) = ask().posts
    assert (post.ref, post.author) == (made, "ann.bsky.social")


# who is who


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(401), NeedsPerson),  # told at the end
        (Status(502), None),
        (RateLimited(), None),
        (NotJson(), None),
        (BrokenShape([]), None),
        (BrokenShape({"profiles": 5}), None),
        (BrokenShape({"profiles": [5, {"did": []}, {"did": {}}]}), None),
        (Reset(), None),
    ],
    ids=str,
)
def test_no_post_waits_for_a_handle(
    jetstream: FakeJetstream, ask: Any, fault: Any, kind: type[Exception] | None, clock: Any
) -> None:
    for number in range(150):
        jetstream.post(US, f"a{number}.bsky.social", at=clock.at - HOUR + number * SECOND)
    jetstream.fail_next(fault, times=None, on=PROFILES)
    passed = ask()
    assert type(passed.error) is (kind or type(None))
    assert len(passed.posts) == 150
    assert all(post.author == post.ref.split("/")[2] for post in passed.posts)


def test_after_a_failure_handles_are_not_asked_for_for_a_while(jetstream: FakeJetstream, ask: Any, clock: Any) -> None:
    for number in range(250):
        jetstream.post(US, f"a{number}.bsky.social", at=clock.at - HOUR + number * SECOND)
    jetstream.fail_next(Reset(), times=None, on=PROFILES)
    assert len(ask().posts) == 250
    assert len(jetstream.seen(PROFILES)) == 1


def test_handles_are_asked_for_together_and_once(jetstream: FakeJetstream, settings: Any, asking: Any) -> None:
    people = collector._People(settings, asking(), None)
    dids = [did(jetstream, f"a{number}.bsky.social") for number in range(60)]
    for some in (dids, [*dids, *dids], [*dids, DID], [DID]):
        people.learn(some)
    assert [people.known[one]["handle"] for one in dids] == [f"a{number}.bsky.social" for number in range(60)]
    assert people.known[DID] is None, "an account that is gone"
    asked = [request.query["actors"].split("\n") for request in jetstream.seen(PROFILES)]
    assert [len(actors) for actors in asked] == [25, 25, 10, 1]


def test_handles_change(jetstream: FakeJetstream, settings: Any, asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_REMEMBERED", -1.0)
    people = collector._People(settings, asking(), None)
    ann = jetstream.user("ann.bsky.social")
    for handle in ("ann.bsky.social", "ann.example.org"):
        ann.handle = handle
        people.learn([ann.did])
        assert people.known[ann.did]["handle"] == handle


def test_who_we_are_is_remembered(jetstream: FakeJetstream, ask: Any) -> None:
    first = ask()
    ours = jetstream.post("Thank you.", HOSPITAL)
    jetstream.fail_next(Reset(), times=None, on=RESOLVE)
    (post,) = ask(first.cursor).posts
    assert (post.ref, post.own) == (ours, True)
    assert ask({"own": ["somebody.else", did(jetstream)]}).posts == []


def test_who_we_are_is_asked_again(jetstream: FakeJetstream, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_REST", 0.0)
    monkeypatch.setattr(collector, "_PAGE_EVENTS", 1)
    jetstream.post("hello")
    ours = jetstream.post("Thank you.", HOSPITAL)
    jetstream.fail_next(Reset(), on=RESOLVE)
    assert ask().refs == [ours]


def test_an_account_that_bluesky_does_not_know(jetstream: FakeJetstream, ask: Any) -> None:
    """People are told at the end: everything else is heard."""
    del jetstream.users[HOSPITAL]
    made = jetstream.post(US)
    passed = ask()
    assert passed.refs == [made]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error) == (
        f"bluesky_live: Bluesky knows no account '{HOSPITAL}'; correct accounts.bluesky in hospital.toml"
    )


@pytest.mark.parametrize(("account", "asks"), [("", 0), ("did", 0), (HOSPITAL, 1)])
def test_no_account_and_a_permanent_name(
    jetstream: FakeJetstream, settings: Any, config: Config, clock: Any, account: str, asks: int
) -> None:
    us = did(jetstream)
    accounts = config.hospital.accounts.model_copy(update={"bluesky": us if account == "did" else account})
    hospital = config.hospital.model_copy(update={"accounts": accounts})
    jetstream.post("Thank you.", HOSPITAL)
    (page,) = collector.fetch(settings, {}, Asking(hospital, clock.at))
    assert [post.own for post in page.posts] == ([True] if account else [])
    assert len(jetstream.seen(RESOLVE)) == asks


def test_nothing_of_a_post_in_the_log(
    jetstream: FakeJetstream, ask: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    made = jetstream.post(US, "ann.bsky.social")
    with caplog.at_level(logging.DEBUG):
        ask()
    for word in (US, "ann.bsky", made.rpartition("/")[2]):
        assert word not in caplog.text
    assert capsys.readouterr() == ("", "")


def test_settings() -> None:
    assert collector.Settings().quiet_after == timedelta(days=7)
    assert collector.SECRETS == ()
    for wrong in ({"server": "wss://jetstream"}, {"first_reach": 5}, {"search": []}):
        with pytest.raises(ValidationError):
            collector.Settings(**wrong)  # type: ignore[arg-type]
