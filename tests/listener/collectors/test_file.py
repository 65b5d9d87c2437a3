"""Exports of other tools: every way in which they are odd, and what becomes of each line."""

import json
import os
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
        "rating": 4.5,
        "reach": 12,
        "about_us": True,
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
        "11/16/2026",
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
        ('[{"text": "brigid"}]', "JSON Lines"),
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


@settings(max_examples=300, deadline=None)
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

    def heard(self) -> list[str]:
        """The texts of one more pass; bad lines by their name."""
        passed = self._one_pass(collector, collector.Settings(path=str(self.path)), self.cursor)
        assert passed.error is None
        self.cursor = passed.cursor
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
    assert [len(page.posts) for page in rest] == [500, 200]
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


def test_a_folder_in_place_of_the_file(tmp_path: Path, one_pass: Callable[..., Any]) -> None:
    passed = one_pass(collector, collector.Settings(path=str(tmp_path)), {})
    assert isinstance(passed.error, NeedsPerson)


def test_lines_cover_the_file(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f'text,date\n"a\nb",{WHEN}\nc,{WHEN}\n')
    assert [number for number, _ in read(Lines.of(path, datetime.now(UTC) + timedelta(days=1)), ZONE)] == [4]
