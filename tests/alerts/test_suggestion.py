"""A suggestion in words, and in its file."""

import tomllib
from typing import Any

import pytest
from conftest import PROJECT

from alerts.suggestion import HOSPITAL, KEYWORDS, Change, Effect, Suggestion, done, effect, note, what
from config.schema import Config

BILLING = ("categories", "billing", "phrases")
ADD = Change(KEYWORDS, BILLING, "add", "surprise invoice")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ADD, 'add "surprise invoice" to the topic "Bills and insurance" ([categories.billing] in keywords.toml)'),
        (
            Change(KEYWORDS, BILLING, "narrow", "statement", "bank statement"),
            'write "bank statement" in place of "statement" in the topic "Bills and insurance" ([categories.billing] in keywords.toml)',
        ),
        (
            Change(KEYWORDS, ("exclude", "phrases"), "take out", "horoscope"),
            'take "horoscope" out of what is left out ([exclude] in keywords.toml)',
        ),
        (
            Change(KEYWORDS, ("voices", "promo", "phrases"), "take out", "bid now"),
            'take "bid now" out of what gives away adverts ([voices.promo] in keywords.toml)',
        ),
        (
            Change(KEYWORDS, ("urgency", "here_now", "phrases"), "add", "no seat"),
            'add "no seat" to what makes a post here and now ([urgency.here_now] in keywords.toml)',
        ),
        (
            Change(HOSPITAL, ("not_us",), "add", "St. Brigid's Rovers"),
            'add "St. Brigid\'s Rovers" to the names that are somebody else\'s (not_us in hospital.toml)',
        ),
        (Change(HOSPITAL, ("aliases",), "add", 'the "B"'), "add 'the \"B\"' to what people call us (aliases in hospital.toml)"),
    ],
)  # fmt: skip
def test_what_is_to_be_done(config: Config, change: Change, expected: str) -> None:
    assert what(change, config) == expected


def test_what_only_a_person_can_write(config: Config) -> None:
    said = what(Change(HOSPITAL, ("accounts",), "by hand", "x"), config)
    assert said.startswith("if the account on x whose post that was speaks for the hospital, write its name")


@pytest.mark.parametrize(
    ("change", "counts", "expected"),
    [
        (ADD, {}, "No post of the last 30 days holds it yet."),
        (ADD, {"posts": 1, "already": 1}, "1 post of the last 30 days holds it: 1 is read as this topic already, 0 you answered, 0 were not for us."),
        (ADD, {"posts": 4, "answered": 2, "cards": (3, 0)}, "4 posts of the last 30 days hold it: 0 are read as this topic already, 2 you answered, 0 were not for us. Cards of these days: 3 more, 0 fewer."),
        (Change(KEYWORDS, ("exclude", "phrases"), "add", "x y"), {"posts": 3, "already": 1, "not_for_us": 2}, "3 posts of the last 30 days hold it: 1 is no patient's as they are read already, 0 you answered, 2 were not for us."),
    ],
)  # fmt: skip
def test_what_it_would_do(change: Change, counts: dict[str, Any], expected: str) -> None:
    assert effect(Suggestion(change, "", effect=Effect(**counts))) == expected


def test_a_line_of_the_shipped_file_comes_changes_and_goes(config: Config) -> None:
    old = (PROJECT / "config" / "keywords.toml").read_text(encoding="utf-8")
    one = Suggestion(ADD, "", (3, 7))
    new = ADD.written(old, note(one))
    line = new.split("\n")[ADD.line(new) - 1]
    assert line == '    "surprise invoice",  # suggested by cases 3, 7'
    assert done(ADD, config, "keywords.toml:9").startswith('keywords.toml:9: added "surprise invoice" to the topic')
    narrower = Change(KEYWORDS, BILLING, "narrow", "surprise invoice", "nasty surprise invoice")
    again = narrower.written(new)
    assert again.split("\n")[narrower.line(again) - 1] == line.replace('"surprise', '"nasty surprise')
    out = Change(KEYWORDS, BILLING, "take out", "nasty surprise invoice")
    assert out.line(again) == narrower.line(again)
    assert out.written(again) == old


def test_a_list_that_is_not_there_yet_has_the_line_of_its_table() -> None:
    change = Change(KEYWORDS, ("exclude", "phrases"), "add", "x y")
    assert change.line("[exclude]\n") == 1
    new = change.written("a = 1\n")
    assert tomllib.loads(new) == {"a": 1, "exclude": {"phrases": ["x y"]}}
    assert change.line(new) == 4


@pytest.mark.parametrize(("one", "expected"), [
    (Suggestion(ADD, "", (3,)), "suggested by case 3"),
    (Suggestion(ADD, "", missed=(1,)), "suggested by missed posts"),
])  # fmt: skip
def test_the_comment_beside_a_line(one: Suggestion, expected: str) -> None:
    assert note(one) == expected
