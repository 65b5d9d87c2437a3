"""A file: CSV or JSON Lines of posts, as paid tools export them. Also behind `call-light import`.

Columns are found by their usual names in such exports. A line that cannot be read is named, the others go on.
"""

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from config.schema import CollectorSettings, Text
from listener.errors import NeedsPerson, SkipPost
from listener.post import Asking, Page, Post, read_post

SECRETS = ()

_PAGE = 500
_SETTLED = 5  # seconds after which a last line without its end is taken as whole
_FIELDS = {
    "text": ("text", "message", "content", "body", "full text", "snippet", "post", "review", "comment"),
    "ref": ("ref", "id", "post id", "tweet id", "message id", "mention id", "resource id"),
    "source": ("source", "network", "platform", "site", "channel", "content source"),
    "written_at": (
        "written_at",
        "date",
        "created_at",
        "created",
        "published",
        "published at",
        "timestamp",
        "time",
        "datetime",
        "created time",
    ),
    "edited_at": ("edited_at", "edited", "updated_at"),
    "url": ("url", "link", "permalink", "post url"),
    "author": ("author", "handle", "username", "user", "screen name", "author handle"),
    "author_name": ("author_name", "author name", "full name", "display name", "name"),
    "thread": ("thread", "conversation_id", "thread id"),
    "answers": ("answers", "in_reply_to", "parent_id", "in reply to"),
    "rating": ("rating", "stars", "score"),
    "reach": ("reach", "followers", "followers count"),
    "about_us": ("about_us",),
}
_FIELD_OF = {name: field for field, names in _FIELDS.items() for name in names}
csv.field_size_limit(10_000_000)


class Settings(CollectorSettings):
    """[collectors.file]"""

    path: Text


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What was added to the file since the last pass. Cursor: {"head": fingerprint of its first line, "done": lines}."""
    path = Path(settings.path)
    if not path.exists():
        return  # nothing was exported yet; quiet_after tells people when that lasts
    lines = Lines.of(path, asking.now)
    done = int(cursor.get("done", 0)) if cursor.get("head") == lines.head else 0
    for number, batch in read(lines, asking.hospital.zone, after=done):
        posts = tuple(item for item in batch if isinstance(item, Post))
        skipped = tuple(item for item in batch if isinstance(item, SkipPost))
        yield Page(posts, {"head": lines.head, "done": number}, skipped=skipped)


@dataclass(frozen=True)
class Lines:
    """A file's text, and what tells it from another file of that name."""

    name: str
    text: str
    head: str

    @classmethod
    def of(cls, path: Path, now: datetime | None = None) -> "Lines":
        """The whole file; with `now`, without a last line that is still being written. Raises NeedsPerson."""
        try:
            # Bytes that are no UTF-8 become U+FFFD: one bad byte must not hold back the rest.
            text = path.read_bytes().decode("utf-8-sig", errors="replace")
            if now and not text.endswith("\n") and now.timestamp() - path.stat().st_mtime < _SETTLED:
                text = text[: text.rfind("\n") + 1]
        except OSError as error:
            raise NeedsPerson(f"cannot read {path} ({error.strerror}); check its name and permissions") from None
        first = text.partition("\n")[0]
        return cls(path.name, text, hashlib.sha256(first.encode()).hexdigest()[:16])


def read(
    lines: Lines, zone: Any, source: str | None = None, after: int = 0
) -> Iterator[tuple[int, list[Post | SkipPost]]]:
    """Posts and unreadable lines in batches, each with the number of the last record it covers.

    Times without a zone are taken to be in `zone`. Raises NeedsPerson when it is no table of posts at all.
    """
    records = _json_lines(lines) if _is_json(lines.text) else _csv(lines)
    rest = itertools.islice(enumerate(records, 1), after, None)
    while batch := list(itertools.islice(rest, _PAGE)):
        yield batch[-1][0], [_read_one(record, zone, source) for _, record in batch]


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "")


def _json_lines(lines: Lines) -> Iterator[tuple[str, Mapping[str, Any]] | SkipPost]:
    for number, line in enumerate(lines.text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{lines.name}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = (
                f"not JSON (column {error.colno}: {error.msg.lower()})"
                if isinstance(error, json.JSONDecodeError)
                else "not JSON"
            )
            yield SkipPost(where, why)
            continue
        if isinstance(record, dict):
            yield where, {field: value for name, value in record.items() if (field := _field(name))}
        else:
            yield SkipPost(where, "not an object in braces")


def _csv(lines: Lines) -> Iterator[tuple[str, Mapping[str, Any]] | SkipPost]:
    reader = csv.reader(io.StringIO(lines.text.replace("\0", "\ufffd"), newline=""), delimiter=_delimiter(lines.text))
    header = next(reader, [])
    fields = [_field(name) for name in header]
    missing = [field for field in ("text", "written_at") if field not in fields]
    if missing:
        names = " and ".join(f"{field} (or {', '.join(_FIELDS[field][1:4])}…)" for field in missing)
        raise NeedsPerson(
            f"{lines.name}: no column {names}; the columns found are {', '.join(header)[:200]!r}. Rename one, or export again with commas"
        )
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SkipPost(f"{lines.name}:{reader.line_num}", f"not CSV ({error})")
            continue
        if not row:
            continue
        where = f"{lines.name}:{reader.line_num}"
        if len(row) != len(header):
            yield SkipPost(where, f"{len(row)} columns, the header has {len(header)}")
        else:
            yield where, {field: value for field, value in zip(fields, row, strict=True) if field}


def _field(name: str) -> str | None:
    return _FIELD_OF.get(name.strip().casefold().replace("-", " ")) or _FIELD_OF.get(
        name.strip().casefold().replace(" ", "_")
    )


def _delimiter(text: str) -> str:
    """The one of , ; tab | that the header line has most of."""
    head = text.partition("\n")[0]
    return max(",;\t|", key=head.count)


def _read_one(record: tuple[str, Mapping[str, Any]] | SkipPost, zone: Any, source: str | None) -> Post | SkipPost:
    if isinstance(record, SkipPost):
        return record
    where, values = record
    values = {field: value for field, value in values.items() if value not in (None, "")}
    try:
        if source:
            values["source"] = source
        values["source"] = str(values.get("source", "import")).strip().casefold().replace(" ", "_")
        for field in ("written_at", "edited_at"):
            if field in values:
                values[field] = _time(where, field, values[field], zone)
        if not values.get("text"):
            raise SkipPost(where, "no text")
        if "written_at" not in values:
            raise SkipPost(where, "no date (column written_at)")
        for field in ("ref", "thread", "answers", "author"):
            if field in values:
                values[field] = str(values[field]).strip().removeprefix("@")
        values.setdefault("ref", _fingerprint(values))
        return read_post(where, **values)
    except SkipPost as skip:
        return skip


def _time(where: str, field: str, value: Any, zone: Any) -> datetime:
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.isdigit() and len(value) in (10, 13)):
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        moment = datetime.fromisoformat(str(value).strip())
    except (ValueError, OverflowError, OSError):
        raise SkipPost(
            where, f"{field}: not a date; write it as 2026-11-09T14:05:00 or with a zone at the end"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=cast(Any, zone))


def _fingerprint(values: Mapping[str, Any]) -> str:
    """A ref for exports that have none: the same line always gets the same one."""
    parts: Iterable[str] = (str(values.get(field, "")) for field in ("source", "author", "written_at", "text"))
    return "line-" + hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:24]
