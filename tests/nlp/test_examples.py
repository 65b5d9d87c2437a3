"""The example sentences of keywords.toml are tests of its phrases."""

from config.schema import Config, Phrases
from nlp.examples import failures


def changed(config: Config, **table: tuple[str, ...]) -> Config:
    food = config.keywords.categories["food"].model_copy(update=table)
    categories = {**config.keywords.categories, "food": food}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def test_the_shipped_examples_hold(config: Config) -> None:
    assert [str(failure) for failure in failures(config)] == []


def test_an_example_that_is_not_found(config: Config) -> None:
    (failure,) = failures(changed(config, match=("Where do I park?",)))
    assert str(failure).startswith("keywords.toml: categories.food.match: no phrase finds 'Where do I park?'")


def test_an_example_of_a_sign(config: Config) -> None:
    legal = config.keywords.signs["legal"].model_copy(update={"match": (), "no_match": ("I will call my lawyer",)})
    keywords = config.keywords.model_copy(update={"signs": {"legal": legal}})
    (failure,) = failures(config.model_copy(update={"keywords": keywords}))
    assert str(failure).startswith("keywords.toml: signs.legal.no_match: 'I will call my lawyer' is found by 'lawyer'")


def test_an_example_that_must_not_be_found(config: Config) -> None:
    (failure,) = failures(changed(config, no_match=("The soup is fine",)))
    assert failure.found == ("soup",)
    assert "is found by 'soup'" in str(failure)


def test_a_figure_of_speech_is_not_found(config: Config) -> None:
    danger = config.keywords.urgency.danger
    mild = Phrases(phrases=danger.phrases, no_match=("I want to die, this parking is a joke",))
    urgency = config.keywords.urgency.model_copy(update={"danger": mild})
    keywords = config.keywords.model_copy(update={"urgency": urgency})
    assert list(failures(config.model_copy(update={"keywords": keywords}))) == []
