"""What a public reply must not say, on replies that were written for it.

Those in alerts/privacy/labelled/ were there while rules were written and the trained look learned. Those in
tests/alerts/replies/ were written and labelled without a look at either, and nothing was mended by them: examiner and
inspector are a balanced set each of what teams would type, officer tries the check as a compliance officer would.
"""

import random
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import deep_after
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.privacy.check import Objection, check
from alerts.privacy.labelled import Labelled, labelled
from config.schema import Config

HELD_BACK = Path(__file__).parents[1] / "replies"
CONTACT = ("Patient Relations at 555-0100 or relations@stbrigid.example",)
KNOWN = labelled()
TRIED = KNOWN[::8]
LEARNED_PASS, LEARNED_REFUSED = 0.01, 0.03
RULE_TOLD = 0.85
LETTERS_PASS, LETTERS_REFUSED = 0.02, 0.05
BEHIND_GOOD = 0.03
MEASURED = [("examiner", 1, 4), ("officer", 2, 8), ("inspector", 1, 4)]
LAWFUL = [row.reply for row in KNOWN if row.ok]
UNLAWFUL = [row.reply for row in KNOWN if not row.ok and row.post is None]


def verdicts(config: Config, rows: Sequence[Labelled]) -> dict[str, list[Objection]]:
    """What the check has against each of them."""
    return {row.id: check(row.reply, config.hospital, row.post, CONTACT) for row in rows}


@pytest.fixture(scope="module")
def found(config: Config) -> dict[str, list[Objection]]:
    """What the check has against one in eight of what it knows."""
    return verdicts(config, TRIED)


def test_what_was_learned_is_known(found: dict[str, list[Objection]]) -> None:
    passed = [row.reply for row in TRIED if not row.ok and not found[row.id]]
    refused = [row.reply for row in TRIED if row.ok and found[row.id]]
    assert len(passed) <= sum(not row.ok for row in TRIED) * LEARNED_PASS, passed
    assert len(refused) <= sum(row.ok for row in TRIED) * LEARNED_REFUSED, refused


@pytest.mark.parametrize(("name", "passed_at_most", "refused_at_most"), MEASURED)
def test_replies_that_nobody_looked_at(name: str, passed_at_most: int, refused_at_most: int, config: Config) -> None:
    rows = [row for row in labelled(HELD_BACK) if row.id.startswith(name)]
    found = verdicts(config, rows)
    assert sum(row.ok for row in rows) == sum(not row.ok for row in rows) == 150
    assert sum(not row.ok and not found[row.id] for row in rows) <= passed_at_most
    assert sum(row.ok and bool(found[row.id]) for row in rows) <= refused_at_most


def test_the_rule_is_told_where_the_label_names_one(found: dict[str, list[Objection]]) -> None:
    named = [row for row in TRIED if row.rule is not None and found[row.id]]
    assert len(named) > 250
    right = sum(row.rule in {one.rule for one in found[row.id]} for row in named)
    assert right >= len(named) * RULE_TOLD


def test_the_labelled_replies_say_each_thing_once() -> None:
    rows = [*KNOWN, *labelled(HELD_BACK)]
    assert len({row.id for row in rows}) == len(rows)
    assert len({(row.reply, row.post) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("reply", "words", "rule"),
    [
        ("Sorry about your recent stay with us", "your recent stay", "confirms"),
        ("Hi Cathy, thank you", "Hi Cathy", "name"),
        ("Our records show otherwise", "Our records", "confirms"),
        ("The nurse involved has been spoken to", "The nurse", "our_side"),
        ("Please send us your date of birth", "date of birth", "asks"),
        ("This will never happen again", "never happen again", "promises"),
        ("It was our fault", "fault", "admits"),
        ("That's not true", "not true", "argues"),
        ("Take ibuprofen and rest", "Take ibuprofen", "advises"),
        ("A broken arm hurts", "arm", "detail"),
        ("Es tut uns leid, dass es so lange gedauert hat", "Es tut uns leid", "unread"),
    ],
)
def test_the_words_the_rule_and_the_mend(reply: str, words: str, rule: str, config: Config) -> None:
    found = check(reply, config.hospital)
    (one, *_) = [one for one in found if one.rule == rule and words in one.words]
    assert reply[one.start : one.end] == one.words
    assert one.why
    assert one.instead
    assert [other.start for other in found] == sorted(other.start for other in found)


@pytest.mark.parametrize(
    ("reply", "instead"),
    [
        ("We cannot discuss your care here", "anyone's care"),
        ("Thank you for bearing the wait", "Long waits are hard for anyone."),
        ("We apologize for everything", "We are sorry to hear this."),
        ("We apologize for our mistake that night", "We are sorry to hear this."),
        ("No podemos hablar de su atención", "la atención de nadie"),
    ],
)
def test_the_mend_fits_the_words(reply: str, instead: str, config: Config) -> None:
    assert instead in {one.instead for one in check(reply, config.hospital)}


@pytest.mark.parametrize(
    ("reply", "post", "rule"),
    [
        ("Nobody should wait six hours", "waited 6 hours", "detail"),
        ("Nobody should sleep in a hallway", "left in the hallway", "detail"),
        ("We take concerns like this seriously", "left in the hallway", None),
        ("Our Emergency Department is open 24 hours a day", "is the ER open tonight?", None),
        ("We are sorry to hear this about our ER", "the emergency room was awful", "detail"),
        ("Nobody should wait like that in our emergency department", "waited in the ER", "detail"),
        ("Waiting is hard for anyone, and we keep working on it", "I waited and waited", None),
        ('"Take a number" is not how we greet people', "she said take a number", "detail"),
        ("Please call 555-0199", "my number is 555-0199", "detail"),
        ("The garage elevator is out of order today", "the garage elevator is broken again", None),
        ("Please call 555-0100 about the pancakes", "they gave him pancakes", "detail"),
    ],
)
def test_a_detail_of_the_post_is_not_repeated(reply: str, post: str, rule: str | None, config: Config) -> None:
    assert {one.rule for one in check(reply, config.hospital, post)} == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("reply", "ok"),
    [
        ("@someone Thank you for your message", True),
        ("Thank you @someone for your message", False),
        ("Thank you for your message, from all of us at @StBrigidCares", True),
        ("Thank you for writing to St. Brigid's in Port Alder", True),
        ("", True),
        ("988", True),
    ],
)
def test_who_may_be_named(reply: str, ok: bool, config: Config) -> None:
    assert (check(reply, config.hospital) == []) == ok


