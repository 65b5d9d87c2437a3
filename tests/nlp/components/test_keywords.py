"""Which spans the phrases of keywords.toml leave on a post, and on which posts they are looked for."""

import pytest

from config.schema import Config
from nlp.components.keywords import phrases_of, spoken
from nlp.pipeline import Reader, Text


@pytest.mark.parametrize(
    ("text", "about_us", "labels"),
    [
        ("The cafeteria soup was cold", True, {"category:food"}),
        ("The cafeteria soup was cold", False, set()),
        ("He is not breathing", True, {"urgency:danger"}),
        ("Now hiring nurses, apply now", True, {"voice:promo"}),
        ("", True, set()),
    ],
)
def test_what_is_found(rules: Reader, text: str, about_us: bool, labels: set[str]) -> None:
    doc = rules.doc(Text(text, about_us=about_us))  # spans die with their Doc
    found = {span.label_ for span in doc.spans["keywords"]} if "keywords" in doc.spans else set()
    assert labels <= found
    assert bool(labels) == bool(found)


def test_spoken_goes_by_the_beginning_of_the_label(rules: Reader) -> None:
    doc = rules.doc(Text("The soup was cold and the bathroom was filthy", about_us=True))
    assert {span.label_ for span in spoken(doc, "category:")} >= {"category:food", "category:facilities"}
    assert spoken(doc, "urgency:") == []


def test_every_table_has_a_label(config: Config) -> None:
    labels = set(phrases_of(config.keywords))
    assert {f"category:{name}" for name in config.keywords.categories} <= labels
    assert {"urgency:danger", "urgency:here_now", "urgency:serious", "voice:promo", "voice:news", "exclude"} <= labels
    assert {"sign:legal", "sign:press"} <= labels


def test_the_phrases_of_a_serious_sign_are_written_once(config: Config) -> None:
    found = phrases_of(config.keywords)
    assert set(found["sign:legal"]) <= set(found["urgency:serious"])
    assert not set(found["sign:legal"]) & set(config.keywords.urgency.serious.phrases)


def test_one_phrase_ten_thousand_times(rules: Reader) -> None:
    doc = rules.doc(Text("soup " * 10_000, about_us=True))
    assert 0 < len(doc.spans["keywords"]) < 1000
