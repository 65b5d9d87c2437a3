"""Which spans the phrases of keywords.toml leave on a post, and on which posts they are looked for."""

import pytest

from config.schema import Config
from nlp.components.keywords import phrases_of, sites_known, spoken
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


@pytest.fixture(scope="module")
def narrow(config: Config) -> Reader:
    """A reader by phrases alone, with some that look at more than words."""
    written = {
        "category:food": ["soup site:harbor", "tea NOT coffee", "sopa lang:es"],
        "urgency:danger": ["collapsed site:lakeside"],
    }
    food = config.keywords.categories["food"].model_copy(update={"phrases": tuple(written["category:food"])})
    danger = config.keywords.urgency.danger.model_copy(update={"phrases": tuple(written["urgency:danger"])})
    update = {
        "categories": {"food": food},
        "urgency": config.keywords.urgency.model_copy(update={"danger": danger}),
        "reader": config.keywords.reader.model_copy(update={"model": False}),
    }
    sites = tuple(
        site.model_copy(update={"aliases": (*site.aliases, site.name.split()[0])}) for site in config.hospital.sites
    )
    hospital = config.hospital.model_copy(update={"sites": sites})
    changed = config.model_copy(update={"hospital": hospital, "keywords": config.keywords.model_copy(update=update)})
    return Reader(changed)


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("The soup at Brigid Harbor was cold", None, ["soup"]),
        ("The soup at Brigid Lakeside was cold", None, []),
        ("The soup at St. Brigid's was cold", None, []),
        ("The soup was cold", "Emergency", ["soup"]),
        ("The soup was cold", "Neonatal", []),
        ("The soup was cold", "Harbor Campus", ["soup"]),
        ("the tea was cold", None, ["tea"]),
        ("the tea was cold. So was the coffee", None, []),
        ("la sopa estaba fría y nadie viene por favor", None, ["sopa"]),
        ("they call it sopa and it was very cold for me", None, []),
        ("he collapsed at Brigid Lakeside", None, ["collapsed"]),
        ("he collapsed at Brigid Harbor", None, []),
    ],
)
def test_a_phrase_looks_at_the_post_too(narrow: Reader, text: str, place: str | None, found: list[str]) -> None:
    doc = narrow.doc(Text(text, about_us=True, place=place))
    labels = ("category:food", "urgency:danger")
    assert [span.text for span in doc.spans["keywords"] if span.label_ in labels] == found


def test_what_tells_the_site_of_a_post(config: Config) -> None:
    first, second = config.hospital.sites
    both = (first, second.model_copy(update={"departments": (*second.departments, first.departments[0])}))
    known = sites_known(config.hospital.model_copy(update={"sites": both}))
    assert known["sites"]["harbor campus"] == known["sites"]["brigids harbor"] == "Harbor Campus"
    assert known["places"]["Lakeside Pavilion"] == known["places"]["Neonatal"] == "Lakeside Pavilion"
    shared = first.departments[0]
    assert shared not in known["places"], "it is not known which of the two is meant"
    assert known["places"][f"{shared} (Harbor Campus)"] == "Harbor Campus"
