"""What is found in files that can be used, each at its line."""

from pathlib import Path

import pytest
from conftest import PROJECT

from alerts.checked import Checked, checked, failing, grouped
from alerts.known import load_config
from config.load import NAMES, read_files
from nlp.listed import Kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that ship, with few phrases: to compile two thousand takes longer than a test."""
    for name in NAMES:
        (tmp_path / name).write_bytes((PROJECT / "config" / name).read_bytes())
    (tmp_path / "care.toml").write_text(CARE, encoding="utf-8")
    (tmp_path / "keywords.toml").write_text(KEYWORDS, encoding="utf-8")
    return tmp_path


CARE = """
[slack.channels]
care = "#care"
danger = "#danger"
health = "#health"
ops = "#ops"
billing = "#billing"
privacy = "#privacy"
praise = "#praise"
summary = "#summary"
"""

KEYWORDS = """\ufeff
[urgency.danger]
phrases = ["collapsed"]

[categories.food]
title = "Food"
owner = "Kitchen"
phrases = [
    "soup", "menu",
    "tray",
]
match = ["the soup was cold",
    "the garage was full"]
no_match = ["a tray fell"]

[categories.billing]
title = "Bills"
owner = "Billing"
phrases = ["bill", 'charge~', "soup"]

[categories.privacy]
title = "Privacy"
owner = "Privacy"

[voices.news]
phrases = ["reports", "reported", "Reports", "report*", "reports"]

[signs.legal]
phrases = ["lawyer"]

[signs.press]
phrases = ["reporter"]
"""


def check(folder: Path, *kept: Kept) -> Checked:
    texts, _ = read_files(folder)
    return checked(load_config(folder, replies=False), texts, folder, kept)


def test_failing_examples_stand_at_their_line(folder: Path) -> None:
    first, second = check(folder).problems
    assert str(first) == (
        f"{folder}/keywords.toml:13:5: categories.food.match[1]: found 'the garage was full', in which no phrase of this table "
        "is found; allowed: a sentence that its phrases find: add a phrase that does, or take the sentence out"
    )
    assert (second.line, second.column, second.key) == (14, 13, "categories.food.no_match[0]")
    assert second.found == "'a tray fell', in which 'tray' is found"


def test_the_service_can_ask_for_these_alone(folder: Path) -> None:
    texts, _ = read_files(folder)
    assert failing(load_config(folder, replies=False), texts, folder) == check(folder).problems


def test_line_ends_of_windows_change_no_place(folder: Path) -> None:
    path = folder / "keywords.toml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert [(one.line, one.column) for one in check(folder).problems] == [(13, 5), (14, 13)]


def test_warnings_stand_at_their_line_with_numbers(folder: Path) -> None:
    posts = (Kept("the soup"),) * 6 + (Kept("we waited"),) * 44
    found = check(folder, *posts)
    first, owners, second = found.warnings[:3]
    assert (first.kind, first.line, first.column, first.posts, first.of) == ("broad", 9, 5, 6, 50)
    assert str(first).endswith("add a word (in 6 of the 50 newest posts about us)")
    assert (second.kind, second.line, second.key) == ("broad", 19, "categories.billing.phrases[2]")
    assert set(owners.as_json()) == {"file", "line", "column", "key", "kind", "says", "posts", "of"}
    assert owners.as_json()["kind"] == "owners"
    assert found.phrases == 14


def test_without_posts_there_are_no_numbers(folder: Path) -> None:
    assert {one.posts for one in check(folder).warnings} == {None}
    assert "newest posts" not in "".join(map(str, check(folder).warnings))


def test_what_is_many_in_one_list_is_one_line(folder: Path) -> None:
    lines = list(grouped([one for one in check(folder).warnings if one.kind in ("twice", "empty")]))
    assert lines == [
        f"{folder}/keywords.toml:26:35: voices.news: 2 phrases stand in this list twice, which changes nothing "
        "('Reports' in line 26, 'reports' in line 26); --all shows each"
    ]


def test_what_is_one_is_said_in_full(folder: Path) -> None:
    (line,) = grouped([one for one in check(folder).warnings if one.kind == "owners"])
    assert line.startswith(
        f"{folder}/keywords.toml:19:31: categories.billing.phrases[2]: 'soup' stands in food (Kitchen) too"
    )
