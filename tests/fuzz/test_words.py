"""Texts of strangers and of our own people: read in time, the same twice, and no noise hides a danger."""

import json
import random
from typing import Any

import pytest
from conftest import NOW
from desk import Desk
from fuzz.odd import NASTY, chances, examples, is_sentence, texts, watched
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from alerts.privacy.check import check
from alerts.search import Filters, search
from config.schema import Config
from listener.errors import CallLightError
from nlp.pipeline import Reader, Text

DANGERS = (
    "my dad collapsed in your waiting room at St. Brigid's and nobody comes",
    "I am going to kill myself tonight, St. Brigid's sent me home",
)
# What a few characters become when somebody repeats them: time must not grow with the square of it.
ENDLESS = (
    *(
        "(",
        "1-",
        "A$",
        "_",
        "@a",
        "a.b@",
        "http://",
        "www.",
        "é",
        "\u0301",
        "💡",
        "\u200d",
        "x1xx1x",
        "1-31 ",
        "a/",
        "\n",
        "' ",
    ),
    *("Dr. ", "my dad ", "not ", "if ", "avenida Ía ", "ER ", "555-0100 ", "I want to die ", "[", "<", "&amp;", "911 "),
)
MADE = st.builds(
    lambda unit, length: unit * (length // len(unit)), st.sampled_from(ENDLESS), st.sampled_from([3000, 12_000])
)
SAME = ("urgency", "voice", "kind", "categories", "redacted_text", "reasons", "mood", "language")


def fields(reader: Reader, text: str, **more: Any) -> dict[str, Any]:
    """What a text says."""
    (said,) = reader.read([Text(text, **more)])
    return said


@examples(60)
@given(texts | MADE, st.booleans())
def test_any_text_is_read_and_the_same_twice(rules: Reader, text: str, about_us: bool) -> None:
    text = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()  # as a Post has it
    with watched():
        said = fields(rules, text, about_us=about_us)
    json.dumps(said, default=str)
    again, _ = rules.read([Text(text, about_us=about_us), Text("waited for hours")])
    assert {name: said[name] for name in SAME} == {name: again[name] for name in SAME}


@examples(60)
@given(
    st.sampled_from(DANGERS),
    st.lists(st.sampled_from([text for text in NASTY if len(text) < 3000]), max_size=3),
    chances,
)
def test_no_noise_around_it_hides_a_danger(rules: Reader, danger: str, noise: list[str], chance: random.Random) -> None:
    """What cannot be read is never taken for harmless either: it goes to people as unread."""
    lines = [*(one.replace("\x00", "\ufffd").encode("utf-8", "replace").decode() for one in noise), danger]
    chance.shuffle(lines)
    said = fields(rules, "\n".join(lines), about_us=True)
    assert said["urgency"] == "danger" or not said["readable"], said["reasons"]


@pytest.mark.slow
@examples(30)
@given(texts | MADE, texts | st.none())
def test_any_reply_is_checked(config: Config, reply: str, post: str | None) -> None:
    with watched():
        found = check(reply[:8000], config.hospital, post, ["Patient Relations at 555-0100"])
    for one in found:
        assert reply[one.start : one.end] == one.words


@examples(60)
@given(texts | MADE | st.text("\"'()*:^{}-+ ANDORNEARwaited", max_size=60))
def test_any_question_is_looked_for(config: Config, session: Session, text: str) -> None:
    if not Desk(session, config).cases():
        Desk(session, config).alert("waited for hours", now=NOW)
    with watched():
        try:
            search(session, config, text, Filters())
        except CallLightError as error:
            is_sentence(error)
