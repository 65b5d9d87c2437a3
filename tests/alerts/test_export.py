"""Tables as files: the numbers stay numbers, and no word of a stranger becomes a formula."""

import csv
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from conftest import NOW
from fakes.strangers import HOSTILE
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts import export
from alerts.figures import Figures
from alerts.section import Cell, Dollars, Section, Share, Table
from alerts.span import named
from listener.errors import NeedsPerson

CHICAGO = ZoneInfo("America/Chicago")
FIGURES = Figures(named("2026-W46", CHICAGO), CHICAGO, NOW, "Saint Brigid")
MINUTE, DECADE = timedelta(minutes=1), timedelta(days=3650)
FORMULAS = [
    "=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a", "  =1", "\u200b=1", '"=1"',
    "\u00a0=1", "\ufeff=1", "\x00=1", "\u202e=1", "a;=1", 'a;"=1"', "a; =1", "a\n=1", "a\r=1", "a\t=1", "a,=1",
    "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example")', "{=1+1}",
]  # fmt: skip
MARKUP = ["<r><t>x</t></r>", "<r></sst></r>", "_x003D_1", "_x0000_", "https://evil.example", "internal:A1", "1204"]
texts = st.one_of(
    st.sampled_from([*FORMULAS, *MARKUP, *(text for text in HOSTILE if len(text) < 100)]),
    st.text("=+-@＝;,|'\" \t\r\n\u200b\x00\ud83da1", max_size=12),
    st.text(max_size=40),
)
# Numbers that a spreadsheet holds as they are.
numbers = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1), st.floats(allow_nan=False, allow_infinity=False, width=32), st.none()
)
cells = st.one_of(
    texts,
    numbers,
    st.integers(),
    st.floats(),
    st.builds(Share, st.integers(0, 10**6), st.integers(0, 10**6)),
    st.timedeltas(),
)


def table(*rows: tuple[Cell, ...], name: str = "topics", header: tuple[str, ...] = ("Topic", "Posts")) -> Table:
    return Table(name, header, rows)


def sheets(*tables: Table) -> Any:
    """A workbook as it is read back."""
    return openpyxl.load_workbook(io.BytesIO(export.workbook(tables)[0]))


def read_csv(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


# ---------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("Waiting", "Waiting"), ("", ""), (None, ""), (0, "0"), (1204, "1204"), (-3, "-3"), (2.25, "2.25"), (-0.5, "-0.5"),
        (Dollars(1204.5), "1204.50"), (Dollars(0), "0.00"), (float("nan"), ""), (float("-inf"), ""), (Share(1, 3), "33.3%"), (Share(3, 3), "100.0%"), (Share(0, 0), ""),
        (timedelta(), "0:00:00"), (6.5 * MINUTE, "0:06:30"), (timedelta(days=1, hours=2), "26:00:00"),
        (-6.5 * MINUTE, "'-0:06:30"), (timedelta(seconds=59.6), "0:01:00"), (10**20, "1" + "0" * 20),
        ("a, b", '"a, b"'), ('say "hi"', '"say ""hi"""'), ("two\r\nlines\tand", "two lines and"), ("Zoë 👩‍⚕️", "Zoë 👩‍⚕️"),
        ("قسم الطوارئ", "قسم الطوارئ"), ("half \ud83d", "half \ufffd"), ("a\x00\x1bb", "ab"), ("-", "'-"), ("=1+1", "'=1+1"),
        ("5 hours; -2 stars", "5 hours;' -2 stars"), ("A-1 = best", "A-1 = best"), ("'", "'"), ("  indented", "  indented"),
    ],
)  # fmt: skip
def test_a_cell_of_csv(cell: Cell, written: str) -> None:
    assert export.csv_text(table((cell, 1))) == f"Topic,Posts\r\n{written},1\r\n"


