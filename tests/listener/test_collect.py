"""Which collectors there are, when they may ask, and what becomes of what they throw."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import prawcore
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

import listener.collectors
from config.schema import CollectorSettings
from listener import collect
from listener.environment import secret_names
from listener.errors import AskedToWait, NeedsPerson, OutcomeUnknown, ReadsUsedUp, SkipPost, TryLater
from listener.post import Answerable, Asking, Page, Post, Ref, Replied, names_account, same_words


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, asking: Callable[..., Asking]) -> Callable[..., list[Page]]:
    """What a collector with this `fetch` gives through stage 1."""

    def run(fetch: Any, cursor: Any = None, secrets: Any = None, **settings: Any) -> list[Page]:
        collector = SimpleNamespace(Settings=CollectorSettings, SECRETS=settings.pop("names", ()), fetch=fetch)
        collector.OPTIONAL_SECRETS = settings.pop("optional", ())
        monkeypatch.setattr(collect, "known_collectors", lambda: {"probe": collector})
        told = asking(secrets or {}, settings.pop("left", None))
        found = CollectorSettings(**settings)
        got: list[Page] = []
        for page in collect.pages("probe", "fetch", found, cursor or {}, told):
            got.append(page)
            run.got = got  # type: ignore[attr-defined]
        return got

    return run


def giving(*reads: int) -> Any:
    def fetch(_settings: Any, _cursor: Any, _asking: Asking) -> Iterator[Page]:
        for count in reads:
            yield Page((), {}, count)

    return fetch


# registration


def test_a_file_name_is_the_registration() -> None:
    files = {path.stem for path in Path(listener.collectors.__path__[0]).glob("[a-z]*.py")}
    assert set(collect.known_collectors()) == files
    assert {"x", "reddit", "file"} <= files


@pytest.mark.parametrize("name", sorted(collect.known_collectors()))
def test_every_collector_has_what_stage_1_needs(name: str) -> None:
    collector = collect.known_collectors()[name]
    assert issubclass(collector.Settings, CollectorSettings)
    assert collect.settings_of_all()[name] is collector.Settings
    assert all(secret.isupper() for secret in collector.SECRETS)
    assert isinstance(collector.SECRETS, tuple)
    assert callable(collector.fetch)
    assert (collector.fetch.__doc__ or "").strip()


# secrets


@pytest.mark.parametrize("given", [{}, {"A_TOKEN": ""}, {"OTHER": "1"}])
def test_a_missing_secret_is_named(pages: Any, given: dict[str, str]) -> None:
    with pytest.raises(NeedsPerson, match=r"^probe: set A_TOKEN and B_TOKEN in the environment or in \.env"):
        pages(giving(1), secrets=given, names=("A_TOKEN", "B_TOKEN"))


def test_a_collector_sees_only_its_own_secrets(pages: Any) -> None:
    seen: list[Any] = []

    def fetch(_settings: Any, cursor: Any, asking: Asking) -> Iterator[Page]:
        seen.append((dict(asking.secrets), cursor, asking.reads_left))
        yield Page((), {})

    given = {"A_TOKEN": "a", "B_TOKEN": "b", "C_TOKEN": "c"}
    pages(fetch, {"a": 1}, given, names=("A_TOKEN",), optional=("C_TOKEN", "D_TOKEN"))
    assert seen == [({"A_TOKEN": "a", "C_TOKEN": "c"}, {"a": 1}, None)]


# the read budget


@pytest.mark.parametrize(
    ("left", "reads", "given", "stops"),
    [
        (100, [40, 40], 2, False),
        (100, [40, 60], 2, True),  # used up to the last one: the next pass waits
        (100, [40, 70, 10], 2, True),
        (10, [10, 10], 1, True),
        (1, [1], 1, True),
        (0, [10], 0, True),
        (None, [1000], 1, False),
    ],
)
def test_the_budget_stops_a_pass(pages: Any, left: int | None, reads: list[int], given: int, stops: bool) -> None:
    limits = {"daily_reads": 100, "monthly_reads": 900}
    if not stops:
        assert len(pages(giving(*reads), left=left, **limits)) == given
        return
    pages.got = []
    with pytest.raises(
        ReadsUsedUp, match=r"its reads \(100 of the day, 900 of the month, in UTC\) are used up"
    ) as caught:
        pages(giving(*reads), left=left, **limits)
    assert caught.value.at == datetime(2026, 11, 19, tzinfo=UTC)
    assert len(pages.got) == given


# what is thrown


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a word of a post"),
        RecursionError(),
        ValueError(),
        AttributeError(),
        OSError(),
        SkipPost("a", "b"),
        StopIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("pages_before", [0, 1])
def test_whatever_a_library_throws_means_later(pages: Any, error: Exception, pages_before: int) -> None:
    def fetch(_settings: Any, _cursor: Any, _asking: Asking) -> Iterator[Page]:
        for _ in range(pages_before):
            yield Page((), {})
        raise error

    pages.got = []
    with pytest.raises(TryLater, match=r"^probe: gave an answer that could not be read \(\w+\)$") as caught:
        pages(fetch)
    assert caught.value.at is None
    assert "word" not in str(caught.value)
    assert len(pages.got) == pages_before


@pytest.mark.parametrize("error", [TryLater("x: 503", datetime(2026, 11, 19, tzinfo=UTC)), NeedsPerson("x: the token")])
def test_what_a_collector_says_itself_goes_on_as_it_is(pages: Any, error: Exception) -> None:
    def fetch(_settings: Any, _cursor: Any, _asking: Asking) -> Iterator[Page]:
        yield Page((), {})
        raise error

    with pytest.raises(type(error)) as caught:
        pages(fetch)
    assert caught.value is error


def test_a_collector_that_fails_before_its_first_page(pages: Any) -> None:
    def fetch(*_: Any) -> Any:
        raise KeyError

    with pytest.raises(TryLater):
        pages(fetch)


# pages without anything in them


def page(number: int, *refs: str, **more: Any) -> Page:
    posts = tuple(
        Post(source="x", ref=ref, text="brigid", written_at=datetime(2026, 11, 18, tzinfo=UTC)) for ref in refs
    )
    return Page(posts, {"at": number}, matched={f"q{number}": len(posts)}, **more)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([page(1)], [(1, ["q1"])]),
        ([page(1), page(2), page(3)], [(3, ["q1", "q2", "q3"])]),
        ([page(1, "a"), page(2), page(3, "b")], [(1, ["q1"]), (3, ["q2", "q3"])]),
        ([page(1), page(2, "a"), page(3)], [(2, ["q1", "q2"]), (3, ["q3"])]),
        ([page(1, reads=1), page(2, cost=0.1), page(3)], [(1, ["q1"]), (2, ["q2"]), (3, ["q3"])]),
        ([page(1, deleted=(Ref("x", "1"),)), page(2)], [(1, ["q1"]), (2, ["q2"])]),
        ([page(1, skipped=(SkipPost("x", "y"),)), page(2)], [(1, ["q1"]), (2, ["q2"])]),
        ([], []),
    ],
)
def test_empty_pages_go_with_the_next_one(given: list[Page], kept: list[tuple[int, list[str]]]) -> None:
    found = list(collect.without_empty_ones(iter(given)))
    assert [(one.cursor["at"], list(one.matched)) for one in found] == kept


@pytest.mark.parametrize("error", [TryLater("x: later"), NeedsPerson("x: a query")])
def test_what_was_held_is_kept_before_the_error_is_told(error: Exception) -> None:
    def pages() -> Iterator[Page]:
        yield page(1)
        raise error

    found = collect.without_empty_ones(pages())
    assert next(found).cursor == {"at": 1}
    with pytest.raises(type(error)) as caught:
        next(found)
    assert caught.value is error


# answering in public: what all places share; each place is in collectors/test_answering.py

POST = Answerable("probe", "7", "https://probe.example/7")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch, asking: Callable[..., Asking]) -> Callable[..., Replied]:
    """What becomes of a reply by a collector with this `reply`."""

    def run(reply: Any) -> Replied:
        collector = SimpleNamespace(Settings=CollectorSettings, SECRETS=(), REPLY_SECRETS=("A_TOKEN",), reply=reply)
        monkeypatch.setattr(collect, "known_collectors", lambda: {"probe": collector})
        return collect.reply("probe", CollectorSettings(), POST, "Thank you", asking({"A_TOKEN": "a", "B_TOKEN": "b"}))

    return run


@pytest.mark.parametrize(
    ("source", "may"),
    [
        ("x", True),
        ("reddit", True),
        ("bluesky", True),
        ("mastodon", True),
        ("google_reviews", True),
        ("x_mentions", False),
        ("bluesky_live", False),
        ("rss", False),
        ("listening_post", False),
        ("file", False),
        ("facebook", False),
        ("", False),
    ],
)
def test_where_a_program_may_answer(source: str, may: bool, asking: Any) -> None:
    assert collect.can_reply(source) is may
    if may:
        assert set(collect.reply_secrets(collect.known_collectors()[source])) <= set(secret_names())
        return
    post = Answerable(source, "7", "https://site.example/7")
    assert collect.by_hand(source, post, "Thank you") == "https://site.example/7"
    assert collect.preview(source, post, "Thank you") == "Thank you"
    with pytest.raises(NeedsPerson, match="no program can answer there; open the post"):
        collect.reply(source, CollectorSettings(), post, "Thank you", asking())


def test_who_answers_sees_only_what_answering_needs(answering: Any) -> None:
    seen: list[Any] = []

    def reply(_settings: Any, post: Answerable, text: str, told: Asking) -> Replied:
        seen.append((post, text, dict(told.secrets)))
        return Replied("8")

    assert answering(reply) == Replied("8")
    assert seen == [(POST, "Thank you", {"A_TOKEN": "a"})]


@pytest.mark.parametrize(
    ("error", "within", "kind", "sentence"),
    [
        (KeyError("a"), True, OutcomeUnknown, "may be public or not (KeyError); look at the post on the site before"),
        (TryLater("probe: answers 503; later"), True, OutcomeUnknown, "may be public or not (answers 503); look"),
        (OutcomeUnknown("probe: who knows"), True, OutcomeUnknown, "probe: who knows"),
        (AskedToWait("probe: 429"), True, AskedToWait, "probe: 429"),
        (NeedsPerson("probe: the token"), True, NeedsPerson, "probe: the token"),
        (
            ConnectionRefusedError(),
            True,
            TryLater,
            "probe: no connection (ConnectionRefusedError); the reply was not sent",
        ),
        (socket.gaierror(), True, TryLater, "was not sent"),
        (OSError(113, "no route"), True, TryLater, "was not sent"),
        (OSError(101, "no network"), True, TryLater, "was not sent"),
        (OSError(104, "reset"), True, OutcomeUnknown, "may be public"),
        (TimeoutError(), True, OutcomeUnknown, "may be public"),
        (requests.ConnectTimeout(), True, TryLater, "was not sent"),
        (httpx.ConnectTimeout(""), True, TryLater, "was not sent"),
        (requests.ReadTimeout(), True, OutcomeUnknown, "may be public"),
        (requests.ConnectionError(), True, OutcomeUnknown, "may be public"),
        (httpx.RemoteProtocolError(""), True, OutcomeUnknown, "may be public"),
        (KeyError("a word of a post"), False, TryLater, "could not be read (KeyError); the reply was not sent: check"),
        (TryLater("probe: answers 503; later"), False, TryLater, "probe: answers 503; the reply was not sent: check"),
        (AskedToWait("probe: 429"), False, AskedToWait, "probe: 429"),
    ],
    ids=str,
)
def test_what_an_error_says_of_a_reply(
    answering: Any, error: Exception, within: bool, kind: Any, sentence: str
) -> None:
    """While it is sent, and before."""

    def reply(*_: Any) -> Replied:
        if within:
            with collect.sending("probe"):
                raise error
        raise error

    with pytest.raises(kind) as caught:
        answering(reply)
    assert type(caught.value) is kind
    assert sentence in str(caught.value)
    assert "a word" not in str(caught.value)


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}/"


@pytest.mark.parametrize(
    "ask",
    [
        lambda url: requests.post(url, json={}, timeout=5),
        lambda url: httpx.post(url, json={}, trust_env=False),
        lambda url: prawcore.Requestor(user_agent="call-light tests").request("POST", url),
    ],
    ids=["requests", "httpx", "prawcore"],
)
def test_each_library_tells_that_nothing_left(ask: Callable[[str], Any], nowhere: str, answering: Any) -> None:
    def reply(*_: Any) -> Replied:
        with collect.sending("probe"):
            ask(nowhere)
        raise AssertionError

    with pytest.raises(TryLater, match="was not sent") as caught:
        answering(reply)
    assert type(caught.value) is TryLater


# whom a text names, and whether it is the one that was sent


@pytest.mark.parametrize(
    ("text", "account", "names"),
    [
        ("@StBrigidCares help", "StBrigidCares", True),
        ("help @stbrigidcares!", "StBrigidCares", True),
        (".@StBrigidCares, help", "StBrigidCares", True),
        ("@StBrigidCares.Help me", "StBrigidCares", True),
        ("@StBrigidCares's desk", "StBrigidCares", True),
        ("@StBrigidCares2", "StBrigidCares", False),
        ("mail@StBrigidCares", "StBrigidCares", False),
        ("StBrigidCares", "StBrigidCares", False),
        ("@StBrigidCares@elsewhere.example", "StBrigidCares", False),
        ("@care@social.stbrigid.example.", "care@social.stbrigid.example", True),
        ("@care@social.stbrigid.example.org", "care@social.stbrigid.example", False),
        ("@", "", False),
        ("", "a", False),
    ],
)
def test_whom_a_text_names(text: str, account: str, names: bool) -> None:
    assert names_account(text, account) is names


@pytest.mark.parametrize(
    ("text", "shown", "same"),
    [
        ("Thank you.", "@ann Thank you.", True),
        ("Thank you.\n\nCall 555-0100", "Thank you. Call  555-0100", True),
        ("See https://stbrigid.example/help.", "See https://t.co/abc", True),
        ("See stbrigid.example/help", "See https://t.co/abc", True),
        (
            "Write to relations@stbrigid.example today",
            "@ann@town.example Write to relations@stbrigid.example today",
            True,
        ),
        ("Thank you.", "Thank you", False),
        ("Thank you.", "Thank you. Truly.", False),
        ("Call 555-0100", "Call 555-0101", False),
    ],
)
def test_the_words_that_were_sent(text: str, shown: str, same: bool) -> None:
    assert same_words(text, shown) is same


@given(text=st.text(), other=st.text(), account=st.text())
def test_any_text_has_its_own_words(text: str, other: str, account: str) -> None:
    assert same_words(text, text)
    assert same_words(text, f"@ann {text}")
    assert same_words(text, other) == same_words(other, text)
    assert names_account(text, account) in (True, False)
