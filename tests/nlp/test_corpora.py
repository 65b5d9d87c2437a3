"""What the encoder learns from: what a collection does not say is unknown, not false."""

import csv
import json
from pathlib import Path

import pytest

from nlp import corpora
from nlp.heads import MOOD, SAYS, URGENT
from nlp.labelled import MARKS, Labelled, Mark

BASE = {"id": "a-1", "text": "ask [[name|Ann]]", "voice": "patient", "categories": ["food"], "stage": None, "mood": -1}


def labelled(**values: object) -> corpora.Example:
    return corpora.example(Labelled.model_validate({**BASE, **values}))


def test_of_a_complaint_it_is_unknown_whether_it_praises_too() -> None:
    assert labelled(kind="complaint", urgency="routine", mood=0).answers["says"] == {"complaint": True}
    assert labelled(kind="complaint", urgency="routine").answers["says"] == {"complaint": True, "praise": False}
    assert labelled(kind="praise", urgency="low").answers["says"] == dict.fromkeys(SAYS.labels, False) | {
        "praise": True
    }
    assert labelled(kind="comment", urgency="low").answers["says"] == dict.fromkeys(SAYS.labels, False)


def test_of_danger_it_is_unknown_whether_it_is_also_here_and_now() -> None:
    danger = labelled(kind="complaint", urgency="danger", danger="emergency")
    assert danger.answers["urgent"] == {"danger": True}
    assert danger.answers["danger"]["emergency"]
    assert labelled(kind="complaint", urgency="serious").answers["urgent"] == {
        "danger": False,
        "here_now": False,
        "serious": True,
    }


def test_marks_are_known_of_our_posts() -> None:
    example = labelled(kind="comment", urgency="low")
    assert example.text == "ask Ann"
    assert example.marks == (Mark(4, 7, "name"),)
    assert example.marked == frozenset(MARKS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Made-up rows in the collections' formats."""

    def table(name: str, rows: list[dict[str, str]]) -> None:
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    table(
        "label_mapping.csv",
        [
            {"file": "a", "column": "subcategory", "label": "Meals", "category": "food"},
            {"file": "b", "column": "labels", "label": "Car park", "category": "parking"},
        ],
    )
    table(
        "nhs_phase1_train.csv",
        [
            {"text": "soup was cold", "label": "x", "subcategory": "Meals", "criticality": "-2.0"},
            {"text": "nothing", "label": "x", "subcategory": "None", "criticality": ""},
        ],
    )
    table(
        "nhs_phase2_train_dev.csv",
        [
            {"text": "no spaces", "labels": "Car park|Other", "sentiment_1vpos_5vneg": "4.0", "split": "dev"},
            {"text": "all fine", "labels": "Other", "sentiment_1vpos_5vneg": "", "split": "train"},
        ],
    )
    table("crisislex_t6.csv", [{"event": "e", "text": f"tweet {n}", "label": "on-topic"} for n in range(200)])
    lines = [
        {"text": "so @ ann met Bo Lee", "split": "train", "spans": [span(3, 8), span(13, 19)]},
        {"text": "@bo hi", "split": "test", "spans": [span(0, 3)]},
    ]
    for name in ("wnut17_ner.jsonl", "broad_twitter_ner.jsonl"):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return tmp_path


def span(start: int, end: int) -> dict[str, object]:
    return {"start": start, "end": end, "label": "person"}


def test_survey_themes(data: Path) -> None:
    soup, nothing = corpora.survey_themes(data)
    assert soup.answers["topics"] == {"food": True}  # one theme each: the others are unknown
    assert soup.answers["says"] == {"complaint": True}
    assert "topics" not in nothing.answers
    assert "says" not in nothing.answers


def test_survey_topics(data: Path) -> None:
    [dev] = corpora.survey_topics(data, "dev")
    assert dev.answers["topics"]["parking"]
    assert dev.answers["topics"]["food"] is False
    assert "billing" not in dev.answers["topics"]  # surveys do not ask about it
    assert dev.answers["mood"] == corpora.one(MOOD, "unhappy")


def test_handles_are_no_names(data: Path) -> None:
    train = list(corpora.names_in_tweets(data, "train", "wnut17"))
    assert [train[0].text[mark.start : mark.end] for mark in train[0].marks] == ["Bo Lee"]
    assert [list(example.marks) for example in corpora.names_in_tweets(data, "test", "wnut17")] == [[]]


def test_chatter_that_trains_never_measures(data: Path) -> None:
    trained = {example.text for example in corpora.chatter(data, slice(None), seed=1)}
    measured = {text for text in corpora.tweets(data) if not corpora.is_training_chatter(text)}
    assert trained
    assert measured
    assert not trained & measured
    assert all(
        set(example.answers["urgent"].values()) == {False} and set(example.answers["urgent"]) == set(URGENT.labels)
        for example in corpora.chatter(data, slice(5), seed=1)
    )
