"""What posts are read with as lines, and posts that hold changed words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Category, Config
from nlp.pipeline import Reader
from nlp.tuning import Seeker, lines, phrases_of

SOUGHT = [
    *("surprise bill*", "can't|cannot ... reach", "valet", "señora de piso", "مستشفى", "co-pay"),
    *("deduct~ twice", '"ER" NEAR/2 lobby', "kiosk NOT school site:Nowhere lang:xh", '"Éclair Café"'),
]
SEEKER = Seeker({phrase: [phrase] for phrase in SOUGHT})


def with_billing(config: Config, **changes: Any) -> Config:
    billing = config.keywords.categories["billing"].model_copy(update=changes)
    categories = {**config.keywords.categories, "billing": billing}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def test_each_value_is_a_line(config: Config) -> None:
    found = lines(config, "r1", "m1")
    assert found == sorted(set(found))
    for line in (
        ("categories", "billing", "phrases", "medicaid"),
        ("urgency", "danger", "phrases", "suicidal|suicidle|sucidal|suicidel"),
        ("signs", "legal", "serious", "True"),
        ("exclude", "phrases", "fish fry"),
        ("hospital", "aliases", "SBMC"),
        ("hospital", "sites", "Lakeside Pavilion"),
        ("hospital", "sites", "Lakeside Pavilion", "departments", "Neonatal"),
        ("hospital", "department_words", "Neonatal", "NICU"),
        ("reader", "rules", "r1"),
        ("reader", "model", "m1"),
    ):
        assert line in found
    assert [line for line in found if line[0] == "reader"] == [("reader", "model", "m1"), ("reader", "rules", "r1")]


@pytest.mark.parametrize(
    ("changes", "differ"),
    [
        ({}, set()),
        ({"owner": "Somebody else"}, set()),
        ({"title": "Money"}, set()),
        ({"match": ("a bill",)}, {"match"}),
        ({"no_match": ("Bill is kind",)}, {"no_match"}),
        ({"phrases": ("bill*",)}, {"phrases"}),
    ],
    ids=str,
)
def test_a_line_differs_where_readings_could(config: Config, changes: dict[str, Any], differ: set[str]) -> None:
    before, after = set(lines(config, "r", None)), set(lines(with_billing(config, **changes), "r", None))
    assert {line[2] for line in before ^ after} == differ


def test_an_example_of_a_voice_is_no_line(config: Config) -> None:
    """It only tests the phrases."""
    promo = config.keywords.voices.promo.model_copy(update={"match": ("Save 50% today",)})
    voices = config.keywords.voices.model_copy(update={"promo": promo})
    changed = config.model_copy(update={"keywords": config.keywords.model_copy(update={"voices": voices})})
    assert lines(changed, "r", None) == lines(config, "r", None)


def test_hours_are_no_line(config: Config) -> None:
    assert not [line for line in lines(config, "r", None) if {"coverage", "timezone", "Bring it up"} & set(line)]


def test_a_name_with_any_sign_stays_whole(config: Config) -> None:
    odd = Category(title="x", owner="y", phrases=("a: b", "🅿️ lot", "مستشفى"))
    categories = {**config.keywords.categories, "odd": odd}
    keywords = config.keywords.model_copy(update={"categories": categories})
    found = lines(config.model_copy(update={"keywords": keywords}), "r", None)
    assert {line[-1] for line in found if line[1] == "odd"} == {"a: b", "🅿️ lot", "مستشفى"}


def test_the_reader_says_what_it_reads_with(config: Config, rules: Reader) -> None:
    assert ("reader", "model", "") in rules.lines
    assert {line for line in rules.lines if line[0] != "reader"} == {
        line for line in lines(config, "r", None) if line[0] != "reader"
    }


@pytest.mark.parametrize(
    ("where", "words", "found"),
    [
        (("categories", "billing", "phrases"), ["surprise bill*", "(", "..."], ["surprise bill*"]),
        (("categories", "billing", "match"), ["a bill"], []),
        (("signs", "legal", "serious"), ["True"], []),
        (("exclude", "phrases"), ["fish fry"], ["fish fry"]),
        (("hospital", "aliases"), ["St. Brigid* | West", " "], ["St. Brigid    West"]),
        (("hospital", "aliases"), ['The "Old', "Care NEAR", "(West)"], ['The "Old', "Care NEAR", "(West)"]),
        (("categories", "billing", "phrases"), ['the "old', "care NEAR"], []),
        (("hospital", "sites", "Lakeside", "departments"), ["Neonatal"], ["Neonatal"]),
        (("hospital", "sites"), ["Lakeside"], []),  # alone it is no words of a post
        (("hospital", "sites", "Lakeside", "aliases"), ["Brigid Lakeside"], ["Brigid Lakeside"]),
        (("hospital", "name"), ["St. Brigid"], ["St. Brigid"]),
        (("hospital", "not_us"), ["St. Brigid's Well"], ["St. Brigid's Well"]),
        (("hospital", "department_words", "Neonatal"), ["NICU"], ["NICU"]),
        (("hospital", "accounts", "x"), ["StBrigidCares"], []),
        (("hospital", "town"), ["Port Alder"], []),
    ],
)
def test_words_that_can_be_looked_for(where: tuple[str, ...], words: list[str], found: list[str]) -> None:
    assert phrases_of(where, words) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A SURPRISE Billing again", {"surprise bill*"}),
        ("surprise, a bill", set()),
        ("i can’t for the life of me reach them", {"can't|cannot ... reach"}),
        ("caaaan't REEEACH", {"can't|cannot ... reach"}),
        ("the valet lost it", {"valet"}),
        ("valets", set()),
        ("val\u200bet", {"valet"}),
        ("la Senora de piso", {"señora de piso"}),
        ("LA SEÑORA de piso", {"señora de piso"}),
        ("مستشفى", {"مستشفى"}),
        ("my copay and co-pay", {"co-pay"}),
        ("they DEDUCTED TWIIIICE", {"deduct~ twice"}),
        ("the lobby, of the ER", {'"ER" NEAR/2 lobby'}),
        ("the lobby of the er", set()),
        ("a kiosk of the school", {"kiosk NOT school site:Nowhere lang:xh"}),  # which posts, it cannot tell
        ("the Éclair Café", {'"Éclair Café"'}),
        ("the E\u0301clair Cafe\u0301", {'"Éclair Café"'}),
        ("the eclair cafe", set()),
        ("", set()),
    ],
)
def test_it_finds_what_the_reader_finds(text: str, found: set[str]) -> None:
    assert SEEKER(text) == found
    assert SEEKER.may_hold(text) or not found


WORDS = (
    "surprise",
    "bill",
    "can't",
    "cannot",
    "reach",
    "valet",
    "señora",
    "co-pay",
    "’",
    "\u0301",
    "\u200b",
    "a",
    "!",
    "É",
    "ER",
    "lobby",
    "deducting",
    "kiosk",
    "school",
    "Éclair Café",
)


@given(st.lists(st.sampled_from(WORDS)))
def test_what_is_left_out_at_a_look_holds_nothing(words: list[str]) -> None:
    for text in ("".join(words), " ".join(words)):
        assert SEEKER.may_hold(text) or not SEEKER(text)


@given(st.text())
def test_any_text(text: str) -> None:
    assert SEEKER.may_hold(text) or not SEEKER(text)


def test_nothing_to_look_for() -> None:
    assert not Seeker({}).may_hold("anything")


def test_no_sign_of_a_name_means_anything() -> None:
    names = phrases_of(("hospital", "aliases"), ["Care NEAR You", 'The "Old" Infirmary', "Wait~ NOT site:Main"])
    seeker = Seeker({name: [name] for name in names})
    for name in names:
        assert seeker.may_hold(f"at {name.lower()} today")
        assert seeker(f"at {name.lower()} today") == {name}
    assert seeker("care for you. wait, old infirmary") == set()
