"""Praise that names somebody: told at once with the name, once, and gone when its author deletes it."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack import live_mentions
from fakes.strangers import HOSTILE, URLS, is_taken, whole

from listener.keep import DELETED, forget
from nlp import read

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def praise(desk: Any, text: str = "so kind", **said: Any) -> int:
    number: int = desk.hear(text, kind="praise", **said)
    desk.decide()
    return number


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ({"staff": ["Nurse Joy"]}, "💚 Praise for Nurse Joy"),
        ({"staff": ["Dr. Patel", "Maria"], "site": "Harbor Campus"}, "💚 Praise for Dr. Patel, Maria, Harbor Campus"),
        ({"departments": ["Emergency"]}, "💚 Praise for Emergency"),
        ({"departments": ["Emergency", "Food", "Parking"]}, "💚 Praise for Emergency, Food"),
        ({"staff": ["Joy " * 80]}, f"💚 Praise for {'Joy ' * 34}".strip() + "…"),
    ],
)
def test_whom_it_thanks(desk: Any, paper: Any, named: dict[str, Any], title: str) -> None:
    praise(desk, "so kind to [name]", url="https://x.example/9", **named)
    for minutes in range(3):
        desk.deliver(paper, NOW + minutes * MINUTE)
    desk.deliver(paper, NOW + 2 * HOUR)
    (post,) = paper.posts
    assert post.channel == "praise"
    assert post.message.title == title
    assert post.message.excerpt == "so kind to [name]", "the redacted words"
    assert "https://x.example/9" in str(post.message.blocks)
    assert "Please pass it on to them." in str(post.message.blocks)
    is_taken(post.message)


def test_where_is_a_setting(desk: Any, paper: Any) -> None:
    care = desk.config.care.model_copy(update={"recognition": "ops"})
    desk.config = desk.config.model_copy(update={"care": care})
    praise(desk, staff=["Nurse Joy"])
    desk.deliver(paper)
    assert paper.channels() == ["ops"]


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "praise"},  # names nobody
        {"kind": "praise", "site": "Harbor Campus"},  # a site is the whole house
        {"kind": "comment", "staff": ["Nurse Joy"]},
    ],
)
def test_what_waits_for_the_digest(desk: Any, paper: Any, said: dict[str, Any]) -> None:
    desk.hear("so kind", **said)
    desk.decide()
    desk.deliver(paper)
    assert paper.posts == []
    desk.deliver(paper, NOW + HOUR)
    assert len(paper.posts) == 1


def test_a_complaint_that_names_somebody_is_a_card_and_no_praise(desk: Any, paper: Any) -> None:
    desk.alert("Nurse Joy was rude", kind="complaint", staff=["Nurse Joy"])
    desk.deliver(paper)
    assert paper.channels() == ["care"]


def test_read_again_it_is_not_told_again(desk: Any, paper: Any) -> None:
    number = praise(desk, staff=["Nurse Joy"])
    desk.deliver(paper)
    desk.read(number, kind="praise", staff=["Nurse Joy"], pipeline_version="2")
    desk.decide(NOW + MINUTE)
    desk.deliver(paper, NOW + HOUR)
    assert len(paper.posts) == 1


def test_deleted_there_is_deleted_here(desk: Any, paper: Any) -> None:
    number = praise(desk, "so kind, says kim", staff=["Nurse Joy"], url="https://x.example/kim")
    desk.deliver(paper)
    forget(desk.session, [number], DELETED, NOW + MINUTE)
    read.forget(desk.session, NOW + MINUTE)
    assert desk.deliver(paper, NOW + 2 * MINUTE).updated == 1
    ((_, message),) = paper.updates
    assert message.title == "💚 Praise"
    assert "kim" not in str(message)
    assert "deleted by its author" in str(message.blocks)
    assert desk.deliver(paper, NOW + 3 * MINUTE).updated == 0


@pytest.mark.parametrize(("words", "url"), [(words, URLS[n % len(URLS)]) for n, words in enumerate(HOSTILE)])
def test_whatever_strangers_write(desk: Any, paper: Any, words: str, url: str | None) -> None:
    praise(desk, words, staff=[words or "Joy", words or "Joy"], url=url)
    desk.deliver(paper)
    (post,) = paper.posts
    is_taken(post.message)
    assert live_mentions(whole(post.message)) == []
