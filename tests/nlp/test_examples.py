"""The example sentences of keywords.toml are tests of its phrases."""

import pytest
from tuned import tuned

from config.schema import Config
from nlp.components.keywords import spoken
from nlp.examples import failures
from nlp.pipeline import Reader, Text


def changed(config: Config, **table: tuple[str, ...]) -> Config:
    return tuned(config, "categories.food", **table)


def test_the_shipped_examples_hold(config: Config) -> None:
    assert [str(failure) for failure in failures(config)] == []


def test_an_example_that_is_not_found(config: Config) -> None:
    (failure,) = failures(changed(config, match=("Where do I park?",)))
    assert failure.path == ("categories", "food", "match", 0)
    assert failure.found == "'Where do I park?', in which no phrase of this table is found"
    assert "add a phrase" in failure.allowed
    assert str(failure).startswith("keywords.toml: categories.food.match: found 'Where do I park?'")


def test_an_example_of_a_sign(config: Config) -> None:
    (failure,) = failures(tuned(config, "signs.legal", match=(), no_match=("I will call my lawyer",)))
    assert (failure.path, failure.words) == (("signs", "legal", "no_match", 0), ("lawyer",))


def test_a_grave_sign_speaks_for_what_is_serious(config: Config) -> None:
    assert list(failures(tuned(config, "urgency.serious", match=("I have called my attorney",)))) == []


def test_an_example_that_must_not_be_found(config: Config) -> None:
    (failure,) = failures(changed(config, no_match=("The soup is fine",)))
    assert failure.words == ("soup",)
    assert failure.found == "'The soup is fine', in which 'soup' is found"
    assert "make the phrase narrower" in failure.allowed


def test_a_phrase_of_one_site_is_found_where_the_sentence_names_it(config: Config) -> None:
    phrases = ('food site:"Harbor Campus"',)
    here, elsewhere = "the food at Brigid Harbor is cold", "the food is cold"
    assert list(failures(changed(config, phrases=phrases, match=(here,), no_match=(elsewhere,)))) == []


def test_a_figure_of_speech_is_not_found(config: Config) -> None:
    assert list(failures(tuned(config, "urgency.danger", no_match=("I want to die, this parking is a joke",)))) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "chest pain down his arm. told triage twice",  # danger by two signs together, no phrase
        "I don't want to call a lawyer",
        "nobody comes, my dad is on the floor at Brigid Harbor",
        "mi mamá no puede respirar",
        "if nobody calls me I will sue",
        "our softball league meets at St. Brigid's",
    ],
)
def test_the_verdict_is_the_readers_own(config: Config, rules: Reader, sentence: str) -> None:
    doc = rules.doc(Text(sentence, about_us=True))
    tables = {
        "urgency.danger": "urgency:danger",
        "urgency.serious": "urgency:serious",
        "signs.legal": "sign:legal",
        "categories.access": "category:access",
    }
    for table in tables:
        config = tuned(config, table, match=(), no_match=(sentence,))
    found = list(failures(config))
    for table, label in tables.items():
        words = [span.text for span in spoken(doc, label) if span._.meant in ("now", "past")]
        assert [word for one in found if one.path[:2] == tuple(table.split(".")) for word in one.words] == words
    assert {one.path[:2] for one in found} <= {tuple(table.split(".")) for table in tables}
