"""What a post may hold, and what is made of the rest."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import SkipPost
from listener.post import Post, read_post, storable

WHEN = datetime(2026, 11, 16, 14, tzinfo=UTC)


def post(**fields: Any) -> Post:
    return Post(**{"source": "x", "ref": "1", "text": "brigid", "written_at": WHEN, **fields})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b",
        "🏥" * 300,
        "brigid " * 15_000,
        "\u202edirgib",
        "bri\u200bgid",
        "<b>&amp;",
        "<!channel>",
        "=cmd()",
        "a\r\nb",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_text_stays_as_it_is(text: str) -> None:
    assert post(text=text).text == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("\udfff\ud800", "\ufffd\ufffd"),
        ("🏥", "🏥"),
        ("\x01\x1b[0m", "\x01\x1b[0m"),
    ],
)
@pytest.mark.parametrize("field", ["text", "source", "ref", "author", "author_name", "thread", "answers"])
def test_what_no_database_takes_is_replaced(field: str, text: str, stored: str) -> None:
    found = getattr(post(**{field: text}), field)
    assert found == stored
    assert found.encode()


@pytest.mark.parametrize("value", [None, 5, 1.5, True, ["a\0"]])
def test_only_text_is_made_storable(value: Any) -> None:
    assert storable(value) is value


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.com/ann/status/1", True),
        ("http://example.com", True),
        ("HTTPS://example.com/É", True),
        ("javascript:alert(1)", False),
        (" https://x.com", False),
        ("https://x.com\n", False),
        ("https://x.com/a b", False),
        ("data:text/html,x", False),
        ("//x.com", False),
        ("https://", False),
        ("", False),
        (None, False),
        ("https://x.com/" + "a" * 2000, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, kept: bool) -> None:
    assert post(url=url).url == (url if kept else None)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ('https://x.com/a|b>c<d"e', "https://x.com/a%7Cb%3Ec%3Cd%22e"),
        ("https://x.com/\x1b[31m\u202ea", "https://x.com/%1B[31m%E2%80%AEa"),
        ("https://x.com/\ud800\0", "https://x.com/\ufffd\ufffd"),
    ],
)
def test_no_address_ends_a_link_early_or_fails_to_be_stored(url: str, kept: str) -> None:
    assert post(url=url).url == kept


@pytest.mark.parametrize("field", ["written_at", "edited_at"])
def test_times_are_kept_in_utc(field: str) -> None:
    moment = datetime(2026, 11, 16, 8, tzinfo=timezone(timedelta(hours=-6)))
    found = getattr(post(**{field: moment}), field)
    assert found == WHEN
    assert found.tzinfo is UTC


@pytest.mark.parametrize("field", ["written_at", "edited_at"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 16),  # noqa: DTZ001
        "2026-11-16T08:00:00",
        "soon",
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
    ],
    ids=str,
)
def test_times_without_a_zone_or_beyond_the_calendar_are_refused(field: str, moment: Any) -> None:
    with pytest.raises(ValidationError):
        post(**{field: moment})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ref": ""}, {"ref": "r" * 201}, {"source": ""}, {"ref": 5}, {"text": None}, {"text": b"brigid"}, {"rating": -1},
        {"rating": 5.1}, {"rating": float("nan")}, {"reach": -1}, {"reach": 2**31}, {"colour": "blue"}, {"author": ""},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        post(**wrong)


def test_a_post_never_changes() -> None:
    with pytest.raises(ValidationError):
        post().text = "other"  # type: ignore[misc]


def test_a_post_that_cannot_be_read_is_named_without_its_content() -> None:
    with pytest.raises(SkipPost) as caught:
        read_post("file:3", source="x", ref="", text={"secret": 1}, written_at="secret", rating="secret")
    assert (caught.value.where, str(caught.value)[:8]) == ("file:3", "file:3: ")
    assert all(name in caught.value.why for name in ("ref: ", "text: ", "written_at: ", "rating: "))
    assert "secret" not in str(caught.value)
