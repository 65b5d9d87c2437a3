"""Exports of other tools: every way in which they are odd, and what becomes of each line."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.collectors import file as collector
from listener.collectors.file import Lines, read
from listener.errors import NeedsPerson, SkipPost
from listener.post import Post

ZONE = ZoneInfo("America/Chicago")
WHEN = "2026-11-16T08:00:00-06:00"


def items(
    text: str | bytes, folder: Path, name: str = "export.csv", source: str | None = None
) -> list[Post | SkipPost]:
    """What a file of this content comes to."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [item for _, batch in read(Lines.of(path), ZONE, source) for item in batch]


def one(text: str | bytes, folder: Path, name: str = "export.csv") -> Post:
    (item,) = items(text, folder, name)
    assert isinstance(item, Post), item
    return item


def line(**fields: Any) -> str:
    """A good line of JSON, but for `fields`; None takes one out."""
    values = {"text": "brigid", "written_at": WHEN, "ref": "1", **fields}
    return json.dumps({name: value for name, value in values.items() if value is not None}) + "\n"


# names of columns


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("text", "written_at"),
        ("Text", "Date"),
        ("full_text", "created_at"),
        ("Full Text", "Created Time"),
        ("fullText", "createdAt"),
        ("MESSAGE", "published-at"),
        (" content ", "Timestamp"),
        ("Review", "published"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_by_their_usual_names(tmp_path: Path, text: str, date: str, delimiter: str) -> None:
    table = f"{date}{delimiter}{text}\n{WHEN}{delimiter}brigid\n"
    post = one(table, tmp_path)
    assert (post.text, post.written_at) == ("brigid", datetime(2026, 11, 16, 14, tzinfo=UTC))
    assert one(json.dumps({date: WHEN, text: "brigid"}), tmp_path, "export.jsonl").text == "brigid"


def test_of_two_columns_for_one_field_the_surer_name_counts(tmp_path: Path) -> None:
    post = one(f"Time,Date,User,Author,text\n08:00,{WHEN},7,ann,brigid\n", tmp_path)
    assert (post.written_at.hour, post.author) == (14, "ann")
    assert one(f"Author,User,text,date\n,ann,brigid,{WHEN}\n", tmp_path).author == "ann"


def test_every_field(tmp_path: Path) -> None:
    fields = {
        "source": "Google Reviews",
        "edited_at": "2026-11-16T09:00:00-06:00",
        "url": "https://maps.example/1",
        "author": "@ann",
        "author_name": "Ann",
        "thread": 5,
        "in_reply_to": 4,
        "stars": "4.5",
        "followers": 12,
        "about_us": True,
        "ref": 123,
        "colour": "blue",
    }
    post = one(line(**fields), tmp_path, "export.jsonl")
    assert post.model_dump(exclude={"text", "written_at"}) == {
        "source": "google_reviews",
        "ref": "123",
        "edited_at": datetime(2026, 11, 16, 15, tzinfo=UTC),
        "url": "https://maps.example/1",
        "author": "ann",
        "author_name": "Ann",
        "thread": "5",
        "answers": "4",
        "quotes": None,
        "place": None,
        "rating": 4.5,
        "reach": 12,
        "about_us": True,
        "own": False,
    }


@pytest.mark.parametrize(
    ("given", "named", "is_"),
    [
        (None, None, "import"),
        ("Twitter", None, "x"),
        ("X (formerly Twitter)", None, "x"),
        ("Twitter", "Google Reviews", "google_reviews"),
        (["odd"], None, "import"),
        ("  ", None, "import"),
        ("json", None, "json"),
    ],
)
def test_where_a_post_comes_from(tmp_path: Path, given: Any, named: str | None, is_: str) -> None:
    (post,) = items(line(source=given), tmp_path, "export.jsonl", named)
    assert isinstance(post, Post)
    assert post.source == is_


# texts


@pytest.mark.parametrize(
    "text",
    [
        "b",
        "🏥🚑" * 40,
        "brigid " * 15_000,
        "\u202edirgib\u202c",
        "bri\u200bgid",
        "<b>brigid</b> <!channel> *bold*",
        "=cmd|'/c calc'!A0",
        "two\nlines",
        "two\r\nlines",
        'a "quoted" word, and commas; tabs\tpipes|',
        "café ñ 病院 مستشفى",
        "\\n \\u0000 \\",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_texts_come_through_as_they_are(tmp_path: Path, text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    assert one(f"text,date\n{quoted},{WHEN}\n", tmp_path).text == text
    assert one(line(text=text), tmp_path, "export.jsonl").text == text
    assert one(json.dumps({"text": text, "date": WHEN}, ensure_ascii=False), tmp_path, "e.jsonl").text == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"text": "a\\u0000b", "date": "%s"}', "a\ufffdb"),
        (b'{"text": "a\\ud800b", "date": "%s"}', "a\ufffdb"),
        (b'{"text": "a\\udc00\\ud800", "date": "%s"}', "a\ufffd\ufffd"),
        (b'{"text": "\\ud83c\\udfe5", "date": "%s"}', "🏥"),
        (b'{"text": "a\xffb", "date": "%s"}', "a\ufffdb"),
        (b"text,date\na\0b,%s", "a\ufffdb"),
        (b"text,date\na\xffb,%s", "a\ufffdb"),
        (b"text,date\na\xed\xa0\x80b,%s", "a\ufffd\ufffd\ufffdb"),
    ],
)
def test_what_no_database_takes_is_replaced(tmp_path: Path, content: bytes, text: str) -> None:
    assert one(content % WHEN.encode(), tmp_path).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_of_spreadsheets(tmp_path: Path, encoding: str, end: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    table = mark + f"text\tdate{end}brigid é\t{WHEN}{end}brigid 2\t{WHEN}{end}".encode(encoding)
    assert [item.text for item in items(table, tmp_path) if isinstance(item, Post)] == ["brigid é", "brigid 2"]


# times


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-11-16T14:00:00Z", "2026-11-16T14:00:00+00:00"),
        ("2026-11-16 14:00:00 UTC", "2026-11-16T14:00:00+00:00"),
        ("2026-11-16T14:00:00+05:30", "2026-11-16T08:30:00+00:00"),
        ("2026-11-16 08:00:00", "2026-11-16T14:00:00+00:00"),  # no zone: the hospital's
        ("2026-07-16 08:00:00", "2026-07-16T13:00:00+00:00"),
        ("2026-11-16", "2026-11-16T06:00:00+00:00"),
        (" 2026-11-16T14:00:00.5Z ", "2026-11-16T14:00:00.500000+00:00"),
        (1794837600, "2026-11-16T14:00:00+00:00"),
        ("1794837600", "2026-11-16T14:00:00+00:00"),
        (1794837600000, "2026-11-16T14:00:00+00:00"),
        ("1794837600000", "2026-11-16T14:00:00+00:00"),
        (1794837600000000, "2026-11-16T14:00:00+00:00"),
        (1794837600.25, "2026-11-16T14:00:00.250000+00:00"),
    ],
)
def test_times(tmp_path: Path, value: Any, at: str) -> None:
    assert one(line(written_at=value), tmp_path, "export.jsonl").written_at.isoformat() == at


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        *("13/13/2026", "2/30/2026", "0/1/2026", "11/16/2026 14:05 PM", "11/16/2026 0:05 AM", "11/16/2026 25:00"),
        *("11/16.2026", "11/16/026", "11/16/2026 2 PM", "26-11-16", "111/6/2026", "11/16/2026 2:05 PM EST"),
        "2026-13-01",
        "08:00",
        True,
        ["2026"],
        {},
        20261116,  # a date in digits is no count of seconds
        46342.5,  # a spreadsheet's day number
        -1,
        10**30,
        10**400,
        float("inf"),
        float("nan"),
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "²" * 10,
    ],
    ids=str,
)
def test_what_is_no_time_is_named(tmp_path: Path, value: Any) -> None:
    (bad, good) = items(line(written_at=value) + line(), tmp_path, "export.jsonl")
    assert str(bad).startswith("export.jsonl:1: written_at: ")
    assert isinstance(good, Post)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("11/16/2026", "2026-11-16T06:00:00+00:00"),
        ("11/16/2026 2:05 PM", "2026-11-16T20:05:00+00:00"),
        ("11/16/2026, 2:05:07 p.m.", "2026-11-16T20:05:07+00:00"),
        ("11/16/2026 2:05\u202fPM", "2026-11-16T20:05:00+00:00"),  # as newer systems write it
        ("11/16/2026 12:05 AM", "2026-11-16T06:05:00+00:00"),
        ("11/16/2026 12:05 PM", "2026-11-16T18:05:00+00:00"),
        ("11/16/26 14:05", "2026-11-16T20:05:00+00:00"),
        ("16/11/2026 14:05", "2026-11-16T20:05:00+00:00"),
        ("16.11.2026", "2026-11-16T06:00:00+00:00"),
        ("16.11.2026 14:05:07.25", "2026-11-16T20:05:07+00:00"),
        ("16-11-2026T14:05", "2026-11-16T20:05:00+00:00"),
        ("11/16/2026 14:05 UTC", "2026-11-16T14:05:00+00:00"),
        ("11/16/2026 14:05z", "2026-11-16T14:05:00+00:00"),
        ("11/16/2026 2:05 PM +05:30", "2026-11-16T08:35:00+00:00"),
        ("4/5/2026", "2026-04-05T05:00:00+00:00"),  # Chicago
        ("04.05.2026", "2026-05-04T05:00:00+00:00"),  # with dots the day is first everywhere
    ],
)
def test_dates_in_numbers(tmp_path: Path, value: str, at: str) -> None:
    assert one(line(written_at=value), tmp_path, "export.jsonl").written_at.isoformat() == at
    assert one(f'text,date\nbrigid,"{value}"\n', tmp_path).written_at.isoformat() == at


