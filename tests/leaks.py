"""What is written down is looked through while the suite runs: each log line and each scrape of /metrics, in every test.

It is compared with what the test has handed over: the words and the authors of its posts, what the fakes answered, the
tokens that they were shown. A test in which some of it was written fails; what is written has to have the shape of an event.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fakes.server import Answer, FakeServer, Request
from prometheus_client import exposition
from sqlalchemy import event

from alerts.act import known_actions
from alerts.center import metrics
from alerts.deliver import known_notices
from alerts.message import PLACES
from config.schema import Config
from listener.collect import known_collectors
from listener.logs import OURS, WITHHELD, formatter
from listener.mention import Mention
from listener.post import Post
from nlp.reading import URGENCIES

_EVENT = re.compile(r"[a-z][a-z_]+( [a-z_]+=[A-Za-z0-9_.:+/-]+)*")
_LABEL = re.compile(r'[{,]\w+="((?:[^"\\]|\\.)*)"')
_WORD = re.compile(r"\w{4,}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\b")  # a day or a moment, whatever years a post names
_OF_SLACK = re.compile(r"[CFUW][A-Z0-9]{8,12}")  # an ID
_SAFE = (
    "at",
    "error",
    "remedy",
    "timestamp",
    "level",
    "logger",
    "event",
    "holder",
)  # of fixed shapes, or the machine's
_OF_POSTS = frozenset(
    {
        *("text", "message", "content", "selftext", "body", "title", "comment", "summary", "record", "note"),
        *("username", "screen_name", "name", "handle", "displayName", "display_name", "author", "acct", "access_token"),
        *("reviewer", "bio", "description", "user"),
    }
)


class Leaks:
    """What a test has handed over, and what of it was written."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.tokens: set[str] = set()
        self.found: list[str] = []
        self.known: frozenset[str] = frozenset()

    def start(self) -> None:
        """Forget the test before."""
        self.words, self.tokens, self.found = set(), set(), []

    def knows(self, config: Config) -> None:
        """Names that may be written, even where a post has the same word."""
        named = (*config.collectors, *config.keywords.categories, *config.care.slack.channels, *URGENCIES, *PLACES)
        jobs = ("flow", "clocks", "forget", "pages", "people", "pager", "hooks", "center", "files", "care", "viewer")
        plugs = (*known_actions(), *known_notices(), *known_collectors())
        self.known = frozenset((*named, *jobs, *plugs, "inbox", "case", "wall", "waterfall", "silent", "other", "call"))

    def heard(self, *texts: str | None) -> None:
        """Words that were handed over."""
        for text in texts:
            self.words.update(_WORD.findall(text.casefold()) if text else ())

    def of(self, *handles: str | None) -> None:
        """Names of people, short ones too."""
        self.words.update(handle.casefold() for handle in handles if handle and len(handle) > 1)

    def written(self, values: Iterable[str], line: str) -> None:
        """Look through values that were written, and their whole line for tokens."""
        for value in values:
            if _OF_SLACK.fullmatch(value) or _DAY.match(value):
                continue
            pieces = {value.casefold(), *re.split(r"[^\w]+", value.casefold())}
            if leaked := (pieces & self.words) - self.known:
                self.found.append(f"{sorted(leaked)} of a post in: {line}")
        if any(token in line for token in self.tokens):
            self.found.append(f"a token in: {line}")

    def scraped(self, text: str) -> None:
        """/metrics."""
        self.written(_LABEL.findall(text), "")
        for line in text.splitlines():
            if any(token in line for token in self.tokens):
                self.found.append(f"a token in: {line}")

    def said(self, text: str) -> None:
        """What a process has written to standard error: log lines as JSON, among sentences for people."""
        for line in text.splitlines():
            if line.startswith('{"') and '"logger"' in line:
                self.logged(json.loads(line), line)
            elif any(token in line for token in self.tokens):
                self.found.append(f"a token in: {line}")

    def logged(self, fields: Mapping[str, Any], line: str) -> None:
        """One line of a log."""
        if WITHHELD in fields or WITHHELD in fields.values():
            self.found.append(f"something had to be withheld: {line}")
        self.written((str(value) for name, value in fields.items() if name not in _SAFE), line)


class Scan(logging.Handler):
    """Every record, as it would be written."""

    def __init__(self, leaks: Leaks) -> None:
        super().__init__(logging.DEBUG)
        self._leaks = leaks
        self.setFormatter(formatter("json"))

    def emit(self, record: logging.LogRecord) -> None:
        """Look through it."""
        line = self.format(record)
        if record.name.startswith(OURS) and not _EVENT.fullmatch(record.getMessage()):
            self._leaks.found.append(f"no event: {record.name}: {record.getMessage()}")
        self._leaks.logged(json.loads(line), line)


def look_through_everything(leaks: Leaks) -> None:
    """From now on, in this process."""
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(Scan(leaks))
    _hears_posts(leaks)
    _hears_fakes(leaks)
    choose = metrics.choose_encoder

    def choosing(accept: str) -> tuple[Callable[..., bytes], str]:
        encode, kind = choose(accept)

        def encoding(*args: Any, **named: Any) -> bytes:
            text = encode(*args, **named)
            leaks.scraped(text.decode())
            return text

        return encoding, kind

    assert choose is exposition.choose_encoder
    metrics.choose_encoder = choosing


def _hears_posts(leaks: Leaks) -> None:
    made = Post.__init__

    def making(self: Post, **fields: Any) -> None:
        made(self, **fields)
        leaks.heard(self.text)
        leaks.of(self.author, self.author_name)

    Post.__init__ = making  # type: ignore[method-assign]

    @event.listens_for(Mention, "init")
    def kept(_mention: Mention, _args: Any, fields: dict[str, Any]) -> None:
        leaks.heard(fields.get("text"))
        leaks.of(fields.get("author"), fields.get("author_name"))


def _hears_fakes(leaks: Leaks) -> None:
    respond = FakeServer.respond

    def responding(self: FakeServer, request: Request) -> Answer | None:
        _scheme, _, token = request.headers.get("authorization", "").partition(" ")
        asked = request.body if isinstance(request.body, dict) else {}
        shown = (
            token,
            *(str({**request.query, **asked}.get(name, "")) for name in ("token", "access_token", "password")),
        )
        leaks.tokens.update(one for one in shown if len(one) > 7)
        answer = respond(self, request)
        if answer is not None:
            leaks.heard(*_words_in(answer.body))
        return answer

    FakeServer.respond = responding  # type: ignore[method-assign]


def _words_in(body: Any, of_post: bool = False) -> Iterator[str]:
    if isinstance(body, str) and (of_post or body.lstrip().startswith("<")):
        yield re.sub("<[^>]*>", " ", body)
    elif isinstance(body, list):
        for one in body:
            yield from _words_in(one, of_post)
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from _words_in(value, of_post or name in _OF_POSTS)
