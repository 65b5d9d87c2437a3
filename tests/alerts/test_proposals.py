"""What is proposed to be left out, and what never is."""

from collections.abc import Sequence
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from alerts.actions.not_for_us import REASONS
from alerts.case import move
from alerts.proposals import Line, Proposal, Seen, holds, propose, watch
from config.schema import Config
from nlp.phrase_language import check
from nlp.pipeline import Reader, Text

RUN = "Register for the harbor dragon boat gala by Friday"
RUN_AGAIN = "St. Brigid's is on the list for the harbor dragon boat gala, tickets at the door"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("St. Brigid's Rovers won again last night!", "St. Brigid's Rovers"),
        ("up the St Brigids Camogie Club", "St Brigids Camogie Club"),
        ("Mass at St. Brigid's, Cork is at noon", "St. Brigid's, Cork"),
        ("my nan is in St. Brigid's in Kildare", "St. Brigid's in Kildare"),
        ("match day at St. Brigid's GFC.", "St. Brigid's GFC"),
        ("st brigids rovers won again", None),  # nothing tells how far the name goes
        ("ST. BRIGIDS ROVERS WON AGAIN", None),
        ("at St. Brigid's Emergency for five hours", None),  # ours
        ("waiting at St. Brigid's Harbor", None),
        ("St. Brigid's, Port Alder is on the news", None),  # our town
        ("at St. Brigid's in Port Alder again", None),
        ("St. Brigid's. Terrible", None),  # a new sentence
        ("St. Brigid's Monday morning", None),
        ("St. Brigid's I love you", None),
        ("St. Brigid's [name] won", None),  # a person
        ("St. Brigid's School fair", None),  # in the list already
        ("nothing of ours here", None),
        ("", None),
    ],
)
def test_another_place_of_that_name(config: Config, text: str, name: str | None) -> None:
    line = propose(text, "another place", [], [], config)
    assert line == (Line("not_us", name) if name else None)
    if name:
        assert holds(name, [text]) == [True], "found as the reader finds it"


@pytest.mark.parametrize("reason", ["news", "joke", "spam"])
def test_what_two_posts_share(config: Config, reason: str) -> None:
    assert propose(RUN, reason, [RUN_AGAIN], [], config) == Line("exclude", "dragon boat gala")


@pytest.mark.parametrize(
    ("text", "others"),
    [
        (RUN, []),  # one post alone
        (RUN, ["Something else was said of a charity evening"]),  # one word
        ("waited five hours in the waiting room", ["five hours in the waiting room lol"]),  # as patients speak
        ("ha ha I was like this is so really", ["ha ha I was like this is so really"]),  # says nothing
        ("at St. Brigid's Lakeside Pavilion", ["St. Brigid's Lakeside Pavilion lol"]),  # our own names
        ("vote Maria Gonzalez for mayor", ["vote Maria Gonzalez lol"]),  # a person
        ("[name] Quibble Quagga", ["[name] quibble. Quagga"]),  # not in a row
        ("call 555 0100 now", ["call 555 0100 today"]),  # digits
        ("see https://gala.example/charity", ["see https://gala.example/charity"]),
    ],
)
def test_what_is_not_shared(config: Config, text: str, others: Sequence[str]) -> None:
    assert propose(text, "joke", others, [], config) is None


@pytest.mark.parametrize("reason", ["staff", "nothing to do", "whatever comes"])
def test_reasons_for_which_nothing_can_be_left_out(config: Config, reason: str) -> None:
    assert propose("St. Brigid's Rovers " + RUN, reason, [RUN_AGAIN], [], config) is None


NOISE, ANSWERED = Seen(RUN, "not for us"), Seen("hurt at the harbor dragon boat gala", "answered")


@pytest.mark.parametrize(
    ("kept", "is_proposed"),
    [
        ([NOISE, NOISE], True),
        ([NOISE, ANSWERED], True),
        ([NOISE, ANSWERED, ANSWERED], False),  # people answered more of them than not
        ([NOISE] * 9 + [Seen("help, fire at the HARBOR DRAGON boat gala", "", danger=True)], False),
        ([NOISE, Seen("fire at the other gala", "", danger=True)], True),
    ],
)
def test_what_people_need_is_never_proposed(config: Config, kept: Sequence[Seen], is_proposed: bool) -> None:
    assert (propose(RUN, "spam", [RUN_AGAIN], kept, config) is not None) is is_proposed
    rovers = [seen._replace(text=f"St. Brigid's Rovers {seen.text}") for seen in kept]
    expected = not any(seen.danger for seen in kept) and is_proposed
    found = propose("St. Brigid's Rovers won", "another place", [], rovers, config)
    assert (found is not None) is expected


