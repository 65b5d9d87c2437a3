"""Posts told in other ways keep their marks and their meaning."""

import pytest

from nlp.corpora import Example, ours
from nlp.labelled import MARKS, Mark
from nlp.variations import Variations, join

URGENT = {"danger": False, "here_now": False, "serious": False}


def marked(example: Example) -> list[tuple[str, str]]:
    return [(mark.kind, example.text[mark.start : mark.end]) for mark in example.marks]


def a_post(text: str, *names: str, **answers: dict[str, bool]) -> Example:
    marks = tuple(Mark(text.index(name), text.index(name) + len(name), "name") for name in names)
    return Example(text, {"voice": {"patient": True}, **answers}, marks, frozenset(MARKS))


CALM = a_post("Parking was easy. Asha was kind. Lunch was good", "Asha", urgent=URGENT, mood={"happy": True})
GRAVE = a_post("Bo is on the floor", "Bo", urgent={"danger": True}, mood={"unhappy": True})


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (0, "Bo is on the floor. Parking was easy. Asha was kind. Lunch was good"),
        (18, "Parking was easy. Bo is on the floor. Asha was kind. Lunch was good"),
        (47, "Parking was easy. Asha was kind. Lunch was good. Bo is on the floor"),
    ],
)
def test_one_post_stands_in_another_with_the_marks_of_both(place: int, text: str) -> None:
    both = join(CALM, GRAVE, place)
    assert both.text == text
    assert sorted(marked(both)) == [("name", "Asha"), ("name", "Bo")]


def test_both_say_what_either_says_and_nothing_that_is_not_known_of_each() -> None:
    both = join(CALM, GRAVE, 0)
    assert both.answers["urgent"] == {"danger": True}  # whether the grave one is also "here now" nobody said
    assert "mood" not in both.answers
    assert both.answers["voice"] == {"patient": True}


def test_of_two_calm_posts_it_is_known_that_they_are_calm() -> None:
    assert join(CALM, CALM, 0).answers["urgent"] == URGENT


def test_marks_stay_on_their_words_whatever_is_varied() -> None:
    posts = [example for example in ours("dev") if example.marks][:400]
    names = {words for post in posts for kind, words in marked(post) if kind == "name"}
    known = names | {name.lower() for name in names} | {name.upper() for name in names}
    changed = 0
    for post, varied in zip(posts, Variations(posts, seed=3)(posts), strict=True):
        before, after = marked(post), marked(varied)
        assert len(after) >= len(before)
        assert {kind for kind, _ in after} >= {kind for kind, _ in before}
        for kind, words in after:
            assert words == words.strip()
            assert kind != "name" or words in known
        changed += post.text != varied.text
    assert changed > len(posts) / 2


def test_the_same_seed_tells_the_same() -> None:
    posts = list(ours("dev"))[:200]
    first, second = (list(Variations(posts, seed=5)(posts)) for _ in range(2))
    assert first == second
