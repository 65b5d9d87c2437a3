"""What the model card prints, for who has to say so elsewhere."""

from pathlib import Path

from nlp.card import markdown
from nlp.evaluate import Found, Goal
from nlp.measured import measured


def test_what_was_measured_first_is_told(tmp_path: Path) -> None:
    goals = [
        Goal("danger, missed", "300 posts", "4 of 30", "none", False),
        Goal("complaint, recall", "300 posts", "0.960", "0.95", True),
        Goal("danger, missed", "the week", "0 of 16", "none", True),
    ]
    (tmp_path / "CARD.md").write_text("# A card\n\n" + markdown(Found(goals=goals)), encoding="utf-8")
    assert measured(tmp_path) == {"danger, missed": "4 of 30", "complaint, recall": "0.960"}


def test_a_model_without_a_card(tmp_path: Path) -> None:
    assert measured(tmp_path) == {}


def test_the_card_that_ships_tells_what_a_report_says() -> None:
    assert {"danger, missed", "complaint, recall", "complaint, precision"} <= set(measured())
