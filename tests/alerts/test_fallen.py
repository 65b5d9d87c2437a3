"""A post as the waterfall shows it."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given
from hypothesis import strategies as st

from alerts import fallen
from alerts.fallen import Wanted, marked, newest, posts, spoke
from nlp.reading import Reading

MINUTE = timedelta(minutes=1)
FOOD = [{"id": "food", "score": 0.9, "words": ["soup"]}]


def of(desk: Any, **wanted: str) -> Any:
    return newest(desk.session, desk.config, 60, Wanted(**wanted))


def ids(desk: Any, **wanted: str) -> list[int]:
    return [post.mention_id for post in of(desk, **wanted)]


def test_the_newest_heard_first_as_it_is_now(desk: Any) -> None:
    old = desk.hear(heard_at=NOW - 9 * MINUTE, written_at=NOW - MINUTE)
    new = desk.hear(heard_at=NOW - 8 * MINUTE, written_at=NOW - 90 * MINUTE)
    desk.hear(read=False)
    desk.decide()
    desk.edit(old, "now it is worse", NOW, urgency="danger")
    assert ids(desk) == [new, old]
    post = of(desk)[1]
    assert (post.urgency, post.pieces, post.outcome, post.case_id) == (
        "danger",
        [("now it is worse", False)],
        "alert",
        1,
    )
    desk.decide()
    assert of(desk)[1].case_state == "open"


def test_only_redacted_words_and_nobody_by_name(desk: Any) -> None:
    desk.hear("Ann Other waited", redacted_text="[name] waited", author="secretive", author_name="Ann Other")
    said = repr(of(desk))
    assert "[name] waited" in said
    assert not any(word in said for word in ("Ann", "Other", "secretive", "x.example"))


def test_what_is_gone_is_not_shown(desk: Any) -> None:
    gone, stays = desk.hear(), desk.hear()
    mention = desk.session.get_one(fallen.Mention, gone)
    mention.deleted_at = NOW
    desk.session.add(mention)
    desk.session.commit()
    assert ids(desk) == [stays]
    assert posts(desk.session, desk.config, [gone]) == []


@pytest.mark.parametrize(
    ("said", "outcome", "rule"),
    [
        ({}, "alert", "complaints and questions to the care team"),
        ({"kind": "comment", "urgency": "low"}, "digest", "remarks of patients and visitors"),
        ({"voice": "promo", "kind": None, "urgency": "none"}, "dismiss", "adverts, job offers and spam"),
        ({"own": True}, "dismiss", None),
    ],
)
def test_what_became_of_it(desk: Any, said: dict[str, Any], outcome: str, rule: str | None) -> None:
    desk.hear(**said)
    assert of(desk)[0].outcome is None
    desk.decide()
    (post,) = of(desk)
    assert (post.outcome, post.rule, post.case_id is not None) == (outcome, rule, outcome == "alert")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, {"plain", "soup", "danger", "harbor"}),
        ({"category": "food"}, {"soup", "danger"}),
        ({"urgency": "danger"}, {"danger"}),
        ({"site": "Harbor Campus"}, {"harbor"}),
        ({"category": "food", "urgency": "danger"}, {"danger"}),
        ({"category": "food", "site": "Harbor Campus"}, set()),
    ],
)
def test_narrowed(desk: Any, wanted: dict[str, str], fits: set[str]) -> None:
    desk.hear("plain")
    desk.hear("soup", categories=FOOD)
    desk.hear("danger", categories=FOOD, urgency="danger")
    desk.hear("harbor", site="Harbor Campus")
    assert {post.pieces[0][0] for post in of(desk, **wanted)} == fits


def test_by_the_reading_in_force(desk: Any) -> None:
    mention = desk.hear(urgency="danger")
    desk.edit(mention, "never mind", NOW, urgency="low")
    assert (ids(desk, urgency="danger"), ids(desk, urgency="low")) == ([], [mention])


def test_looked_for_among_the_newest_alone(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallen, "AMONG", 3)
    monkeypatch.setattr(fallen, "_AT_ONCE", 2)
    heard = [desk.hear(urgency="danger", heard_at=NOW + number * MINUTE) for number in range(5)]
    assert ids(desk, urgency="danger") == heard[:1:-1]


def test_a_very_long_post_is_cut(desk: Any) -> None:
    desk.hear("wait " * 20_000)
    assert sum(len(piece) for piece, _ in of(desk)[0].pieces) <= 700


# ---------------------------------------------------------------- the words that spoke


def read(*reasons: str, words: tuple[str, ...] = ()) -> Reading:
    return Reading(reasons=list(reasons), categories=[{"id": "food", "score": 1, "words": list(words)}])


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (read(words=("soup", "cold", "soup")), ["soup", "cold"]),
        (read("danger (emergency): 'chest pain'"), ["chest pain"]),
        (read("""complaint: read so in "She's", 'tremor' (0.88)"""), ["She's", "tremor"]),
        (read(r"""food: 'the "soup" wasn\'t'"""), ['the "soup" wasn\'t']),
        (read("about us: 'SBMC'", 'about us: "St. Brigid\'s"'), []),
        (read("no words to read"), []),
    ],
)
def test_words_that_spoke(reading: Reading, words: list[str]) -> None:
    assert spoke(reading) == words


@pytest.mark.parametrize(
    ("text", "words", "pieces"),
    [
        ("Cold soup", ["soup"], [("Cold ", False), ("soup", True)]),
        ("SOUP, soups", ["soup"], [("SOUP", True), (", soups", False)]),
        ("chest pain", ["chest", "chest pain"], [("chest pain", True)]),
        ("what? (a+b)", ["(a+b)", "what?"], [("what?", True), (" ", False), ("(a+b)", True)]),
        ("nothing", [], [("nothing", False)]),
        ("", ["soup"], [("", False)]),
    ],
)
def test_marked(text: str, words: list[str], pieces: list[tuple[str, bool]]) -> None:
    assert marked(text, words) == pieces


FEW = st.text("ab ?İ", max_size=12)  # of a small alphabet, so that words are found


@given(FEW | st.text(), st.lists(FEW.filter(bool) | st.text(min_size=1)))
def test_nothing_is_lost_by_marking(text: str, words: list[str]) -> None:
    assert "".join(piece for piece, _ in marked(text, words)) == text
