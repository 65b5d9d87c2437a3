"""The fake instance, driven by the real client."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from mastodon import Mastodon, MastodonAPIError, MastodonError, MastodonRatelimitError, MastodonVersionError

from .mastodon import HOST, FakeMastodon
from .server import Answer

START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def site() -> Iterator[FakeMastodon]:
    with FakeMastodon(now=START.timestamp) as fake:
        yield fake


@pytest.fixture
def client(site: FakeMastodon) -> Iterator[Callable[..., Mastodon]]:
    """A client of the instance; with a token if it is given."""
    with requests.Session() as session:
        options: dict[str, Any] = {"mastodon_version": "4.5.0", "ratelimit_method": "throw", "request_timeout": 5}
        yield lambda token=None, version_check_mode="created": Mastodon(
            api_base_url=site.base_url,
            access_token=token,
            version_check_mode=version_check_mode,
            session=session,
            **options,
        )


@pytest.fixture
def made(site: FakeMastodon) -> list[str]:
    """Fifty posts a minute apart, newest first."""
    return [site.post(f"brigid {n} #StBrigid", at=START - n * MINUTE) for n in range(50)]


def ids(page: Any) -> list[str]:
    return [str(status["id"]) for status in page]


def code(error: pytest.ExceptionInfo[MastodonError]) -> Any:
    return error.value.args[1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, slice(0, 20)),
        ({"limit": 40}, slice(0, 40)),
        ({"limit": 400}, slice(0, 40)),
        ({"max_id": 9}, slice(10, 30)),
        ({"since_id": 30, "limit": 40}, slice(0, 30)),
        ({"since_id": 45, "limit": 40}, slice(0, 40)),  # the middle is skipped
        ({"min_id": 45, "limit": 40}, slice(5, 45)),  # the next after it
        ({"min_id": 45, "max_id": 39}, slice(40, 45)),
    ],
    ids=str,
)
def test_pages_of_a_tag(client: Any, made: list[str], options: dict[str, Any], expected: slice) -> None:
    asked = {key: made[value] if key.endswith("_id") else value for key, value in options.items()}
    assert ids(client().timeline_hashtag("stbrigid", **asked)) == made[expected]
    account = client().account_lookup("ann@town.example")
    assert ids(client().account_statuses(account.id, **asked)) == made[expected]


def test_an_id_says_when_a_post_was_taken_in(site: FakeMastodon, client: Any) -> None:
    delivered = site.post("#a", at=START - 60 * MINUTE, arrived=START)
    fetched = site.post("#a", at=START - 60 * MINUTE)
    there = client().timeline_hashtag("a")
    assert ids(there) == [delivered, fetched]
    assert {status.created_at for status in there} == {START - 60 * MINUTE}
    assert [int(id_) >> 16 for id_ in ids(there)] == [START.timestamp() * 1000, (START.timestamp() - 3600) * 1000]


def test_who_sees_what(site: FakeMastodon, client: Any) -> None:
    public, unlisted = site.post("#a"), site.post("#a", visibility="unlisted")
    for visibility in ("private", "direct"):
        site.post("#a @care", visibility=visibility)
    site.post("", boosts=public)
    author = client().account_lookup("ann@town.example").id
    assert ids(client().timeline_hashtag("a")) == [public]
    assert ids(client().account_statuses(author, exclude_reblogs=True)) == [unlisted, public]
    assert len(client().account_statuses(author)) == 3
    told = client("test-token").notifications(types=["mention"])
    assert [note.status.visibility for note in told] == ["direct", "private"]
    assert client("test-token").notifications(types=["favourite"]) == []
    site.account("ann@town.example", limited=True)
    assert client().timeline_hashtag("a") == []
    assert client().statuses([public]) == []
    assert client().status(public).id == public


def test_a_batch(client: Any, site: FakeMastodon, made: list[str]) -> None:
    site.delete(made[3])
    assert sorted(ids(client().statuses(made[:20]))) == sorted({*made[:20]} - {made[3]})
    with pytest.raises(MastodonAPIError) as error:
        client().statuses(made[:21])
    assert code(error) == 422
    site.batches = False
    with pytest.raises(MastodonAPIError) as error:
        client().statuses(made[:1])
    assert code(error) == 404


def test_a_search(client: Any, site: FakeMastodon, made: list[str]) -> None:
    known = client("test-token")
    options = {"resolve": False, "result_type": "statuses"}
    assert ids(known.search_v2("BRIGID", limit=99, **options).statuses) == made[:40]
    assert ids(known.search_v2("brigid", offset=40, **options).statuses) == made[40:]
    assert known.search_v2("brigid parking", **options).statuses == []
    assert client().search_v2("brigid", **options).statuses == []
    site.account("ann@town.example", searchable=False)
    assert known.search_v2("brigid", **options).statuses == []


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda client: client("wrong").timeline_hashtag("a"), 401),
        (lambda client: client().notifications(), 401),
        (lambda client: client().search_v2("a", resolve=False, offset=1), 401),
        (lambda client: client().account_lookup("nobody"), 404),
        (lambda client: client().account_statuses("5"), 404),
        (lambda client: client().status("5"), 404),
        (lambda client: client("test-token").search_v2('"a', resolve=False), 422),
        (lambda client: client("test-token").search_v2("", resolve=False), 400),
    ],
)
def test_refusals(site: FakeMastodon, client: Any, ask: Any, status: int) -> None:
    with pytest.raises(MastodonAPIError) as error:
        ask(client)
    assert code(error) == status


def test_an_instance_that_is_closed(site: FakeMastodon, client: Any) -> None:
    for closed, status in (("no timelines", 422), ("nothing", 401)):
        site.anonymous = closed  # type: ignore[assignment]
        with pytest.raises(MastodonAPIError) as error:
            client().timeline_hashtag("a")
        assert code(error) == status
        assert client("test-token").timeline_hashtag("a") == []
    site.scopes = set()
    with pytest.raises(MastodonAPIError) as error:
        client("test-token").timeline_hashtag("a")
    assert code(error) == 403


def test_limits(site: FakeMastodon, client: Any, made: list[str]) -> None:
    site.limits = {"all": (10, 300), "paging": (2, 900)}
    client().status(made[0])
    headers = requests.get(f"{site.base_url}/api/v1/statuses/{made[0]}", timeout=5).headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("10", "8")
    assert headers["x-ratelimit-reset"] == "2026-11-18T09:05:00.000000Z"
    account = client().account_lookup("ann@town.example").id
    for _ in range(2):
        client().account_statuses(account, max_id=made[0])
    with pytest.raises(MastodonRatelimitError):
        client().account_statuses(account, max_id=made[0])
    client().account_statuses(account)
    client("test-token").account_statuses(account, max_id=made[0])  # counted by itself


def test_html_as_mastodon_writes_it(site: FakeMastodon, client: Any) -> None:
    made = site.post("a < b @care\n@nobody #Er\n\nhttps://www.town.example/a/very/long/path/indeed?q=1&r=2")
    status = client().status(made)
    assert status.content == (
        '<p>a &lt; b <span class="h-card" translate="no">'
        f'<a href="https://{HOST}/@care" class="u-url mention">@<span>care</span></a></span><br />'
        f'@nobody <a href="https://{HOST}/tags/Er" class="mention hashtag" rel="tag">#<span>Er</span></a></p>'
        '<p><a href="https://www.town.example/a/very/long/path/indeed?q=1&amp;r=2" target="_blank" '
        'rel="nofollow noopener" translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">town.example/a/very/long/path/</span>'
        '<span class="invisible">indeed?q=1&amp;r=2</span></a></p>'
    )
    assert [(one.acct, one.url) for one in status.mentions] == [("care", f"https://{HOST}/@care")]
    assert [tag.name for tag in status.tags] == ["er"]


def test_what_the_client_does_that_the_collector_works_around(site: FakeMastodon, client: Any) -> None:
    """Should one of these fail, listener/collectors/mastodon.py may become simpler."""
    with pytest.raises(MastodonVersionError):  # mastodon_version is not heeded
        client("test-token", "none").search_v2("a", offset=1)
    site.answer = lambda request: Answer(200, {})  # type: ignore[method-assign]
    assert client().timeline_hashtag("a") == []  # a map is not a list
    site.answer = lambda request: Answer(200, [], {"x-ratelimit-reset": "soon"})  # type: ignore[method-assign]
    with pytest.raises(MastodonRatelimitError):  # nobody asked to wait
        client().timeline_hashtag("a")
