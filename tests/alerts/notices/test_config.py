"""What the health channel is told of the config files: taken up, refused, right again."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW, PROJECT
from fakes.slack_limits import problems

from config.load import NAMES
from listener import versions

TEXTS = {name: (PROJECT / "config" / name).read_text() for name in NAMES}
MINUTE = timedelta(minutes=1)


def with_phrase(phrase: str) -> dict[str, str]:
    return {**TEXTS, "keywords.toml": TEXTS["keywords.toml"].replace('"fish fry"', f'"{phrase}"')}


class Room:
    """The health channel, and who saves the files."""

    def __init__(self, desk: Any, paper: Any) -> None:
        self.desk, self.paper, self.at = desk, paper, NOW
        self.saved(TEXTS)

    def saved(self, texts: dict[str, str], trouble: str | None = None, who: str = "ana") -> None:
        self.at += MINUTE
        versions.write_down(self.desk.session, texts, who, self.at, trouble)
        for _ in range(2):
            self.desk.deliver(self.paper, now=self.at)

    def notes(self) -> list[tuple[str, str]]:
        """Title and words of each message as it now stands."""
        shown = {post.key: post.message for post in self.paper.posts if post.channel == "health"}
        shown |= {sent.ref: message for sent, message in self.paper.updates if sent.ref in shown}
        assert all(problems(message.blocks) == [] for message in shown.values())
        return [(message.title, message.excerpt) for message in shown.values()]


@pytest.fixture
def room(desk: Any, paper: Any) -> Room:
    return Room(desk, paper)


def test_the_first_version_is_no_news(room: Room) -> None:
    assert room.notes() == []


def test_what_is_taken_up_is_told_once_with_what_changed(room: Room) -> None:
    room.saved(with_phrase("bake sale"))
    ((title, said),) = room.notes()
    assert title == "Config version 2"
    assert said.startswith("ana saved the config files, and version 2 is in force now. ")
    assert "exclude.phrases: 'bake sale' added, 'fish fry' taken out" in said
    assert "call-light config back" in said
    assert "started again" not in said


def test_what_needs_a_new_start_is_said(room: Room) -> None:
    care = TEXTS["care.toml"].replace("[slack]\n", '[slack]\nlisten = "127.0.0.1:9"\n')
    room.saved({**TEXTS, "care.toml": care})
    assert "slack.listen: only once the service is started again." in room.notes()[0][1]


def test_who_mends_a_file_for_long_is_told_once_and_the_note_keeps_up(room: Room) -> None:
    for number in range(1, 6):
        wrong = "\n".join(f"keywords.toml:{at}:1: mistake {number}.{at}" for at in range(1, number + 1))
        room.saved(with_phrase(f"try {number}"), wrong, "ben")
    ((title, said),) = room.notes()
    assert title == "Config refused"
    assert said.startswith("ben saved config files that cannot be used:\nkeywords.toml:1:1: mistake 5.1\n")
    assert said.count("mistake 5.") == 3
    assert "and 2 more" in said
    assert "Version 1 of Mon 16 Nov 09:01 goes on, nothing is lost. ben: mend the file and save it again" in said
    room.saved(with_phrase("try 6"))
    assert [title for title, _ in room.notes()] == ["Config refused", "Config version 7"]


def test_good_files_put_back_are_told_in_one_sentence(room: Room) -> None:
    room.saved(with_phrase("x"), "keywords.toml:1:1: wrong")
    room.saved(TEXTS)
    title, said = room.notes()[-1]
    assert (title, said) == (
        "Config right again",
        "The config files are right again: they say what version 1 said, which went on meanwhile.",
    )


def test_a_second_break_is_told_anew(room: Room) -> None:
    for _ in range(2):
        room.saved(with_phrase("x"), "keywords.toml:1:1: wrong")
        room.saved(TEXTS)
    assert [title for title, _ in room.notes()] == ["Config refused", "Config right again"] * 2


def test_what_was_put_aside_is_no_news(room: Room) -> None:
    versions.put_aside(room.desk.session, with_phrase("x"), "ana", NOW)
    room.saved(with_phrase("y"))
    assert [title for title, _ in room.notes()] == ["Config version 3"]


def test_what_was_put_aside_sends_no_note_again(room: Room) -> None:
    room.saved(with_phrase("x"), "keywords.toml:1:1: wrong")
    versions.put_aside(room.desk.session, with_phrase("y"), "ana", NOW)
    updates = len(room.paper.updates)
    for minutes in range(1, 4):
        room.desk.deliver(room.paper, now=room.at + minutes * MINUTE)
    assert len(room.paper.updates) == updates


def test_where_nothing_listens_any_more_it_is_said(room: Room) -> None:
    listening = TEXTS["listening.toml"].replace("[collectors.file]\non = false", "[collectors.file]\non = true")
    room.saved({**TEXTS, "listening.toml": listening})
    room.saved(TEXTS)
    room.saved(with_phrase("x"))
    assert ["Nothing is listened to any more" in said for _, said in room.notes()] == [False, True, False]


def test_nobody_is_told_of_what_no_service_has_tried(desk: Any, paper: Any) -> None:
    room = Room(desk, paper)
    room.saved(with_phrase("clam bake"), versions.SAVED, "ben")
    room.saved(with_phrase("chowder"), versions.PUT_ASIDE, "ben")
    assert room.notes() == []
    room.saved(with_phrase("bake sale"), versions.SAVED, "ben")
    room.saved(with_phrase("bake sale"), None, "the owner of the file")
    ((title, words),) = room.notes()
    assert title == "Config version 4"
    assert words.startswith("ben saved the config files")
