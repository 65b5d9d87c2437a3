"""Whether a post is about us."""

import pytest

from nlp.pipeline import Reader, Text


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
