"""What becomes of a post: the rules as a table, threads, edits, and reading again under a new version."""

from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from conftest import NOW
from sqlmodel import select

from alerts import decide as module
from alerts.decide import Decision, Earlier, judge, stands
from alerts.verdict import Verdict
from config.schema import Care, Config, Kind, Rule, Urgency, Voice, When
from listener.deletions import came_round
from listener.keep import DELETED, forget

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def said(**fields: Any) -> SimpleNamespace:
    usual = {"urgency": "routine", "readable": True, "language": "en", "kind": "complaint", "voice": "patient"}
    return SimpleNamespace(**{**usual, "categories": [], "reasons": [], "signs": [], **fields})


@pytest.mark.parametrize(
    ("fields", "outcome", "channel"),
    [
        ({"voice": "other", "kind": None}, "alert", "care"),
        ({"voice": "promo", "kind": None}, "alert", "care"),
        ({"kind": "comment"}, "alert", "care"),
        ({"kind": "praise"}, "digest", "praise"),
        ({}, "alert", "care"),
        ({"voice": "other", "kind": None, "urgency": "danger"}, "alert", "danger"),
    ],
)
def test_what_people_write_to_us_alone_is_never_dismissed(
    config: Config, fields: dict[str, Any], outcome: str, channel: str
) -> None:
    decision = judge(said(**fields), False, config.care, "listening_post")
    assert (decision.outcome, decision.channel) == (outcome, channel)


def about(*names: str) -> list[dict[str, Any]]:
    return [{"id": name, "score": 1.0, "words": ["words"]} for name in names]


# ---------------------------------------------------------------- judge, with the rules that ship


@pytest.mark.parametrize(
    ("reading", "outcome", "channel"),
    [
        (said(), "alert", "care"),
        (said(kind="question"), "alert", "care"),
        (said(kind="praise"), "digest", "praise"),
        (said(kind="comment"), "digest", "care"),
        (said(categories=about("privacy")), "alert", "privacy"),
        (said(categories=about("food", "privacy")), "alert", "privacy"),
        (said(kind="question", categories=about("privacy")), "alert", "privacy"),
        (said(kind="praise", categories=about("privacy")), "digest", "praise"),
        (said(kind="comment", categories=about("privacy")), "digest", "care"),
        (said(categories=about("food")), "alert", "care"),
        (said(voice="news", kind=None), "digest", "ops"),
        (said(voice="promo", kind=None), "dismiss", None),
        (said(voice="other", kind=None), "dismiss", None),
        (said(voice="promo", kind=None, urgency="danger"), "alert", "danger"),
        (said(voice="other", kind=None, urgency="danger"), "alert", "danger"),
        (said(kind="praise", urgency="danger"), "alert", "danger"),
        (said(readable=False, language="th"), "alert", "care"),
        (said(readable=False, urgency="danger"), "alert", "danger"),
        (said(readable=False, voice="promo", kind=None), "alert", "care"),
        (said(kind="complaint", urgency="here_now"), "alert", "care"),
        (said(kind="complaint", urgency="serious"), "alert", "care"),
    ],
)
def test_judge(config: Config, reading: Any, outcome: str, channel: str | None) -> None:
    decision = judge(reading, False, config.care)
    assert (decision.outcome, decision.channel) == (outcome, channel)
    assert decision.reason


EVERYTHING = list(
    product(get_args(Urgency), (None, *get_args(Kind)), get_args(Voice), ((), ("privacy",), ("food",)), (True, False))
)


@pytest.mark.parametrize("own", [True, False])
def test_whatever_is_read_is_decided(config: Config, own: bool) -> None:
    """Rule 1 and 3 of the product, over every reading there can be."""
    for urgency, kind, voice, topics, readable in EVERYTHING:
        reading = said(urgency=urgency, kind=kind, voice=voice, categories=about(*topics), readable=readable)
        decision = judge(reading, own, config.care)
        assert decision.reason
        assert (decision.channel is None) == (decision.outcome == "dismiss")
        if own:
            assert decision.outcome == "dismiss"
        elif urgency == "danger":
            assert (decision.outcome, decision.channel) == ("alert", "danger")
        elif not readable or kind in ("complaint", "question"):
            assert decision.outcome == "alert"


