"""Tables as files for other programs: CSV, a workbook (XLSX), JSON. docs/figures.md says what stands in each.

Words in a table may come from strangers: no spreadsheet may run a cell of text as a formula.
"""

import csv
import io
import json
import math
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain, count
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from alerts.figures import Figures
from alerts.message import visible
from alerts.section import Cell, Dollars, Section, Share, Table, shown
from listener.errors import NeedsPerson

# What a sheet holds.
_ROWS, _COLUMNS, _LETTERS = 1_048_576, 16_384, 32_767
_NAME = 31  # characters of a sheet's name
_DIGITS = 10**15  # whole numbers from here on lose their last digits in a spreadsheet
_NARROW, _WIDE = 8, 60  # characters of a column
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_NO_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")  # neither UTF-8 nor XML has them
# Where a spreadsheet sees a formula begin, also in full width and behind spaces and quotes. Behind ";" too: where the
# comma is for decimals a cell begins there, and a quote in the middle of one protects nothing.
_FORMULA = re.compile('(^|;)(?=[\\s"\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*[=+\\-@＝＋－＠])')


def csv_text(table: Table) -> str:
    """As RFC 4180 says, a row a line: numbers without grouping, "33.3%", "0:06:30", nothing for what there is not."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_in_csv, table.header))
    writer.writerows(map(_in_csv, row) for row in table.rows)
    return text.getvalue()


def _in_csv(cell: Cell) -> str:
    value = _value(cell)
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", re.sub(r"[\t\n]+", " ", value))
    if isinstance(value, Share):
        return f"{value.part / value.of:.1%}"
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, Dollars):
        return f"{float(value):.2f}"
    return "" if value is None else str(value)


def _value(cell: Cell) -> Cell:
    """What a spreadsheet can hold of a cell: text that is only text, a number that is one; a time below zero as text."""
    if isinstance(cell, str):
        return visible(_NO_TEXT.sub("\ufffd", _LINE_ENDS.sub("\n", cell)))
    if (isinstance(cell, float) and not math.isfinite(cell)) or (isinstance(cell, Share) and not cell.of):
        return None
    return f"-{_clock(-cell)}" if isinstance(cell, timedelta) and cell < timedelta() else cell


def _clock(span: timedelta) -> str:
    """Hours, minutes and seconds, as spreadsheets read a length of time: "26:05:00"."""
    seconds = round(span.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


# ---------------------------------------------------------------- the workbook


def workbook(tables: Sequence[Table]) -> tuple[bytes, list[str]]:
    """A sheet a table; and a sentence for each table of which a sheet cannot hold all."""
    file, said = io.BytesIO(), []
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        text = {"valign": "top", "text_wrap": True}
        looks = {
            "header": book.add_format({**text, "bold": True, "bottom": 1}),
            "text": book.add_format(text),
            "int": book.add_format({"valign": "top", "num_format": "#,##0"}),
            "float": book.add_format({"valign": "top", "num_format": "#,##0.0"}),
            "dollars": book.add_format({"valign": "top", "num_format": '"$"#,##0.00'}),
            "share": book.add_format({"valign": "top", "num_format": "0%"}),
            "time": book.add_format({"valign": "top", "num_format": "[h]:mm:ss"}),
        }
        for name, table in zip(names(tables), tables, strict=True):
            held, left_off = fitting(table)
            sheet = book.add_worksheet(name)
            said += [f"{name}: {what}" for what in (left_off, _fill(sheet, held, looks)) if what]
    return file.getvalue(), said


def fitting(table: Table) -> tuple[Table, str]:
    """A table as far as a sheet holds it, and what is left off; "" if nothing."""
    rows, columns = len(table.rows) - (_ROWS - 1), max(map(len, [table.header, *table.rows])) - _COLUMNS
    left = [_number(over, what) for over, what in ((rows, "row"), (columns, "column")) if over > 0]
    if not left:
        return table, ""
    cut = [row[:_COLUMNS] for row in table.rows[: _ROWS - 1]]
    said = f"left off at the end: {', '.join(left)}; a sheet holds no more, a CSV file does"
    return Table(table.name, table.header[:_COLUMNS], cut), said


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def names(tables: Iterable[Table]) -> list[str]:
    """A name for each, as a sheet and a file may be called: ASCII, short, none twice, whatever is large or small in it."""
    found: list[str] = []
    for table in tables:
        name = _NO_NAME.sub("_", table.name) or "table"
        endings = chain([""], (f"_{number}" for number in count(2)))
        possible = (name[: _NAME - len(ending)] + ending for ending in endings)
        taken = {"history", *map(str.lower, found)}  # Excel keeps "history" for itself
        found.append(next(one for one in possible if one.lower() not in taken))
    return found


def _fill(sheet: Worksheet, table: Table, looks: Mapping[str, Format]) -> str:
    """Write a table into a sheet; what was cut, "" if nothing."""
    rows = [table.header, *table.rows]
    cut = 0
    for number, cells in enumerate(rows):
        look = looks["text"] if number else looks["header"]
        cut += sum(not _put(sheet, number, column, _value(cell), looks, look) for column, cell in enumerate(cells))
    for column in range(max(map(len, rows))):
        widest = max(len(shown(cells[column])) for cells in rows if column < len(cells))
        sheet.set_column(column, column, min(max(widest + 2, _NARROW), _WIDE))
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{_ROWS}"})  # the number of a case is its name
    return f"cut after {_LETTERS:,} characters: {_number(cut, 'cell')}" if cut else ""


def _put(
    sheet: Worksheet, row: int, column: int, cell: Cell, looks: Mapping[str, Format], look_of_text: Format
) -> bool:
    """Write one cell as what it is; whether all of it fitted. Never by `write`, which guesses formulas and links."""
    number: float
    match cell:
        case None:
            return True
        case Share():
            number, look = cell.part / cell.of, looks["share"]
        case timedelta():
            number, look = cell / timedelta(days=1), looks["time"]
        case Dollars():
            number, look = cell, looks["dollars"]
        case float():
            number, look = cell, looks["float"]
        case int() if abs(cell) < _DIGITS:
            number, look = cell, looks["int"]
        case _:
            text = str(cell)
            # Between these two the library takes text for its own markup.
            text += " " if text.startswith("<r>") and text.endswith("</r>") else ""
            return bool(sheet.write_string(row, column, text, look_of_text) == 0)
    return bool(sheet.write_number(row, column, number, look) == 0)


def about(sections: Iterable[Section], figures: Figures) -> Table:
    """What stands first in a workbook: which hospital, which days, and the sentences of its sections."""
    rows = [(section.title, "\n".join(section.sentences)) for section in sections]
    return Table("summary", (figures.hospital, figures.span.in_words), rows)


# ---------------------------------------------------------------- JSON


def json_text(sections: Mapping[str, Section], figures: Figures) -> str:
    """{"hospital", "span", "before", "sections"}; a cell is null, text, a number, {"part", "of"} or {"seconds"}."""
    span = figures.span
    document = {
        "hospital": figures.hospital,
        "span": {
            "name": span.name,
            "kind": span.kind,
            "since": span.since.isoformat(),
            "until": span.until.isoformat(),
        },
        "before": figures.before.span.name if figures.before else None,
        "sections": [
            {
                "name": name,
                "title": section.title,
                "sentences": section.sentences,
                "tables": [
                    {
                        "name": table.name,
                        "title": table.title,
                        "header": table.header,
                        "rows": [[_in_json(cell) for cell in row] for row in table.rows],
                    }
                    for table in section.tables
                ],
            }
            for name, section in sections.items()
        ],
    }
    return _NO_TEXT.sub("\ufffd", json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def _in_json(cell: Cell) -> Any:
    if isinstance(cell, Share):
        return {"part": cell.part, "of": cell.of}
    if isinstance(cell, timedelta):
        return {"seconds": cell.total_seconds()}
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


# ---------------------------------------------------------------- files


def write_csv(path: Path, table: Table) -> None:
    """One CSV file, with the mark by which Excel knows UTF-8. Raises NeedsPerson."""
    write(path, csv_text(table).encode("utf-8-sig"))


def write_each(folder: Path, stem: str, tables: Sequence[Table]) -> list[Path]:
    """A CSV file a table in a folder, which is made if it is not there; the files. Raises NeedsPerson."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None
    paths = [folder / f"{stem}-{name}.csv" for name in names(tables)]
    for path, table in zip(paths, tables, strict=True):
        write_csv(path, table)
    return paths


def write(path: Path, content: bytes) -> None:
    """Put a file in its place whole or not at all; one that is there is replaced, and read by whom it was. Raises NeedsPerson."""
    place = Path(os.path.realpath(path))  # where a link leads, so that the link stays
    part = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        is_there = place.exists()
        if is_there and not place.is_file():  # a pipe, a device
            place.write_bytes(content)
            return
        if is_there:
            part.touch(0o600)
        part.write_bytes(content)
        if is_there:
            part.chmod(place.stat().st_mode & 0o777)
        part.replace(place)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with suppress(OSError):
            part.unlink()  # also when Ctrl-C ends the writing; in its place it has another name


def _cannot_write(path: Path, error: OSError) -> NeedsPerson:
    return NeedsPerson(f"cannot write {path} ({error.strerror}); check its folder and permissions")
