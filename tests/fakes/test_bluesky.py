"""The fakes of Bluesky and Jetstream, driven by atproto's own clients."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from atproto import Client, JetstreamClient, models
from atproto.exceptions import BadRequestError, JetstreamCursorTooOldError, RateLimitExceededError, UnauthorizedError

from .bluesky import HOSPITAL, FakeBluesky
from .bluesky_live import FakeJetstream

LISTENER = "listener.bsky.social"
PASSWORD = "abcd-efgh-ijkl-mnop"


class Clock:
    """Seconds that move when told to."""

    def __init__(self) -> None:
        self.at = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bluesky(clock: Clock) -> Iterator[FakeJetstream]:
    with FakeJetstream(now=clock) as fake:
        fake.user(LISTENER, password=PASSWORD)
        fake.user(HOSPITAL)
        yield fake


@pytest.fixture
def client(bluesky: FakeBluesky) -> Iterator[Client]:
    client = Client(bluesky.base_url)
    client.login(LISTENER, PASSWORD, fetch_bsky_profile=False)
    yield client
    client.request.close()


def search(client: Client, q: str, **more: Any) -> Any:
    return client.app.bsky.feed.search_posts(models.AppBskyFeedSearchPosts.Params(q=q, **more))


def test_a_search_gives_pages_newest_first(bluesky: FakeBluesky, client: Client, clock: Clock) -> None:
    made = []
    for number in range(5):
        clock.at += 1
        made.append(bluesky.post(f"St. Brigid's again {number}"))
    bluesky.post("St. Brigid was a saint")
    first = search(client, '"st. brigid\'s"', limit=3)
    second = search(client, '"st. brigid\'s"', limit=3, cursor=first.cursor)
    assert [post.uri for post in [*first.posts, *second.posts]] == made[::-1]
    assert (first.hits_total, second.cursor) == (5, None)
    assert first.posts[0].record.text == "St. Brigid's again 4"
    since = search(client, "again", since=first.posts[1].record.created_at, until=first.posts[0].record.created_at)
    assert [post.uri for post in since.posts] == [made[3]]


def test_feed_posts_profiles_and_handles(bluesky: FakeBluesky, client: Client) -> None:
    asked = bluesky.post("a", "ann.bsky.social")
    answered = bluesky.post("b", HOSPITAL, answers=asked)
    bluesky.repost(HOSPITAL, asked)
    feed = client.get_author_feed(HOSPITAL).feed
    assert {(item.post.uri, item.reason is None) for item in feed} == {(answered, True), (asked, False)}
    (own,) = (item.post for item in feed if item.reason is None)
    assert (own.record.reply.root.uri, own.record.reply.parent.uri) == (asked, asked)
    bluesky.delete(asked)
    assert [post.uri for post in client.get_posts([asked, answered]).posts] == [answered]
    did = bluesky.users[HOSPITAL].did
    assert [profile.handle for profile in client.get_profiles([did, "did:plc:nobody"]).profiles] == [HOSPITAL]
    assert client.resolve_handle(HOSPITAL).did == did


def test_logins_are_counted_and_end(bluesky: FakeBluesky, client: Client, clock: Clock) -> None:
    bluesky.lasts = 60  # atproto renews what ends within a quarter of an hour
    client.login(LISTENER, PASSWORD, fetch_bsky_profile=False)
    search(client, "a")
    assert len(bluesky.seen("refreshSession")) == 1
    for _ in range(28):
        with pytest.raises(UnauthorizedError):
            client.login(LISTENER, "wrong", fetch_bsky_profile=False)
    with pytest.raises(RateLimitExceededError) as limited:
        client.login(LISTENER, PASSWORD, fetch_bsky_profile=False)
    assert limited.value.reset_at is not None
    assert limited.value.reset_at.timestamp() == clock.at + 300
    bluesky.end_sessions()
    with pytest.raises(BadRequestError, match="ExpiredToken"):
        search(client, "a")


@pytest.mark.parametrize(
    ("params", "words"),
    [({"q": ""}, "property"), ({"q": "a", "cursor": "x"}, "cursor")],
)
def test_a_search_that_is_refused(client: Client, params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        search(client, **params)


def test_no_search_without_a_login(bluesky: FakeBluesky) -> None:
    client = Client(bluesky.base_url)
    with pytest.raises(UnauthorizedError):
        search(client, "a")
    client.request.close()


def listened(fake: FakeJetstream, count: int, **params: Any) -> list[Any]:
    """The first `count` messages that atproto's client hears; what it raises goes on."""
    asked = {"collections": ["app.bsky.feed.post"], "kinds": ["commit"], **params}
    base = f"ws{fake.base_url.removeprefix('http')}/xrpc"
    client = JetstreamClient(asked, base_uri=base, compress=False)  # type: ignore[arg-type]
    heard: list[Any] = []

    def hear(message: Any) -> None:
        heard.append(message)
        if len(heard) == count:
            client.stop()

    client.start(hear)
    return heard


def test_jetstream_from_a_number_or_a_time(bluesky: FakeJetstream, clock: Clock) -> None:
    made = bluesky.post("a", "ann.bsky.social")
    clock.at += 10
    bluesky.edit(made, "b")
    bluesky.delete(made)
    first, second, third = listened(bluesky, 3, cursor=1)
    assert [event.seq for event in (first, second, third)] == [1, 2, 3]
    assert [event.operation for event in (first, second, third)] == ["create", "update", "delete"]
    assert (first.record.text, second.record.text, third.record) == ("a", "b", None)
    assert f"at://{first.did}/{first.collection}/{first.rkey}" == made
    assert [event.seq for event in listened(bluesky, 2, cursor=int((clock.at - 5) * 1e6))] == [2, 3]


def test_jetstream_goes_on_live(bluesky: FakeJetstream) -> None:
    def post() -> None:
        while not bluesky.connections:
            threading.Event().wait(0.01)
        bluesky.post("now")

    later = threading.Thread(target=post)
    later.start()
    (event,) = listened(bluesky, 1)
    later.join()
    assert event.record.text == "now"


def test_jetstream_forgets(bluesky: FakeJetstream, clock: Clock) -> None:
    bluesky.post("old")
    clock.at += timedelta(days=3).total_seconds()
    bluesky.post("new")
    with pytest.raises(JetstreamCursorTooOldError):
        listened(bluesky, 1, cursor=1)
    notice, event = listened(bluesky, 2, cursor=int((clock.at - 200_000) * 1e6))
    assert (notice.name, event.record.text) == ("OutdatedCursor", "new")
    (notice,) = listened(bluesky, 1, cursor=99)
    assert notice.name == "FutureCursor"