def test_names_in_our_own_contact_are_nobodys(config: Config) -> None:
    reply = "Thank you for your message. Please reach Julie Care Line at 555-0100."
    assert check(reply, config.hospital)
    assert check(reply, config.hospital, None, ["Julie Care Line at 555-0100"]) == []


@pytest.mark.parametrize(
    "reply",
    [
        "Sorry about your v1sit",
        "Sorry about y o u r  v i s i t",
        "Sorry about your vist",
        "Sorry about your appointmnet",
        "Sorry about yоur visit",
        "Sorry about ｙｏｕｒ ｓｔａｙ",
        "Sorry about your sur\u200bgery",
        "Sorry about YOUR&nbsp;STAY",
        "Sorry about your vis&#105;t",
        "Sorry about your\nvisit",
        "Sorry about your 🙏 surgery",
        "Sorry about your v-i-s-i-t",
        "Sorry about y.o.u.r v.i.s.i.t",
        "Sorry about your vi sit",
        "Sorry about yourvisit",
        "Sorry about your 🇻🇮🇸🇮🇹",
        "We’re glad you’re feeling better",
        "\u202eSorry about your stay",
        "ur surgery",
        "That's y0ur b1ll",
    ],
)
def test_disguises_do_not_help(reply: str, config: Config) -> None:
    rules = {one.rule for one in check(reply, config.hospital)}
    assert "confirms" in rules


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(str.upper, id="capitals"),
        pytest.param(str.lower, id="small", marks=pytest.mark.deep),
        pytest.param(str.title, id="titles", marks=pytest.mark.deep),
        pytest.param(wide, id="wide", marks=pytest.mark.deep),
        pytest.param("\u200b".join, id="zero width", marks=pytest.mark.deep),
        pytest.param(lambda text: unicodedata.normalize("NFD", text), id="accents apart", marks=pytest.mark.deep),
    ],
)
def test_letters_change_few_verdicts(change: Any, found: dict[str, list[Objection]], config: Config) -> None:
    rows = KNOWN[::16]
    refused = [row for row in rows if found[row.id]]
    passed = [row for row in rows if not found[row.id]]
    let_through, stopped = (
        [
            row.reply
            for row in some
            if bool(check(change(row.reply), config.hospital, row.post, CONTACT)) != bool(found[row.id])
        ]
        for some in (refused, passed)
    )
    assert len(let_through) <= len(refused) * LETTERS_PASS, let_through
    assert len(stopped) <= len(passed) * LETTERS_REFUSED, stopped


@given(st.text(max_size=300), st.text(max_size=100) | st.none())
@settings(max_examples=150)
def test_never_raises(config: Config, reply: str, post: str | None) -> None:
    for one in check(reply, config.hospital, post, CONTACT):
        assert reply[one.start : one.end] == one.words


def test_a_good_beginning_excuses_little(config: Config) -> None:
    chance = random.Random(5)
    letters = []
    for good, bad in zip(chance.sample(LAWFUL, 300), chance.sample(UNLAWFUL, 300), strict=True):
        end = "" if good.rstrip()[-1] in ".!?" else "."
        letters.append(f"{good}{end} {bad}")
    passed = [letter for letter in letters if not check(letter, config.hospital, None, CONTACT)]
    assert len(passed) <= len(letters) * BEHIND_GOOD, passed


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=150)
def test_what_is_not_seen_changes_nothing(config: Config, number: int, data: st.DataObject) -> None:
    bad = UNLAWFUL[number % len(UNLAWFUL)]
    at = data.draw(st.integers(0, len(bad)))
    unseen = data.draw(
        st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\ufe0f"])
    )
    if check(bad, config.hospital, None, CONTACT):
        assert check(bad[:at] + unseen + bad[at:], config.hospital, None, CONTACT)


@pytest.mark.parametrize(
    "unit",
    deep_after(
        4,
        [
            *(
                "1-",
                "if you ",
                '"a b" ',
                "mother ",
                "1 ",
                "555-0100 ",
                "911 ",
                "visit ",
                "Emergency ",
                "very ",
                "will ",
            ),
            *("was ", "your very ", "!", "(", "a.", "@a ", "dr. ", "abcdefghij"),
        ],
    ),
)
def test_work_grows_with_the_length_and_not_with_its_square(unit: str, config: Config) -> None:
    """Calls are counted, which no busy machine makes more: 10,000 characters of "1-" took fifteen seconds."""
    steps = []
    for length in (600, 600, 4800):  # the first fills what is remembered of words
        calls = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            check(unit * (length // len(unit)), config.hospital, unit * 50)
        finally:
            sys.setprofile(None)
        steps.append(calls)
    assert steps[2] < steps[1] * 12, steps
