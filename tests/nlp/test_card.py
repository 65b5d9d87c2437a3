"""The model card that ships says what the model that ships does."""

from nlp.card import as_json, markdown
from nlp.encoder import FOLDER, Encoder
from nlp.evaluate import Found, Goal, Tally, tally

FOUND = Found(
    tables=[tally("kind", ["complaint"], [({"complaint"}, {"complaint"})])],
    goals=[Goal("danger, missed", "3 posts", "1 of 3", "none", False)],
    calibration={"danger": [(0.1, 0.05, 20)]},
)


def test_a_goal_that_was_not_reached_is_said_so() -> None:
    assert "| danger, missed | 3 posts | 1 of 3 | none | NO |" in markdown(FOUND)
    assert "| complaint | 1.00 | 1.00 | 1.00 | 1 |" in markdown(FOUND)
    assert "| danger | 0.10 | 0.05 | 20 |" in markdown(FOUND)


def test_for_programs() -> None:
    said = as_json(FOUND)
    assert said["goals"][0]["is_reached"] is False
    assert said["tables"][0]["labels"][0]["support"] == Tally("", 1, 0, 0).support


def test_the_card_is_of_the_model_that_ships() -> None:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    assert f"Model {Encoder().version}," in card
    for word in ("Apache-2.0", "MIT", "CC BY 4.0", "## Limits", "## What was to be reached"):
        assert word in card
