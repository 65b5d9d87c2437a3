"""Every action: for which cases it is offered and where, what it does, what it writes down, and what it refuses."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from fakes import mastodon
from fakes.server import DropAfter, Status
from fakes.strangers import HOSTILE
from sqlmodel import col, select

from alerts.act import Doing, Standing, act, form_of, known_actions, offered, own_replies, standing
from alerts.answer import Answer, newest_answer
from alerts.case import MERGED, CaseEvent
from alerts.figures import heard_between
from alerts.form import Choice, Refused
from alerts.ledger import ledger
from alerts.spikes import Spike
from alerts.verdict import Verdict
from listener.collect import known_collectors
from listener.errors import NeedsPerson, OutcomeUnknown
from listener.mention import Mention

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GOOD = "Thank you for telling us. We want to listen and help: please reach Patient Relations at 555-0100."
BAD = "We are sorry that your visit to our ER went badly, Kim."


def event(desk: Any, case_id: int = 1) -> tuple[str, str, str]:
    """The last thing in the record of a case: who, its kind, the words."""
    rows = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id).desc())
    last = desk.session.exec(rows.limit(1)).one()
    return last.who, last.kind, last.what


def answers(desk: Any) -> list[tuple[str, str]]:
    rows = desk.session.exec(select(Answer).order_by(col(Answer.id)).execution_options(populate_existing=True))
    return [(answer.state, answer.text) for answer in rows]


def form(desk: Any, name: str, case_id: int = 1) -> Any:
    case = desk.case(case_id)
    return form_of(Doing(desk.session, desk.config, case, "ana", NOW), name)


# ---------------------------------------------------------------- where each is offered

OPEN = ["claim", "not_for_us"], ["answered", "close", "draft", "assign", "escalate", "snooze", "change", "merge"]
CLAIMED = ["answered", "close"], ["not_for_us", "draft", "assign", "escalate", "snooze", "give_back", "change", "merge"]
STANDINGS = [
    (Standing("open", "routine"), *OPEN),
    (Standing("open", "low"), *OPEN),
    (Standing("claimed", "serious"), *CLAIMED),
    (Standing("answered", "routine"), ["close"], ["reopen"]),
    (Standing("closed", "routine"), ["reopen"], []),
    (Standing("closed", "routine", can_tell=True), ["follow_up", "reopen"], []),
    (Standing("dismissed", "routine"), ["reopen"], []),
    # danger: no dismissal by one click, no sleep
    (
        Standing("open", "danger"),
        ["claim"],
        ["not_for_us", "answered", "close", "draft", "assign", "escalate", "change", "merge"],
    ),
    (
        Standing("claimed", "danger"),
        ["answered", "close"],
        ["not_for_us", "draft", "assign", "escalate", "give_back", "change", "merge"],
    ),
    # several posts, asleep
    (Standing("open", "routine", posts=2), OPEN[0], [*OPEN[1][:-1], "split", "merge"]),
    (Standing("closed", "routine", posts=2), ["reopen"], []),
    (
        Standing("open", "routine", is_snoozed=True),
        OPEN[0],
        ["answered", "close", "draft", "assign", "escalate", "wake_up", "snooze", "change", "merge"],
    ),
    # a reply on its way
    (Standing("claimed", "danger", answer="waiting"), ["approve", "answered", "close"], None),
    (Standing("claimed", "routine", answer="written"), ["send", "answered", "close"], CLAIMED[1]),
    (
        Standing("claimed", "routine", answer="sending"),
        ["answered", "close"],
        [name for name in CLAIMED[1] if name != "draft"],
    ),
    (
        Standing("claimed", "routine", answer="unknown"),
        ["look", "answered", "close"],
        [name for name in CLAIMED[1] if name != "draft"],
    ),
    (Standing("answered", "routine", answer="sent"), ["close"], ["reopen"]),
    (Standing("answered", "routine", answer="by_hand"), ["close"], ["reopen"]),
    (Standing("open", "routine", answer="sent"), *OPEN),  # its author said more: it needs another reply
    (Standing("open", "routine", answer="by_hand"), *OPEN),
    (Standing("dismissed", "routine", answer="written"), ["reopen"], []),
    (Standing("dismissed", "danger", answer="waiting"), ["reopen"], []),
    # telling the person, once it is closed
    (Standing("closed", "routine", answer="sent", can_tell=True), ["follow_up", "reopen"], []),
    (Standing("closed", "routine", answer="written", can_tell=True), ["send", "reopen"], []),
    (Standing("closed", "routine", answer="waiting", can_tell=True), ["approve", "reopen"], []),
    (Standing("closed", "routine", answer="unknown", can_tell=True), ["look", "reopen"], []),
]


@pytest.mark.parametrize(("standing", "buttons", "menu"), STANDINGS)
def test_where_each_is_offered(standing: Standing, buttons: list[str], menu: list[str] | None) -> None:
    found = offered(standing)
    assert [name for name, place in found.items() if place == "button"] == buttons
    if menu is not None:
        assert [name for name, place in found.items() if place == "menu"] == menu


def test_each_file_is_an_action_with_words_that_fit() -> None:
    folder = Path(known_actions()["claim"].__file__ or "").parent  # type: ignore[attr-defined]
    assert set(known_actions()) == {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {len(action.LABEL) <= 75 for action in known_actions().values()} == {True}
    orders = [action.ORDER for action in known_actions().values()]
    assert len(set(orders)) == len(orders), "two at one place would change places with their names"
    seen = {name for standing, *_ in STANDINGS for name in offered(standing)}
    assert seen == set(known_actions()), "each is offered by some standing of the table"


# ---------------------------------------------------------------- what each does

DOES = [
    # before it, action and answers, state, kind, words, what it says
    ([], ("claim", {}), "claimed", "claimed", "claimed it", "Case 1 is yours."),
    (["claim"], ("give_back", {}), "open", "given_back", "gave it back to the team", "Case 1 is with the team again."),
    ([], ("answered", {}), "answered", "answered", "answered in public", "Case 1 is answered."),
    (["claim"], ("answered", {}), "answered", "answered", "answered in public", "Case 1 is answered."),
    (["claim"], ("close", {"outcome": "fixed"}), "closed", "closed", "closed it: fixed", "Case 1 is closed."),
    (["answered"], ("close", {"outcome": "no_answer"}), "closed", "closed", "closed it: no answer needed", "Case 1 is closed."),
    ([], ("not_for_us", {"reason": "joke"}), "dismissed", "dismissed", "not for us: joke", "Case 1 is not for us."),
    (["answered"], ("reopen", {}), "open", "reopened", "reopened it", "Case 1 is open again."),
    ([], ("assign", {"to": "U0BEN1"}), "claimed", "assigned", "gave it to <@U0BEN1>", "Case 1 is with <@U0BEN1>."),
    (["claim"], ("assign", {"to": "ben"}), "claimed", "assigned", "gave it to ben", "Case 1 is with ben."),
    ([], ("escalate", {"to": "oncall", "why": "call"}), "open", "escalated", "oncall: call", "Case 1: they are told."),
    ([], ("snooze", {"span": "2h", "why": "later"}), "open", "snoozed", "snoozed: later", "Case 1 sleeps for 2 h."),
    (
        [],
        ("change", {"urgency": "serious", "topics": (), "why": "a lawyer"}),
        "open",
        "urgency",
        "now serious, was routine: a lawyer",
        "Case 1 is Serious.",
    ),
    (
        [],
        ("change", {"urgency": "routine", "topics": ("food", "parking"), "why": "both"}),
        "open",
        "topics",
        "about food, parking: both",
        "Case 1 is To answer.",
    ),
    ([], ("draft", {"reply": GOOD}), "open", "draft", "wrote a reply", "The check has nothing against it."),
]  # fmt: skip


@pytest.mark.parametrize(("before", "action", "state", "kind", "what", "said"), DOES)
def test_what_it_does(
    desk: Any, before: list[str], action: tuple[str, dict[str, Any]], state: str, kind: str, what: str, said: str
) -> None:
    desk.alert()
    for name in before:
        desk.act(name, "dee")
    version = desk.case().version
    name, given = action
    done = desk.act(name, "ana", NOW + MINUTE, **given)
    assert done.sentence == said
    assert desk.case().state == state
    assert event(desk) == ("ana", kind, what)
    assert desk.case().version > version, "its card is shown anew"


def test_two_people_and_one_case(desk: Any) -> None:
    desk.alert()
    desk.act("claim", "U0ANA1")
    with pytest.raises(NeedsPerson, match="case 1 is claimed by <@U0ANA1> already: 'Claim' cannot follow"):
        desk.act("claim", "U0BEN1")
    assert desk.case().owner == "U0ANA1"


def test_given_back_it_can_be_taken_by_another(desk: Any) -> None:
    desk.alert()
    for name, who in (("claim", "ana"), ("give_back", "ana"), ("claim", "ben")):
        desk.act(name, who)
    assert (desk.case().state, desk.case().owner) == ("claimed", "ben")


@pytest.mark.parametrize(
    "name", ["snooze", "wake_up", "give_back", "split", "approve", "send", "look", "follow_up", "reopen"]
)
def test_what_an_open_danger_cannot_be(desk: Any, name: str) -> None:
    desk.alert(urgency="danger")
    with pytest.raises(NeedsPerson, match="case 1 is open and danger already"):
        desk.act(name)
    assert desk.case().state == "open"


def test_danger_is_not_for_us_only_with_the_tick(desk: Any) -> None:
    desk.alert(urgency="danger")
    with pytest.raises(Refused, match="sure: please answer this"):
        desk.act("not_for_us", reason="joke")
    desk.act("not_for_us", reason="joke", sure="yes")
    assert desk.case().state == "dismissed"


# ---------------------------------------------------------------- escalate


@pytest.mark.parametrize(("manager", "people"), [(None, ["oncall"]), ("<@U0BOSS1>", ["oncall", "manager"])])
def test_whom_one_can_escalate_to(desk: Any, manager: str | None, people: list[str]) -> None:
    slack = desk.config.care.slack.model_copy(update={"manager": manager})
    desk.config = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"slack": slack})})
    desk.alert()
    assert [choice.value for choice in form(desk, "escalate").fields[0].choices] == people
    if manager is None:
        with pytest.raises(Refused, match="to: none of the choices: oncall"):
            desk.act("escalate", to="manager", why="x")


def offers(desk: Any) -> list[str]:
    """What can be done with case 1 now."""
    answer = newest_answer(desk.session, 1)
    return list(offered(standing(desk.config, desk.case(), answer)))


def test_the_person_is_told_once_each_time_it_is_closed(desk: Any) -> None:
    desk.alert()
    desk.act("draft", reply="Thank you for telling us. Please reach us at 555-0100.")
    desk.act("send")
    for minutes in (1, 5):
        now = NOW + minutes * MINUTE
        desk.act("close", now=now, outcome="fixed")
        assert offers(desk) == ["follow_up", "reopen"], "the first reply told nobody what became of it"
        desk.act("follow_up", now=now + MINUTE, reply="Thank you again for letting us know. The problem is fixed now.")
        desk.act("send", now=now + 2 * MINUTE)
        assert offers(desk) == ["reopen"]
        desk.act("reopen", now=now + 3 * MINUTE)


# ---------------------------------------------------------------- snooze


def test_a_snooze_moves_the_target_by_the_time_slept(desk: Any) -> None:
    desk.alert()
    due_at = desk.case().due_at
    desk.act("snooze", span="4h", why="they call back")
    desk.act("wake_up", now=NOW + 50 * MINUTE)
    assert desk.case().due_at == due_at + 50 * MINUTE
    assert event(desk) == ("ana", "woken", "snooze over")


def test_a_snooze_needs_its_reason(desk: Any) -> None:
    desk.alert()
    with pytest.raises(Refused) as caught:
        desk.act("snooze", span="1w")
    assert set(caught.value.problems) == {"span", "why"}
    with pytest.raises(Refused, match="at most 200 characters"):
        desk.act("snooze", span="1h", why="x" * 201)


def test_danger_is_awake(desk: Any) -> None:
    desk.alert()
    desk.act("snooze", span="24h", why="they call back")
    desk.act("change", now=NOW + 10 * MINUTE, urgency="danger", topics=(), why="they wrote to us")
    assert (desk.case().snoozed_until, desk.case().due_at) == (None, NOW + 15 * MINUTE)


# ---------------------------------------------------------------- change


def channels_of(paper: Any) -> list[tuple[str, int]]:
    cards = [post for post in paper.posts if post.message.metadata["event_type"] == "call_light_card"]
    return [(post.channel, post.message.metadata["event_payload"]["case_id"]) for post in cards]


def test_made_danger_there_is_a_card_for_it_and_back_none_is_left_wrong(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW - HOUR)
    desk.deliver(paper)
    desk.act("change", urgency="danger", topics=(), why="he is alone")
    assert desk.case().due_at == NOW + 5 * MINUTE, "nobody was late before"
    desk.deliver(paper, NOW)
    assert channels_of(paper) == [("care", 1), ("danger", 1)]
    assert "<!here>" in paper.posts[-1].message.text
    desk.act("change", now=NOW + MINUTE, urgency="routine", topics=(), why="it was a film")
    desk.deliver(paper, NOW + MINUTE)
    assert (desk.case().channel, desk.case().due_at) == ("care", NOW)
    assert channels_of(paper) == [("care", 1), ("danger", 1)], "its first card is still there"
    shown = {sent.place: message for sent, message in paper.updates}
    assert {place: message.title for place, message in shown.items()} == {
        "care": "🔵 To answer",
        "danger": "🔵 To answer",
    }
    assert "<!here>" not in shown["danger"].text
    moved = "Changed by ana: now routine, was danger: it was a film. It goes on in #social-care"
    assert dict(shown["danger"].lines)["Moved"] == moved
    assert moved in str(shown["danger"].blocks)
    assert "Moved" not in dict(shown["care"].lines)


@pytest.mark.parametrize(
    ("said", "topics", "channel"),
    [
        ({"categories": [{"id": "billing", "score": 1.0, "words": []}]}, ("billing",), "billing"),
        ({}, ("privacy",), "privacy"),
        ({}, (), "care"),
        ({"voice": "promo", "kind": None}, (), "care"),
    ],
)
def test_no_danger_after_all_it_goes_where_the_rules_send_it(
    desk: Any, paper: Any, said: dict[str, Any], topics: tuple[str, ...], channel: str
) -> None:
    desk.alert(urgency="danger", **said)
    desk.deliver(paper)
    desk.act("change", urgency="routine", topics=topics, why="it was a film")
    desk.deliver(paper)
    assert desk.case().channel == channel
    assert channels_of(paper) == [("danger", 1), (channel, 1)]


def test_no_danger_any_more_it_goes_back_to_where_it_stood(desk: Any, paper: Any) -> None:
    desk.alert(categories=[{"id": "billing", "score": 1.0, "words": []}])
    desk.deliver(paper)
    desk.act("change", urgency="danger", topics=(), why="he is alone")
    desk.deliver(paper)
    assert "It goes on in #social-care-danger" in dict(paper.updates[-1][1].lines)["Moved"]
    desk.act("change", urgency="serious", topics=(), why="he is not alone")
    assert desk.case().channel == "billing"


def test_less_urgent_its_author_has_waited_since_the_post(desk: Any) -> None:
    desk.alert(urgency="serious", written_at=NOW - 10 * MINUTE)
    desk.act("change", urgency="routine", topics=(), why="no lawyer")
    assert desk.case().due_at == NOW + 50 * MINUTE


def test_the_form_shows_what_is(desk: Any) -> None:
    desk.alert(urgency="serious", categories=[{"id": "food", "score": 1.0, "words": []}, {"id": "gone", "words": []}])
    urgency, topics, _ = form(desk, "change").fields
    assert (urgency.initial, topics.initial) == ("serious", ("food", "gone")), "nobody took it off"
    assert topics.choices[-1] == Choice("gone", "Gone")
    assert len(urgency.choices) == 4


def test_nothing_changed_is_no_change(desk: Any) -> None:
    desk.alert()
    version = desk.case().version
    desk.act("change", urgency="routine", topics=(), why="as it was")
    assert desk.case().version == version


# ---------------------------------------------------------------- merge and split


def whose(desk: Any) -> dict[int, set[int]]:
    """Of each post the cases that have it."""
    found: dict[int, set[int]] = {}
    for verdict in desk.session.exec(select(Verdict).execution_options(populate_existing=True)):
        found.setdefault(verdict.mention_id, set()).add(verdict.case_id)
    return found


def adds_up(desk: Any, paper: Any, posts: int) -> None:
    """Every post is on exactly one case, and the ledger accounts for all of them, once its cards are out."""
    desk.deliver(paper, NOW + 20 * MINUTE)
    assert [len(cases) for cases in whose(desk).values()] == [1] * posts
    found = ledger(heard_between(desk.session, None, NOW + DAY), NOW + 2 * HOUR)
    assert (found.collected, found.alerted, found.adds_up) == (posts, posts, True), found


def test_merged_into_another(desk: Any, paper: Any) -> None:
    for number, minutes in ((1, 10), (2, 50)):
        desk.alert(f"post {number}", ref=f"{number}", author="kim", written_at=NOW - minutes * MINUTE)
    desk.alert(urgency="serious", written_at=NOW - MINUTE)
    done = desk.act("merge", case_id=2, into="1")
    assert done.sentence == "Case 2 went into case 1."
    assert (desk.case(2).state, desk.case(2).outcome) == ("closed", MERGED)
    assert (desk.case(1).posts, desk.case(1).clock_from) == (2, NOW - 50 * MINUTE)
    assert desk.case(1).due_at == NOW + 10 * MINUTE, "the earlier clock"
    assert event(desk, 1) == ("ana", "merged", "case 2 went into it")
    assert event(desk, 2) == ("ana", "merged", "merged into case 1")
    desk.act("merge", case_id=3, into="1")
    assert (desk.case(1).urgency, desk.case(1).posts) == ("serious", 3), "the worse urgency"
    adds_up(desk, paper, 3)


@pytest.mark.parametrize(
    ("number", "into", "why"),
    [
        (1, "1", "case 1 cannot take it: name another case that still waits"),
        (1, "3", "case 3 cannot take it"),
        (1, "99", "there is no case 99"),
        (2, "1", "case 2 is danger: merge case 1 into it instead"),
    ],
)
def test_what_cannot_be_merged(desk: Any, number: int, into: str, why: str) -> None:
    desk.alert()
    desk.alert(urgency="danger")
    desk.alert()
    desk.act("close", case_id=3, outcome="fixed")
    before = whose(desk)
    with pytest.raises(NeedsPerson, match=why):
        desk.act("merge", case_id=number, into=into)
    desk.session.rollback()
    assert whose(desk) == before
    assert desk.case(number).state == "open"


def test_what_is_said_next_belongs_to_the_other(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.alert(ref="2", author="lee")
    desk.act("merge", case_id=2, into="1")
    assert desk.alert("and still", ref="3", thread="2", author="lee") == 1
    desk.hear("We are sorry", own=True, answers="2", thread="2", author="StBrigidCares", written_at=NOW)
    desk.decide()
    assert own_replies(desk.session, NOW + MINUTE) == 1


def test_a_merged_case_is_not_reopened_by_itself(desk: Any) -> None:
    """Its posts are the other's: it would be a card that no reply ever stops."""
    desk.alert()
    desk.alert()
    desk.act("merge", case_id=2, into="1")
    with pytest.raises(NeedsPerson, match="case 2 went into another one: split its posts off there"):
        desk.act("reopen", case_id=2)
    assert desk.case(2).state == "closed"