@pytest.mark.parametrize(
    ("zone", "others", "month"),
    [
        ("America/Chicago", "", 4),
        ("US/Pacific", "", 4),
        ("Pacific/Honolulu", "", 4),
        ("Europe/London", "", 5),
        ("Australia/Sydney", "", 5),
        ("America/Chicago", "a,16/11/2026,\n", 5),
        ("Europe/London", "a,11/16/2026,\n", 4),
        ("Europe/London", "a,11/16/2026 2:05 PM,\n", 4),
        ("America/Chicago", "a,2026-11-16,16/11/2026\n", 5),  # the time of an edit tells too
        ("America/Chicago", "a,16/11/2026,\na,11/16/2026,\n", 4),
        ("Europe/London", "a,16/11/2026,\na,11/16/2026,\n", 5),
        ("America/Chicago", "see you 16/11/2026,2026-11-16,\n", 4),  # what people write about does not
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_which_number_is_the_month(tmp_path: Path, zone: str, others: str, month: int, before: bool) -> None:
    path = tmp_path / "export.csv"
    unclear = "brigid,04/05/2026,\n"
    path.write_text("text,date,edited at\n" + (others + unclear if before else unclear + others))
    found = [item for _, batch in read(Lines.of(path), ZoneInfo(zone)) for item in batch]
    (post,) = (item for item in found if isinstance(item, Post) and item.text == "brigid")
    local = post.written_at.astimezone(ZoneInfo(zone))
    assert (local.month, local.day) == (month, 9 - month)
    assert [item for item in found if isinstance(item, SkipPost)] == []


def test_a_file_without_such_dates_is_not_gone_through_for_them() -> None:
    assert collector._NUMBERS.search(line(written_at="2026-11-16 08:00") + line(edited_at="20261116")) is None


def test_a_date_that_was_read_in_an_earlier_pass_still_tells(table: "Export") -> None:
    start = "text,date\none,16/11/2026\n"
    table.write(start)
    table.heard()
    table.write(start + "two,04/05/2026\n")
    (post,) = table.passed().posts
    assert post.written_at.month == 5


def test_a_quotation_mark_that_never_closes_leaves_dates_in_numbers_whole(tmp_path: Path) -> None:
    found = items('text,date,note\nbrigid,11/16/2026,"open\nbrigid,11/16/2026,closed\n', tmp_path)
    assert [type(item) for item in found] == [SkipPost, Post]


@settings(max_examples=300)
@given(value=st.text(alphabet="0123456789/.- :TZapmAPM+,\u202f", max_size=30))
def test_any_date(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    (found,) = items(line(written_at=value + " "), tmp_path_factory.getbasetemp(), "any.jsonl")
    assert isinstance(found, Post) or str(found).startswith("any.jsonl:1: ")


# bad lines


GOOD = f"brigid,{WHEN}\n"


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ("brigid\n", "export.csv:3: 1 columns, the header has 2"),
        (f"brigid,{WHEN},more\n", "export.csv:3: 3 columns, the header has 2"),
        (f",{WHEN}\n", "export.csv:3: no text"),
        (f"   ,{WHEN}\n", "export.csv:3: no text"),
        ("brigid,\n", "export.csv:3: no written_at"),
        ("brigid,soon\n", "export.csv:3: written_at: not a date"),
        (f'"two\nlines",{WHEN},more\n', "export.csv:3: 3 columns"),
        (f'"never closed,{WHEN}\n', "export.csv:3: a quotation mark"),
        (f'never, closed,"{WHEN}\n', "export.csv:3: a quotation mark"),
    ],
)
def test_a_bad_line_of_a_table_is_named_and_the_others_go_on(tmp_path: Path, bad: str, named: str) -> None:
    found = items(f"text,date\n{GOOD}{bad}{GOOD}{GOOD}", tmp_path)
    assert next(str(item) for item in found if isinstance(item, SkipPost)).startswith(named)
    assert len([item for item in found if isinstance(item, SkipPost)]) == 1
    assert len([item for item in found if isinstance(item, Post)]) == 3


def test_a_quotation_mark_that_never_closes_swallows_nothing(tmp_path: Path) -> None:
    """The number of columns alone would not tell: here it is right again after two lines."""
    table = "text,date,note\n" + f'brigid,{WHEN},"open\nbrigid,{WHEN},closed\n' * 50
    found = items(table, tmp_path)
    assert len([item for item in found if isinstance(item, Post)]) == 50
    assert [str(item).partition(": ")[0] for item in found if isinstance(item, SkipPost)] == [
        f"export.csv:{number}" for number in range(2, 102, 2)
    ]


def test_empty_cells_at_the_end_and_empty_lines_are_no_trouble(tmp_path: Path) -> None:
    found = items(f"text,date\n\nbrigid,{WHEN},,,\n\n\nbrigid,{WHEN}\n\n", tmp_path)
    assert [type(item) for item in found] == [Post, Post]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ('{"text": "brigid", "date"\n', "export.jsonl:2: not JSON (column 26: "),
        ("brigid\n", "export.jsonl:2: not JSON (column 1: "),
        ('["brigid"]\n', "export.jsonl:2: not an object in braces"),
        ("null\n", "export.jsonl:2: not an object in braces"),
        ("[" * 100_000 + "\n", "export.jsonl:2: not JSON"),
        ('{"text": ' + "9" * 5000 + "}\n", "export.jsonl:2: not JSON"),
        ('\0{"text": "brigid"}\n', "export.jsonl:2: not JSON"),
        ("{}\n", "export.jsonl:2: no text"),
        (line(text=""), "export.jsonl:2: no text"),
        (line(text=5), "export.jsonl:2: text: input should be a valid string"),
        (line(text=["brigid"]), "export.jsonl:2: text: "),
        (line(written_at=None), "export.jsonl:2: no written_at"),
        (line(ref="r" * 201), "export.jsonl:2: ref: "),
        (line(rating="five"), "export.jsonl:2: rating: "),
        (line(rating=9), "export.jsonl:2: rating: "),
        (line(rating=float("nan")), "export.jsonl:2: rating: "),
        (line(reach=10**12), "export.jsonl:2: reach: "),
        (line(about_us="perhaps"), "export.jsonl:2: about_us: "),
    ],
    ids=lambda value: value[:40],
)
def test_a_bad_line_of_json_is_named_and_the_others_go_on(tmp_path: Path, bad: str, named: str) -> None:
    first, second, third = items(line() + bad + line(), tmp_path, "export.jsonl")
    assert isinstance(first, Post)
    assert isinstance(third, Post)
    assert str(second).startswith(named)


