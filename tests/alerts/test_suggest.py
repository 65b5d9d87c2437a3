"""What is suggested from what people did, and what never is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from alerts.case import move
from alerts.proposals import Proposal
from alerts.suggest import Told, chosen, into_topics, more_urgent, not_for_us, out_of_topics, suggest, with_cards
from alerts.suggestion import HOSPITAL, KEYWORDS, Change, Effect, Suggestion
from config.schema import Config
from listener.mention import Mention
from nlp.phrases import check

PARKING = ("categories", "parking", "phrases")
SINCE = NOW - timedelta(days=90)


def told(number: int, *texts: str, **said: Any) -> Told:
    defaults = {"read_topics": frozenset(), "read_urgency": "routine", "who": f"x/{number}", "story": number}
    return Told(number, texts, **{**defaults, **said})


def moved(number: int, text: str, **said: Any) -> Told:
    return told(number, text, **{"topics": frozenset({"parking"}), **said})


def phrases(found: Sequence[Suggestion]) -> list[str]:
    return [one.change.phrase for one in found]


# ---------------------------------------------------------------- topics that people added


def test_what_cases_share_that_were_moved_into_a_topic(config: Config) -> None:
    cases = [
        moved(1, "they moved the tram stop and nobody told us"),
        moved(2, "Where is the TRAM stop now?"),
        told(3, "the tram stop is gone"),
    ]
    found = list(into_topics(cases, config))
    assert phrases(found)[0] == "tram stop", "two words are liked best"
    assert {one.change.path for one in found} == {PARKING}
    assert found[0].cases == (1, 2)
    assert found[0].why == "cases 1 and 2 were moved into it and say it"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (moved(1, "the tram stop"), moved(2, "the tram stop", who="x/1")),  # the same person
        (moved(1, "the tram stop"), moved(2, "the tram stop", story=1)),  # a copy
        (moved(1, "the tram stop"), moved(2, "a tram. Stop it")),  # not in a row
        (moved(1, "tram stop garage"), moved(2, "tram stop garage")),  # a phrase of the list finds them
        (moved(1, "tram stop", read_topics=frozenset({"parking"})), moved(2, "tram stop")),  # read so
        (moved(1, "it was so and we were there"), moved(2, "it was so and we were there")),  # says nothing
        (moved(1, "St. Brigid's Lakeside"), moved(2, "St. Brigid's Lakeside")),  # our name
        (moved(1, "Maria Gonzalez"), moved(2, "Maria Gonzalez")),  # somebody
        (moved(1, "Maria Gonzalez tram"), moved(2, "Maria Gonzalez tram")),
        (moved(1, "Okafor"), moved(2, "ask Okafor")),  # perhaps somebody: never written small
        (moved(1, "[name] on 555 0100"), moved(2, "[name] on 555 0100")),
        (moved(1, "the tramway"), moved(2, "the tramway")),  # a word alone in two stories
    ],
)
def test_what_is_not_shared(config: Config, one: Told, other: Told) -> None:
    assert phrases(list(into_topics([one, other], config))) == []


@pytest.mark.parametrize(("word", "found"), [("tramway", ["tramway"]), ("tram", []), ("Okafor", [])])
def test_a_word_alone_is_long_small_and_in_three_stories(config: Config, word: str, found: list[str]) -> None:
    cases = [moved(1, f"the {word}"), moved(2, f"a {word}"), moved(3, f"no {word}!")]
    assert phrases(list(into_topics(cases, config))) == found


def test_what_an_example_says_it_is_not_is_not_suggested(config: Config) -> None:
    words = config.keywords
    parking = words.categories["parking"].model_copy(update={"no_match": ("the tram stop is in the poem",)})
    changed = words.model_copy(update={"categories": {**words.categories, "parking": parking}})
    cases = [moved(1, "tram stop"), moved(2, "tram stop")]
    assert phrases(list(into_topics(cases, config.model_copy(update={"keywords": changed})))) == []
    assert phrases(list(into_topics(cases, config))) == ["tram stop"]


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_whatever_strangers_write_becomes_a_phrase_that_can_be_used(config: Config, text: str) -> None:
    for one in into_topics([moved(1, text), moved(2, text)], config):
        check(one.change.phrase)
        assert not any(character.isdigit() for character in one.change.phrase)


# ---------------------------------------------------------------- urgency that people raised


@pytest.mark.parametrize(
    ("level", "read_urgency", "found"),
    [
        ("danger", "routine", ["insulin pump"]),
        ("serious", "routine", ["insulin pump"]),
        ("here_now", "serious", ["insulin pump"]),
        ("routine", "low", []),  # has no phrases of its own
        ("serious", "danger", []),  # read as worse by now
        ("danger", "danger", []),
    ],
)
def test_what_cases_share_that_were_made_more_urgent(
    config: Config, level: str, read_urgency: str, found: list[str]
) -> None:
    cases = [told(n, "her insulin pump", made=level, read_urgency=read_urgency) for n in (1, 2)]
    suggested = list(more_urgent(cases, config))
    assert phrases(suggested) == found
    assert all(
        one.change == Change(KEYWORDS, ("urgency", level, "phrases"), "add", one.change.phrase) for one in suggested
    )


# ---------------------------------------------------------------- topics that people took away


def read_nothing(_: Config, texts: Sequence[str]) -> list[set[str]]:
    return [set() for _ in texts]


def lost(number: int, text: str, **said: Any) -> Told:
    return told(number, text, read_topics=frozenset({"billing"}), **{"topics": frozenset(), **said})


def kept(number: int, text: str) -> Told:
    return told(number, text, read_topics=frozenset({"billing"}), fate="answered")


WRONG = [lost(1, "her statement to the police"), lost(2, "a statement of faith"), lost(3, "your statement on X")]
RIGHT = [kept(4, "my billing-free statement"), kept(5, "the bank statement came"), kept(6, "a bank statement, at last")]


def test_a_phrase_that_alone_gave_a_topic_which_people_took_away_goes(config: Config) -> None:
    (one,) = out_of_topics(WRONG, config, read_nothing)
    assert one.change == Change(KEYWORDS, ("categories", "billing", "phrases"), "take out", "statement")
    assert one.cases == (1, 2, 3)
    (narrowed,) = out_of_topics([*WRONG, *RIGHT[1:]], config, read_nothing)
    assert (narrowed.change.do, narrowed.change.phrase, narrowed.change.instead) == (
        "narrow",
        "statement",
        "bank statement",
    )
    assert "cases 5 and 6 kept it" in narrowed.why


@pytest.mark.parametrize(
    "cases",
    [
        WRONG[:2],
        [*WRONG, *(kept(n, "a statement") for n in (4, 5, 6))],  # left as often
        [*WRONG[:2], lost(3, "a statement of the deductible")],  # another phrase speaks too
        [*WRONG[:2], lost(3, "your statement", who="x/2")],  # two people
        [replace(case, topics=frozenset({"billing"})) for case in WRONG],
        [replace(case, topics=None) for case in WRONG],
    ],
)
def test_a_phrase_that_stays(config: Config, cases: list[Told]) -> None:
    assert list(out_of_topics(cases, config, read_nothing)) == []


def test_a_phrase_that_is_not_the_only_reason_stays(config: Config) -> None:
    asked: list[Config] = []

    def the_encoder_sees_it(without: Config, texts: Sequence[str]) -> list[set[str]]:
        asked.append(without)
        return [{"billing"} for _ in texts]

    assert list(out_of_topics(WRONG, config, the_encoder_sees_it)) == []
    assert "statement" not in asked[0].keywords.categories["billing"].phrases
    assert "insurance" in asked[0].keywords.categories["billing"].phrases


# ---------------------------------------------------------------- not for us


def proposal(number: int, where: str, phrase: str) -> Proposal:
    return Proposal(id=number, list=where, phrase=phrase, case_id=number, why="2 posts", made_at=NOW)


def test_what_was_proposed_with_everybody_who_said_so(config: Config) -> None:
    cases = [
        told(1, "the dragon boat gala", said="spam"),
        told(2, "Dragon boat gala!", said="joke"),
        told(3, "the dragon boat gala", fate="answered"),
    ]
    (one,) = not_for_us([proposal(1, "exclude", "dragon boat gala")], cases, config.hospital, set())
    assert one.change == Change(KEYWORDS, ("exclude", "phrases"), "add", "dragon boat gala")
    assert (one.cases, one.stories) == ((1, 2), 2)
    assert one.why == "people said that cases 1 and 2 are not for us (spam, joke)"


@pytest.mark.parametrize(
    ("row", "known", "expected"),
    [
        (proposal(1, "not_us", "St. Brigid's Rovers"), set(), (HOSPITAL, ("not_us",), "add")),
        (proposal(1, "not_us", "St. Brigid's Rovers"), {"st. brigids rovers"}, None),
        (proposal(1, "exclude", "gala night"), {"gala night"}, None),
        (proposal(1, "accounts", "x"), set(), None),  # the file has one
        (proposal(1, "accounts", "rss"), set(), None),
    ],
)
def test_what_the_files_do_not_have(config: Config, row: Proposal, known: set[str], expected: Any) -> None:
    found = list(not_for_us([row], [], config.hospital, known))
    assert [(one.change.file, one.change.path, one.change.do) for one in found] == ([expected] if expected else [])


def test_an_account_of_our_own_is_for_a_person_to_write(config: Config) -> None:
    without = config.hospital.model_copy(update={"accounts": config.hospital.accounts.model_copy(update={"x": ""})})
    (one,) = not_for_us([proposal(1, "accounts", "x")], [], without, set())
    assert (one.change.do, one.change.path) == ("by hand", ("accounts",))


# ---------------------------------------------------------------- which are worth it


def nobody(_: Change) -> bool:
    return False


def one_of(
    phrase: str = "tram stop", *numbers: int, path: tuple[str, ...] = PARKING, do: Any = "add", **counts: int
) -> Suggestion:
    effect = Effect(**counts)  # type: ignore[arg-type]
    file = HOSPITAL if path[0] in ("not_us", "aliases") else KEYWORDS
    return Suggestion(
        Change(file, path, do, phrase), "", numbers or (1, 2), stories=len(numbers or (1, 2)), effect=effect
    )


EXCLUDE = ("exclude", "phrases")


@pytest.mark.parametrize(
    ("one", "is_chosen"),
    [
        (one_of(others=0), True),
        (one_of(others=10), True),  # one of a hundred posts
        (one_of(others=11), False),  # too many others say it
        (one_of("tramway", others=2), True),
        (one_of("tramway", others=3), False),  # a single word must be rarer
        (one_of(others=3, against=2), False),  # people left as many as they were
        (one_of(path=EXCLUDE, not_for_us=2), True),
        (one_of(path=EXCLUDE, not_for_us=2, danger=1), False),  # of any time
        (one_of(path=EXCLUDE, not_for_us=2, answered=3), False),
        (one_of("St. Brigid's Rovers", path=("not_us",), not_for_us=1, danger=1), False),
        (one_of("Bridget", path=("aliases",), not_for_us=3), False),
        (one_of(do="take out", others=99), True),
    ],
)
def test_what_would_do_more_harm_than_good_is_left_away(one: Suggestion, is_chosen: bool) -> None:
    assert (chosen([one], 1000, nobody) == [one]) is is_chosen


def test_the_strongest_come_first_and_the_same_cases_speak_once() -> None:
    few, many, danger = (
        one_of("tram stop", 1, 2),
        one_of("bus stop", 3, 4, 5),
        one_of("blue lips", 6, 7, path=("urgency", "danger", "phrases")),
    )
    longer, by_hand = one_of("the old tram stop", 1, 2), one_of("x", 1, 2, 3, 4, path=("accounts",), do="by hand")
    found = [by_hand, few, longer, many, danger]
    assert chosen(found, 1000, nobody) == [danger, many, few, by_hand]
    assert chosen(found[::-1], 1000, nobody) == chosen(found, 1000, nobody), "in whatever order they come up"


def test_at_most_ten_and_nobodys_name() -> None:
    found = [one_of(f"word{'x' * n} y", n, n + 1) for n in range(0, 40, 2)]
    assert len(chosen(found, 1000, nobody)) == 10
    assert chosen(found, 1000, lambda change: True) == []


# ---------------------------------------------------------------- with what is kept


def tram(desk: Any, text: str, **said: Any) -> int:
    case_id: int = desk.alert(text, **said)
    desk.act("change", case_id=case_id, urgency="routine", topics=["parking"], why="getting here")
    return case_id


def test_from_what_is_kept(desk: Any) -> None:
    one = tram(desk, "they moved the tram stop, awful")
    other = tram(desk, "where is the tram stop now")
    answered = desk.alert("broke my arm at the tram stop", categories=[{"id": "parking", "score": 1.0, "words": []}])
    move(desk.session, answered, "answered", "U0ANA", "answered", NOW)
    desk.hear("the tram stop in the poem", voice="other", kind=None)
    desk.hear("an old tram stop", heard_at=NOW - timedelta(days=40))
    (found,) = suggest(desk.session, desk.config, SINCE, NOW)
    assert found.change == Change(KEYWORDS, PARKING, "add", "tram stop")
    assert found.cases == (one, other)
    assert (found.effect.posts, found.effect.already, found.effect.answered) == (4, 1, 1)
    assert suggest(desk.session, desk.config, NOW + timedelta(hours=1), NOW) == [], "nothing was done since"


def test_what_others_read_without_complaint_is_not_suggested(desk: Any) -> None:
    for text in ("they moved the tram stop", "where is the tram stop now"):
        tram(desk, text)
    for n in range(3):
        case_id = desk.alert(f"sat at the tram stop, number {'x' * n}")
        move(desk.session, case_id, "answered", "U0ANA", "answered", NOW)
        desk.session.commit()
    assert suggest(desk.session, desk.config, SINCE, NOW) == []


def test_urgency_that_was_raised_and_taken_back_suggests_nothing(desk: Any) -> None:
    cases = [desk.alert(text) for text in ("her insulin pump is empty", "an insulin pump that beeps")]
    for case_id in cases:
        desk.act("change", case_id=case_id, urgency="danger", topics=[], why="it is")
    (found,) = suggest(desk.session, desk.config, SINCE, NOW)
    assert (found.change.path, found.change.phrase) == (("urgency", "danger", "phrases"), "insulin pump")
    for case_id in cases:
        desk.act("change", case_id=case_id, urgency="routine", topics=[], why="it is not")
    assert suggest(desk.session, desk.config, SINCE, NOW) == []


def test_what_was_made_less_urgent_suggests_nothing(desk: Any) -> None:
    for text in ("her insulin pump is empty", "an insulin pump that beeps"):
        case_id = desk.alert(text, urgency="serious")
        desk.act("change", case_id=case_id, urgency="routine", topics=[], why="it is not")
    assert suggest(desk.session, desk.config, SINCE, NOW) == []


def test_a_proposal_that_would_hide_danger_by_now_is_not_shown(desk: Any) -> None:
    case_id = desk.alert("the dragon boat gala is on")
    desk.session.add(proposal(case_id, "exclude", "dragon boat gala"))
    desk.session.commit()
    assert phrases(suggest(desk.session, desk.config, SINCE, NOW)) == ["dragon boat gala"]
    desk.hear("he fell at the dragon boat gala and does not wake", urgency="danger")
    assert suggest(desk.session, desk.config, SINCE, NOW) == []


def test_a_post_that_is_gone_says_nothing(desk: Any) -> None:
    for text in ("they moved the tram stop", "where is the tram stop now"):
        tram(desk, text)
    assert suggest(desk.session, desk.config, SINCE, NOW) != []
    for mention in desk.session.exec(select(Mention)):
        mention.deleted_at = NOW
        desk.session.add(mention)
    desk.session.commit()
    assert suggest(desk.session, desk.config, SINCE, NOW) == []


def test_progress_is_told(desk: Any) -> None:
    for text in ("they moved the tram stop", "where is the tram stop now"):
        tram(desk, text)
    seen: list[tuple[int, int]] = []
    suggest(desk.session, desk.config, SINCE, NOW, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(2, 2)]


def test_cards_are_counted_by_whoever_rehearses(config: Config) -> None:
    without = one_of("x", path=("accounts",), do="by hand")
    found = with_cards([one_of(), without], lambda change: config, lambda after: (3, 1))
    assert [one.effect.cards for one in found] == [(3, 1), None]
