"""How a rehearsal is shown: sentences, tables, a page."""

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from conftest import NOW

from alerts.rehearsal import OF_POSTS, as_json, danger, html, numbers, sections
from alerts.rehearse import Change, Load, Precision, Rehearsal, Standing
from config.schema import Config

NOTHING = Rehearsal(
    since=NOW - timedelta(days=30),
    until=NOW,
    first=NOW - timedelta(days=4),
    posts=1_204,
    gone=0,
    read_again=3,
    danger_lost=(),
    danger_gained=(),
    held_danger=0,
    still_danger=0,
    cards_before=20,
    cards_after=20,
    added=(),
    dropped=(),
    moved=(),
    digest=(),
    more_posts=0,
    fewer_posts=0,
    topics_changed=0,
    topics=(),
    loads=(),
    precision_before=Precision(),
    precision_after=Precision(),
    lost_cases=(),
    spared_cases=(),
)


def change(before: str = "routine", after: str = "none", **more: Any) -> Change:
    fields: dict[str, Any] = {
        **{"heard_at": NOW, "source": "x", "case_id": 4, "why": ("+ valet (exclude)",), "text": "<b>gone</b> & lost"},
        **{"before": Standing(before, "care"), "after": Standing(after, "nowhere"), "is_young": False},
    }
    return Change(**{**fields, **more})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ()),
        ({"danger_lost": (change(),)}, ("Danger: 1 post would no longer be danger.",)),
        ({"danger_lost": (change(),) * 2}, ("Danger: 2 posts would no longer be danger.",)),
        ({"danger_gained": (change(),)}, ("Danger: 1 post would be danger that was not.",)),
        ({"danger_gained": (change(),) * 3}, ("Danger: 3 posts would be danger that were not.",)),
        (
            {"held_danger": 4, "still_danger": 3},
            (
                "4 posts that were danger hold a phrase that [urgency.danger] lost; the reader finds 3 of these 4 by itself.",
            ),
        ),
        (
            {"held_danger": 1, "still_danger": 1},
            ("1 post that was danger holds a phrase that [urgency.danger] lost; the reader still finds it by itself.",),
        ),
        (
            {"held_danger": 1},
            (
                "1 post that was danger holds a phrase that [urgency.danger] lost; the reader does not find it by itself.",
            ),
        ),
    ],
)
def test_danger_in_words(fields: dict[str, Any], said: tuple[str, ...]) -> None:
    assert danger(replace(NOTHING, **fields)) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Nothing would differ."),
        ({"added": (change(),) * 14, "dropped": (change(),) * 3, "cards_after": 31},
         "14 new cards, 3 dropped: 20 cards before, 31 after."),
        ({"added": (change(),), "cards_after": 1_021}, "1 new card, 0 dropped: 20 cards before, 1,021 after."),
        ({"moved": (change("routine", "danger"), change("serious", "routine"), change("low", "low"))},
         "0 new cards, 0 dropped, 1 more urgent, 1 less urgent, 1 in another channel: 20 cards before, 20 after."),
        ({"more_posts": 1, "topics_changed": 1},
         "0 new cards, 0 dropped, 1 more and 0 fewer posts on cards that stay, 1 post with other topics: 20 cards before, 20 after."),
        ({"digest": (change(),)}, "0 new cards, 0 dropped, 1 post otherwise in the digests: 20 cards before, 20 after."),
        ({"danger_gained": (change(),)}, "0 new cards, 0 dropped: 20 cards before, 20 after."),
    ],
)  # fmt: skip
def test_numbers_in_one_sentence(fields: dict[str, Any], said: str) -> None:
    assert numbers(replace(NOTHING, **fields)) == said


def shown(config: Config, **fields: Any) -> dict[str, Any]:
    return {one.title: one for one in sections(replace(NOTHING, **fields), config, config)}


def test_a_row_says_when_where_what_and_why(config: Config) -> None:
    (table,) = shown(config, dropped=(change(),))["Dropped cards"].tables
    assert table.header == OF_POSTS
    assert table.rows == [
        (
            "Mon 16 Nov 09:00",
            "X",
            "To answer → Remark",
            "care → nowhere",
            "+ valet (exclude)",
            "case 4",
            "<b>gone</b> & lost",
        )
    ]
    same = replace(change(), after=Standing("routine", "care"), case_id=None, why=())
    (table,) = shown(config, moved=(same,))["Moved cards"].tables
    assert table.rows[0][2:6] == ("To answer", "care", "another reading", "")


