"""Whether a post is about us."""

import pytest

from config.schema import Config
from nlp.components.mentions import Mentions, names_of
from nlp.pipeline import Reader, Text
from nlp.tokenizer import blank


@pytest.mark.parametrize(
    "text",
    ["St. Brigid's ER is slow", "st brigids er is slow", "AT ST. BRIGID'S NOW", "St. Brigid’s was fine", "the Saint Brigid cath lab", "#StBrigids again", "@StBrigidCares hello", "mybrigid is down", "SBMC's billing", "the Saint Brigid Hospital’s garage", "Brigid Lakeside's NICU"],
)  # fmt: skip
def test_names_us(reader: Reader, text: str) -> None:
    assert next(reader.read([Text(text)]))["mentions_us"]


@pytest.mark.parametrize(
    "text",
    ["Mass at St. Brigid's Church at 7", "St. Brigid's GAA won", "St. Brigid's Hospital Dublin has a list", "saint brigids academy sale", "the Saint Brigid's Academy's gym", "the hospital is slow", "Brigid is my aunt"],
)  # fmt: skip
def test_names_somebody_else(reader: Reader, text: str) -> None:
    said = next(reader.read([Text(text)]))
    assert not said["mentions_us"]
    assert said["urgency"] == "none"


def test_says_where(reader: Reader) -> None:
    said = next(reader.read([Text("the NICU at Brigid Lakeside was kind to my son")]))
    assert said["site"] == "Lakeside Pavilion"
    assert said["departments"] == ["Neonatal"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Care NEAR You Clinic", "the care near you clinic is slow"),
        ('The "Old" Infirmary', 'the "old" infirmary is slow'),
        ("Hope NOT Hate House", "Hope not hate house is slow"),
        ("site:Hope lang:en", "at site:hope lang:en today"),
        ("Brigid~Care*", "at brigid~care today"),
        ("Hope (West)", "at hope (west) today"),
        ("Mercy | West", "at mercy west today"),
    ],
)
def test_no_sign_of_a_name_means_anything(config: Config, name: str, text: str) -> None:
    pipeline = blank()
    hospital = config.hospital.model_copy(update={"aliases": (name,)})
    doc = Mentions(pipeline, "mentions", **names_of(hospital))(pipeline.make_doc(text))
    assert doc._.mentions_us
    assert not Mentions(pipeline, "mentions", **names_of(hospital))(pipeline.make_doc("it is slow"))._.mentions_us
