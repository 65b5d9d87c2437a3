"""The trained look: what it thinks of a reply, where, and that letters and what surrounds a sentence change little."""

import pytest

from alerts.privacy.learned import RULES, opinion
from alerts.privacy.vocabulary import words_of


@pytest.mark.parametrize(
    ("reply", "rule", "words"),
    [
        ("We are so glad that the operation went well for you last week.", "confirms", "operation went well"),
        ("Please send us a direct message with your full name and date of birth.", "asks", "your full name"),
        ("We made a mistake and we are truly sorry for what our team did.", "admits", "our team did"),
        ("We will refund the whole amount by Friday.", "promises", "refund"),
        ("Nos alegra que su cirugía saliera bien.", "confirms", "cirugía"),
    ],
)
def test_what_is_wrong_and_where(reply: str, rule: str, words: str) -> None:
    said = opinion(reply, words_of(reply))
    assert said.likely > 0.5
    assert said.rule == rule
    assert words in reply[said.start : said.end]


@pytest.mark.parametrize(
    "reply",
    [
        "Thank you for telling us. We take concerns like this seriously; please call 555-0100.",
        "The emergency entrance on Harbor Road is open day and night.",
        "Gracias por escribirnos. Puede llamar al 555-0100 a cualquier hora.",
    ],
)
def test_what_may_be_said(reply: str) -> None:
    assert opinion(reply, words_of(reply)).likely < 0.1


@pytest.mark.parametrize(
    "reply",
    ["Y0ur surg3ry w3nt w3ll, and we are gl4d", "Y O U R  S U R G E R Y went well, and we are glad"],
)
def test_a_disguise_is_looked_through(reply: str) -> None:
    said = opinion(reply, words_of(reply))
    assert said.likely > 0.5
    assert said.rule in RULES


@pytest.mark.parametrize("reply", ["", " ", "988", "👍", "@someone"])
def test_nothing_to_think_about(reply: str) -> None:
    assert 0 <= opinion(reply, words_of(reply)).likely <= 1
