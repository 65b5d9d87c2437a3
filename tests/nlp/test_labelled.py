"""The labelled posts: legal, enough of each, never divided between training and test, and labelled twice alike."""

import json
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from nlp.labelled import CATEGORIES, DANGERS, MARKS, Labelled, Mark, agreement, posts, read, second

POST = {
    "id": "a-story-1",
    "text": "Dr. [[name|Okafor]] rang from [[phone|555-0134]]",
    "voice": "patient",
    "kind": "comment",
    "categories": [],
    "stage": None,
    "mood": 0,
    "urgency": "low",
}


def test_there_are_enough() -> None:
    assert len(posts()) >= 1500
    by_topic = Counter(topic for post in posts() for topic in post.categories)
    assert all(by_topic[topic] >= 60 for topic in CATEGORIES), by_topic
    by_danger = Counter(post.danger for post in posts())
    assert all(by_danger[danger] >= 30 for danger in DANGERS), by_danger
    by_mark = Counter(mark.kind for post in posts() for mark in post.marks)
    assert all(by_mark[kind] >= 15 for kind in MARKS), by_mark


def test_no_post_is_there_twice() -> None:
    texts = Counter(" ".join(post.shown.casefold().split()) for post in posts())
    assert [text for text, count in texts.items() if count > 1] == []
    assert [id_ for id_, count in Counter(post.id for post in posts()).items() if count > 1] == []


def test_a_story_is_never_divided() -> None:
    parts: dict[str, set[str]] = {}
    for post in posts():
        parts.setdefault(post.story, set()).add(post.part)
    assert all(len(found) == 1 for found in parts.values())
    shares = Counter(post.part for post in posts())
    assert 0.15 < shares["test"] / len(posts()) < 0.35
    assert shares["dev"] / len(posts()) > 0.05


def test_marks_are_places_in_the_shown_text() -> None:
    post = Labelled.model_validate(POST)
    assert post.shown == "Dr. Okafor rang from 555-0134"
    assert post.marks == (Mark(4, 10, "name"), Mark(21, 29, "phone"))
    assert [post.shown[mark.start : mark.end] for mark in post.marks] == ["Okafor", "555-0134"]


@pytest.mark.parametrize(
    "change",
    [
        {"voice": "news"},
        {"kind": None},
        {"categories": ["weather"]},
        {"urgency": "danger"},
        {"urgency": "none"},
        {"kind": "complaint"},
        {"danger": "violence"},
        {"text": "ask [[nmae|Ann]]"},
        {"text": "ask [[name|Ann"},
    ],
)
def test_labels_that_do_not_agree_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Labelled.model_validate({**POST, **change})


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps(POST) + "\n{not json\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"some\.jsonl:2"):
        list(read(path))


def test_a_fifth_was_labelled_twice_and_alike() -> None:
    assert len(second()) >= len(posts()) * 0.15
    found = agreement()
    assert found["urgency"] > 0.8
    assert found["voice"] > 0.8
    assert 0.5 < found["categories"] < 1  # identical labels would not be a second opinion