def thread(desk: Any, *urgencies: str) -> list[int]:
    """Posts of one person in one conversation: one case; the ids of its posts."""
    return [
        desk.hear(f"post {n}", ref=str(n), thread="1", author="kim", urgency=urgency, written_at=NOW - (9 - n) * MINUTE)
        for n, urgency in enumerate(urgencies, 1)
    ]


def test_split_off(desk: Any, paper: Any) -> None:
    first, second, third = thread(desk, "routine", "serious", "low")
    desk.decide()
    offered_posts = [(choice.value, choice.label) for choice in form(desk, "split").fields[0].choices]
    assert offered_posts == [(str(second), "post 2"), (str(third), "post 3")], "the first stays"
    done = desk.act("split", posts=[str(second)])
    assert done.sentence == "Case 2 was split off case 1."
    new = desk.case(2)
    assert (new.mention_id, new.urgency, new.state, new.posts) == (second, "serious", "open", 1)
    assert (new.clock_from, new.due_at) == (NOW - 7 * MINUTE, NOW + 8 * MINUTE)
    assert desk.case(1).posts == 2
    assert event(desk, 2) == ("ana", "opened", "opened: split off case 1")
    assert event(desk, 1) == ("ana", "split", "case 2 was split off it")
    assert whose(desk) == {first: {1}, second: {2}, third: {1}}
    adds_up(desk, paper, 3)
    assert sorted(channels_of(paper)) == [("care", 1), ("care", 2)]


