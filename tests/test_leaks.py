"""The look at what is written finds what should not be: a planted word, handle, token, sentence, each in its own way."""

import logging
from datetime import UTC, datetime

import pytest
from fakes.server import Answer, FakeServer, Request
from leaks import Leaks

from listener.logs import logger
from listener.mention import Mention
from listener.post import Post

AT = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
log = logger("listener.keep")


@pytest.fixture
def planted(leaks: Leaks) -> Leaks:
    """A post was handed over, and a fake was shown a token."""
    Post(source="x", ref="1", text="Quillfeather was rude while parking", written_at=AT, author="kimlee")
    Mention(collector="x", source="x", ref="2", text="Zanzibarbecue", written_at=AT, heard_at=AT, author="leekim")
    request = Request("GET", "/", {}, {"authorization": "Bearer tok-12345678"}, None, b"", 0.0)
    _Echo().respond(request)
    return leaks


class _Echo(FakeServer):
    def answer(self, request: Request) -> Answer:
        return Answer(200, {"data": [{"id": "77", "text": "Marmalade"}]})


def found(leaks: Leaks) -> list[str]:
    """What was found, which is then no failure of this test."""
    said, leaks.found = leaks.found, []
    return said


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("channel", "kimlee", "['kimlee'] of a post"),
        ("channel", "Quillfeather", "['quillfeather'] of a post"),
        ("collector", "zanzibarbecue", "['zanzibarbecue'] of a post"),
        ("file", "x-leekim-2", "['leekim'] of a post"),
        ("key", "Marmalade.1", "['marmalade'] of a post"),
        ("key", "tok-12345678", "a token in"),
        ("topic", "was rude while", "something had to be withheld"),
        ("text", 12, "something had to be withheld"),
    ],
)
def test_what_a_stage_lets_slip(planted: Leaks, field: str, value: object, said: str) -> None:
    log.info("keep", **{field: value})
    assert [said in one for one in found(planted)] == [True]


def test_names_of_ours_are_no_words_of_a_post(planted: Leaks) -> None:
    log.info("spike", spike=1, topic="parking")
    log.debug("keep", collector="x", new=1)
    assert not found(planted)


def test_a_log_that_is_no_event(planted: Leaks) -> None:
    logging.getLogger("nlp.read").info("read %s", "Zanzibarbecue")
    assert found(planted) == ["no event: nlp.read: read Zanzibarbecue"]


def test_a_scrape(planted: Leaks) -> None:
    planted.scraped('# HELP a Zanzibarbecue\na{source="x"} 1.0\na{source="kimlee"} 1.0\n')
    assert [("kimlee" in one) for one in found(planted)] == [True]


def test_what_a_process_said(planted: Leaks) -> None:
    planted.said(
        'Listening to x.\n{"event": "send", "logger": "a", "channel": "Zanzibarbecue"}\nwith tok-12345678 in it'
    )
    assert [("zanzibarbecue" in one, "token" in one) for one in found(planted)] == [(True, False), (False, True)]