def test_no_rule_hides_danger(config: Config) -> None:
    silent = config.care.model_copy(update={"rules": (Rule(name="hush", when=When(), do="dismiss"),)})
    assert judge(said(urgency="danger"), False, silent).channel == "danger"
    assert judge(said(readable=False), False, silent).outcome == "alert"
    assert judge(said(), False, silent).outcome == "dismiss"


def test_without_a_rule_a_person_looks(config: Config) -> None:
    bare: Care = config.care.model_copy(update={"rules": ()})
    assert judge(said(), False, bare) == Decision("digest", "care", "no rule fits, so a person looks at it")


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        (When(), True),
        (When(urgency=("serious",)), True),
        (When(urgency=("routine", "serious")), True),
        (When(urgency=("routine",)), False),
        (When(kind=("complaint",)), True),
        (When(kind=("praise",)), False),
        (When(voice=("patient",)), True),
        (When(voice=("news",)), False),
        (When(category=("food",)), True),
        (When(category=("billing", "food")), True),
        (When(category=("billing",)), False),
        (When(urgency=("serious",), kind=("complaint",), voice=("patient",), category=("food",)), True),
        (When(urgency=("serious",), kind=("complaint",), voice=("news",), category=("food",)), False),
    ],
)
def test_a_rule_fits_when_all_its_lists_do(config: Config, when: When, fits: bool) -> None:
    care = config.care.model_copy(update={"rules": (Rule(name="it", when=when, do="alert", to="ops"),)})
    decision = judge(said(urgency="serious", categories=about("food", "waiting")), False, care)
    assert (decision.channel == "ops") is fits


def test_the_first_rule_that_fits_decides(config: Config) -> None:
    rules = (Rule(name="one", do="alert", to="ops"), Rule(name="two", do="dismiss"))
    assert judge(said(), False, config.care.model_copy(update={"rules": rules})).reason.startswith("rule 'one'")


def test_the_reason_says_why_it_is_no_patient(config: Config) -> None:
    reading = said(voice="promo", kind=None, reasons=["mood: flat", "voice promo: 'apply now'"])
    assert judge(reading, False, config.care).reason == "rule 'adverts, job offers and spam': voice promo: 'apply now'"


# ---------------------------------------------------------------- stands

ALERT, DANGER = Decision("alert", "care", "a"), Decision("alert", "danger", "d")
DIGEST, DISMISS = Decision("digest", "praise", "b"), Decision("dismiss", None, "c")
ALL = (DISMISS, DIGEST, ALERT, DANGER)


@pytest.mark.parametrize("decision", ALL)
def test_what_was_never_decided_stands(decision: Decision) -> None:
    assert stands(decision, None, True) is decision


@pytest.mark.parametrize(("old", "before"), list(enumerate(ALL)))
@pytest.mark.parametrize(("new", "decision"), list(enumerate(ALL)))
def test_news_makes_a_decision_only_stronger(old: int, before: Decision, new: int, decision: Decision) -> None:
    found = stands(decision, Earlier(before, 1, 1), True)
    assert found == (decision if new > old else before)
    assert stands(decision, Earlier(before, 1, 1), False) is before


# ---------------------------------------------------------------- decide