def test_danger_split_off_goes_to_danger_and_remarks_stay_something_to_answer(desk: Any) -> None:
    thread(desk, "routine")
    desk.decide()
    second = desk.hear(ref="2", thread="1", author="kim", urgency="danger")
    desk.decide()
    third = desk.hear(ref="3", thread="1", author="kim", urgency="low", kind="comment")
    desk.decide()
    desk.act("change", urgency="routine", topics=(), why="two matters")
    desk.act("split", posts=[str(second)])
    desk.act("split", posts=[str(third)])
    found = [(case.urgency, case.channel) for case in desk.cases()]
    assert found == [("routine", "care"), ("danger", "danger"), ("routine", "care")]


def test_merged_by_mistake_and_split_again(desk: Any, paper: Any) -> None:
    """The case that it was opens again, with a new card: a post opens one case only."""
    first, second = desk.hear("one", ref="1", author="kim"), desk.hear("two", ref="2", author="lee")
    desk.decide()
    desk.deliver(paper)
    desk.act("merge", case_id=2, into="1")
    done = desk.act("split", now=NOW + MINUTE, posts=[str(second)])
    assert done.sentence == "Case 2 was split off case 1."
    assert whose(desk) == {first: {1}, second: {2}}
    again = desk.case(2)
    assert (again.state, again.outcome, again.owner, again.posts, again.round) == ("open", None, None, 1, 2)
    assert event(desk, 2) == ("ana", "reopened", "split off case 1")
    adds_up(desk, paper, 2)
    assert channels_of(paper) == [("care", 1), ("care", 2), ("care", 2)]


