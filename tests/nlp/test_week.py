"""The bundled week against its labels: a net that holds what was reached, not a measure of what strangers will write."""

import csv
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from config.schema import Config
from nlp.evaluate import week_read
from nlp.pipeline import Reader, Text

PROJECT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CALL_LIGHT_SHARED", PROJECT.parent / "shared"))
TWEETS = SHARED / "data" / "crisislex_t6.csv"
FLOORS = {"voice": 0.89, "kind": 0.80, "urgency": 0.84}
RECALL = {"danger": 1.0, "here_now": 0.90, "serious": 0.80}


@pytest.fixture(scope="module")
def pairs(config: Config, rules: Reader) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What each post of the week says by its label, and by the rules."""
    return week_read(rules, config)


@pytest.fixture(scope="module")
def shipped(config: Config, reader: Reader) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The same by the reader that ships, which nobody tuned on this week."""
    return week_read(reader, config)


@pytest.mark.parametrize("field", FLOORS)
def test_accuracy(pairs: list[tuple[dict[str, Any], dict[str, Any]]], field: str) -> None:
    right = sum(label[field] == said[field] for label, said in pairs) / len(pairs)
    print(f"{field}: {right:.3f} of {len(pairs)} right")  # noqa: T201
    assert right >= FLOORS[field]


@pytest.mark.parametrize("urgency", RECALL)
def test_recall(pairs: list[tuple[dict[str, Any], dict[str, Any]]], urgency: str) -> None:
    wanted = [said["urgency"] for label, said in pairs if label["urgency"] == urgency]
    recall = wanted.count(urgency) / len(wanted)
    print(f"{urgency}: recall {recall:.3f} of {len(wanted)}")  # noqa: T201
    assert recall >= RECALL[urgency]


def test_the_shipped_reader_finds_every_danger_of_the_week(
    shipped: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    missed = [said["reasons"] for label, said in shipped if label["urgency"] == "danger" != said["urgency"]]
    assert missed == []


def test_the_shipped_reader_cries_no_more_than_it_did(shipped: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Three false dangers a day are too many: a ceiling that holds what was reached, to be lowered."""
    cried = [said["reasons"] for label, said in shipped if said["urgency"] == "danger" != label["urgency"]]
    assert len(cried) <= 15, cried


@pytest.mark.parametrize(("field", "floor"), [("voice", 0.88), ("kind", 0.83), ("urgency", 0.81)])
def test_the_shipped_reader_on_the_week(
    shipped: list[tuple[dict[str, Any], dict[str, Any]]], field: str, floor: float
) -> None:
    assert sum(label[field] == said[field] for label, said in shipped) / len(shipped) >= floor


def test_danger_is_not_cried(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    cried = [said["reasons"] for label, said in pairs if said["urgency"] == "danger" != label["urgency"]]
    assert len(cried) <= 1, cried


def test_categories(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    sets = [(set(label["categories"]), {category["id"] for category in said["categories"]}) for label, said in pairs]
    both = sum(len(label & said) for label, said in sets)
    precision, recall = both / sum(len(said) for _, said in sets), both / sum(len(label) for label, _ in sets)
    print(f"categories: precision {precision:.3f}, recall {recall:.3f}")  # noqa: T201
    assert precision >= 0.78
    assert recall >= 0.71


def test_false_danger_in_tweets_about_disasters(reader: Reader) -> None:
    if not TWEETS.exists():
        pytest.skip(f"{TWEETS.name} is not here: set CALL_LIGHT_SHARED")
    csv.field_size_limit(sys.maxsize)
    with TWEETS.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][::6]
    cried = sum(said["urgency"] == "danger" for said in reader.read(Text(text) for text in texts))
    print(f"false danger: {cried} of {len(texts)}")  # noqa: T201
    assert cried <= len(texts) / 2000
