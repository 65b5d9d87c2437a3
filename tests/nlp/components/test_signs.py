"""What asks for steps of its own: a lawyer, a regulator, a reporter. Said, meant, and by somebody whose post counts."""

import pytest

from config.schema import Config, Sign
from nlp.pipeline import Reader, Text, version

LEGAL = (
    "You will hear from my lawyer about this",
    "I am suing this hospital for what you did to my mother",
    "If nobody calls me back by Friday I will sue you",
    "If you don't fix this bill I'll sue you",
    "See you in court, the care was terrible",
    "I filed a complaint with the Joint Commission",
    "This is malpractice and the medical board will hear about it",
    "reported the nurse to the board of nursing, she was cruel",
    "The state inspector has the photo of my dad's bedsore",
    "our attorney asked three times for my mother's records, you keep losing them",
    "voy a poner una demanda, perdieron los estudios de mi mamá",
    "ya hablé con un abogado por la cuenta",
)
PRESS = (
    "Channel 5 is coming to hear about this awful place",
    "I am going to the news with the pictures of that bathroom",
    "I talked to a reporter at the Ledger about my bill from your ER",
    "telling the local news my story, you left my dad in the hallway",
    "hablé con una periodista de lo que le hicieron a mi papá en su hospital",
)
NEITHER = (
    "I am not suing anybody, I just want an answer about my bill",
    "I don't want to call a lawyer, please just call me back",
    "Nurse Sue was rude to my mother in the ER",
    "I pressed the call button and nobody came for an hour",
    "no news from the surgeon yet, third hour in your waiting room",
    "The billing office charged me twice and hung up on me",
    "parking was a nightmare",
    "four hours in the ER and the food was cold",
    "no quiero abogados, quiero mis resultados",
)
ASKS = "Hi, I'm a reporter with KXAN working on a story about St. Brigid's ER waits, can you DM me?"


def signs(reader: Reader, text: str, *, about_us: bool = True, own: bool = False) -> list[str]:
    return list(next(reader.read([Text(text, about_us, own)]))["signs"])


def changed(config: Config, **tables: Sign) -> Config:
    """Phrases alone, with these tables of [signs] beside those that ship."""
    rules = config.keywords.reader.model_copy(update={"model": False})
    update = {"reader": rules, "signs": {**config.keywords.signs, **tables}}
    return config.model_copy(update={"keywords": config.keywords.model_copy(update=update)})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *((text, ["legal"]) for text in LEGAL),
        *((text, ["press"]) for text in PRESS),
        *((text, []) for text in NEITHER),
        ("Channel 5 and my lawyer will hear of this place, you were horrible to my wife", ["press", "legal"]),
    ],
)
def test_what_is_said(rules: Reader, reader: Reader, text: str, found: list[str]) -> None:
    assert signs(rules, text) == found
    assert signs(reader, text) == found


@pytest.mark.parametrize("text", [*LEGAL, *PRESS])
def test_such_a_post_is_serious(rules: Reader, text: str) -> None:
    assert next(rules.read([Text(text, about_us=True)]))["urgency"] == "serious"


def test_a_reporter_who_asks_is_no_patient_and_is_seen(rules: Reader) -> None:
    news = "Channel 5 news: officials say St. Brigid's opens a new wing, read more"
    said = next(rules.read([Text(news)]))
    assert (said["voice"], said["urgency"], said["signs"]) == ("news", "none", ["press"])
    assert signs(rules, ASKS, about_us=False) == ["press"]


def test_a_suit_in_the_news_is_no_patients_lawyer(rules: Reader) -> None:
    said = next(rules.read([Text("Police say a lawsuit against St. Brigid's goes to trial, read more", about_us=True)]))
    assert (said["voice"], said["signs"]) == ("news", [])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("my lawyer will hear of this", {"about_us": False}),
        ("Channel 5 will visit us on Friday, come and say hello", {"own": True}),
        ("I will tell the local news how wonderful you all are, thank you", {}),
    ],
)
def test_whose_posts_never_count(reader: Reader, text: str, where: dict[str, bool]) -> None:
    assert signs(reader, text, **where) == []


def test_signs_of_ones_own(config: Config) -> None:
    strike = Sign(phrases=("nurses ... strike",))
    reader = Reader(changed(config, strike=strike))
    said = next(reader.read([Text("My son's visit was moved because the nurses go on strike", about_us=True)]))
    assert said["signs"] == ["strike"]
    assert said["urgency"] != "serious", "not unless its table says so"
    serious = Reader(changed(config, strike=strike.model_copy(update={"serious": True})))
    said = next(serious.read([Text("My son's visit was moved because the nurses go on strike", about_us=True)]))
    assert said["urgency"] == "serious"


def test_the_version_changes_with_whose_posts_count(config: Config) -> None:
    legal = config.keywords.signs["legal"]
    wider = changed(config, legal=legal.model_copy(update={"voices": ("patient", "news")}))
    assert version(wider, "a") != version(changed(config), "a")


def test_words_that_are_two_things_are_meant_each_in_its_own_way(config: Config) -> None:
    """A sign is never past; danger is, though the words are the same."""
    reader = Reader(changed(config, fall=Sign(phrases=("collapsed",))))
    said = next(reader.read([Text("two years ago my dad collapsed in your lobby, nobody apologized", about_us=True)]))
    assert said["urgency"] == "serious"
    assert said["signs"] == ["fall"]