@pytest.mark.parametrize("given", [[], ["99"], ["1"]])
def test_what_cannot_be_split_off(desk: Any, given: list[str]) -> None:
    thread(desk, "routine", "routine")
    desk.decide()
    with pytest.raises(Refused, match="posts: "):
        desk.act("split", posts=given)
    assert len(desk.cases()) == 1


def test_copies_leave_one_post_and_nothing_to_split(desk: Any) -> None:
    desk.alert()
    case = desk.case()
    case.posts = 2  # one was forgotten
    desk.session.commit()
    with pytest.raises(NeedsPerson, match="case 1 has one post only"):
        desk.act("split", posts=["1"])


# ---------------------------------------------------------------- draft, approve, send


def test_a_draft_is_proposed_and_checked(desk: Any) -> None:
    desk.alert("waited six hours <!channel>", url="https://x.example/1")
    shown = form(desk, "draft")
    assert shown.fields[0].initial.startswith("Thank you")
    assert "waited six hours" in shown.says[0]
    assert (shown.link.url, len(shown.says)) == ("https://x.example/1", 1)
    with pytest.raises(Refused) as caught:
        desk.act("draft", reply=BAD)
    assert "visit" in caught.value.problems["reply"]
    assert "Instead:" in caught.value.problems["reply"]
    assert answers(desk) == []
    assert desk.act("draft", reply=GOOD).then == "send"
    assert answers(desk) == [("written", GOOD)]
    assert form(desk, "draft").fields[0].initial == GOOD, "what was begun goes on"


