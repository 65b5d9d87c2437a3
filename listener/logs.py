"""Logs: one event a line with ids, counts and kinds, never a post's words, a name or a secret.

An event is a word and named fields, `log.info("expire", count=3)`. Each field has a shape of its own (FIELDS); what has
another shape is withheld, so that a mistake in a stage shows in the log, and the words that it would have shown do not.
Of an exception the kind and the place are written, since its message may quote a post. What libraries write comes out
the same way, without their words.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TextIO

import structlog

from listener.errors import NeedsPerson

Look = Literal["json", "pretty"]
LOOK: Final = "CALL_LIGHT_LOG"  # json or pretty; left out: pretty on a terminal
LEVEL: Final = "CALL_LIGHT_LOG_LEVEL"
LEVELS = ("debug", "info", "warning", "error")
WITHHELD: Final = "withheld"  # in the place of a value that may not be written
OURS = ("listener", "nlp", "alerts")

_ROOT = Path(__file__).parents[1]
_EVENT = re.compile(r"[a-z][a-z_]{1,30}")
_KIND = re.compile(r"_?[A-Z][A-Za-z0-9_]{1,60}")  # of an exception
_NAME = re.compile(r"[a-z][a-z0-9_.:-]{0,60}")  # as the product or an admin names things
_PLACE = re.compile(r"[A-Za-z0-9_./-]{1,100}\.py:[0-9]{1,6}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,80}")

_NUMBERS = (
    *("mention", "first", "last", "case", "delivery", "spike", "alarm", "address", "version"),
    *("again", "asked", "attempts", "connections", "count", "deleted", "edited", "failures", "new", "people", "posts"),
    *("sent", "skipped", "taken_over", "updated", "waiting", "busy", "not_kept"),
    *(
        "day",
        "late",
        "allowed",
        "forced",
        "foreign",
        "known",
        "over",
        "refused",
        "signed",
        "silent",
        "unknown",
    ),
    "wait",
)
_NAMES = ("collector", "kind", "do", "through", "job", "list", "page", "role", "urgency", "topic")
_IDS = ("channel", "key", "file", "holder", "reader")
# What each field may hold; None: numbers, times, and yes or no alone, which every field may.
FIELDS: Mapping[str, re.Pattern[str] | None] = {
    **dict.fromkeys(_NUMBERS),
    **dict.fromkeys(_NAMES, _NAME),
    **dict.fromkeys(_IDS, _ID),
    **dict.fromkeys(("error", "remedy"), _KIND),
    "at": _PLACE,
}
# Libraries whose words are known: they speak of revisions of our tables.
_HARMLESS = frozenset({"alembic.runtime.migration"})
# At DEBUG these write whole requests, tokens and posts included.
_TALKATIVE = (
    "tweepy",
    "prawcore",
    "praw",
    "slack_sdk",
    "slack_bolt",
    "slack_sdk.web.base_client",
    "urllib3",
    "requests_oauthlib",
    "oauthlib",
    "apscheduler",
    "alembic",
)


Events = structlog.typing.EventDict
bound = structlog.contextvars.bound_contextvars  # fields of every event of this thread, while it lasts


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of a module: `log.info(event, field=value)`."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


def start_logging(level: int, look: str | None = None, traces: bool = False) -> None:
    """Write our events of `level` and above to standard error, as lines for people or as JSON.

    A command that answers in one sentence asks for CRITICAL: the sentence says it already. `traces` is for who asked for
    --debug: exceptions with all that they say, the one way by which words may get into the log. Raises NeedsPerson.
    """
    handler = _Handler(sys.stderr)
    handler.setFormatter(formatter(look_of(look, sys.stderr), traces))
    logging.getLogger().handlers[:] = [handler]
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def catch_strays() -> None:
    """What threads die of, and what libraries warn of, goes the same way: Python itself would write their words."""
    logging.captureWarnings(True)
    strays = logger(__name__)

    def write_down(died: Any) -> None:
        if died.exc_type is not SystemExit:
            strays.error("stray", error=died.exc_value or died.exc_type.__name__)

    threading.excepthook = sys.unraisablehook = write_down


def look_of(asked: str | None, stream: TextIO) -> Look:
    """What was asked for, else pretty on a terminal and JSON for machines. Raises NeedsPerson."""
    if not asked:
        return "pretty" if stream.isatty() else "json"
    if asked not in ("json", "pretty"):
        raise NeedsPerson(f"{LOOK} is json or pretty, not {asked!r}")
    return "json" if asked == "json" else "pretty"


def level_of(asked: str | None) -> int:
    """What was asked for, else INFO. Raises NeedsPerson."""
    if asked and asked.lower() not in LEVELS:
        raise NeedsPerson(f"{LEVEL} is one of {', '.join(LEVELS)}, not {asked!r}")
    return logging.getLevelNamesMapping()[(asked or "info").upper()]


def formatter(look: Look, traces: bool = False) -> structlog.stdlib.ProcessorFormatter:
    """How a record becomes a line, whoever made it."""
    as_lines: list[structlog.typing.Processor] = [structlog.processors.JSONRenderer()]
    if look == "pretty":
        plain = structlog.dev.plain_traceback
        as_lines = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    elif traces:
        as_lines.insert(0, structlog.processors.format_exc_info)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[partial(_of_record, traces)],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *as_lines],
    )


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:
        """Python would print what it could not write, words and all."""


# ---------------------------------------------------------------- what may be written


def harmless(name: str, value: object) -> object:
    """The value of a field if it has the shape of that field, else WITHHELD."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    shape = FIELDS.get(name)
    return value if shape is not None and isinstance(value, str) and shape.fullmatch(value) else WITHHELD