def test_a_bad_first_line_of_json_is_named_too(tmp_path: Path) -> None:
    bad, good = items("oops\n" + line(), tmp_path, "export.jsonl")
    assert str(bad).startswith("export.jsonl:1: not JSON")
    assert isinstance(good, Post)


def test_what_is_wrong_is_named_without_its_content(tmp_path: Path) -> None:
    (bad,) = items(line(text=5, rating="my secret", ref="x" * 300), tmp_path, "export.jsonl")
    assert "secret" not in str(bad)
    assert "xxx" not in str(bad)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text;when\nbrigid;now\n", "no column written_at (or created at"),
        ("a,b\n1,2\n", "no column text (or full text, message, content…) and written_at"),
        ("a b c\n", "'a b c'"),
        ('[{"text": "brigid"}]', "a JSON list"),
        ('\n{\n  "posts": [\n    {"text": "brigid"}\n  ]\n}\n', "one JSON object over many lines"),
        ('{\r\n"text": "brigid"\r\n}', "JSON Lines"),
        ("\n\ntext,date\n", "no column"),
    ],
)
def test_no_table_of_posts_at_all(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(NeedsPerson, match=r"export\.csv") as caught:
        items(content, tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n", b"text,date\n"])
def test_nothing_in_it(tmp_path: Path, content: bytes) -> None:
    assert items(content, tmp_path) == []


@settings(max_examples=300)
@given(
    content=st.binary(max_size=300) | st.text(alphabet='{}[]",;\t\n\r\\: textdate0129', max_size=200).map(str.encode)
)
@pytest.mark.parametrize("start", [b"", b"text,date\n", b'{"text": "a", "date": "2026-11-16"}\n'])
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, start: bytes, content: bytes) -> None:
    try:
        found = items(start + content, tmp_path_factory.getbasetemp())
    except NeedsPerson:
        return
    assert all(isinstance(item, Post | SkipPost) for item in found)
    if start.startswith(b"{"):
        assert isinstance(found[0], Post)


# names of posts


def test_a_line_without_a_name_always_gets_the_same(tmp_path: Path) -> None:
    table = f"text,date,author\nbrigid,{WHEN},ann\nbrigid,{WHEN},bob\nbrigid two,{WHEN},ann\n"
    first = [item.ref for item in items(table, tmp_path) if isinstance(item, Post)]
    again = [item.ref for item in items(table, tmp_path) if isinstance(item, Post)]
    assert len(set(first)) == 3
    assert first == again
    assert all(ref.startswith("line-") for ref in first)


@pytest.mark.parametrize("ref", ["1.98776E+18", "2E18", 1.9e18, "", "  ", True, ["1"], {"id": 1}])
def test_a_name_that_a_spreadsheet_shortened_is_no_name(tmp_path: Path, ref: Any) -> None:
    post = one(line(ref=ref), tmp_path, "export.jsonl")
    assert post.ref.startswith("line-")


@pytest.mark.parametrize("author", ["@", "", {"name": "ann"}, ["ann"], True])
def test_an_author_that_is_none(tmp_path: Path, author: Any) -> None:
    assert one(line(author=author, author_name=author), tmp_path, "export.jsonl").author is None


# from pass to pass


class Export:
    """A file that another tool writes to, and the collector that reads it."""

    def __init__(self, path: Path, clock: Any, one_pass: Callable[..., Any]) -> None:
        self.path, self._clock, self._one_pass = path, clock, one_pass
        self.cursor: dict[str, Any] = {}

    def write(self, text: str, ago: float = 60) -> None:
        self.path.write_text(text, encoding="utf-8", newline="")
        at = self._clock() - ago
        os.utime(self.path, (at, at))

    def passed(self) -> Any:
        """One more pass."""
        passed = self._one_pass(collector, collector.Settings(path=str(self.path)), self.cursor)
        self.cursor = passed.cursor
        return passed

    def heard(self) -> list[str]:
        """The texts of one more pass; bad lines by their name."""
        passed = self.passed()
        assert passed.error is None
        return [*passed.texts, *passed.skipped]


@pytest.fixture
def export(tmp_path: Path, clock: Any, one_pass: Callable[..., Any]) -> Export:
    return Export(tmp_path / "inbox.jsonl", clock, one_pass)


@pytest.fixture
def table(tmp_path: Path, clock: Any, one_pass: Callable[..., Any]) -> Export:
    return Export(tmp_path / "inbox.csv", clock, one_pass)


def test_a_file_that_is_not_there_yet(export: Export) -> None:
    assert export.heard() == []
    export.write(line(text="one"))
    assert export.heard() == ["one"]


def test_a_file_that_grows(export: Export) -> None:
    export.write(line(text="one"))
    assert export.heard() == ["one"]
    assert export.heard() == []
    export.write(line(text="one") + "oops\n" + line(text="two"))
    assert export.heard() == ["two", "inbox.jsonl:2: not JSON (column 1: expecting value)"]
    assert export.heard() == []


def test_a_table_that_grows(table: Export) -> None:
    start = f'text,date\n"one\nmore",{WHEN}\n'
    table.write(start)
    assert table.heard() == ["one\nmore"]
    table.write(start + f"two,{WHEN}\nshort\n")
    assert table.heard()[0] == "two"
    assert table.heard() == []


@pytest.mark.parametrize("longer", [False, True])
def test_a_file_that_is_replaced_is_read_from_its_start(table: Export, longer: bool) -> None:
    """Exports have the same first line every day."""
    table.write(f"text,date\nmonday one,{WHEN}\nmonday two,{WHEN}\n")
    table.heard()
    more = f"tuesday two,{WHEN}\ntuesday three,{WHEN}\n" if longer else ""
    table.write(f"text,date\ntuesday one,{WHEN}\n{more}")
    assert table.heard()[0] == "tuesday one"
    assert table.heard() == []


def test_a_last_line_that_is_still_being_written(export: Export) -> None:
    whole = line(text="one") + line(text="two")
    export.write(whole[:-10], ago=1)
    assert export.heard() == ["one"]
    export.write(whole, ago=1)
    assert export.heard() == ["two"]


def test_a_last_line_that_is_not_written_to_any_more(export: Export, clock: Any) -> None:
    export.write(line(text="one") + line(text="two").rstrip("\n"), ago=1)
    assert export.heard() == ["one"]
    clock.at += timedelta(minutes=5)
    assert export.heard() == ["two"]


def test_a_last_line_that_nobody_ends(export: Export) -> None:
    whole = line(text="one") + line(text="two")
    export.write(whole.rstrip("\n"), ago=60)
    assert export.heard() == ["one", "two"]
    export.write(whole + line(text="three"), ago=60)
    assert export.heard() == ["three"]


def test_a_record_of_several_lines_that_is_still_being_written(table: Export) -> None:
    table.write(f'text,date\none,{WHEN}\n"two\nmore\n', ago=1)
    assert table.heard() == ["one"]
    table.write(f'text,date\none,{WHEN}\n"two\nmore\nend",{WHEN}\n', ago=1)
    assert table.heard() == ["two\nmore\nend"]


def test_many_lines_come_in_pages_and_a_pass_may_end_after_any(export: Export, asking: Any) -> None:
    export.write("".join(line(text=f"post {n}", ref=str(n)) for n in range(1200)))
    wanted = collector.Settings(path=str(export.path))
    pages = collector.fetch(wanted, {}, asking())
    first = next(pages)
    assert len(first.posts) == 500
    rest = list(collector.fetch(wanted, first.cursor, asking()))
    assert [len(page.posts) for page in rest] == [500, 200, 0]  # and that all of it was read
    assert rest[0].posts[0].text == "post 500"


def test_a_cursor_of_another_shape_reads_the_file_again(export: Export) -> None:
    export.write(line(text="one"))
    for cursor in ({"done": 5}, {"done": 0, "head": "x"}, {"head": "abc", "done": 1}, {"done": 99, "head": "99-x"}):
        export.cursor = cursor
        assert export.heard() == ["one"]


@pytest.mark.parametrize("where", ["folder", "file/inside", "nul\0"])
def test_what_cannot_be_read(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(NeedsPerson, match="cannot read"):
        Lines.of(tmp_path / where)


@pytest.mark.parametrize("what", ["pipe", "list", "huge"])
def test_what_cannot_be_read_is_told_and_nothing_is_kept(
    export: Export, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    export.path = export.path.with_suffix(".json")
    if what == "pipe":
        os.mkfifo(export.path)  # reading it would wait for a writer
    else:
        export.write('[{"text": "brigid"}]' if what == "list" else line())
    if what == "huge":
        monkeypatch.setattr(collector, "_LARGEST", 5)
    passed = export.passed()
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error).startswith("file: ")
    assert "inbox.json" in str(passed.error)
    assert (passed.pages, passed.cursor) == ([], {})


def test_what_comes_out_of_a_pipe_is_read_once(tmp_path: Path) -> None:
    """As in  call-light import <(unzip -p export.zip)."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(line(text="one"),))
    writer.start()
    assert Lines.of(path).text == line(text="one")
    writer.join()


def test_lines_cover_the_file(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f'text,date\n"a\nb",{WHEN}\nc,{WHEN}\n')
    assert [number for number, _ in read(Lines.of(path, datetime.now(UTC) + timedelta(days=1)), ZONE)] == [4]


# a file that changes while it is read


def pages_of(export: Export, asking: Any) -> Any:
    """A pass page by page; the cursor is kept after each."""
    for page in collector.fetch(collector.Settings(path=str(export.path)), export.cursor, asking()):
        export.cursor = json.loads(json.dumps(page.cursor))
        yield [post.text for post in page.posts]


def many(word: str, count: int, start: int = 0) -> str:
    return "".join(line(text=f"{word} {n}", ref=f"{word}{n}") for n in range(start, start + count))


@pytest.mark.parametrize("killed", [False, True])
def test_a_file_that_grows_between_two_pages(export: Export, asking: Any, killed: bool) -> None:
    export.write(many("one", 700))
    pages = pages_of(export, asking)
    heard = next(pages)
    export.write(many("one", 1300))
    if not killed:
        heard += [text for page in pages for text in page]
    pages.close()
    for _ in range(2):
        heard += [text for page in pages_of(export, asking) for text in page]
    assert heard == [f"one {n}" for n in range(1300)]


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("after", [many("two", 20), many("two", 900), ""], ids=["shorter", "longer", "empty"])
def test_a_file_that_is_replaced_between_two_pages(export: Export, asking: Any, after: str, killed: bool) -> None:
    export.write(many("one", 700))
    pages = pages_of(export, asking)
    heard = next(pages)
    export.write(after)
    if not killed:
        heard += [text for page in pages for text in page]
    pages.close()
    for _ in range(3):
        heard += [text for page in pages_of(export, asking) for text in page]
    expected = [f"one {n}" for n in range(500 if killed else 700)]
    assert heard == expected + [f"two {n}" for n in range(after.count("\n"))]


def test_a_file_that_is_cut_off_and_written_again(export: Export, asking: Any) -> None:
    """Its first lines are the same and come again, under the same names; nothing is left out."""
    export.write(many("one", 700))
    pages = pages_of(export, asking)
    next(pages)
    export.write(many("one", 100))
    list(pages)
    assert [len(page) for page in pages_of(export, asking)] == [100, 0]
    export.write(many("one", 100) + many("two", 5))
    assert [text for page in pages_of(export, asking) for text in page] == [f"two {n}" for n in range(5)]


@pytest.mark.parametrize("times", [1, 2, 9])
def test_a_file_that_is_rewritten_while_it_is_read(export: Export, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """What was read then may be the beginning of one file and the end of another."""
    export.write(line(text="old"))
    half = "inbox.jsonl:2: not JSON (column 10: unterminated string starting at)"
    whole, states = os.fstat, []

    def fstat(number: int) -> os.stat_result:
        states.append(whole(number))
        if len(states) % 2 == 0 and len(states) <= 2 * times:  # after the reading
            export.path.write_text(line(text="new") + '{"text": "' + "h" * len(states))
            return whole(number)
        return states[-1]

    monkeypatch.setattr(os, "fstat", fstat)
    assert export.heard() == (["new"] if times > 3 else ["new", half])
    assert len(states) == 2 * min(times + 1, 3)
    monkeypatch.undo()
    assert export.heard() == ([half] if times > 3 else [])


@pytest.mark.parametrize(("ago", "heard"), [(-60, []), (-7200, ["one"]), (20, []), (40, ["one"])])
def test_the_end_of_a_file_is_left_for_later_while_it_may_be_written(
    export: Export, ago: float, heard: list[str]
) -> None:
    """A file server's clock may be ahead of ours; a clock that is quite wrong makes nobody deaf."""
    export.write(line(text="one").rstrip("\n"), ago)
    assert export.heard() == heard
    export.write(line(text="one"), 60)
    assert export.heard() == ([] if heard else ["one"])


# a folder


@pytest.fixture
def folder(tmp_path: Path, clock: Any, one_pass: Callable[..., Any]) -> Export:
    (tmp_path / "exports").mkdir()
    return Export(tmp_path / "exports", clock, one_pass)


def put(folder: Export, name: str, text: str) -> Path:
    path = folder.path / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (folder._clock() - 60,) * 2)
    return path


def test_an_empty_folder(folder: Export) -> None:
    passed = folder.passed()
    assert (passed.error, len(passed.pages), passed.posts, passed.cursor) == (None, 1, [], {"files": {}})


def test_files_are_read_in_the_order_of_their_names_and_each_has_its_place(folder: Export) -> None:
    put(folder, "2026-11-17.csv", f"text,date\ntuesday,{WHEN}\n")
    monday = line(text="monday")
    put(folder, "2026-11-16.jsonl", monday)
    put(folder, "2026-11-18.JSON", line(text="wednesday"))
    put(folder, "2026-11-19.tsv", f"text\tdate\nthursday\t{WHEN}\n")
    put(folder, "2026-11-15.ndjson", line(text="sunday") + "oops\n")
    first = folder.passed()
    assert first.texts == ["sunday", "monday", "tuesday", "wednesday", "thursday"]
    assert first.skipped == ["2026-11-15.ndjson:2: not JSON (column 1: expecting value)"]
    assert first.error is None
    assert set(first.cursor["files"]) == {path.name for path in folder.path.iterdir()}
    assert folder.heard() == []
    put(folder, "2026-11-20.csv", f"text,date\nfriday,{WHEN}\n")
    put(folder, "2026-11-16.jsonl", monday + line(text="monday too"))
    assert folder.heard() == ["monday too", "friday"]
    assert folder.heard() == []


def test_what_was_read_is_not_opened_again(folder: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.jsonl", line(text="one"))
    put(folder, "b.jsonl", line(text="two"))
    folder.heard()
    opened, whole = [], Lines.of
    monkeypatch.setattr(Lines, "of", lambda path, now=None: opened.append(path.name) or whole(path, now))
    assert folder.heard() == []
    put(folder, "b.jsonl", line(text="two") + line(text="three"))
    assert folder.heard() == ["three"]
    assert folder.heard() == []
    assert opened == ["b.jsonl"]


def test_a_file_may_be_replaced_by_one_of_the_same_size(folder: Export, clock: Any) -> None:
    put(folder, "a.jsonl", line(text="one"))
    folder.heard()
    clock.at += timedelta(minutes=5)
    put(folder, "a.jsonl", line(text="two"))
    assert folder.heard() == ["two"]


@pytest.mark.parametrize("shape", ["as it was", "as it is"])
def test_a_cursor_of_one_file_is_still_understood(folder: Export, one_pass: Any, shape: str) -> None:
    """Installations have it; the file may by then be one of a folder."""
    inbox = put(folder, "inbox.jsonl", line(text="one") + line(text="two"))
    alone = one_pass(collector, collector.Settings(path=str(inbox)), {}).cursor
    place = alone["files"]["inbox.jsonl"]
    cursor = {key: place[key] for key in ("done", "head")} if shape == "as it was" else alone
    again = one_pass(collector, collector.Settings(path=str(inbox)), cursor)
    assert (again.texts, again.cursor) == ([], alone)
    put(folder, "inbox.jsonl", line(text="one") + line(text="two") + line(text="three"))
    put(folder, "other.jsonl", line(text="four"))
    assert one_pass(collector, collector.Settings(path=str(inbox)), cursor).texts == ["three"]
    folder.cursor = cursor
    assert folder.heard() == ["three", "four"]


def test_a_cursor_of_one_file_as_version_0_1_wrote_it(export: Export) -> None:
    export.write(line(text="one"))
    head = "1-" + hashlib.sha256(line(text="one").encode()).hexdigest()[:16]
    export.cursor = {"done": 1, "head": head}
    assert export.heard() == []
    export.write(line(text="one") + line(text="two"))
    export.cursor = {"done": 1, "head": head}
    assert export.heard() == ["two"]


@pytest.mark.parametrize(
    "name",
    [
        *(".a.jsonl", "~$a.csv", "~a.csv", "a.csv.tmp", "a.csv.part", "a.jsonl.crdownload", "a.xlsx", "a.zip"),
        *("notes.txt", "jsonl", "a.jsonl~"),
    ],
)
def test_what_is_no_export_yet_is_left_alone(folder: Export, name: str) -> None:
    path = put(folder, name, line(text="half"))
    assert (folder.heard(), folder.cursor) == ([], {"files": {}})
    path.rename(folder.path / "whole.jsonl")
    assert folder.heard() == ["half"]


def test_only_files_of_the_folder_itself(folder: Export, tmp_path: Path) -> None:
    (folder.path / "archive.csv").mkdir()
    (folder.path / "archive.csv" / "old.jsonl").write_text(line(text="old"))
    (tmp_path / "secret.jsonl").write_text(line(text="secret"))
    (folder.path / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (folder.path / "up.jsonl").symlink_to("../secret.jsonl")
    (folder.path / "nowhere.jsonl").symlink_to("missing")
    (folder.path / "round.jsonl").symlink_to("round.jsonl")
    os.mkfifo(folder.path / "pipe.jsonl")
    put(folder, "real.jsonl", line(text="real"))
    (folder.path / "within.jsonl").symlink_to("real.jsonl")
    assert folder.heard() == ["real", "real"]


def test_a_folder_behind_a_link_is_read(folder: Export, tmp_path: Path) -> None:
    put(folder, "a.jsonl", line(text="one"))
    (folder.path / "b.jsonl").symlink_to("a.jsonl")
    (tmp_path / "link").symlink_to(folder.path)
    folder.path = tmp_path / "link"
    assert folder.heard() == ["one", "one"]


def test_a_file_that_is_gone_is_forgotten(folder: Export) -> None:
    path = put(folder, "a.jsonl", line(text="one"))
    put(folder, "b.jsonl", line(text="two"))
    folder.heard()
    path.unlink()
    assert folder.heard() == []
    assert set(folder.cursor["files"]) == {"b.jsonl"}
    put(folder, "a.jsonl", line(text="three"))
    assert folder.heard() == ["three"]


def test_a_file_that_is_moved_away_while_the_others_are_read(folder: Export, asking: Any) -> None:
    put(folder, "a.jsonl", line(text="one"))
    path = put(folder, "b.jsonl", line(text="two"))
    folder.heard()
    put(folder, "a.jsonl", line(text="three"))
    put(folder, "b.jsonl", line(text="four"))
    pages = pages_of(folder, asking)
    assert next(pages) == ["three"]
    path.unlink()
    assert [text for page in pages for text in page] == []
    assert set(folder.cursor["files"]) == {"a.jsonl"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [("0.json", '[{"text": "brigid"}]', "JSON Lines"), ("m.csv", "a,b\n1,2\n", "no column"), ("z.csv", "", "denied")],
)
def test_one_file_that_cannot_be_read_does_not_hold_up_the_others(
    folder: Export, monkeypatch: pytest.MonkeyPatch, name: str, text: str, says: str
) -> None:
    """This account may read anything, so that a refusal has to be played."""
    put(folder, "a.jsonl", line(text="one"))
    put(folder, "n.jsonl", line(text="two"))
    put(folder, name, text)
    whole = Path.open

    def refused(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "z.csv":
            raise PermissionError(13, "Permission denied")
        return whole(path, *args, **options)

    monkeypatch.setattr(Path, "open", refused)
    passed = folder.passed()
    assert passed.texts == ["one", "two"]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error).startswith("file: ")
    assert name in str(passed.error)
    assert says in str(passed.error)
    again = folder.passed()
    assert (again.texts, str(again.error)) == ([], str(passed.error))
    (folder.path / name).unlink()
    put(folder, "y.jsonl", line(text="three"))
    assert folder.heard() == ["three"]


def test_a_folder_that_cannot_be_read(folder: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.jsonl", line(text="one"))
    folder.heard()
    before = folder.cursor

    def refused(path: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    passed = folder.passed()
    assert isinstance(passed.error, NeedsPerson)
    assert (passed.pages, passed.cursor) == ([], before)


def test_no_more_files_are_remembered_than_a_cursor_should_hold(
    folder: Export, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    monkeypatch.setattr(collector, "_MOST_FILES", 3)
    for name in "dcba":
        clock.at += timedelta(minutes=5)
        put(folder, f"{name}.jsonl", line(text=name))
    passed = folder.passed()
    assert passed.texts == ["a", "b", "c"]  # the newest by their time, in the order of their names
    assert "more than 3 files" in str(passed.error)
    assert set(passed.cursor["files"]) == {"a.jsonl", "b.jsonl", "c.jsonl"}
    clock.at += timedelta(minutes=5)
    put(folder, "e.jsonl", line(text="e"))
    assert folder.passed().texts == ["e"]
    (folder.path / "d.jsonl").unlink()
    (folder.path / "c.jsonl").unlink()
    assert folder.heard() == []


def test_a_name_that_is_no_text(folder: Export) -> None:
    path = folder.path / os.fsdecode(b"caf\xe9.jsonl")
    path.write_text("oops\n" + line(text="one"))
    passed = folder.passed()
    assert (passed.texts, passed.error) == (["one"], None)
    assert passed.skipped[0].startswith("caf\ufffd.jsonl:1: ")
    json.dumps(passed.cursor, ensure_ascii=False).encode()
    assert folder.heard() == []
