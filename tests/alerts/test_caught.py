"""What a phrase catches of what is kept."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW

from alerts.caught import catch


def caught(desk: Any, phrase: str, **options: Any) -> Any:
    return catch(desk.session, desk.config, phrase, options.pop("since", None), **options)


def test_nothing_is_kept(desk: Any) -> None:
    found = caught(desk, "portal")
    assert (found.looked_through, found.posts, found.newest) == (0, 0, ())


def test_what_it_counts_and_shows(desk: Any) -> None:
    old = NOW - timedelta(days=3)
    desk.hear("the Portal is down", urgency="serious", categories=[{"id": "digital", "score": 1, "words": []}])
    desk.hear("portals and a portal", written_at=old, voice="news")
    desk.hear("a game with a portal", written_at=old, voice="other", mentions_us=[], urgency="none")
    desk.hear("the garage")
    found = caught(desk, "portal")
    assert (found.looked_through, found.posts, found.about_us, found.of_patients) == (4, 3, 2, 1)
    newest, *_ = found.newest
    assert (newest.excerpt, newest.marks, newest.urgency) == ("the Portal is down", ((4, 10),), "serious")
    assert (newest.topics, newest.source, newest.voice) == (("digital",), "x", "patient")
    assert [post.excerpt for post in found.newest][1:] == ["a game with a portal", "portals and a portal"]
    assert caught(desk, "portal", since=NOW - timedelta(days=1)).looked_through == 1 + 1


def test_only_redacted_words_of_the_reading_in_force_of_posts_that_are_there(desk: Any) -> None:
    desk.hear("Amy Lee at the portal", redacted_text="[name] at the portal")
    edited = desk.hear("the portal")
    desk.edit(edited, "the garage", NOW)
    desk.hear("the portal", deleted_at=NOW)
    desk.hear("our portal is back", own=True)
    assert caught(desk, "Amy Lee").posts == 0
    found = caught(desk, "portal")
    assert [post.excerpt for post in found.newest] == ["[name] at the portal"]
    assert found.looked_through == 2


@pytest.mark.parametrize(
    ("phrase", "said", "found"),
    [
        ("portal NOT school", {}, True),
        ("portal NOT down", {}, False),
        ("portal site:Main", {"site": "Harbor Campus"}, False),
        ('portal site:"Harbor Campus"', {"site": "Harbor Campus"}, True),
        ('portal site:"Harbor Campus"', {"place": "Emergency"}, True),
        ('portal site:"Harbor Campus"', {}, False),
        ("portal lang:en", {}, True),
        ("portal lang:es", {}, False),
        ("portal lang:es", {"language": "es"}, True),
        ("portal ... school", {}, False),
    ],
)
def test_it_is_found_as_the_reader_finds_it(desk: Any, phrase: str, said: dict[str, str], found: bool) -> None:
    desk.config = desk.config.model_copy(
        update={
            "hospital": desk.config.hospital.model_copy(
                update={
                    "sites": (
                        *desk.config.hospital.sites,
                        desk.config.hospital.sites[1].model_copy(update={"name": "Main"}),
                    )
                }
            )
        }
    )
    desk.hear("the portal is down\nschool", redacted_text="the portal is down\nno class", **said)
    assert caught(desk, phrase).posts == found


def test_of_many_the_newest_ten_and_how_far_it_is(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.caught._AT_A_TIME", 5)
    for number in range(12):
        desk.hear(f"portal {number}", written_at=NOW - timedelta(minutes=number))
    told: list[tuple[int, int]] = []
    found = caught(desk, "portal", told=lambda done, all_: told.append((done, all_)))
    assert [post.excerpt for post in found.newest] == [f"portal {number}" for number in range(10)]
    assert (found.posts, told) == (12, [(5, 12), (10, 12)])


@pytest.mark.parametrize("before", ["", "word " * 100, "w" * 1000])
@pytest.mark.parametrize("after", ["", " word" * 100, "w" * 1000, "\nportal"])
def test_of_a_long_post_the_part_around_the_words(desk: Any, before: str, after: str) -> None:
    desk.hear(f"{before} the portal\tis \u202eDOWN {after}")
    (post,) = caught(desk, "portal ... down").newest
    assert len(post.excerpt) <= 290
    assert "\n" not in post.excerpt
    (start, end), *_ = post.marks
    assert post.excerpt[start:end] == "portal is DOWN"