def test_a_draft_that_its_place_does_not_take(desk: Any) -> None:
    desk.alert()
    with pytest.raises(Refused, match="shorten it by"):
        desk.act("draft", reply="Thank you. " * 40)


def test_what_we_know_is_in_the_draft(desk: Any) -> None:
    desk.alert(categories=[{"id": "digital", "score": 1.0, "words": ["portal"]}])
    known = "The portal is down; we expect it back at noon."
    desk.session.add(
        Spike(topic="digital", began_at=NOW - HOUR, seen_at=NOW, usual=0.3, posts=9, known=known, known_by="ana")
    )
    desk.session.commit()
    assert known in form(desk, "draft").fields[0].initial


def test_another_draft_takes_the_place_of_what_nobody_sent(desk: Any) -> None:
    desk.alert()
    desk.act("draft", "ana", reply=GOOD)
    desk.act("draft", "ben", reply=f"{GOOD} Thank you.")
    assert [state for state, _ in answers(desk)] == ["withdrawn", "written"]


@pytest.mark.parametrize("urgency", ["danger", "serious"])
def test_a_second_person_reads_it_first(desk: Any, urgency: str) -> None:
    desk.alert(urgency=urgency)
    assert "A second person approves it" in form(desk, "draft").says[1]
    done = desk.act("draft", "ana", reply=GOOD)
    assert done.then is None
    assert answers(desk) == [("waiting", GOOD)]
    with pytest.raises(NeedsPerson, match="'Send the reply…' cannot follow"):
        desk.act("send", "ana")
    with pytest.raises(NeedsPerson, match="you wrote it: a second person has to approve it"):
        desk.act("approve", "ana")
    shown = form(desk, "approve")
    assert (shown.exact, shown.says) == (GOOD, ("Written by ana. Read it as a stranger would.",))
    assert desk.act("approve", "ben").then == "send"
    assert answers(desk) == [("written", GOOD)]
    assert event(desk) == ("ben", "draft", "approved the reply")


