"""A mark knows again what it stands for, and says nothing of it."""

import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from config.schema import Config
from listener import keep, tombstones
from listener.mention import Mention
from listener.post import Page, Post
from listener.tombstones import INSTEAD, Tombstones

STONES = Tombstones(b"k" * 32)
ALICE = Tombstones(b"k" * 32, frozenset({STONES.of_person("x", "Alice"), STONES.of_person("x", "kim_9")}))


def test_marks_tell_apart_and_say_nothing() -> None:
    marks = {
        STONES.of_post("x", "1"),
        STONES.of_post("x", "2"),
        STONES.of_post("reddit", "1"),
        STONES.of_person("x", "1"),
        Tombstones(b"o" * 32).of_post("x", "1"),
    }
    assert len(marks) == 5
    assert STONES.of_post("x", STONES.of_post("x", "1")) == STONES.of_post("x", "1"), "a mark is marked once"
    assert "alice" not in str(STONES.of_person("x", "alice"))
    assert STONES.key.hex() not in STONES.name


@pytest.mark.parametrize(
    "spelt", ["alice", "@Alice", "u/ALICE", " @alice ", "/user/Alice", "＠ａlice", "\u2066@alice\u2069", "@alice\u200b"]
)
def test_a_person_is_known_however_they_are_written(spelt: str) -> None:
    assert STONES.of_person("x", spelt) in ALICE.people
    assert ALICE.knows(spelt, ["mastodon", "x"])
    assert not ALICE.knows(spelt, ["mastodon"])


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("@alice I am so sorry", f"@{INSTEAD} I am so sorry"),
        ("(@ALICE, @bob)", f"(@{INSTEAD}, @bob)"),
        ("u/alice said so", f"u/{INSTEAD} said so"),
        ("https://x.com/Alice/status/1?s=2", f"https://x.com/{INSTEAD}/status/1?s=2"),
        ("ask kim_9 about it", f"ask {INSTEAD} about it"),
        ("u/kim\\_9 said", f"u/{INSTEAD} said"),  # as Reddit's editor writes it
        ("ask @alice.And then", f"ask @{INSTEAD}.And then"),
        ("@Alice-the nurse", f"@{INSTEAD}-the nurse"),
        ("＠alice, @\u2068alice\u2069", f"＠{INSTEAD}, @\u2068{INSTEAD}\u2069"),
        ("https://news.example/alice.html", "https://news.example/alice.html"),
        ("alice in wonderland", "alice in wonderland"),  # a name of many: only with @ it is hers
        ("@alice2 and malice and @alices", "@alice2 and malice and @alices"),
        ("mail to bob@alice.example", "mail to bob@alice.example"),
    ],
)
def test_others_name_them_no_more(said: str, kept: str) -> None:
    assert ALICE.masked("x", said) == kept
    assert ALICE.masked("mastodon", said) == said, "who is called so elsewhere is somebody else"


@given(st.text())
def test_any_text_is_masked_once(text: str) -> None:
    once = ALICE.masked("x", text)
    assert ALICE.masked("x", once) == once
    assert STONES.masked("x", text) == text


def test_the_key_is_made_once(session: Session, tmp_path: Path) -> None:
    assert tombstones.standing(session) is None
    first = tombstones.begun(session)
    tombstones.bury(session, {first.of_person("x", "a"), first.of_post("x", "1")})
    tombstones.lies_in(session, tmp_path)
    tombstones.lies_in(session, tmp_path)
    session.commit()
    again = tombstones.begun(session)
    assert (again.key, again.people) == (first.key, {first.of_person("x", "a")}), "marks of posts are no people"
    assert tombstones.folders(session) == [tmp_path]


def test_what_was_forgotten_is_known_when_it_is_heard_again(session: Session, config: Config, now: datetime) -> None:
    def hear(*posts: Post) -> None:
        keep.keep(session, "x", Page(posts, {}), config.hospital, now)

    def post(ref: str, text: str = "hours of waiting", **more: str) -> Post:
        return Post(source="bluesky", ref=ref, text=text, written_at=now, **more)  # type: ignore[arg-type]

    first, reply = "at://did:plc:alice/post/1", "at://did:plc:bob/post/2"
    hear(post(first, author="alice.example", thread=first))
    hear(post(reply, author="bob", thread=first, answers=first), post("q", author="cy", quotes=first))
    keep.forget(session, [1], keep.FORGOTTEN, now)
    session.commit()
    hear(
        post(first, author="alice.example", thread=first), post("at://did:plc:bob/post/3", thread=first, answers=first)
    )
    rows = session.exec(select(Mention).order_by(col(Mention.id))).all()
    mark = tombstones.begun(session).of_post("bluesky", first)
    assert [row.text for row in rows] == ["", *["hours of waiting"] * 3], "not one more for what is gone"
    assert [(row.ref, row.thread, row.answers, row.quotes) for row in rows] == [
        (mark, mark, None, None),
        (reply, mark, mark, None),
        ("q", "q", None, mark),
        ("at://did:plc:bob/post/3", mark, mark, None),
    ]


def test_a_masked_text_is_no_edit(session: Session, config: Config, now: datetime) -> None:
    stones = tombstones.begun(session)
    tombstones.bury(session, {stones.of_person("x", "alice")})
    post = Post(source="x", ref="1", text="@alice poor you", written_at=now, author="bob")
    for _ in range(2):
        keep.keep(session, "x", Page((post,), {}), config.hospital, now)
    row = session.get_one(Mention, 1)
    assert (row.text, row.revision) == (f"@{INSTEAD} poor you", 1)


def test_a_list_only_grows_and_is_for_its_owner(tmp_path: Path) -> None:
    marks = [STONES.of_post("x", str(number)) for number in range(3)]
    tombstones.write_list(STONES, marks[:2], tmp_path)
    path = tombstones.write_list(STONES, {marks[2]}, tmp_path)
    assert tombstones.read_list(path) == sorted(marks)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    path.write_text("\n".join([*marks, "rm -rf", "gone:xyz"]))
    assert len(tombstones.read_list(path)) == 3
    assert tombstones.read_list(tmp_path / "no") == []


def test_a_list_is_not_written_through_a_link(tmp_path: Path) -> None:
    """In a folder that others may write to, it would lead to a key, say."""
    (tmp_path / "center.key").write_text("a key")
    path = tombstones.list_of(STONES, tmp_path)
    path.with_name(f".{path.name}.{os.getpid()}.partial").symlink_to(tmp_path / "center.key")
    mark = STONES.of_person("x", "alice")
    tombstones.write_list(STONES, {mark}, tmp_path)
    assert (tmp_path / "center.key").read_text() == "a key"
    assert tombstones.read_list(path) == [mark]
    assert not path.is_symlink()
