"""The report of the bundled week, figure by figure, against numbers counted by hand.

The posts go through the real stages; how each is read stands in expected.jsonl, as a person labelled it. Every number here
was counted from those two files without the program.
"""

import io
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from rich.console import Console as Terminal
from sqlmodel import select

from alerts.console import Console
from alerts.figures import Figures, figures
from alerts.report import html, known_sections, report
from alerts.section import Share
from alerts.span import named
from listener import week
from listener.keep import keep
from listener.mention import Mention
from listener.post import Page, Post

MINUTE = timedelta(minutes=1)


# What people did about each case, and how many minutes after its post.
_DONE: dict[str, tuple[tuple[str, int, dict[str, str]], ...]] = {
    "danger": (("claim", 2, {}), ("answered", 4, {}), ("close", 60, {"outcome": "explained"})),
    "here_now": (("answered", 12, {}), ("close", 120, {"outcome": "fixed"})),
    "serious": (("answered", 20, {}),),
}


def _heard_at(post: Post) -> datetime:
    return post.edited_at or post.written_at


@pytest.fixture(scope="module")
def numbers(desk_of_module: Any) -> Figures:
    """The figures of the week in which the bundled posts were written."""
    desk = desk_of_module
    labels = {label["ref"]: label for label in map(json.loads, week.EXPECTED.read_text(encoding="utf-8").splitlines())}
    hospital = desk.config.hospital
    for post in sorted(week.posts(hospital.zone, NOW), key=_heard_at):
        kept = keep(desk.session, "file", Page((post,), {}), hospital, _heard_at(post))
        if kept.new or kept.edited:
            label = labels[post.ref]
            mention = desk.session.exec(
                select(Mention).where(Mention.source == post.source, Mention.ref == post.ref)
            ).one()
            said = {name: label[name] for name in ("voice", "kind", "stage", "urgency")}
            topics = [{"id": name, "score": 1.0, "words": []} for name in label["categories"]]
            desk.read(
                mention.id, **said, categories=topics, mood={"praise": 0.6, "complaint": -0.6}.get(label["kind"], 0.0)
            )
            desk.decide(_heard_at(post))
    desk.deliver(Console(desk.config.care.slack.channels, Terminal(file=io.StringIO())))
    for case in desk.cases():
        for name, minutes, answers in _DONE.get(case.urgency, ()):
            desk.act(name, case_id=case.id, now=case.clock_from + minutes * MINUTE, **answers)
    return figures(desk.session, desk.config, named("2026-W46", hospital.zone), NOW)


def rows(numbers: Figures, section: str, table: str) -> list[tuple[Any, ...]]:
    found = next(one for one in known_sections()[section](numbers).tables if one.name == table)
    return list(found.rows)


def sentences(numbers: Figures, section: str) -> str:
    return " ".join(known_sections()[section](numbers).sentences)


def test_the_headline(numbers: Figures) -> None:
    assert known_sections()["headline"](numbers).sentences == (
        "433 posts were heard, 234 of them by patients and visitors: 155 complaints, 40 with praise.",
        "People complained most about being told and listened to (47 of 155 complaints).",
        "66 of 153 cases that needed an answer were answered in public, half of them within 12 min; "
        "13 cases were read as danger.",
    )


def test_what_was_heard(numbers: Figures) -> None:
    assert rows(numbers, "volume", "volume_by_day") == [
        ("Mon 9 Nov", 67, 8, 3, 78), ("Tue 10 Nov", 70, 8, 4, 82), ("Wed 11 Nov", 51, 2, 4, 57),
        ("Thu 12 Nov", 42, 6, 2, 50), ("Fri 13 Nov", 54, 9, 2, 65), ("Sat 14 Nov", 40, 5, 5, 50),
        ("Sun 15 Nov", 36, 8, 7, 51), ("All", 360, 46, 27, 433),
    ]  # fmt: skip
    assert [row[1:5] for row in rows(numbers, "mood", "mood")] == [
        (25, 3, 9, 37), (38, 11, 5, 54), (18, 5, 5, 28), (13, 6, 7, 26), (32, 3, 5, 40), (15, 5, 4, 24), (14, 6, 5, 25),
        (155, 39, 40, 234),
    ]  # fmt: skip


def test_what_it_was_about(numbers: Figures) -> None:
    """Each topic: complaints, praise."""
    assert [(row[0], row[1], row[-2]) for row in rows(numbers, "categories", "topics")] == [
        ("Being told and listened to", 47, 5),
        ("Waiting", 35, 1),
        ("Safety", 34, 0),
        ("Parking and getting here", 29, 3),
        ("Portal, app, website", 27, 0),
        ("Bills and insurance", 20, 0),
        ("Getting an appointment or a person", 19, 0),
        ("Quality of treatment", 18, 26),
        ("Kindness and manners", 16, 30),
        ("Dignity and fairness", 16, 0),
        ("Too few people", 16, 0),
        ("Building, cleanliness, noise, equipment", 15, 2),
        ("Between services: discharge, referral, records", 11, 2),
        ("Privacy", 9, 0),
        ("Food", 5, 3),
        ("No topic named", 2, 1),
    ]


