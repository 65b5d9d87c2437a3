"""Why posts were missed, as people read it, and what would have made them cards."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.missed import Missed, missed_posts, name_like_ours, reasons, together
from alerts.suggestion import HOSPITAL, KEYWORDS, Change
from config.schema import Config
from listener.errors import NeedsPerson
from nlp.phrases import check
from nlp.pipeline import Reader


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("waited 6h at St Bridgets again", "St Bridgets"),
        ("Saint Bridget Hospital lost my dad's chart", "Saint Bridget"),
        ("St. Brigit's is full", "St. Brigit's"),
        ("at #StBridgetsER for hours", "StBridgetsER"),
        ("Brigid Medical is a joke", "Brigid Medical"),
        ("SBCM ER waiting room", "SBCM"),
        ("the MyBridgid portal is down", "MyBridgid"),
        ("Saint Vincent Hospital is a joke", None),  # shares only what every hospital has
        ("Port Alder hospital ER wait", None),
        ("crossing the bridge was slow", None),
        ("my friend Brigid came to the hospital", None),  # a person
        ("[name] Hospital", None),
        ("@stbridgets hospital", None),  # an account is no name
        ("Harbor Campus", None),
        ("", None),
    ],
)
def test_the_name_that_a_post_uses(config: Config, text: str, name: str | None) -> None:
    assert name_like_ours(text, config.hospital) == name


@given(st.text(max_size=80))
def test_whatever_strangers_write_has_a_name_that_it_holds(config: Config, text: str) -> None:
    name = name_like_ours(f"St. {text}", config.hospital)
    assert name is None or name.split()[0] in f"St. {text}"


def why(
    config: Config, rules: Reader, text: str, category: str | None = None, urgency: str | None = None
) -> tuple[str, list[Change]]:
    (found,) = reasons([Missed(1, text, category, urgency)], config, rules)
    return found.why, [one.change for one in found.suggestions]


ALIAS = Change(HOSPITAL, ("aliases",), "add", "St Bridgets")


@pytest.mark.parametrize(
    ("text", "said", "changes"),
    [
        ("my dad waited nine hours at St Bridgets", 'it calls us "St Bridgets", which is none of the names in hospital.toml', [ALIAS]),
        ("the nuns of Cork are nice", "it does not name us, and no words in it are near to one of our names", []),
        ("St. Brigid's School made me wait", "it names \"St. Brigid's School\", which not_us in hospital.toml says is somebody else", []),
        ("my fish fry at St. Brigid's was late", 'it names us, but "fish fry" under [exclude] speaks against it', [Change(KEYWORDS, ("exclude", "phrases"), "take out", "fish fry")]),
        ("RSVP: dinner at St. Brigid's", 'it names us, but "rsvp" under [voices.promo] speaks against it', [Change(KEYWORDS, ("voices", "promo", "phrases"), "take out", "rsvp")]),
        ("RSVP and donate at St. Brigid's", 'it names us, but "donate", "rsvp" under [voices.promo] speaks against it', []),
        ("drove past St. Brigid's", "it names us, but it is taken for somebody's who was not with us: speaks of us as a figure", []),
        ("my bill at St. Brigid's is wrong, terrible", "today it would be a card in #billing-social: if it was public, look at where we listen (listening.toml)", []),
        ("i love the kind nurses at St. Brigid's", "today it goes into a digest, by rule 'praise to kind words': praise, low (care.toml)", []),
    ],
)  # fmt: skip
def test_why(config: Config, rules: Reader, text: str, said: str, changes: list[Change]) -> None:
    assert why(config, rules, text) == (said, changes)


def test_a_topic_that_it_was_not_read_as(config: Config, rules: Reader) -> None:
    said, changes = why(config, rules, "the gluten tray at St. Brigid's was cold, terrible", "privacy")
    assert said == 'it was not read as "Privacy"'
    assert Change(KEYWORDS, ("categories", "privacy", "phrases"), "add", "gluten tray") in changes
    assert why(config, rules, "the gluten tray at St. Brigid's was cold, terrible", "food")[1] == []


def test_an_urgency_that_it_was_not_read_as(config: Config, rules: Reader) -> None:
    text = "her insulin pump beeps, terrible, St. Brigid's"
    said, changes = why(config, rules, text, urgency="danger")
    assert said == "it was read as routine, not as danger"
    assert changes[0] == Change(KEYWORDS, ("urgency", "danger", "phrases"), "add", "insulin pump beeps")
    assert why(config, rules, "i love St. Brigid's", urgency="routine") == ("it was read as low, not as routine", [])
    said, changes = why(config, rules, "my dad is not breathing at St. Brigid's", urgency="routine")
    assert "card" in said, "nothing makes a post less urgent"
    assert changes == []


def test_once_it_is_named_its_urgency_may_be_missed_too(config: Config, rules: Reader) -> None:
    _, changes = why(config, rules, "her insulin pump beeps at St Bridgets, terrible", urgency="danger")
    assert changes[0] == ALIAS
    assert {change.level for change in changes[1:]} == {"danger"}


def test_what_is_shown_and_suggested_names_nobody(config: Config, rules: Reader) -> None:
    text = "nurse Maria Gonzalez lost my chart 555-0100 at St Bridgets"
    (found,) = reasons([Missed(1, text, "privacy")], config, rules)
    assert "Gonzalez" not in found.shown
    assert not any("gonzalez" in one.change.phrase.casefold() for one in found.suggestions)
    for one in found.suggestions:
        if one.change.file == KEYWORDS:
            check(one.change.phrase)


def test_posts_that_say_the_same_speak_together(config: Config, rules: Reader) -> None:
    posts = [Missed(1, "my wait at St Bridgets"), Missed(4, "St Bridgets lost my chart")]
    (one,) = together(reasons(posts, config, rules))
    assert (one.change, one.missed, one.stories) == (ALIAS, (1, 4), 2)
    assert one.why == "the missed posts in lines 1, 4 say it"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain words", Missed(1, "plain words")),
        ("  with blanks\n", Missed(1, "with blanks")),
        ("[sic] no JSON", Missed(1, "[sic] no JSON")),
        ('{"text": "a", "category": "billing"}', Missed(1, "a", "billing")),
        ('{"text": "a", "urgency": "danger", "more": 1}', Missed(1, "a", None, "danger")),
    ],
)
def test_a_line_of_the_file(config: Config, line: str, expected: Missed) -> None:
    assert missed_posts([line], config) == [expected]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["ok", "{"], "line 2: not JSON"),
        (['{"txt": "a"}'], 'line 1: no "text"'),
        (['{"text": 3}'], 'line 1: no "text"'),
        (['{"text": "a", "category": "biling"}'], "category 'biling' is none of access,"),
        (['{"text": "a", "urgency": ["x"]}'], "urgency"),
        (["", " "], "empty"),
        (["[" * 9, json.dumps({"text": "a", "urgency": "grave"})], "line 2: urgency 'grave' is none of danger"),
    ],
)
def test_a_file_that_cannot_be_used(config: Config, lines: list[str], says: str) -> None:
    with pytest.raises(NeedsPerson, match=says):
        missed_posts(lines, config)
