"""A file, or a folder of files: CSV or JSON Lines of posts, as paid tools export them. Also behind `call-light import`.

Columns are found by their usual names in such exports. A line that cannot be read is named, the others go on. Nobody
says whether such a file grows, is written anew each day or is being copied right now: each is known by a fingerprint of
the lines that were read, read again from its start when they are not the same any more, and its end is left for later
while it may still be written to.
"""

import codecs
import csv
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from config.schema import CollectorSettings, Duration, Text
from listener.errors import NeedsPerson, SkipPost
from listener.post import Asking, Page, Post, read_post, storable

SECRETS = ()

_PAGE = 500
_SETTLED = 30  # seconds after which a last line without its end is taken as whole
_AHEAD = 3600  # seconds that a file server's clock may be ahead of ours
_LARGEST = 500_000_000  # bytes of a file
_TRIES = 3  # to read a file that is written to at the same time
_MOST_FILES = 1000  # of a folder
_EXPORTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
# What exports call our fields, the surest name first; spaces, "-", "_" and capitals make no difference.
_NAMES = {
    "text": ("text", "full text", "message", "content", "body", "snippet", "post", "review", "comment"),
    "ref": ("ref", "id", "post id", "tweet id", "message id", "mention id", "resource id"),
    "source": ("source", "network", "platform", "content source", "site", "channel"),
    "written_at": (
        "written at",
        "created at",
        "published at",
        "created time",
        "datetime",
        "timestamp",
        "date",
        "created",
        "published",
        "time",
    ),
    "edited_at": ("edited at", "edited", "updated at"),
    "url": ("url", "post url", "permalink", "link"),
    "author": ("author", "author handle", "handle", "username", "screen name", "user"),
    "author_name": ("author name", "full name", "display name", "name"),
    "thread": ("thread", "thread id", "conversation id"),
    "answers": ("answers", "in reply to", "parent id"),
    "rating": ("rating", "stars"),
    "reach": ("reach", "followers", "followers count"),
    "about_us": ("about us",),
}
# 11/16/2026, 16.11.2026 14:05, 11/16/26 2:05:07 PM, also with a zone at the end; not the end of 2026-11-16.
_NUMBERS = re.compile(
    r"(?<![0-9])([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})"
    r"(?:,?[\sT]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?:\s*([ap])\.?m\.?)?)?"
    r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_MONTH_FIRST = ("America/", "US/", "Pacific/Honolulu")  # zones
# The same place under another name would be another post.
_SOURCES = {"twitter": "x", "x_(twitter)": "x", "x_(formerly_twitter)": "x", "x/twitter": "x", "twitter/x": "x"}
csv.field_size_limit(10_000_000)

Fields = Mapping[str, Any]


@lru_cache(1000)
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


_RANKS = {_plain(name): (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names)}


class Settings(CollectorSettings):
    """A file, or a folder of files, that another tool exports: CSV or JSON Lines."""

    quiet_after: Duration = timedelta(days=7)
    path: Text
    """The file, or a folder whose files are read in the order of their names, such as "data/inbox"."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What was added to each file since the last pass.

    Cursor: {"files": {name: {"done": lines read, "head": their fingerprint, "stamp": state of a file that was read to
    its end}}}; of one file it once was {"done", "head"}. A file that cannot be read is told at the end: the others are
    read first.
    """
    path = Path(settings.path)
    if not _is_there(path):  # nothing was exported yet; quiet_after tells people when that lasts
        yield Page((), cursor)
        return
    files, wrong = _files(path)
    before, old = cursor.get("files", {}), {key: cursor[key] for key in ("done", "head") if key in cursor}
    places = {name: before[name] for name in files if name in before}
    kept = None
    for name, file in files.items():
        try:
            for page, place in _news(file, before.get(name, old), asking):
                places[name] = place
                if page:
                    kept = dict(places)
                    yield replace(page, cursor={"files": kept})
        except NeedsPerson as error:
            if _is_there(file):
                wrong.append(f"file: {error}")
            else:  # it was moved away
                places.pop(name, None)
    if places != kept and len(wrong) < max(1, len(files)):  # nothing new is an answer too
        yield Page((), {"files": places})
    if wrong:
        raise NeedsPerson("; ".join(wrong))


def _news(path: Path, before: Mapping[str, Any], asking: Asking) -> Iterator[tuple[Page | None, dict[str, Any]]]:
    """What was added to one file in pages, each with the place after it; at the end a place alone.

    Another file of that name is read from its start, also when its first line is the same.
    """
    stamp = _stamp(path)
    if stamp == before.get("stamp"):
        yield None, dict(before)
        return
    lines = Lines.of(path, asking.now)
    done, read_so_far = int(before.get("done", 0)), _Fingerprint(lines)
    if before.get("head") != read_so_far.of(done):
        done, read_so_far = 0, _Fingerprint(lines)
    for number, batch in read(lines, asking.hospital.zone, after=done):
        posts = tuple(item for item in batch if isinstance(item, Post))
        skipped = tuple(item for item in batch if isinstance(item, SkipPost))
        done = number
        yield Page(posts, {}, skipped=skipped), {"done": done, "head": read_so_far.of(done)}
    yield None, {"done": done, "head": read_so_far.of(done), **({} if lines.growing else {"stamp": stamp})}


# ---------------------------------------------------------------- files


def _files(path: Path) -> tuple[dict[str, Path], list[str]]:
    """The file, or the exports in the folder in the order of their names; and what people are told of the folder."""
    try:
        if not path.is_dir():
            return {storable(path.name): path}, []
        inside = path.resolve()
        found = sorted((file for file in path.iterdir() if _is_export(file, inside)), key=_written, reverse=True)
    except OSError as error:
        return {}, [f"file: {_unreadable(path, error)}"]
    more = len(found) > _MOST_FILES
    told = f"file: {path} holds more than {_MOST_FILES:,} files; move those that were read to another folder"
    # By the time of writing a new file is never among those that are left out, whatever its name.
    return {storable(file.name): file for file in sorted(found[:_MOST_FILES])}, [told] if more else []


def _is_export(file: Path, inside: Path) -> bool:
    """Not what another program still works on (~$posts.csv, .posts.csv.part), and nothing from outside the folder."""
    if file.name.startswith((".", "~")) or file.suffix.lower() not in _EXPORTS or not file.is_file():
        return False
    return not file.is_symlink() or file.resolve().is_relative_to(inside)


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # it was moved away meanwhile
        return 0.0


def _stamp(path: Path) -> str:
    """What changes when a file is written to."""
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(state.st_mode):  # a pipe would be waited for
        raise NeedsPerson(f"{storable(str(path))} is no file and no folder")
    return f"{state.st_size}-{state.st_mtime_ns}"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it may be; reading it says what is wrong
        return True


@dataclass(frozen=True)
class Lines:
    """A file's text. `growing`: it was written to a moment ago, so its end may not be the end."""

    name: str
    text: str
    growing: bool = False

    @classmethod
    def of(cls, path: Path, now: datetime | None = None) -> "Lines":
        """The whole file; with `now`, without a last line that is still being written. Raises NeedsPerson."""
        try:
            data, written_at, meanwhile = _bytes(path)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        growing = now is not None and (meanwhile or -_AHEAD < now.timestamp() - written_at < _SETTLED)
        text = _decoded(data)
        if "\n" not in text:  # lines may end as on a Macintosh of old
            text = text.replace("\r", "\n")
        if growing and not text.endswith("\n"):
            text = text[: text.rfind("\n") + 1]
        return cls(storable(path.name), text, growing)


def _bytes(path: Path) -> tuple[bytes, float, bool]:
    """The whole file, when it was written, and whether that went on meanwhile: then it may be of two halves."""
    for _ in range(_TRIES):
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            if before.st_size > _LARGEST:
                raise NeedsPerson(f"{storable(path.name)}: larger than {_LARGEST // 1_000_000} MB; export it in parts")
            data = file.read()
            after = os.fstat(file.fileno())
        changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
        if not changed or not stat.S_ISREG(after.st_mode):  # what came out of a pipe does not come again
            break
    return data, after.st_mtime, changed


class _Fingerprint:
    """What tells the first lines of a file from others."""

    def __init__(self, lines: Lines) -> None:
        self._rows, self._at, self._hash = lines.text.split("\n"), 0, hashlib.sha256()

    def of(self, lines: int) -> str:
        """Of the first so many lines: never fewer than were asked for before."""
        for row in self._rows[self._at : lines]:
            self._hash.update(row.encode(errors="replace") + b"\n")
        self._at = max(self._at, lines)
        return f"{lines}-{self._hash.hexdigest()[:16]}"


def _unreadable(path: Path, error: Exception) -> NeedsPerson:
    why = getattr(error, "strerror", None) or "not a name of a file"
    return NeedsPerson(f"cannot read {storable(str(path))} ({why}); check its name and permissions")


def _decoded(data: bytes) -> str:
    """Bytes that are no UTF-8 become U+FFFD: one bad byte must not hold back the rest. Excel also writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def read(
    lines: Lines, zone: tzinfo, source: str | None = None, after: int = 0
) -> Iterator[tuple[int, list[Post | SkipPost]]]:
    """Posts and unreadable lines in batches, each with the number of the last line it covers.

    `after`: lines to leave out. Times without a zone are taken to be in `zone`; where 4/5/2026 is from decides whether
    it is in April or in May. Raises NeedsPerson when it is no table of posts at all.
    """
    records = _json_lines if _is_json(lines) else _csv
    day_first = _day_first(lines, records, zone)
    batch: list[Post | SkipPost] = []
    end = after
    for end, record in records(lines, after):
        batch.append(record if isinstance(record, SkipPost) else _read_one(*record, zone, day_first, source))
        if len(batch) == _PAGE:
            yield end, batch
            batch = []
    if batch:
        yield end, batch


_Record = tuple[str, Fields] | SkipPost


def _is_json(lines: Lines) -> bool:
    if lines.name.lower().endswith((".jsonl", ".ndjson")):
        return True
    start = lines.text.lstrip()[:2]
    if start.startswith("[") or start in ("{\n", "{\r"):
        what = "a JSON list" if start.startswith("[") else "one JSON object over many lines"
        raise NeedsPerson(f"{lines.name}: {what}; export it as JSON Lines, one object a line, or as CSV")
    return start.startswith("{") or not start


def _json_lines(lines: Lines, after: int) -> Iterator[tuple[int, _Record]]:
    for number, line in enumerate(lines.text.split("\n")[after:], after + 1):
        if line.strip():
            yield number, _json_line(f"{lines.name}:{number}", line)


def _json_line(where: str, line: str) -> _Record:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return SkipPost(where, f"not JSON (column {error.colno}: {error.msg.lower()})")
    except (ValueError, RecursionError):  # a number with thousands of digits, lists within lists
        return SkipPost(where, "not JSON")
    if not isinstance(record, dict):
        return SkipPost(where, "not an object in braces")
    return where, _fields(record.items())


# ---------------------------------------------------------------- CSV


def _csv(lines: Lines, after: int) -> Iterator[tuple[int, _Record]]:
    """Each record with the number of its last line. A quotation mark that never closes costs its own line only."""
    rows = lines.text.replace("\0", "\ufffd").split("\n")
    delimiter = max(",;\t|", key=rows[0].count)
    header, start = _row(rows, 0, delimiter)
    _check_header(lines.name, header or [])
    names, at = header or [], max(start, after)
    while at < len(rows):
        row, end = _row(rows, at, delimiter)
        if lines.growing and end == len(rows) and '"' in rows[at] and "".join(rows[at:]).count('"') % 2:
            return  # the rest of this record is still to come
        row = _without_empty_end(row, len(names))
        swallowed = next((n for n in range(at + 1, end) if _is_record(rows[n], delimiter, names)), None)
        if swallowed is not None:
            row, end = None, swallowed
        if row is None or row:
            yield end, _csv_record(f"{lines.name}:{at + 1}", row, names)
        at = end


def _row(rows: Sequence[str], at: int, delimiter: str) -> tuple[list[str] | None, int]:
    """The record that begins in line `at` (counted from 0; None: not CSV), and the line after it."""
    reader = csv.reader((rows[n] + "\n" for n in range(at, len(rows))), delimiter=delimiter)
    try:
        row = next(reader, [])
    except csv.Error:
        row = None
    return row, at + max(1, reader.line_num)


def _is_record(line: str, delimiter: str, header: Sequence[str]) -> bool:
    """Whether a line is a whole post by itself, with a text and a time."""
    row, _ = _row([line], 0, delimiter)
    if row is None or len(row) != len(header) or line.count('"') % 2:
        return False
    fields = _fields(zip(header, row, strict=True))
    try:
        return "text" in fields and bool(_moment(fields.get("written_at")))
    except (ValueError, OverflowError, OSError):
        return False


def _without_empty_end(row: list[str] | None, width: int) -> list[str] | None:
    return row[:width] if row and not any(row[width:]) else row


def _csv_record(where: str, row: list[str] | None, header: Sequence[str]) -> _Record:
    if row is None:
        return SkipPost(where, "a quotation mark that is not closed, or more text than fits")
    if len(row) != len(header):
        return SkipPost(where, f"{len(row)} columns, the header has {len(header)}")
    return where, _fields(zip(header, row, strict=True))


def _check_header(name: str, header: Sequence[str]) -> None:
    found = {_RANKS[plain][0] for column in header if (plain := _plain(column)) in _RANKS}
    missing = [field for field in ("text", "written_at") if field not in found]
    if missing:
        names = " and ".join(f"{field} (or {', '.join(_NAMES[field][1:4])}…)" for field in missing)
        shown = ", ".join(header)[:200]
        raise NeedsPerson(
            f"{name}: no column {names}; the columns found are {shown!r}. Rename one, or export again with commas"
        )


# ---------------------------------------------------------------- one record


def _fields(columns: Iterable[tuple[str, Any]]) -> Fields:
    """Our fields of a record; where several columns name one field, the surest name that holds something."""
    best: dict[str, tuple[int, Any]] = {}
    for name, value in columns:
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        field, rank = _RANKS.get(_plain(name), ("", 0))
        if field and rank <= best.get(field, (rank, None))[0]:
            best[field] = rank, value
    return {field: value for field, (_, value) in best.items()}


def _read_one(where: str, found: Fields, zone: tzinfo, day_first: bool, source: str | None) -> Post | SkipPost:
    values = dict(found)
    try:
        for field in ("text", "written_at"):
            if field not in values:
                raise SkipPost(where, f"no {field}")
        for field in ("written_at", "edited_at"):
            if field in values:
                values[field] = _time(where, field, values[field], zone, day_first)
        place = (source or _name(values.get("source")) or "import").strip().casefold().replace(" ", "_")
        values["source"] = _SOURCES.get(place, place)
        for field in ("ref", "thread", "answers", "author"):
            values[field] = _name(values.get(field))
        values["author"] = (values["author"] or "").removeprefix("@") or None
        values["ref"] = values["ref"] or _fingerprint(values)
        for field in ("url", "author_name"):
            values[field] = values[field] if isinstance(values.get(field), str) else None
        return read_post(where, **values)
    except SkipPost as skip:
        return skip


def _name(value: Any) -> str | None:
    """A name or number as text. None for what a spreadsheet shortened (1.98E+18): posts would share it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        name = str(value).strip()
    except ValueError:  # a number with thousands of digits
        return None
    return None if re.fullmatch(r"[0-9]([.,][0-9]+)?E\+?[0-9]+", name, re.IGNORECASE) else name or None


def _time(where: str, field: str, value: Any, zone: tzinfo, day_first: bool) -> datetime:
    try:
        moment = _moment(value, day_first)
    except (ValueError, OverflowError, OSError):
        why = f"{field}: not a date; write it as 2026-11-09T14:05:00 or with a zone at the end"
        raise SkipPost(where, why) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _moment(value: Any, day_first: bool = True) -> datetime:
    """ISO 8601, day, month and year in numbers, or seconds, milliseconds or microseconds since 1970."""
    text = str(value).strip()
    text = f"{text[:-3].rstrip()}+00:00" if text.endswith(("UTC", "GMT")) else text
    if isinstance(value, bool) or not (
        isinstance(value, int | float) or re.fullmatch(r"[0-9]{10}([0-9]{3}){0,2}", text)
    ):
        numbers = _NUMBERS.fullmatch(text)
        return datetime.fromisoformat(_in_iso(numbers, day_first) if numbers else text)
    seconds = float(value)
    for _ in range(2):
        seconds = seconds / 1000 if seconds > 1e11 else seconds
    moment = datetime.fromtimestamp(seconds, UTC)
    if moment.year < 1990:  # no time of a post: a date in digits, or a spreadsheet's day number
        raise ValueError(value)
    return moment


def _in_iso(numbers: re.Match[str], day_first: bool) -> str:
    """As datetime reads it. Raises ValueError."""
    one, sign, two, year, hour, minute, second, half, zone = numbers.groups()
    if (half and not 1 <= int(hour) <= 12) or (len(year) == 2 and sign == "-"):  # 26-11-16 may begin with the year
        raise ValueError
    if int(one) > 12 or int(two) > 12:
        day_first = int(one) > 12
    day, month = (one, two) if day_first else (two, one)
    hours = int(hour or 0) % 12 + 12 * (half in ("p", "P")) if half else int(hour or 0)
    date = f"{year if len(year) == 4 else '20' + year}-{int(month):02}-{int(day):02}"
    return f"{date}T{hours:02}:{minute or '00'}:{second or '00'}{(zone or '').upper()}"


_Records = Callable[[Lines, int], Iterator[tuple[int, _Record]]]


def _day_first(lines: Lines, records: _Records, zone: tzinfo) -> bool:
    """Whether 4/5/2026 is the 4th of May: as the file's other dates have it, else as it is written where the zone is.

    Dates that contradict each other tell nothing of those that could be either. With dots the day is first everywhere.
    """
    usual = not str(zone).startswith(_MONTH_FIRST)
    if not _NUMBERS.search(lines.text):
        return usual
    day, month, dots = False, False, False
    for _, record in records(lines, 0):
        values = () if isinstance(record, SkipPost) else (record[1].get(field) for field in ("written_at", "edited_at"))
        for numbers in filter(None, (_NUMBERS.fullmatch(str(value).strip()) for value in values)):
            day, month = day or int(numbers[1]) > 12, month or int(numbers[3]) > 12
            dots = dots or numbers[2] == "."
    return day if day != month else dots or usual


def _fingerprint(values: Fields) -> str:
    """A ref for exports that have none: the same line always gets the same one."""
    parts: Iterable[str] = (str(values.get(field) or "") for field in ("source", "author", "written_at", "text"))
    return "line-" + hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]
