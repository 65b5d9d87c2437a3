"""What a public reply must not say, on tables of sentences that were written for it.

train.jsonl was there while the rules were written. held_back.jsonl was written in six goes, each without a look at the
rules, tried once, and only then mended. On that first try, of 693 unlawful ones 29 passed (6 of 206, 2 of 137, 8 of 113, 12 of
167, 1 of 70) and of 338 lawful ones 67 were refused (31 of 113, 16 of 60, 10 of 65, 4 of 40, 6 of 60).

The rows s... of train.jsonl are drafts of a stranger: 6 of 200 unlawful ones passed on their first try and 71 of 200 lawful ones
were refused; after mending by half of them, 3 of 103 and 27 of 97 of the other half. The rows n... were written then, batch
after batch, each without a look at the rules.
"""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.privacy import Objection, check
from config.schema import Config

TABLES = Path(__file__).parent / "replies"
CONTACT = ("Patient Relations at 555-0100 or relations@stbrigid.example",)
REFUSED_AT_MOST = 1 / 20  # of the lawful ones


def table(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TABLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


ROWS = [*table("train"), *table("held_back")]
LAWFUL = [row["reply"] for row in ROWS if row["ok"]]
UNLAWFUL = [row["reply"] for row in ROWS if not row["ok"] and "post" not in row]


@pytest.fixture(scope="module")
def found(config: Config) -> dict[str, list[Objection]]:
    """What the check has against each sentence of the tables."""
    return {row["id"]: check(row["reply"], config.hospital, row.get("post"), CONTACT) for row in ROWS}


@pytest.mark.parametrize("name", ["train", "held_back"])
def test_no_unlawful_sentence_passes(name: str, found: dict[str, list[Objection]]) -> None:
    assert [row["reply"] for row in table(name) if not row["ok"] and not found[row["id"]]] == []


@pytest.mark.parametrize("name", ["train", "held_back"])
def test_few_lawful_sentences_are_refused(name: str, found: dict[str, list[Objection]]) -> None:
    lawful = [row for row in table(name) if row["ok"]]
    refused = [row["reply"] for row in lawful if found[row["id"]]]
    assert len(refused) <= len(lawful) * REFUSED_AT_MOST, refused


def test_the_rule_is_told_where_the_table_names_one(found: dict[str, list[Objection]]) -> None:
    named = [row for row in ROWS if "rule" in row]
    assert len(named) > 1000
    assert [row["id"] for row in named if row["rule"] not in {one.rule for one in found[row["id"]]}] == []


def test_the_tables_say_each_thing_once() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({(row["reply"], row.get("post")) for row in ROWS}) == len(ROWS)


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
        ("Nobody should sleep in a hallway", "the parking is too dear", None),
        ("Our Emergency Department is open 24 hours a day", "is the ER open tonight?", None),
        ("We are sorry to hear this about our ER", "the emergency room was awful", "detail"),
        ("Our emergency department staff read this", "waited in the ER", "detail"),
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
    reply = "Please reach Julie Care Line at 555-0100"
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
    [str.upper, str.lower, str.title, wide, "\u200b".join, lambda text: unicodedata.normalize("NFD", text)],
    ids=["capitals", "small", "titles", "wide", "zero width", "accents apart"],
)
def test_letters_do_not_change_the_verdict(change: Any, found: dict[str, list[Objection]], config: Config) -> None:
    changed = [
        row["reply"]
        for row in table("held_back")
        if bool(check(change(row["reply"]), config.hospital, row.get("post"), CONTACT)) != bool(found[row["id"]])
    ]
    assert changed == []


@given(st.text(max_size=300), st.text(max_size=100) | st.none())
@settings(max_examples=150, deadline=None)
def test_never_raises(config: Config, reply: str, post: str | None) -> None:
    for one in check(reply, config.hospital, post, CONTACT):
        assert reply[one.start : one.end] == one.words


@given(st.sampled_from(LAWFUL), st.sampled_from(UNLAWFUL))
@settings(max_examples=150, deadline=None)
def test_a_good_beginning_excuses_nothing(config: Config, good: str, bad: str) -> None:
    end = "" if good.rstrip()[-1] in ".!?" else "."
    assert check(f"{good}{end} {bad}", config.hospital, None, CONTACT)


@given(st.sampled_from(UNLAWFUL), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_not_seen_changes_nothing(config: Config, bad: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bad)))
    unseen = data.draw(
        st.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u2066", "\ufe0f"])
    )
    assert check(bad[:at] + unseen + bad[at:], config.hospital, None, CONTACT)
