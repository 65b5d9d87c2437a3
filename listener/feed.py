"""Reads a feed, in a process of its own: bytes come in, JSON goes out. Loads nothing but what reading needs.

feedparser takes hours over a few hundred kilobytes that anybody can write into a feed (an author of 80 KB: half a
minute, and four times that for twice as much), most of them in regular expressions that stop every other thread.
So this process has no secrets and little memory, and whoever started it ends it when it takes too long.
"""

import calendar
import codecs
import io
import json
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

READING = 30  # seconds to read a feed: 5 MB of items take seven
_MEMORY = 1_000_000_000  # bytes that reading may take: 5 MB of items take an eighth
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(?:rss|rdf|feed|channel)[\s/>]", re.IGNORECASE)
_ITEM = re.compile(r"(?=<(?:[\w.-]{1,40}:)?(?:item|entry)[\s/>])", re.IGNORECASE)
_STATED = re.compile(rb"\s{0,99}<\?xml[^>]{1,200}?encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})[\"']")
_BEGINNINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the beginning of this one
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
_TEXTS = frozenset({"text/plain", "text/html", "application/xhtml+xml"})
_LINES = re.compile("p|br|hr|div|li|ul|ol|d[dtl]|t[rdh]|table|h[1-6]|blockquote|pre|section|article")


def parsed(body: bytes, charset: str) -> dict[str, Any]:
    """What a feed holds, as JSON can carry it; nothing if it is no feed.

    "items"; how many more there are that are "broken"; whether the "whole" was well-formed.
    """
    text = _decoded(body, charset)
    root = _ROOT.search(text)
    if not root:
        return {}
    text = text[root.start() :]  # what comes before could declare entities that grow without end
    try:
        feed = _feed(text)
        return {"items": [_item(entry) for entry in feed.entries], "broken": 0, "whole": not feed.bozo}
    except Exception:  # KeyError, OverflowError and more, over a single item
        head, *rest = _ITEM.split(text)
        if not rest:
            raise
    items: list[dict[str, Any]] = []
    for item in rest:
        with suppress(Exception):
            items += [_item(entry) for entry in _feed(head + item).entries]
    return {"items": items, "broken": max(len(rest) - len(items), 0), "whole": False}


def _feed(text: str) -> Any:
    import feedparser

    return feedparser.parse(
        io.BytesIO(text.encode(errors="replace")),  # bytes alone would be tried as the name of a file first
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _decoded(body: bytes, charset: str) -> str:
    """UTF-8 if it is, whatever is stated: nothing else looks like it by chance."""
    for beginning, encoding in _BEGINNINGS.items():
        if body.startswith(beginning):
            return body.decode(encoding, "replace")
    stated = _STATED.match(body)
    for encoding in ("utf-8", charset, stated[1].decode("ascii", "replace") if stated else ""):
        with suppress(LookupError, ValueError):
            return body.decode(encoding)
    codecs.register_error("windows-1252", _pasted)
    return body.decode("utf-8", "windows-1252")


def _pasted(error: UnicodeError) -> tuple[str, int]:
    """A few letters in the middle of UTF-8 that are none: they came with what was pasted from a word processor."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("windows-1252", "replace"), error.end


def _item(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as feedparser gives it, where any value may be of any kind."""
    contents = entry.get("content")
    texts = [entry.get("title"), entry.get("summary")]
    for content in contents if isinstance(contents, list) else ():
        texts += [content.get("value")] if content.get("type") in _TEXTS else []
    parts = [_plain(text) for text in texts]
    # Asked for what is not there, feedparser gives the time of writing for that of the change, and a warning.
    changed = entry.get("updated_parsed") if "updated_parsed" in entry else None
    return {
        "guid": _text(entry.get("id")),
        "link": _text(entry.get("link")),
        "title": parts[0],
        "text": "\n\n".join(_each_part_once(parts)),
        "author": re.sub(r"[\w.+-]+@[\w.-]+", "", _plain(entry.get("author"))).strip(" ()<>"),
        "at": _written(entry.get("published_parsed") or changed or entry.get("created_parsed")),
        "edited": _written(changed),
    }


def _each_part_once(parts: list[str]) -> list[str]:
    """A summary is often the beginning of the content that follows, with dots at its end."""
    bare = [" ".join(part.split()).rstrip(" .…[]") for part in parts]
    return [
        part
        for n, (part, words) in enumerate(zip(parts, bare, strict=True))
        if words and words not in bare[:n] and not any(w.startswith(words) and w != words for w in bare)
    ]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _written(parsed: Any) -> str | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat() if parsed else None
    except (OSError, OverflowError, TypeError, ValueError):
        return None


class _Plain(HTMLParser):
    """The words of a web page, without what is not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces, self.script = list[str](), -1

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        """A script is dropped when it ends: one that does not end was none."""
        self.script = len(self.pieces) if tag in ("script", "style") else -1
        self.pieces += ["\n"] if _LINES.fullmatch(tag) else []

    def handle_endtag(self, tag: str) -> None:
        if self.script >= 0:
            del self.pieces[self.script :]
        self.script = -1
        self.pieces += ["\n"] if _LINES.fullmatch(tag) else []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def _plain(value: Any) -> str:
    text = _text(value)
    if "<" in text or "&" in text:
        page = _Plain()
        page.feed(re.sub(r"<!\[CDATA\[|\]\]>", "", text).replace("<![", "<!"))  # which HTMLParser stumbles over
        page.close()
        text = "".join([*page.pieces, page.rawdata])
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def _alone() -> None:
    """What the process of its own does: a feed comes in, JSON goes out."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        # Whoever waits for it may have been killed meanwhile.
        resource.setrlimit(resource.RLIMIT_CPU, (2 * READING, 2 * READING))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.stdout.write(json.dumps(parsed(sys.stdin.buffer.read(), sys.argv[1])))


if __name__ == "__main__":
    _alone()