def test_long_posts_are_cut_and_long_tables_say_so(config: Config) -> None:
    many = (change(text="word " * 200),) * 25
    (table,) = shown(config, added=many)["New cards"].tables
    assert (len(table.rows), table.title) == (20, "(the first 20 of 25; --all shows every one)")
    assert len(table.rows[0][-1]) <= 160
    (section,) = [
        one for one in sections(replace(NOTHING, added=many), config, config, None) if one.title == "New cards"
    ]
    assert (len(section.tables[0].rows), section.tables[0].title) == (25, "")


@pytest.mark.parametrize(
    ("fields", "title", "said"),
    [
        ({"added": (change(is_young=True), change())}, "New cards", "1 of them is younger than 24 hours and become"),
        ({"added": (change(is_young=True),) * 2}, "New cards", "2 of them are younger than 24 hours and become"),
        ({"added": (change(),)}, "New cards", "None of them is younger than 24 hours"),
        ({"dropped": (change(),)}, "Dropped cards", "Cards that are out stay"),
        ({}, "Precision", "No card of this time was answered"),
        ({"precision_before": Precision(9, 3), "precision_after": Precision(8, 0), "lost_cases": (4,), "spared_cases": (1, 2, 3)},
         "Precision", "Of the cards that people dealt with, 9 of 12 (75%) were for us before, 8 of 8 (100%) after. "
         "Answered, and there would be no card for it: case 4. Not for us, and there would be no card for it: case 1, 2, 3."),
        ({"lost_cases": tuple(range(30)), "precision_before": Precision(30)}, "Precision", "18, 19 and 10 more."),
        ({}, "What this does not say", "Not replayed: what is heard"),
        ({"gone": 1}, "What this does not say", "1 post of this time is gone."),
        ({"gone": 2}, "What this does not say", "2 posts of this time are gone."),
        ({}, "", "1,204 posts heard since Thu 12 Nov 2026 were replayed; 3 of them had to be read again."),
    ],
)  # fmt: skip
def test_what_each_part_says(config: Config, fields: dict[str, Any], title: str, said: str) -> None:
    assert said in " ".join(shown(config, **fields)[title].sentences)


def test_changes_of_what_is_heard_are_said_to_be_unknown(config: Config) -> None:
    other = config.model_copy(update={"collectors": {}})
    (section,) = [one for one in sections(NOTHING, config, other) if one.title == "What this does not say"]
    assert "listening.toml was changed" in section.sentences[-1]
    assert "listening.toml was changed" not in " ".join(shown(config)["What this does not say"].sentences)


def test_load_and_topics(config: Config) -> None:
    found = shown(config, loads=(Load("care", 8, 6, 3, 2),), topics=(("digital", 3, 0), ("gowns", 0, 1)))
    assert found["Load"].tables[0].rows == [("care", 8, 6, 2.0, 1.5, 3, 2)]
    title = config.keywords.categories["digital"].title
    assert found["Topics"].tables[0].rows == [(title, 3, 0), ("gowns", 0, 1)]


class _Page(HTMLParser):
    """The tags of a page, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name in ("src", "href", "onclick")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nothing_and_runs_nothing(config: Config) -> None:
    found = replace(NOTHING, danger_lost=(change("danger"),), dropped=(change("danger"),) * 30)
    text = html(found, config, config, ("exclude.phrases: '<i>' added",))
    page = _Page(text)
    assert not {"script", "link", "img", "iframe", "b", "i"} & set(page.tags)
    assert page.words.index("would no longer be danger") < page.words.index("0 new cards")
    assert page.words.count("<b>gone</b> & lost") == 31, "all rows, and what came from a post is no markup"
    assert "exclude.phrases: '<i>' added" in page.words
    assert "http" not in text.replace("http-equiv", "")


def test_values_for_programs(config: Config) -> None:
    values = as_json(replace(NOTHING, dropped=(change(),)), ("a",))
    assert (values["differs"], values["days"], values["changes"]) == (True, 4.0, ("a",))
    assert values["dropped"][0]["before"] == {"urgency": "routine", "goes_to": "care"}