def test_csv_is_one_line_a_row_for_excel(tmp_path: Path) -> None:
    rows = table(("Essen\nund Trinken", 2), ("=1", 1), header=("Thema", "Beiträge"))
    export.write_csv(tmp_path / "t.csv", rows)
    expected = b"\xef\xbb\xbfThema,Beitr\xc3\xa4ge\r\nEssen und Trinken,2\r\n'=1,1\r\n"
    assert (tmp_path / "t.csv").read_bytes() == expected


def is_formula(cell: str) -> bool:
    """As the most careless of spreadsheets sees it."""
    seen = cell.lstrip('"\u200b\u200e\u200f\u00ad\u2060\ufeff \u00a0\t\r\n\v\f')
    return seen[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.sampled_from(",;\t"))
@example([("x", formula) for formula in FORMULAS], ";")
@example([(formula, formula) for formula in FORMULAS], ",")
def test_no_text_is_a_formula_in_csv_wherever_the_reader_sees_cells_begin(
    rows: list[tuple[str, str]], delimiter: str
) -> None:
    text = export.csv_text(table(*rows, header=rows[0]))
    found = [cell for row in read_csv(text, delimiter) for cell in row]
    assert not [cell for cell in found if is_formula(cell)]
    assert "\t" not in text
    assert text.count("\r\n") == text.count("\r") == text.count("\n") == len(rows) + 1, "a row is a line"


@given(st.lists(st.tuples(cells, cells), max_size=5))
def test_csv_has_every_cell(rows: list[tuple[Cell, Cell]]) -> None:
    found = read_csv(export.csv_text(table(*rows)))
    assert [len(row) for row in found] == [2] * (len(rows) + 1)
    export.csv_text(table(*rows)).encode()  # no halves of characters


# ---------------------------------------------------------------- the workbook


def test_a_workbook_has_numbers_as_numbers() -> None:
    rows = table(
        ("Waiting", 1204, 2.25, Share(1, 3), 6.5 * MINUTE, Dollars(0.6)),
        ("=1+1", -3, float("nan"), Share(0, 0), -MINUTE),
        (None, 10**20, -0.5, Share(2, 2), 26 * 60 * MINUTE),
        (None, 10**15, 10**15 - 1, None, None),
        header=("Topic", "Posts", "Mood", "In time", "Median", "Cost"),
    )
    sheet = sheets(rows)["topics"]
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["Topic", "Posts", "Mood", "In time", "Median", "Cost"],
        ["Waiting", 1204, 2.25, 1 / 3, timedelta(minutes=6, seconds=30), 0.6],
        ["=1+1", -3, None, None, "-0:01:00", None],
        [None, "1" + "0" * 20, -0.5, 1, timedelta(days=1, hours=2), None],
        [None, "1" + "0" * 15, 999_999_999_999_999, None, None, None],
    ]
    assert [cell.number_format for cell in sheet[2]] == [
        "General",
        "#,##0",
        "#,##0.0",
        "0%",
        "[h]:mm:ss",
        '"$"#,##0.00',
    ]
    assert sheet["A3"].data_type == "s"
    assert sheet.freeze_panes == "A2"
    assert [cell.font.bold for cell in (sheet["A1"], sheet["A2"])] == [True, False]


@pytest.mark.parametrize(
    ("cell", "width"),
    [("a", 8), ("Getting an appointment", 24), ("w" * 500, 60), (1_234_567_890, 15), (Share(1, 3), 8), (None, 8)],
)
def test_columns_are_as_wide_as_what_is_shown(cell: Cell, width: int) -> None:
    found = sheets(table((cell,), header=("a",)))["topics"].column_dimensions["A"].width
    assert round(found) == width + 1  # the file counts the margin of a cell too


@settings(max_examples=40)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20))
@example([(text, text) for text in [*FORMULAS, *MARKUP, *HOSTILE]])
def test_no_cell_of_a_workbook_is_a_formula_or_a_link(rows: list[tuple[Cell, Cell]]) -> None:
    header = tuple(cell for cell in rows[0] if isinstance(cell, str))
    sheet = sheets(Table("t", header, rows))["t"]
    read = [cell for row in sheet.rows for cell in row]
    assert not [cell for cell in read if cell.data_type == "f" or cell.hyperlink]
    for row, cell in enumerate([cell for cell, _ in rows], 2):
        if isinstance(cell, str):
            assert sheet.cell(row, 1).data_type in "sn"
            assert isinstance(sheet.cell(row, 1).value, str | None)


