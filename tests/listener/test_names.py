"""The cheap question whether a text may name us: too much rather than too little."""

import pytest

from config.schema import Config
from listener.names import names_us


@pytest.mark.parametrize(
    "text",
    [
        "St. Brigid's Hospital",
        "six hours at ST BRIGIDS",
        "st brigid’s er is a joke",
        "@StBrigidCares hello?",
        "#StBrigidsHospital",
        "Saint-Brigid Medical Center",
        "MyBrigid is down again",
        "urgencias de St. Brigid's, terrible",
        "Brigid's Harbor",
        "st brigid emergency room",
    ],
)
def test_may_name_us(config: Config, text: str) -> None:
    assert names_us(config.hospital)(text)


@pytest.mark.parametrize(
    "text", ["", "Brigid is my aunt", "the hospital in Dover", "SBMCX", "stbrigidscience", "a saint", "🏥" * 50]
)
def test_does_not(config: Config, text: str) -> None:
    assert not names_us(config.hospital)(text)


def test_a_name_with_signs_of_a_pattern(config: Config) -> None:
    odd = config.hospital.model_copy(update={"aliases": ("C.H.U. (Nord)+",)})
    assert names_us(odd)("au C.H.U. (Nord)+ ce soir")
    assert not names_us(odd)("plage nord")


def test_whatever_the_reader_finds_passes_here(config: Config, reader: object) -> None:
    """Posts of the bundled week that the reader takes to be about us by name."""
    from nlp.pipeline import Reader, Text

    assert isinstance(reader, Reader)
    import json
    from pathlib import Path

    import listener.week

    lines = (Path(listener.week.__file__).parent / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    named = [text for text, said in zip(texts, reader.read(map(Text, texts)), strict=True) if said["mentions_us"]]
    assert len(named) > 200
    may = names_us(config.hospital)
    assert [text for text in named if not may(text)] == []
