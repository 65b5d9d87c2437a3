"""What a post tells and what it asks: only a plain question of the public tells nothing."""

import pytest

from alerts.privacy.told import Told


@pytest.mark.parametrize(
    ("post", "plain"),
    [
        ("Do you take walk-ins?", True),
        ("hi, can i bring my dog", False),
        ("can i bring a dog to visit", True),
        ("Can you get a mammogram without a referral there?", True),
        ("what happened to the 530 shuttle", True),
        ("Is the gift shop still closed?", True),
        ("Does any doctor there speak Spanish?", True),
        ("Why was my MRI late?", False),
        ("can a doctor call me about it?", False),
        ("Is it normal that they left her there?", False),
        ("did my mom get a bed?", False),
        ("Is waiting six hours ok?", False),
        ("waited all night", False),
        ("The food was cold.", False),
        ("hi?", True),
        ("¿Tienen vacunas?", True),
        ("¿Por qué no atendieron a mi mamá?", False),
    ],
)
def test_a_plain_question_tells_nothing(post: str, plain: bool) -> None:
    told = Told.of(post)
    assert bool(told.asked) == plain
    assert bool(told.text) != plain


def test_the_numbers_of_a_question_are_told() -> None:
    told = Told.of("How is a scan 900 dollars?")
    assert told.roots == {"900"}
    assert "scan" in told.asked


@pytest.mark.parametrize(
    ("post", "nobody"),
    [
        ("need a crosswalk by the hospital", True),
        ("I need a crosswalk by the hospital", False),
        ("cold pancakes again", True),
        ("he got cold pancakes", False),
        ("infection everywhere", False),
        ("9 pancakes", False),
        ("necesitamos otro puente", True),
    ],
)
def test_whether_somebody_is_in_it(post: str, nobody: bool) -> None:
    assert Told.of(post).of_nobody == nobody


def test_runs_and_nothing() -> None:
    assert Told.of("the tv never worked here").runs == {
        ("the", "tv", "never", "worked"),
        ("tv", "never", "worked", "here"),
    }
    assert Told.of("") == Told(of_nobody=True)
