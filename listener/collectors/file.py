"""A file: CSV or JSON Lines of posts, as paid tools export them. Also behind `call-light import`.

Columns are found by their usual names in such exports. A line that cannot be read is named, the others go on.
"""

import codecs
import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from config.schema import CollectorSettings, Text
from listener.errors import NeedsPerson, SkipPost
from listener.post import Asking, Page, Post, read_post

SECRETS = ()

_PAGE = 500
_SETTLED = 5  # seconds after which a last line without its end is taken as whole
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
# The same place under another name would be another post.
_SOURCES = {"twitter": "x", "x_(twitter)": "x", "x_(formerly_twitter)": "x", "x/twitter": "x", "twitter/x": "x"}
csv.field_size_limit(10_000_000)

Fields = Mapping[str, Any]


@lru_cache(1000)
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


_RANKS = {_plain(name): (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names)}


class Settings(CollectorSettings):
    """[collectors.file]"""

    path: Text


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What was added to the file since the last pass.

    Cursor: {"done": lines read, "head": fingerprint of those lines}. Another file of that name is read from its start,
    also when its first line is the same.
    """
    path = Path(settings.path)
    try:
        there = path.exists()
    except OSError as error:
        raise _unreadable(path, error) from None
    if not there:  # nothing was exported yet; quiet_after tells people when that lasts
        yield Page((), cursor)
        return
    lines = Lines.of(path, asking.now)
    done, read_so_far = int(cursor.get("done", 0)), _Fingerprint(lines)
    if cursor.get("head") != read_so_far.of(done):
        done, read_so_far = 0, _Fingerprint(lines)
    number = done
    for number, batch in read(lines, asking.hospital.zone, after=done):
        posts = tuple(item for item in batch if isinstance(item, Post))
        skipped = tuple(item for item in batch if isinstance(item, SkipPost))
        yield Page(posts, {"done": number, "head": read_so_far.of(number)}, skipped=skipped)
    if number == done:  # nothing new is an answer too
        yield Page((), {"done": done, "head": read_so_far.of(done)})


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
            data = path.read_bytes()
            growing = now is not None and now.timestamp() - path.stat().st_mtime < _SETTLED
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        text = _decoded(data)
        if "\n" not in text:  # lines may end as on a Macintosh of old
            text = text.replace("\r", "\n")
        if growing and not text.endswith("\n"):
            text = text[: text.rfind("\n") + 1]
        return cls(path.name, text, growing)


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
    return NeedsPerson(f"cannot read {path} ({why}); check its name and permissions")


def _decoded(data: bytes) -> str:
    """Bytes that are no UTF-8 become U+FFFD: one bad byte must not hold back the rest. Excel also writes UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def read(
    lines: Lines, zone: tzinfo, source: str | None = None, after: int = 0
) -> Iterator[tuple[int, list[Post | SkipPost]]]:
    """Posts and unreadable lines in batches, each with the number of the last line it covers.

    `after`: lines to leave out. Times without a zone are taken to be in `zone`. Raises NeedsPerson when it is no table
    of posts at all.
    """
    batch: list[Post | SkipPost] = []
    end = after
    for end, record in _json_lines(lines, after) if _is_json(lines) else _csv(lines, after):
        batch.append(record if isinstance(record, SkipPost) else _read_one(*record, zone, source))
        if len(batch) == _PAGE:
            yield end, batch
            batch = []
    if batch:
        yield end, batch


_Record = tuple[str, Fields] | SkipPost


def _is_json(lines: Lines) -> bool:
    if lines.name.lower().endswith((".jsonl", ".ndjson")):
        return True
    start = lines.text.lstrip()[:1]
    if start == "[":
        raise NeedsPerson(f"{lines.name}: a JSON list; export it as JSON Lines, one object a line, or as CSV")
    return start in ("{", "")


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


def _read_one(where: str, found: Fields, zone: tzinfo, source: str | None) -> Post | SkipPost:
    values = dict(found)
    try:
        for field in ("text", "written_at"):
            if field not in values:
                raise SkipPost(where, f"no {field}")
        for field in ("written_at", "edited_at"):
            if field in values:
                values[field] = _time(where, field, values[field], zone)
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


def _time(where: str, field: str, value: Any, zone: tzinfo) -> datetime:
    try:
        moment = _moment(value)
    except (ValueError, OverflowError, OSError):
        why = f"{field}: not a date; write it as 2026-11-09T14:05:00 or with a zone at the end"
        raise SkipPost(where, why) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _moment(value: Any) -> datetime:
    """ISO 8601, or seconds, milliseconds or microseconds since 1970."""
    text = re.sub(r"\s*(UTC|GMT)$", "+00:00", str(value).strip())
    if isinstance(value, bool) or not (
        isinstance(value, int | float) or re.fullmatch(r"[0-9]{10}([0-9]{3}){0,2}", text)
    ):
        return datetime.fromisoformat(text)
    seconds = float(value)
    for _ in range(2):
        seconds = seconds / 1000 if seconds > 1e11 else seconds
    moment = datetime.fromtimestamp(seconds, UTC)
    if moment.year < 1990:  # no time of a post: a date in digits, or a spreadsheet's day number
        raise ValueError(value)
    return moment


def _fingerprint(values: Fields) -> str:
    """A ref for exports that have none: the same line always gets the same one."""
    parts: Iterable[str] = (str(values.get(field) or "") for field in ("source", "author", "written_at", "text"))
    return "line-" + hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]
