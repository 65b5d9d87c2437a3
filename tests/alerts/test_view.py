"""What a card shows of a case: the post that people must see, what belongs to it, what it answers, what to do."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW

from alerts.answer import write
from alerts.card import CaseView, card
from alerts.spikes import Spike
from alerts.view import foremost, newest_reading, posts_of, runbook_of, topics_of, view
from listener.keep import DELETED, forget
from listener.mention import Mention
from nlp import read

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def seen(desk: Any, case_id: int = 1) -> CaseView:
    return view(desk.session, desk.config, desk.case(case_id), "key", NOW)


def said(desk: Any, *urgencies: str) -> list[int]:
    """Posts of one person in one conversation, a minute apart; the ids."""
    written = [NOW - (20 - number) * MINUTE for number in range(len(urgencies))]
    ids = [
        desk.hear(f"post {n}", ref=str(n), thread="0", author="kim", urgency=urgency, written_at=at)
        for n, (urgency, at) in enumerate(zip(urgencies, written, strict=True))
    ]
    desk.decide()
    return ids


def topic(name: str) -> dict[str, Any]:
    return {"id": name, "score": 1.0, "words": [f"about {name}"]}


@pytest.mark.parametrize(
    ("urgencies", "first"),
    [
        (["routine", "routine"], 0),
        (["routine", "serious", "low"], 1),
        (["low", "routine", "danger", "danger"], 2),
    ],
)
def test_the_most_urgent_post_is_shown_and_of_several_the_first(desk: Any, urgencies: list[str], first: int) -> None:
    said(desk, *urgencies)
    assert seen(desk).redacted_text == f"post {first}"


def test_what_is_gone_is_shown_only_if_nothing_else_is_left(desk: Any) -> None:
    first, second = said(desk, "danger", "routine")
    forget(desk.session, [first], DELETED, NOW)
    assert (seen(desk).redacted_text, seen(desk).gone) == ("post 1", None)
    forget(desk.session, [second], DELETED, NOW)
    read.forget(desk.session, NOW)
    found = seen(desk)
    assert (found.gone, found.url, found.also, found.redacted_text) == (DELETED, None, (), "")


def test_posts_come_in_the_order_of_writing(desk: Any) -> None:
    desk.hear("second", ref="2", thread="1", author="kim", written_at=NOW - MINUTE)
    desk.hear("first", ref="1", thread="1", author="kim", written_at=NOW - 2 * MINUTE)
    desk.decide()
    assert [post.text for post, _ in posts_of(desk.session, desk.case())] == ["first", "second"]
    assert foremost(posts_of(desk.session, desk.case()))[0].text == "first"


def test_what_else_was_said_the_newest_of_it_and_no_copies(desk: Any) -> None:
    first, *_ = said(desk, *["routine"] * 6)
    desk.alert("post 0", ref="copy", story=first, author="dee", source="bluesky")
    found = seen(desk)
    assert found.also == ("post 3", "post 4", "post 5")
    assert (found.posts, found.people) == (7, 2)


# ---------------------------------------------------------------- what it answers


def conversation(desk: Any) -> None:
    for number, (author, own) in enumerate([("mia", False), ("kim", False), ("StBrigidCares", True)]):
        at = NOW - (9 - number) * MINUTE
        desk.hear(
            f"said {number}", ref=f"b{number}", thread="b0", author=author, own=own, kind="comment", written_at=at
        )
    desk.decide()


def test_what_was_said_before_by_whom(desk: Any) -> None:
    conversation(desk)
    number = desk.alert("no answer", ref="k", thread="b0", author="kim", written_at=NOW - MINUTE)
    assert seen(desk, number).before == ("same person: said 1", "we: said 2")


def test_nobody_is_taken_for_the_same_person(desk: Any) -> None:
    desk.hear("before", ref="b0", thread="b0", author=None, kind="comment", written_at=NOW - 5 * MINUTE)
    number = desk.alert("no answer", ref="k", thread="b0", author=None)
    assert seen(desk, number).before == ("somebody: before",)


def test_what_is_gone_or_not_read_yet_is_not_before_it(desk: Any, paper: Any) -> None:
    """Danger is read first: its card must not wait for what it answers."""
    gone = desk.hear("gone", ref="b0", thread="b0", author="mia", kind="comment", written_at=NOW - 9 * MINUTE)
    desk.hear("not read yet", ref="b1", thread="b0", author="mia", read=False, written_at=NOW - 8 * MINUTE)
    forget(desk.session, [gone], DELETED, NOW)
    number = desk.alert("he fell", ref="k", thread="b0", author="kim", urgency="danger")
    assert seen(desk, number).before == ()
    assert desk.deliver(paper).sent == 1


def test_a_conversation_elsewhere_is_not_before_it(desk: Any) -> None:
    desk.hear("elsewhere", ref="b0", thread="b0", source="reddit", kind="comment", written_at=NOW - 9 * MINUTE)
    number = desk.alert("no answer", ref="k", thread="b0", author="kim")
    assert seen(desk, number).before == ()


# ---------------------------------------------------------------- topics and runbooks


def test_topics_are_as_read_or_as_a_person_corrected_them(desk: Any) -> None:
    desk.alert(categories=[topic("food"), topic("waiting")])
    assert topics_of(desk.session, desk.case()) == ["food", "waiting"]
    desk.act("change", urgency="routine", topics=("waiting", "parking"), why="no food")
    assert topics_of(desk.session, desk.case()) == ["waiting", "parking"]
    found = [(one["id"], one["words"]) for one in seen(desk).categories]
    assert found == [("waiting", ["about waiting"]), ("parking", [])]
    desk.act("change", urgency="routine", topics=(), why="nothing")
    assert topics_of(desk.session, desk.case()) == []


@pytest.mark.parametrize(
    ("reading", "title"),
    [
        ({"urgency": "danger", "danger_of": "self_harm"}, "Somebody may harm themselves"),
        ({"urgency": "danger", "danger_of": "violence"}, "A threat or violence"),
        ({"urgency": "danger", "danger_of": "unattended"}, "Somebody needs help now"),
        ({"urgency": "danger", "danger_of": "missing"}, "A patient is missing"),
        ({"urgency": "danger", "danger_of": None}, None),
        ({"urgency": "serious", "signs": ["legal"]}, "A lawyer or a regulator is mentioned"),
        ({"urgency": "serious", "signs": ["press"]}, "A reporter or the news"),
        ({"categories": [topic("privacy")]}, "A breach of privacy is reported"),
        ({"categories": [topic("food")], "signs": []}, None),
    ],
)
def test_the_runbook_that_fits(desk: Any, reading: dict[str, Any], title: str | None) -> None:
    desk.alert(**reading)
    book = seen(desk).runbook
    assert (book.title if book else None) == title


def test_danger_that_a_person_lowered_has_no_runbook_of_danger(desk: Any) -> None:
    number = desk.hear(urgency="danger", danger_of="self_harm")
    reading = newest_reading(desk.session, number)
    assert runbook_of(desk.config, "danger", reading, []) is not None
    assert runbook_of(desk.config, "serious", reading, []) is None


# ---------------------------------------------------------------- what else


def test_what_the_same_author_waits_for(desk: Any) -> None:
    for author, source in (
        ("kim", "x"),
        ("kim", "x"),
        ("kim", "reddit"),
        ("lee", "x"),
        ("kim", "x"),
        (None, "x"),
        (None, "x"),
    ):
        desk.alert(author=author, source=source)
    desk.act("answered", case_id=5)
    assert seen(desk, 1).other_cases == (2,)
    assert seen(desk, 6).other_cases == (), "who is not known is not the same"


@pytest.mark.parametrize(("known", "shown"), [("The portal is down.", "The portal is down."), (None, "")])
def test_a_spike_is_on_the_cards_of_its_topic_that_wait(desk: Any, known: str | None, shown: str) -> None:
    desk.alert(categories=[topic("digital")])
    desk.alert(categories=[topic("food")])
    spike = Spike(topic="digital", began_at=NOW, seen_at=NOW, usual=0.1, posts=9, known=known, known_by="ana")
    desk.session.add(spike)
    desk.session.commit()
    assert [seen(desk, 1).spike, seen(desk, 2).spike] == [shown, None]
    desk.act("answered")
    assert seen(desk, 1).spike is None


@pytest.mark.parametrize("state", ["waiting", "written", "sending", "unknown", "by_hand", "sent"])
def test_how_its_reply_stands(desk: Any, state: str) -> None:
    desk.alert()
    answer = write(desk.session, 1, desk.case().mention_id, "Please call us.", "ana", NOW, needs_second=False)
    answer.state, answer.trouble = state, "no keys"
    desk.session.commit()
    assert (seen(desk).answer, seen(desk).answer_trouble) == (state, "no keys")


def test_an_outcome_by_its_name_and_one_that_the_file_lost_by_its_own(desk: Any) -> None:
    desk.alert()
    desk.act("close", outcome="billing_corrected")
    assert seen(desk).outcome == "Billing corrected"
    desk.config = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"outcomes": {}})})
    assert seen(desk).outcome == "billing_corrected"


@pytest.mark.parametrize(
    ("author", "url", "contact"), [("555-0123", None, True), (None, None, False), ("kim", "https://x.example/1", False)]
)
def test_who_left_a_way_to_be_reached(desk: Any, author: str | None, url: str | None, contact: bool) -> None:
    desk.alert(source="listening_post", author=author, url=url)
    assert seen(desk).contact is contact


def test_its_offers_are_what_can_be_done(desk: Any) -> None:
    desk.alert()
    desk.act("claim", "U0ANA1")
    found = seen(desk)
    assert found.owner == "<@U0ANA1>"
    assert [offer.name for offer in found.offers if offer.place == "button"] == ["answered", "close"]
    assert "give_back" in [offer.name for offer in found.offers if offer.place == "menu"]
    desk.act("close", outcome="fixed")
    assert [(offer.name, offer.label) for offer in seen(desk).offers] == [
        ("follow_up", "Tell the person…"),
        ("reopen", "Reopen"),
    ]


def test_a_story_that_hundreds_copied_makes_one_card_soon(desk: Any) -> None:
    first = desk.hear("the news", urgency="serious")
    for number in range(250):
        at = NOW - number * MINUTE
        mention = Mention(
            collector="x", source="x", ref=f"c{number}", text="the news", story=first,
            author=f"a{number}", written_at=at, heard_at=at, looked_at=at,
        )  # fmt: skip
        desk.session.add(mention)
        desk.session.flush()
        desk.read(mention.id, urgency="serious")
    desk.decide()
    found = seen(desk)
    assert (found.posts, found.also) == (251, ())
    assert found.people == 200, "of the first ones that are looked through"
    assert dict(card(found, "@here").lines)["Posts"] == "251 by 200 people"
