"""The note that proposes a line: which, where, and what it would do."""

import tomllib
from typing import Any

import pytest
from conftest import NOW
from fakes.slack_limits import problems

from alerts.notices.proposal import enqueue, write
from alerts.proposals import Proposal

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