def test_a_shorter_phrase_is_tried_where_the_longer_stands_in_danger(config: Config) -> None:
    others = [
        "purple monkey parade and dishwasher raffle tickets",
        "purple monkey parade and dishwasher raffle tickets",
    ]
    kept = [Seen("he fell off the purple monkey parade and is not breathing", "", danger=True)]
    line = propose(others[0], "joke", others, kept, config)
    assert line is not None
    assert holds(line.phrase, [kept[0].text]) == [False]


@settings(max_examples=60)
@given(st.text(max_size=80), st.sampled_from(["another place", "spam"]))
def test_whatever_strangers_write_makes_a_line_that_can_be_used(config: Config, text: str, reason: str) -> None:
    line = propose(f"St. Brigid's {text}", reason, [f"{text}"], [], config)
    if line and line.list == "exclude":
        check(line.phrase)
        assert len(line.phrase.split()) > 1
        assert not any(character.isdigit() for character in line.phrase)


def test_a_proposed_line_leaves_out_what_it_should_and_no_danger(config: Config) -> None:
    """As an admin would add it: the reader itself."""
    line = propose(RUN, "spam", [RUN_AGAIN], [], config)
    assert line is not None
    words = config.keywords.model_copy(
        update={"exclude": config.keywords.exclude.model_copy(update={"phrases": (line.phrase,)})}
    )
    reader = Reader(config.model_copy(update={"keywords": words}))
    out, danger = reader.read([Text(RUN_AGAIN), Text(f"my dad is not breathing in the St. Brigid's ER. {RUN}")])
    assert (out["voice"], danger["urgency"]) == ("other", "danger")


# ---------------------------------------------------------------- the stage


def dismiss(desk: Any, text: str, reason: str, **said: Any) -> int:
    """A post that somebody says is not for us, for this reason."""
    case_id: int = desk.alert(text, **said)
    assert move(desk.session, case_id, "dismissed", "U0ANA", f"not for us: {REASONS[reason]}", NOW)
    desk.session.commit()
    return case_id


def proposed(desk: Any) -> int:
    """How many lines come up until everything was looked at."""
    return sum(watch(desk.session, desk.config, NOW) for _ in range(5))


def proposals(desk: Any) -> list[tuple[str, str]]:
    return [(row.list, row.phrase) for row in desk.session.exec(select(Proposal))]


def test_what_is_dismissed_brings_up_a_line_once(desk: Any) -> None:
    dismiss(desk, "St. Brigid's Rovers won", "another_place")
    assert proposed(desk) == 1
    assert proposals(desk) == [("not_us", "St. Brigid's Rovers")]
    assert proposed(desk) == 0
    dismiss(desk, "St. Brigid's Rovers lost", "another_place")
    assert proposed(desk) == 0, "proposed already"


def test_the_line_says_what_it_would_have_done(desk: Any) -> None:
    dismiss(desk, RUN, "spam")
    assert proposed(desk) == 0
    answered = desk.alert("broke my arm at the harbor dragon boat gala")
    move(desk.session, answered, "answered", "U0ANA", "answered", NOW)
    desk.hear("the Dragon Boat Gala is on", voice="other", kind=None)
    case_id = dismiss(desk, RUN_AGAIN, "joke")
    assert proposed(desk) == 1
    (row,) = desk.session.exec(select(Proposal)).all()
    assert (row.list, row.phrase, row.case_id, row.made_at) == ("exclude", "dragon boat gala", case_id, NOW)
    assert row.why == "it would have left out 4 posts of the last 30 days: 2 that were not for us, 1 that you answered"


def test_danger_of_any_time_forbids_a_line(desk: Any) -> None:
    desk.alert("collapsed at the harbor dragon boat gala", urgency="danger")
    for text in (RUN, RUN_AGAIN):
        dismiss(desk, text, "spam")
    assert proposed(desk) == 0


def test_an_account_of_staff_is_asked_about_once_a_place(desk: Any) -> None:
    for source in ("x", "x", "rss"):
        dismiss(desk, "our unit is short again", "staff", source=source)
    assert proposed(desk) == 1
    assert proposals(desk) == [("accounts", "x")]


def test_what_was_reopened_or_is_gone_brings_up_nothing(desk: Any) -> None:
    case_id = dismiss(desk, "St. Brigid's Rovers won", "another_place")
    move(desk.session, case_id, "open", "U0BEN", "reopened it", NOW)
    desk.session.commit()
    assert proposed(desk) == 0
