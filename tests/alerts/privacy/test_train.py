"""Training of the trained look: what it is told, and that it learns. Needs the extra "train"."""

import random
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[train]' to test training")
pytestmark = pytest.mark.filterwarnings("default")  # of other libraries

from alerts.privacy.labelled import Labelled  # noqa: E402
from alerts.privacy.learned import UNLAWFUL, WRONG  # noqa: E402
from alerts.privacy.train import _composed, _example  # noqa: E402

ROWS = (
    Labelled(id="1", reply="Thank you. Please call us.", ok=True),
    Labelled(id="2", reply="We hear you.", ok=True),
    Labelled(id="3", reply="Your surgery went well!", ok=False, rule="confirms"),
    Labelled(id="4", reply="You lie. We will sue.", ok=False),
)


def test_what_an_example_knows() -> None:
    lawful, named, unnamed = (_example(ROWS[at], 0.5).answers[WRONG.name] for at in (0, 2, 3))
    assert set(lawful) == set(WRONG.labels)
    assert not any(lawful.values())
    assert {label for label, so in named.items() if so} == {UNLAWFUL, "confirms"}
    assert set(named) == set(WRONG.labels)
    assert unnamed == {UNLAWFUL: True}


def test_letters_of_every_size() -> None:
    assert _example(ROWS[1], 0.01).text == "we hear you."
    assert _example(ROWS[1], 0.99).text == "WE HEAR YOU."


def test_a_wrong_sentence_makes_a_letter_wrong() -> None:
    made = list(_composed(ROWS, 40, random.Random(1)))
    assert {row.ok for row in made} == {True, False}
    assert all(("Your surgery went well!" in row.reply) == (not row.ok) for row in made)
    assert all(len(row.reply) > len("We hear you.") for row in made)


def test_the_model_is_written_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alerts.privacy import learned
    from alerts.privacy import train as trainer
    from alerts.privacy.vocabulary import words_of
    from nlp.encoder import Encoder
    from nlp.train import Plan

    monkeypatch.setattr(trainer, "labelled", lambda: ROWS * 8)
    trainer.train(tmp_path, Plan(epochs=4))
    encoder = Encoder(tmp_path, (WRONG,))
    monkeypatch.setattr(learned, "_encoder", lambda: encoder)
    bad, good = (
        learned.opinion(reply, words_of(reply)).likely for reply in ("Your surgery went well!", "We hear you.")
    )
    assert bad > good