def test_where_on_the_way(numbers: Figures) -> None:
    """Booking, arrival, waiting, treatment, stay, discharge, after, not said, all."""
    assert {row[0]: row[1:] for row in rows(numbers, "journey", "journey")} == {
        "Being told and listened to": (3, 11, 3, 7, 10, 2, 10, 1, 47),
        "Waiting": (1, 3, 19, 6, 3, 0, 2, 1, 35),
        "Safety": (0, 3, 4, 4, 18, 3, 2, 0, 34),
        "Parking and getting here": (0, 28, 0, 0, 1, 0, 0, 0, 29),
        "Portal, app, website": (2, 3, 0, 3, 1, 0, 9, 9, 27),
        "Bills and insurance": (1, 2, 1, 1, 1, 0, 14, 0, 20),
        "Getting an appointment or a person": (4, 4, 0, 1, 1, 1, 7, 1, 19),
        "Quality of treatment": (0, 0, 2, 7, 7, 0, 2, 0, 18),
        "Kindness and manners": (0, 4, 2, 6, 2, 0, 2, 0, 16),
        "Dignity and fairness": (0, 3, 1, 9, 2, 1, 0, 0, 16),
        "Too few people": (0, 0, 6, 1, 9, 0, 0, 0, 16),
        "Building, cleanliness, noise, equipment": (0, 5, 4, 2, 4, 0, 0, 0, 15),
        "Between services: discharge, referral, records": (1, 0, 0, 1, 1, 7, 1, 0, 11),
        "Privacy": (0, 2, 0, 1, 0, 4, 2, 0, 9),
        "Food": (0, 0, 0, 0, 4, 0, 0, 1, 5),
        "No topic named": (0, 0, 0, 0, 0, 0, 0, 2, 2),
    }


def test_how_fast(numbers: Figures) -> None:
    """Threads with something to answer: 13 with danger, 21, 32 and 84; of one Reddit thread three people each had a question
    of their own under a remark, and in another somebody else's was more urgent: 87. One serious case began as a question to be
    answered within the hour, and was: it was answered after 20 minutes."""
    assert rows(numbers, "reply_times", "reply_times") == [
        ("Danger", 5 * MINUTE, 13, 13, 4 * MINUTE, 4 * MINUTE, Share(13, 13)),
        ("Here now", 15 * MINUTE, 21, 21, 12 * MINUTE, 12 * MINUTE, Share(21, 21)),
        ("Serious", 15 * MINUTE, 32, 32, 20 * MINUTE, 20 * MINUTE, Share(1, 32)),
        ("To answer", 60 * MINUTE, 87, 0, None, None, Share(0, 87)),
    ]
    assert "Of 153 cases that needed an answer, 34 (22%) had one within 15 minutes" in sentences(numbers, "reply_times")
    assert rows(numbers, "reply_times", "case_ends") == [
        ("Answered", 66), ("Still waiting", 87), ("Closed without an answer", 0), ("Needed no answer", 0), ("All", 153),
    ]  # fmt: skip
    assert len(numbers.cases) == 13 + 21 + 32 + 87


def test_what_was_done(numbers: Figures) -> None:
    """Of the 13 cases of danger, 11 are about safety, 4 each about waiting and too few people, 2 about nothing we look for."""
    assert rows(numbers, "danger", "danger") == [
        ("Answered in public", 13), ("Closed without a public answer", 0), ("Still open", 0), ("Turned out to be none", 0),
        ("All", 13),
    ]  # fmt: skip
    explained = {row[0]: row[2:4] for row in rows(numbers, "done", "done") if row[1] == "Explained"}
    assert explained == {
        "Safety": (11, 60 * MINUTE), "Waiting": (4, 60 * MINUTE), "Too few people": (4, 60 * MINUTE),
        "Quality of treatment": (3, 60 * MINUTE), "Being told and listened to": (2, 60 * MINUTE),
        "No topic named": (2, 60 * MINUTE), "Between services: discharge, referral, records": (1, 60 * MINUTE),
    }  # fmt: skip
    assert sentences(numbers, "done").startswith("34 cases were closed")  # 13 and 21


def test_every_post_is_reviewed(numbers: Figures) -> None:
    """180 posts are danger, here now, serious or to answer; three say more in a thread that waits. Of the others 48 are
    adverts and 16 the hospital's own."""
    assert rows(numbers, "ledger", "ledger")[:4] == [
        ("Collected", 433), ("Alerted", 183), ("In a digest", 78), ("Dismissed with a reason", 172),
    ]  # fmt: skip
    assert sum(case.posts for case in numbers.cases) == 183
    assert rows(numbers, "listening", "collectors")[0][:2] == ("file", 433)
    assert sentences(numbers, "praise").startswith("40 posts with praise")
    assert rows(numbers, "places", "sites")[-1][:2] == ("All", 155)


def test_the_page_shows_them(numbers: Figures, desk_of_module: Any) -> None:
    """The page of the very figures: what a person sees is what was counted."""
    page = html(report(numbers, list(known_sections())), numbers)
    for words in ("433 posts were heard", "66 of 153 cases", "Mon 9 Nov to Sun 15 Nov 2026", "It adds up."):
        assert words in page
    handles = {mention.author for mention in desk_of_module.session.exec(select(Mention)) if mention.author}
    shown = set(re.findall(r"[\w.-]{6,}", re.sub(r"<[^>]*>", " ", page)))
    assert not handles & shown
