"""Which collectors there are, when they may ask, and what becomes of what they throw."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import listener.collectors
from config.schema import CollectorSettings
from listener import collect
from listener.errors import NeedsPerson, ReadsUsedUp, SkipPost, TryLater
from listener.post import Asking, Page, Post, Ref


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