@settings(max_examples=40)
@given(
    st.lists(st.one_of(numbers, st.sampled_from([*FORMULAS[:4], "Zoë", "_x003D_1", "<r>", "1204", "🦷"])), max_size=20)
)
def test_a_workbook_is_read_back_as_it_was(column: list[Any]) -> None:
    sheet = sheets(table(*[(cell,) for cell in column], header=("a",)))["topics"]
    found = [sheet.cell(row, 1).value for row in range(2, len(column) + 2)]
    # A sheet keeps 16 digits.
    assert found == [pytest.approx(cell, rel=1e-15) if isinstance(cell, float) else cell for cell in column]


@pytest.mark.parametrize(
    ("given_names", "found"),
    [
        (["topics", "mood"], ["topics", "mood"]),
        (["topics", "Topics", "TOPICS"], ["topics", "Topics_2", "TOPICS_3"]),
        (["", "", "[]:*?/\\", "'a'"], ["table", "table_2", "_", "_a_"]),
        (["a" * 40, "a" * 50, "a" * 31], ["a" * 31, "a" * 29 + "_2", "a" * 29 + "_3"]),
        (["history", "../etc", "🦷", "قسم"], ["history_2", "_etc", "_", "__2"]),
    ],
)
def test_names_of_sheets_and_files(given_names: list[str], found: list[str]) -> None:
    tables = [table(name=name) for name in given_names]
    assert export.names(tables) == found
    assert sheets(*tables).sheetnames == found


@settings(max_examples=30)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_names_make_a_workbook(given_names: list[str]) -> None:
    tables = [table(name=name) for name in given_names]
    assert len(sheets(*tables).sheetnames) == max(1, len(tables))
    assert all(len(name) <= 31 for name in export.names(tables))


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("a" * 32_767, 32_767, []),
        ("a" * 40_000, 32_767, ["topics: cut after 32,767 characters: 1 cell"]),
        ("🦷" * 20_000, 16_383, ["topics: cut after 32,767 characters: 1 cell"]),  # Excel counts each as two
    ],
)
def test_text_that_is_too_long_for_a_cell(text: str, kept: int, said: list[str]) -> None:
    content, found = export.workbook([table((text,))])
    assert found == said
    assert openpyxl.load_workbook(io.BytesIO(content))["topics"]["A2"].value == text[:kept]


@pytest.mark.parametrize(
    ("rows", "columns", "held", "said"),
    [
        (0, 2, (0, 2), ""),
        (1_048_575, 1, (1_048_575, 1), ""),
        (1_048_576, 1, (1_048_575, 1), "left off at the end: 1 row; a sheet holds no more, a CSV file does"),
        (1_048_577, 1, (1_048_575, 1), "left off at the end: 2 rows; a sheet holds no more, a CSV file does"),
        (1, 16_385, (1, 16_384), "left off at the end: 1 column; a sheet holds no more, a CSV file does"),
    ],
)
def test_more_rows_than_a_sheet_holds(rows: int, columns: int, held: tuple[int, int], said: str) -> None:
    header = ("a",) * columns
    found, left_off = export.fitting(Table("t", header, [header] * rows))
    assert (len(found.rows), len(found.header), left_off) == (*held, said)
    assert all(len(row) == held[1] for row in found.rows[:1])


def test_a_workbook_begins_with_where_and_when() -> None:
    sections = [Section("The week", ("4 posts.", "It adds up.")), Section("=1", ())]
    about = export.about(sections, FIGURES)
    assert about.header == ("Saint Brigid", "Mon 9 Nov to Sun 15 Nov 2026")
    assert about.rows == [("The week", "4 posts.\nIt adds up."), ("=1", "")]
    assert sheets(about, table()).sheetnames == ["summary", "topics"]


# ---------------------------------------------------------------- JSON


