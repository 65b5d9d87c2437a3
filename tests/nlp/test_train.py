"""Training: repeatable, and what is written is what reads. Needs the extra "train"."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]' to test training")
pytestmark = pytest.mark.filterwarnings("default")  # of other libraries

from nlp.components.sentences import sentence_starts  # noqa: E402
from nlp.corpora import Example, every, one  # noqa: E402
from nlp.encoder import Encoder  # noqa: E402
from nlp.heads import HEADS, URGENT, Head  # noqa: E402
from nlp.labelled import Mark  # noqa: E402
from nlp.train import Plan, _least_cost, answers, fit, save  # noqa: E402

COLOUR = Head("colour", ("red", "blue"), "one")
SHORT = Plan(epochs=6, batch=8)


def colours() -> list[Example]:
    texts = {
        "red": ["a red rose", "my red coat", "red wine", "the red door"],
        "blue": ["blue sea", "a blue sky", "so blue", "blue ink"],
    }
    return [Example(text, {"colour": one(COLOUR, label)}) for label, found in texts.items() for text in found * 2]


@pytest.mark.slow
def test_learns_and_repeats() -> None:
    first, second = (fit(colours(), (COLOUR,), SHORT) for _ in range(2))
    asked = ["red paint", "the blue car", "a red bird"]
    assert answers(first, asked, COLOUR) == answers(second, asked, COLOUR) == ["red", "blue", "red"]


@pytest.mark.slow
def test_what_is_written_reads_as_what_was_trained(tmp_path: Path) -> None:
    danger = [Example(f"help he is not breathing {n}", {"urgent": every(URGENT, ["danger"])}) for n in range(8)]
    calm = [Example(f"lovely soup again {n}", {"urgent": every(URGENT, [])}) for n in range(8)]
    named = [Example("thank you Ana Ruiz", {}, (Mark(10, 18, "name"),), frozenset(["name"])) for _ in range(4)]
    network = fit([*danger, *calm, *named], HEADS, SHORT)
    even = {head.name: dict.fromkeys(head.labels, 0.5) for head in HEADS if head.how == "any"}
    save(network, tmp_path, even, {"seed": 1})
    texts = ["please help, not breathing", "the soup was lovely"]
    said = [scores.any(URGENT)["danger"].likely for scores in Encoder(tmp_path)(texts, list(sentence_starts(texts)))]
    assert said[0] > 0.5 > said[1]


@pytest.mark.parametrize(
    ("label", "pairs", "low", "high"),
    [
        # Ten cases, one of them hard to see: four false alarms, which stand for forty in real life, are worth it; six are not.
        ("danger", [(0.9, True)] * 9 + [(0.5, False)] * 4 + [(0.4, True)] + [(0.1, False)] * 99, 0.1, 0.4),
        ("danger", [(0.9, True)] * 9 + [(0.5, False)] * 6 + [(0.4, True)] + [(0.1, False)] * 99, 0.5, 0.9),
        ("food", [(0.9, True)] * 10 + [(0.2, False)] * 10, 0.2, 0.9),
        ("food", [(0.9, True)] * 3, 0.5, 0.5),  # too few to tell
    ],
)
def test_where_misses_and_false_alarms_cost_least(
    label: str, pairs: list[tuple[float, bool]], low: float, high: float
) -> None:
    assert low <= _least_cost(label, pairs) <= high
