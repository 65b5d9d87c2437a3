"""What is said of a phrase."""

import pytest
from conftest import PROJECT

from config.schema import Config
from nlp.phrase_language import parse
from nlp.phrase_shown import explained, standing, ways


@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("waiting room", "Finds “waiting room”."),
        ("mom|dad fell down", "Finds one of mom, dad then directly “fell down”."),
        ("nobody ... came", "Finds “nobody”, then after up to 5 other words “came”."),
        ("wait~", "Finds one of wait, waited, waiting, waits."),
        ("pay~|bill*|\"ER visit\"", "Finds one of pay, paid, paying, pays, or any word that begins with “bill”, or “ER visit” written exactly so."),
        (
            '"ER" NEAR/8 wait*',
            "Finds “ER” written exactly so, and within 8 words before or after, in the same sentence, any word that begins with “wait”.",
        ),
        ("a1 NEAR/1 b1", "Finds “a1”, and within 1 word before or after, in the same sentence, “b1”."),
        ("portal NOT school NOT nether ... plugin", "Finds “portal”; not in posts that also hold “school” or “nether”, then after up to 5 other words “plugin”."),
        ("portal lang:es", "Finds “portal”; only in posts in Spanish."),
        ("portal lang:xh", "Finds “portal”; only in posts in the language 'xh'."),
        ('portal site:"BRIGID harbor"', "Finds “portal”; only in posts about Harbor Campus: they name it, or their author chose it."),
    ],
)  # fmt: skip
def test_in_plain_words(config: Config, phrase: str, said: str) -> None:
    assert explained(parse(phrase), config) == said


@pytest.mark.parametrize(
    ("phrase", "forms"),
    [
        ("portal", [[]]),
        ("front desk", [["front desk", "front-desk"]]),
        ("wait~ NEAR mom|dad NOT x", [["wait", "waited", "waiting", "waits"], ["dad", "mom"]]),
        ("wait*", [[]]),
        ("a|b|c|d|e|f|g a|b|c|d|e|f|g", [[]]),
    ],
)
def test_every_way_to_say_it(phrase: str, forms: list[list[str]]) -> None:
    assert ways(parse(phrase)) == forms


def test_where_it_stands_already(config: Config) -> None:
    texts = {
        name: (PROJECT / "config" / name).read_text(encoding="utf-8") for name in ("keywords.toml", "hospital.toml")
    }

    def where(phrase: str) -> list[tuple[str, str, bool]]:
        found = standing(phrase, config, texts)
        for one in found:
            line = texts[one.file].splitlines()[one.line - 1]
            assert one.phrase in line, "the line is the right one"
        return [(one.table, one.phrase, one.is_same) for one in found]

    assert where("fish fry") == [("exclude.phrases", "fish fry", True)]
    assert where("the fish fry NOT free") == [("exclude.phrases", "fish fry", False)]
    assert where("St. Brigid's Church choir") == [
        ("aliases", "St. Brigid's", False),
        ("not_us", "St. Brigid's Church", False),
    ]
    assert ("sites.1.aliases", "Brigid Lakeside", True) in where("brigid lakeside")
    assert where("no such words anywhere") == []
