"""The note that proposes a line: which, where, and what it would do."""

import tomllib
from typing import Any

import pytest
from conftest import NOW
from fakes.slack_limits import problems
from sqlmodel import select

from alerts.notices.proposal import enqueue, write
from alerts.proposals import Proposal, forget
from listener import keep

WHY = "it would have left out 7 posts of the last 30 days: 6 that were not for us, 0 that you answered"


@pytest.mark.parametrize(
    ("which", "phrase", "line", "says"),
    [
        ("not_us", "St. Brigid's Rovers", '"St. Brigid\'s Rovers",', ("hospital.toml", "not_us = [", WHY[1:])),
        ("exclude", 'a "fun run"', '"a \\"fun run\\"",', ("keywords.toml", "[exclude]", "phrases = [", WHY[1:])),
        (
            "accounts",
            "x",
            'x = "name of the account, without @"',
            ("hospital.toml", "[accounts]", "Nothing is left out"),
        ),
    ],
)
def test_a_note_says_the_line_and_where_it_goes(
    desk: Any, paper: Any, which: str, phrase: str, line: str, says: tuple[str, ...]
) -> None:
    case_id = desk.alert()
    desk.session.add(Proposal(list=which, phrase=phrase, case_id=case_id, why=WHY, made_at=NOW))
    desk.session.commit()
    desk.deliver(paper)
    desk.deliver(paper)
    (post,) = [post for post in paper.posts if post.channel == "health"]
    assert line in post.message.excerpt.splitlines()
    tomllib.loads(line if which == "accounts" else f"list = [{line}]")
    for words in (*says, f"Case {case_id}", "call-light config check"):
        assert words in post.message.excerpt
    assert ("Danger stays a card" in post.message.excerpt) is (which == "exclude")
    assert ("call-light config suggest" in post.message.excerpt) is (which != "accounts")
    assert problems(post.message.blocks) == []


def test_a_proposal_is_told_once(desk: Any) -> None:
    desk.session.add(Proposal(list="exclude", phrase="fish fry", case_id=desk.alert(), why=WHY, made_at=NOW))
    for _ in range(2):
        enqueue(desk.session, desk.config, NOW)
        desk.session.commit()
    (row,) = [row for row in desk.rows() if row.kind == "proposal"]
    assert write(desk.session, desk.config, row, NOW)[1] == 0


@pytest.mark.parametrize(
    ("why", "is_taken_back"), [(keep.DELETED, True), (keep.FORGOTTEN, True), (keep.EXPIRED, False)]
)
def test_a_line_goes_with_its_post(desk: Any, paper: Any, why: str, is_taken_back: bool) -> None:
    """What its author takes back is not proposed any more, and the note in Slack no longer says it."""
    desk.session.add(Proposal(list="exclude", phrase="fish fry", case_id=desk.alert(), why=WHY, made_at=NOW))
    desk.session.commit()
    desk.deliver(paper)
    keep.forget(desk.session, [1], why, NOW)
    desk.session.commit()
    assert forget(desk.session) == is_taken_back
    desk.deliver(paper)
    shown = [message.excerpt for _, message in paper.updates if "line was proposed" in message.text + message.excerpt]
    assert len(shown) == is_taken_back
    assert "fish fry" not in " ".join(shown)
    (row,) = desk.session.exec(select(Proposal)).all()
    assert ("fish fry" in row.phrase + row.why) is not is_taken_back
    assert forget(desk.session) == 0
    before = len(paper.updates)
    desk.deliver(paper)
    assert len(paper.updates) == before, "told once"