def test_posted_by_hand_the_clock_stops(desk: Any) -> None:
    desk.alert(source="x", ref="77", written_at=NOW - 6 * MINUTE)
    desk.act("draft", reply=GOOD)
    shown = form(desk, "send")
    assert (shown.submit, shown.exact) == ("I have posted it", GOOD)
    assert shown.link.url.startswith("https://")
    desk.act("send")
    assert (desk.case().state, desk.case().answered_at) == ("answered", NOW)
    assert event(desk) == ("ana", "answered", "posted the reply by hand")
    assert answers(desk) == [("by_hand", GOOD)]
    with pytest.raises(NeedsPerson, match="cannot follow"):
        desk.act("send", "ben")


def test_who_reopened_it_is_drafted_another_reply(desk: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.act("draft", reply=GOOD)
    desk.act("send")
    desk.alert("still nothing", ref="2", thread="1", author="kim", written_at=NOW + HOUR, now=NOW + HOUR)
    assert "draft" in offered(Standing(desk.case().state, "routine", answer="by_hand"))
    assert form(desk, "draft").fields[0].initial != GOOD
    desk.act("draft", now=NOW + HOUR, reply=f"{GOOD} Thank you.")
    assert [state for state, _ in answers(desk)] == ["by_hand", "written"]


def test_who_was_told_of_the_outcome(desk: Any) -> None:
    desk.alert()
    desk.act("claim")
    desk.act("close", outcome="fixed")
    shown = form(desk, "follow_up")
    assert "fixed now" in shown.fields[0].initial
    with pytest.raises(Refused):
        desk.act("follow_up", reply=BAD)
    desk.act("follow_up", reply=shown.fields[0].initial)
    desk.act("send")
    assert (desk.case().state, desk.case().answered_at) == ("closed", None), "what it tells stops no clock"
    assert event(desk) == ("ana", "answered", "posted the reply by hand")


def test_an_outcome_without_words_tells_nobody(desk: Any) -> None:
    desk.alert()
    desk.act("close", outcome="no_answer")
    with pytest.raises(NeedsPerson, match="cannot follow"):
        desk.act("follow_up", reply=GOOD)


# ---------------------------------------------------------------- sent by the program


class Town:
    """A place where the program may answer, and a case of a post there."""

    def __init__(self, desk: Any, place: Any) -> None:
        self.desk, self.place, self.secrets = desk, place, place.may_answer()
        settings = known_collectors()["mastodon"].Settings(**{"on": True, **place.settings})
        replies = desk.config.care.replies.model_copy(update={"send": ("mastodon",)})
        care = desk.config.care.model_copy(update={"replies": replies})
        desk.config = desk.config.model_copy(update={"collectors": {"mastodon": settings}, "care": care})
        ref = place.post("Six hours in the ER of St. Brigid's", NOW - MINUTE)
        desk.alert(collector="mastodon", source="mastodon", ref=ref, thread=ref, author="ann@town.example", url=None)
        desk.act("draft", reply=GOOD)

    def act(self, name: str, now: Any = NOW) -> Any:
        return act(self.desk.session, self.desk.config, name, 1, "ana", now, {}, self.secrets)

    def said(self) -> list[str]:
        """What the hospital made public, request by request."""
        posted = [request for request in self.place.fake.seen("/api/v1/statuses") if request.method == "POST"]
        return [json.dumps(request.body) for request in posted]


@pytest.fixture
def town(desk: Any, clock: Any, tmp_path: Path) -> Iterator[Town]:
    with mastodon.place(clock, tmp_path) as place:
        yield Town(desk, place)


def test_sent_and_the_clock_stops(desk: Any, town: Town) -> None:
    shown = form(desk, "send")
    assert (shown.submit, GOOD in shown.exact) == ("Send it", True)
    assert town.act("send").sentence == "It is public on Mastodon."
    assert len(town.said()) == 1
    (answer,) = desk.session.exec(select(Answer)).all()
    assert (answer.state, answer.sent_by, answer.sent_at) == ("sent", "ana", NOW)
    assert answer.ref
    assert (desk.case().state, event(desk)) == ("answered", ("ana", "answered", "replied in public"))
    with pytest.raises(NeedsPerson, match="cannot follow"):
        town.act("send")
    assert len(town.said()) == 1


def test_no_answer_came_so_it_is_looked_for_and_not_sent_again(desk: Any, town: Town) -> None:
    town.place.fake.fail_next(DropAfter(), on=lambda request: request.method == "POST")
    with pytest.raises(OutcomeUnknown):
        town.act("send")
    assert answers(desk) == [("unknown", GOOD)]
    assert desk.case().state == "open"
    assert event(desk) == ("ana", "changed", "tried to send the reply")
    for name in ("send", "draft"):
        with pytest.raises(NeedsPerson, match="cannot follow"):
            town.act(name)
    assert town.act("look").sentence == "It is there. The clock has stopped."
    assert answers(desk) == [("sent", GOOD)]
    assert desk.case().state == "answered"
    assert len(town.said()) == 1


def test_nobody_who_writes_waits_for_a_place_that_does_not_answer(
    desk: Any, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction is open during a request: in SQLite it would hold up everybody, danger that is heard too. Found by
    the simulation."""
    open_then: list[bool] = []
    real = town.place.fake.answer

    def answer(request: Any) -> Any:
        open_then.append(desk.session.in_transaction())
        return real(request)

    monkeypatch.setattr(town.place.fake, "answer", answer)
    town.place.fake.fail_next(DropAfter(), on=lambda request: request.method == "POST")
    with pytest.raises(OutcomeUnknown):
        town.act("send")
    town.act("look")
    assert len(open_then) > 2
    assert not any(open_then)


def test_it_was_not_sent_and_may_be_again(desk: Any, town: Town) -> None:
    town.place.fake.fail_next(Status(503), on=lambda request: request.method == "POST")
    with pytest.raises(OutcomeUnknown):
        town.act("send")
    assert town.act("look").sentence.startswith("It is not there.")
    assert answers(desk) == [("written", GOOD)]
    assert event(desk) == ("ana", "changed", "looked: the reply is not there")
    town.act("send")
    assert desk.case().state == "answered"


def test_refused_it_says_why_and_waits_on_the_card(desk: Any, town: Town) -> None:
    town.secrets = {"MASTODON_ACCESS_TOKEN": "another"}
    with pytest.raises(NeedsPerson):
        town.act("send")
    (answer,) = desk.session.exec(select(Answer)).all()
    assert answer.state == "written"
    assert answer.trouble
    assert desk.case().state == "open"


def test_the_hospitals_reply_settles_what_was_unsure(desk: Any, town: Town) -> None:
    town.place.fake.fail_next(DropAfter(), on=lambda request: request.method == "POST")
    with pytest.raises(OutcomeUnknown):
        town.act("send")
    post = desk.session.get_one(Mention, desk.case().mention_id)
    desk.hear(GOOD, own=True, source="mastodon", answers=post.ref, author="care", written_at=NOW)
    desk.decide()
    assert own_replies(desk.session, NOW + MINUTE) == 1
    assert answers(desk) == [("sent", GOOD)]


# ---------------------------------------------------------------- whatever people write


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("name", ["draft", "snooze", "escalate", "change", "assign", "merge", "split"])
def test_hostile_words(desk: Any, name: str, words: str) -> None:
    """They are refused with a sentence, or done and written down."""
    thread(desk, "routine", "routine")
    desk.decide()
    given = {
        "draft": {"reply": words},
        "snooze": {"span": "1h", "why": words},
        "escalate": {"to": "oncall", "why": words},
        "change": {"urgency": "serious", "topics": (), "why": words},
        "assign": {"to": words},
        "merge": {"into": words},
        "split": {"posts": [words]},
    }
    try:
        desk.act(name, **given[name])
    except NeedsPerson:
        desk.session.rollback()
        assert len(desk.events()) == 2
    else:
        assert len(desk.events()) == 3
    assert len(event(desk)[2]) < 1000