def test_json() -> None:
    rows = [
        ("Waiting", 2, Dollars(0.5), Share(1, 3), 6.5 * MINUTE, None),
        ("=1", -1, float("nan"), Share(0, 0), -MINUTE, "\ud83d"),
    ]
    found = json.loads(
        export.json_text(
            {"categories": Section("About", ("One.",), (Table("topics", ("a",), rows, "Title"),))},
            replace(FIGURES, before=replace(FIGURES, span=named("2026-W45", CHICAGO))),
        )
    )
    assert (found["hospital"], found["before"]) == ("Saint Brigid", "2026-W45")
    assert found["span"] == {
        "name": "2026-W46",
        "kind": "week",
        "since": "2026-11-09T00:00:00-06:00",
        "until": "2026-11-16T00:00:00-06:00",
    }
    (section,) = found["sections"]
    (told,) = section.pop("tables")
    assert section == {"name": "categories", "title": "About", "sentences": ["One."]}
    assert (told["name"], told["title"], told["header"]) == ("topics", "Title", ["a"])
    assert told["rows"] == [
        ["Waiting", 2, 0.5, {"part": 1, "of": 3}, {"seconds": 390.0}, None],
        ["=1", -1, None, {"part": 0, "of": 0}, {"seconds": -60.0}, "\ufffd"],
    ]


def told(cell: Any) -> Cell:
    """A cell as a reader of the JSON gets it back."""
    if not isinstance(cell, dict):
        return cell
    return Share(**cell) if "of" in cell else timedelta(**cell)


@given(
    st.lists(st.tuples(st.one_of(numbers, st.text("a=\n\x00🦷"), st.timedeltas(-DECADE, DECADE), st.just(Share(1, 3)))))
)
def test_json_is_read_back_as_it_was(rows: list[tuple[Cell]]) -> None:
    text = export.json_text({"a": Section("A", (), (Table("t", ("a",), rows),))}, FIGURES)
    (found,) = json.loads(text)["sections"][0]["tables"]
    assert [(told(cell),) for (cell,) in found["rows"]] == rows


@given(st.lists(st.tuples(cells)), texts)
def test_json_takes_anything(rows: list[tuple[Cell]], words: str) -> None:
    text = export.json_text({words: Section(words, (words,), (Table(words, (words,), rows),))}, FIGURES)
    assert len(json.loads(text.encode())["sections"][0]["tables"][0]["rows"]) == len(rows)


# ---------------------------------------------------------------- files


def test_a_file_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "marketing"
    paths = export.write_each(folder, "2026-W46", [table(), table(name="../mood")])
    assert paths == [folder / "2026-W46-topics.csv", folder / "2026-W46-_mood.csv"]
    assert sorted(folder.iterdir()) == sorted(paths)


def test_what_is_there_is_replaced_and_a_link_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old and longer")
    link.symlink_to(real)
    export.write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_others_may_read_it_as_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        export.write(tmp_path / "t.csv", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "t.csv").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_who_may_read_what_is_replaced_may_read_what_comes(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, modes = tmp_path / "t.csv", []
    path.touch(mode)
    written = Path.write_bytes

    def watch(part: Path, content: bytes) -> int:
        count = written(part, content)
        modes.append(part.stat().st_mode & 0o777)
        return count

    monkeypatch.setattr(Path, "write_bytes", watch)
    export.write(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)
    assert modes == [0o600], "nor may others read it while it is written"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    with ThreadPoolExecutor() as pool:
        for path in (pipe, link):
            read = pool.submit(pipe.read_bytes)
            export.write(path, b"new")
            os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # a reader that was given nothing ends
            assert read.result(5) == b"new"
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["folder", "missing/t.csv", "file/t.csv", "n" * 300, "loop"])
def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop" / "x")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(NeedsPerson, match=r"^cannot write .* \(.+\); check its folder and permissions$"):
        export.write(tmp_path / place, b"new")
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NeedsPerson, match=r"^cannot write .*file \(File exists\)"):
        export.write_each(tmp_path / "file", "2026-W46", [table()])