def test_every_reading_gets_one_verdict(desk: Any) -> None:
    for number in range(7):
        desk.hear(urgency=("danger", "routine")[number % 2])
    assert [desk.decide(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    verdicts = desk.session.exec(select(Verdict)).all()
    assert len(verdicts) == len({verdict.reading_id for verdict in verdicts}) == 7
    assert len(desk.cases()) == 7


def test_danger_is_decided_first(desk: Any) -> None:
    desk.hear()
    danger = desk.hear(urgency="danger")
    desk.hear()
    desk.decide()
    assert desk.case(1).mention_id == danger
    assert desk.case(1).channel == "danger"


def test_own_posts_are_dismissed(desk: Any) -> None:
    number = desk.hear(own=True, urgency="danger")
    desk.decide()
    assert (desk.verdict(number).outcome, desk.verdict(number).reason) == ("dismiss", "the hospital's own post")
    assert desk.cases() == []


def test_the_clock_starts_when_the_author_posted(desk: Any) -> None:
    desk.alert(written_at=NOW - 50 * MINUTE)
    assert desk.case().clock_from == NOW - 50 * MINUTE
    assert desk.case().due_at == NOW + 10 * MINUTE


def test_a_clock_ahead_of_ours_gives_no_more_time(desk: Any) -> None:
    desk.alert(written_at=NOW + HOUR)
    assert (desk.case().clock_from, desk.case().due_at) == (NOW, NOW + HOUR)


THREADS = [
    # (second post, joins, raises)
    ({"author": "kim", "thread": "1"}, True, False),
    ({"author": "kim", "thread": "1", "urgency": "here_now"}, True, True),
    ({"author": "kim", "thread": "1", "urgency": "danger"}, True, True),
    ({"author": "kim", "thread": "1", "urgency": "low"}, True, False),
    ({"author": "lee", "thread": "1"}, False, False),
    ({"author": None, "thread": "1"}, False, False),
    ({"author": "kim", "thread": "other"}, False, False),
    ({"author": "kim"}, False, False),
    ({"author": "kim", "thread": "1", "source": "reddit"}, False, False),
]


@pytest.mark.parametrize(("second", "joins", "raises"), THREADS)
def test_threads(desk: Any, second: dict[str, Any], joins: bool, raises: bool) -> None:
    first = desk.alert(ref="1", author="kim")
    number = desk.alert(ref="2", **second)
    assert (number == first) is joins
    case = desk.case(first)
    assert case.posts == 1 + joins
    assert case.urgency == (second["urgency"] if raises else "routine")
    assert case.channel == ("danger" if second.get("urgency") == "danger" else "care")


def test_a_thread_heard_at_once_is_one_case_of_its_first_post(desk: Any) -> None:
    first = desk.hear(ref="1", thread="1", author="kim")
    desk.hear(ref="2", thread="1", author="kim")
    desk.decide()
    assert [(case.mention_id, case.posts) for case in desk.cases()] == [(first, 2)]


def test_two_without_a_name_are_two_people(desk: Any) -> None:
    desk.alert(ref="1", author=None)
    desk.alert(ref="2", thread="1", author=None)
    assert len(desk.cases()) == 2


def test_a_further_post_reopens_and_starts_its_own_clock(desk: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW - 5 * HOUR)
    case = desk.case()
    case.state = "answered"
    desk.session.add(case)
    desk.alert(ref="2", thread="1", author="kim", written_at=NOW - 10 * MINUTE)
    assert desk.case().state == "open"
    assert desk.case().clock_from == NOW - 10 * MINUTE
    assert desk.case().due_at == NOW + 50 * MINUTE


# ---------------------------------------------------------------- threads, copies, quotes


def test_what_others_answer_belongs_to_the_case(desk: Any) -> None:
    """A conversation is one case: a question under a complaint, and an answer to that."""
    desk.alert(ref="1", author="kim")
    desk.alert(ref="2", thread="1", answers="1", author="bob")
    desk.alert(ref="3", thread="1", answers="2", author="cy")
    (case,) = desk.cases()
    assert case.posts == 3
    assert desk.events()[1:] == ["a post of another person"] * 2


def test_what_the_same_person_adds_goes_with_it_whatever_it_says(desk: Any) -> None:
    """ "3/3 and nobody came" is no complaint by itself."""
    desk.alert(ref="1", author="kim", urgency="danger")
    added = desk.hear(ref="2", thread="1", author="kim", kind="comment", urgency="low")
    desk.hear(ref="3", thread="1", author="bob", kind="comment", urgency="low")
    desk.decide()
    assert [(case.posts, case.urgency) for case in desk.cases()] == [(2, "danger")]
    assert desk.verdict(added).reason.startswith("goes on with")
    assert desk.verdict(3).outcome == "digest"


@pytest.mark.parametrize("state", ["answered", "closed", "dismissed"])
def test_thanks_after_the_end_reopen_nothing(desk: Any, state: str) -> None:
    desk.alert(ref="1", author="kim")
    desk.case().state = state
    desk.session.commit()
    added = desk.hear(ref="2", thread="1", author="kim", kind="praise", urgency="low")
    desk.decide()
    assert (desk.verdict(added).outcome, desk.case().state) == ("digest", state)


def test_through_what_nobody_had_to_answer(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.hear(ref="2", thread="1", answers="1", author="us", own=True)
    desk.hear(ref="3", thread="1", answers="2", author="bob", kind="praise")
    desk.alert(ref="4", thread="1", answers="3", author="bob")
    assert [case.posts for case in desk.cases()] == [2]


def test_under_the_hospitals_own_post_everyone_waits_for_an_answer(desk: Any) -> None:
    desk.hear(ref="1", thread="1", author="us", own=True)
    for n in range(3):
        desk.alert(ref=f"r{n}", thread="1", answers="1", author=f"author{n}")
    assert len(desk.cases()) == 3


def test_somebody_else_in_danger_is_helped_on_their_own(desk: Any) -> None:
    desk.alert(ref="1", author="kim", urgency="danger")
    desk.alert(ref="2", thread="1", answers="1", author="bob", urgency="danger")
    assert [case.urgency for case in desk.cases()] == ["danger", "danger"]


def test_somebody_elses_more_urgent_matter_gets_a_card_of_its_own(desk: Any) -> None:
    desk.alert(ref="1", author="kim", urgency="routine")
    desk.alert(ref="2", thread="1", answers="1", author="bob", urgency="here_now")
    desk.alert(ref="3", thread="1", answers="1", author="cy", urgency="routine")
    assert [(case.urgency, case.posts) for case in desk.cases()] == [("routine", 2), ("here_now", 1)]


@pytest.mark.parametrize(
    ("who", "where", "state"),
    [("kim", "x", "open"), ("bob", "x", "closed"), ("kim", "bluesky", "closed")],
    ids=["the same person again", "somebody's copy", "a cross-post"],
)
def test_who_says_it_again_calls_again(desk: Any, who: str, where: str, state: str) -> None:
    """Nearly the same words hours after the case was closed: of its author they mean that it goes on."""
    first = desk.hear("he is still on the floor and nobody comes", ref="1", author="kim", urgency="danger")
    desk.decide()
    desk.case().state = "closed"
    desk.session.commit()
    desk.hear(ref="2", story=first, author=who, source=where, urgency="danger")
    desk.decide()
    assert [(case.state, case.posts) for case in desk.cases()] == [(state, 2)]


def test_an_answer_to_what_was_not_heard_stands_alone(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.alert(ref="2", thread="1", answers="unheard", author="bob")
    assert len(desk.cases()) == 2


def test_answers_that_go_round_in_a_circle(desk: Any) -> None:
    desk.hear(ref="1", answers="2", author="kim", kind="praise")
    desk.hear(ref="2", answers="1", author="bob", kind="praise")
    desk.alert(ref="3", answers="1", author="cy")
    assert len(desk.cases()) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)], ids=["first told first", "copies first"])
def test_copies_are_one_case(desk: Any, order: tuple[int, ...]) -> None:
    first = desk.hear(ref="1", author="kim", read=False)
    copies = [desk.hear(ref=f"c{n}", source="bluesky", author=f"b{n}", story=first, read=False) for n in range(2)]
    for n in order:
        desk.read([first, *copies][n])
        desk.decide()
    (case,) = desk.cases()
    assert case.posts == 3
    assert desk.events().count("a copy of it") == 2


def test_a_quote_belongs_to_what_it_quotes(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.alert(ref="2", quotes="1", author="bob")
    assert [case.posts for case in desk.cases()] == [2]


def test_of_another_place_with_the_same_ref(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.alert(ref="2", source="bluesky", answers="1", author="bob")
    assert len(desk.cases()) == 2


# ---------------------------------------------------------------- what is gone


def test_what_is_gone_before_it_was_decided_is_dismissed(desk: Any) -> None:
    mention = desk.hear("my mother waited")
    forget(desk.session, [mention], DELETED, NOW)
    desk.decide()
    assert (desk.verdict(mention).outcome, desk.cases()) == ("dismiss", [])
    assert "gone" in desk.verdict(mention).reason


@pytest.mark.parametrize("stopped", [MINUTE, 43_200 * MINUTE])
def test_no_word_of_what_is_gone_stays_in_verdicts_and_cases(desk: Any, stopped: timedelta) -> None:
    advert = desk.hear("hiring nurses", voice="promo", kind=None, urgency="none", reasons=["voice promo: 'hiring'"])
    complaint = desk.hear("my mother waited", author="kim")
    desk.decide()
    assert "hiring" in desk.verdict(advert).reason
    before = desk.case().version
    came_round(desk.session, NOW)
    forget(desk.session, [advert, complaint], DELETED, NOW)
    assert [module.forget(desk.session, NOW + stopped) for _ in range(2)] == [2, 0]
    assert desk.verdict(advert).reason == "rule 'adverts, job offers and spam'"
    assert (desk.verdict(complaint).outcome, desk.verdict(complaint).case_id) == ("alert", 1)
    assert (desk.case().author, desk.case().version) == (None, before + 1)


@pytest.mark.parametrize("source", ["x", "reddit"])
def test_a_card_that_quotes_what_is_gone_is_shown_anew(desk: Any, source: str) -> None:
    """It quotes what its post answers; that one has no case, or another. Found by the simulation."""
    before = desk.hear(
        "my neighbor is in room 12", ref="b0", source="x", voice="other", kind=None, written_at=NOW - 9 * MINUTE
    )
    number = desk.alert("he fell", ref="k", thread="b0", source=source, author="kim", urgency="danger")
    desk.decide()
    version = desk.case(number).version
    forget(desk.session, [before], DELETED, NOW)
    module.forget(desk.session, NOW + MINUTE)
    assert desk.case(number).version == version + (source == "x")
    assert (desk.case(number).author, desk.case(number).state) == ("kim", "open")
    assert module.forget(desk.session, NOW + MINUTE) == 0


def test_a_case_that_went_into_another_shows_nothing_of_its_post_when_that_is_gone(desk: Any) -> None:
    """Its post belongs to the other case by then. Found by the simulation."""
    into = desk.alert("waited 9 hours", ref="a", author="kim")
    merged = desk.alert("was billed twice", ref="b", author="lee")
    desk.decide()
    module.hand_over(desk.session, merged, into)
    version = desk.case(merged).version
    forget(desk.session, [desk.case(merged).mention_id], DELETED, NOW)
    assert module.forget(desk.session, NOW + MINUTE) == 1
    assert (desk.case(merged).author, desk.case(merged).version) == (None, version + 1)
    assert desk.case(into).version == version + 1


# ---------------------------------------------------------------- edits and reading again


@pytest.mark.parametrize("age", [HOUR, 3 * DAY])
@pytest.mark.parametrize(
    ("before", "was"), [({"kind": "praise"}, "digest"), ({"voice": "other", "kind": None}, "dismiss")]
)
def test_an_edit_that_makes_it_a_complaint_opens_a_case(desk: Any, age: timedelta, before: Any, was: str) -> None:
    number = desk.hear(written_at=NOW - age, **before)
    desk.decide()
    assert desk.verdict(number).outcome == was
    desk.edit(number, "now I am angry", NOW, urgency="serious")
    desk.decide(NOW + MINUTE)
    assert desk.verdict(number).outcome == "alert"
    assert desk.case().clock_from == NOW, "it was said only then"
    assert desk.case().due_at == NOW + 15 * MINUTE


@pytest.mark.parametrize("state", ["open", "claimed", "answered", "closed", "dismissed"])
def test_an_edit_raises_whatever_became_of_the_case(desk: Any, state: str) -> None:
    mention = desk.hear(written_at=NOW - 3 * DAY)
    desk.decide(NOW - 3 * DAY)
    case = desk.case()
    case.state = state
    desk.session.add(case)
    desk.edit(mention, "he is on the floor", NOW, urgency="danger")
    desk.decide(NOW + MINUTE)
    case = desk.case()
    assert (case.urgency, case.channel) == ("danger", "danger")
    assert case.state in ("open", "claimed")
    assert case.due_at <= NOW + 5 * MINUTE
    assert case.posts == 1, "an edit is no further post"
    assert len(desk.cases()) == 1


def test_an_edit_raises_inside_the_channel(desk: Any) -> None:
    mention = desk.hear()
    desk.decide()
    desk.edit(mention, "I am at the desk now", NOW, urgency="here_now")
    desk.decide(NOW)
    assert (desk.case().urgency, desk.case().channel) == ("here_now", "care")


def test_an_edit_takes_nothing_back(desk: Any) -> None:
    mention = desk.hear(urgency="danger")
    desk.decide()
    desk.edit(mention, "all good", NOW, kind="praise", urgency="low")
    desk.decide(NOW)
    assert desk.verdict(mention).outcome == "alert"
    assert (desk.case().urgency, desk.case().state) == ("danger", "open")


def test_an_edit_makes_the_card_stale(desk: Any) -> None:
    mention = desk.hear()
    desk.decide()
    version = desk.case().version
    desk.edit(mention, "waited for nine hours", NOW)
    desk.decide(NOW)
    assert desk.case().version > version


@pytest.mark.parametrize(
    ("age", "before", "after", "cases", "urgency"),
    [
        (2 * DAY, {"kind": "praise"}, {}, 0, None),
        (2 * DAY, {"kind": "praise"}, {"urgency": "danger"}, 0, None),
        (2 * DAY, {}, {"urgency": "danger"}, 1, "routine"),
        (2 * DAY, {}, {"urgency": "serious"}, 1, "routine"),
        (HOUR, {"kind": "praise"}, {}, 1, "routine"),
        (HOUR, {"kind": "praise"}, {"urgency": "danger"}, 1, "danger"),
        (HOUR, {}, {"urgency": "danger"}, 1, "danger"),
        (HOUR, {}, {"kind": "praise"}, 1, "routine"),
    ],
)
def test_read_again_under_a_new_version(
    desk: Any, age: timedelta, before: Any, after: Any, cases: int, urgency: str | None
) -> None:
    mention = desk.hear(written_at=NOW - age, **before)
    desk.decide(NOW - age)
    desk.read(mention, **{**before, "kind": "complaint", **after}, pipeline_version="2")
    assert desk.decide(NOW) == 1
    assert len(desk.cases()) == cases
    assert [case.urgency for case in desk.cases()] == [urgency] * cases
    assert desk.decide(NOW) == 0


def test_read_again_pages_nobody_about_an_old_case(desk: Any) -> None:
    mention = desk.hear(written_at=NOW - 20 * DAY)
    desk.decide(NOW - 20 * DAY)
    case = desk.case()
    case.state = "closed"
    desk.session.add(case)
    desk.read(mention, urgency="danger", pipeline_version="2")
    desk.decide(NOW)
    assert (desk.case().state, desk.case().urgency, desk.case().channel) == ("closed", "routine", "care")
    assert desk.verdict(mention).case_id == case.id, "the ledger still knows its case"


def test_two_revisions_undecided_at_once(desk: Any) -> None:
    mention = desk.hear(kind="praise")
    desk.edit(mention, "now I am angry", NOW)
    assert desk.decide(NOW) == 2
    assert desk.verdict(mention).outcome == "alert"
    assert len(desk.cases()) == 1
    newest = desk.session.exec(select(Verdict).order_by(Verdict.id.desc())).first()  # type: ignore[union-attr]
    assert newest.reading_id == 2, "the verdict in force is that of the newest words"