def place_of(trace: TracebackType | None) -> str | None:
    """Where an exception comes from: the innermost line of ours, else of whoever raised it, as "alerts/press.py:71"."""
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(trace)]
    ours = [(path.relative_to(_ROOT), line) for path, line in frames if _is_ours(path)]
    named = ours or [(Path(path.parent.name, path.name), line) for path, line in frames]
    return f"{named[-1][0].as_posix()}:{named[-1][1]}" if named else None


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in OURS


def _only_harmless(_logger: Any, _method: str, event: Events) -> Events:
    """Each field in its shape; of an exception its kind and its place."""
    error = event.get("error")
    if isinstance(error, BaseException):
        event["error"], event["at"] = type(error).__name__, place_of(error.__traceback__)
    said = str(event.pop("event"))
    known = {name: harmless(name, value) for name, value in event.items() if name in FIELDS}
    unknown = {} if known.keys() == event.keys() else {WITHHELD: True}
    return {"event": said if _EVENT.fullmatch(said) else WITHHELD, **known, **unknown, "exc_info": error}


def _as_record(_logger: Any, _method: str, event: Events) -> Events:
    """A record of Python's own logging, so that whatever handles these can handle ours: the message as "expire count=3"."""
    error, fields = event.pop("exc_info"), {name: value for name, value in event.items() if value is not None}
    said = " ".join((fields.pop("event"), *(f"{name}={_in_text(value)}" for name, value in fields.items())))
    trace = error if isinstance(error, BaseException) else None
    return {
        "msg": said,
        "extra": {"fields": fields, "event": said.partition(" ")[0], "trace": trace},
    }


def _in_text(value: object) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _of_record(traces: bool, _logger: Any, _method: str, event: Events) -> Events:
    """What is written of a record: of ours everything, of a library's whose and where it is, and the kind of its error."""
    record: logging.LogRecord = event["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    head = {"timestamp": at, "level": record.levelname.lower(), "logger": record.name}
    kept = {name: event[name] for name in ("_record", "_from_structlog")}
    fields: Mapping[str, Any] | None = getattr(record, "fields", None)
    if fields is not None:
        error = getattr(record, "trace", None)
        body = {"event": getattr(record, "event", ""), **fields}
    else:
        error = record.exc_info[1] if record.exc_info else None
        body = {"event": event["event"] if record.name in _HARMLESS else "library"}
        body |= {"at": f"{record.filename}:{record.lineno}"}
        body |= {"error": type(error).__name__} if error else {}
    return {**head, **body, **({"exc_info": error} if traces and error else {}), **kept}


structlog.configure(
    processors=[structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, _only_harmless, _as_record],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
