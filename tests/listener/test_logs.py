"""What gets into the log: ids, counts and kinds in their shapes, and no words, whatever a stage or a library hands over."""

import io
import json
import logging
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from conftest import PROJECT
from hypothesis import example, given
from hypothesis import strategies as st

from listener import logs
from listener.errors import NeedsPerson

POST = "my dad collapsed in your waiting room and nobody comes"
WORDS = st.text(min_size=1).filter(lambda text: not re.fullmatch(r"[0-9.eE+-]+|nan|inf", text))
Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lines() -> Lines:
    """What a log writes as JSON, of a program's own logger or another one's."""

    def of(write: Callable[[Any], object], name: str = "listener.tested", traces: bool = False) -> list[dict[str, Any]]:
        out = io.StringIO()
        handler = logging.StreamHandler(out)
        handler.setFormatter(logs.formatter("json", traces))
        own = logging.getLogger(name)
        own.addHandler(handler)
        own.propagate, was = False, own.level  # the suite's own look at logs is for the product's events
        own.setLevel(logging.DEBUG)
        try:
            write(logs.logger(name) if name.startswith(logs.OURS) else own)
        finally:
            own.removeHandler(handler)
            own.propagate = True
            own.setLevel(was)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return of


def test_an_event_is_a_word_and_its_fields(lines: Lines) -> None:
    (line,) = lines(lambda log: log.info("send", kind="card", case=12, channel="care", late=False, remedy=None))
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo is not None
    known = {"event": "send", "kind": "card", "case": 12, "channel": "care", "late": False}
    assert line == {"level": "info", "logger": "listener.tested", **known}


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("case", 12, 12),
        ("case", "12", logs.WITHHELD),
        ("day", date(2026, 11, 16), "2026-11-16"),
        ("day", datetime(2026, 11, 16, 15, tzinfo=UTC), "2026-11-16T15:00:00.000+00:00"),
        ("wait", timedelta(seconds=90), 90.0),
        ("collector", "x_mentions", "x_mentions"),
        ("collector", "Ann", logs.WITHHELD),
        ("job", "pages_again", "pages_again"),
        ("channel", "U0ANA1", "U0ANA1"),
        ("channel", "hook:crm_2", "hook:crm_2"),
        ("key", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("holder", "care-01.stbrigid.example:4711", "care-01.stbrigid.example:4711"),
        ("error", "OverflowError", "OverflowError"),
        ("error", "my dad collapsed", logs.WITHHELD),
        ("remedy", "_Refused", "_Refused"),
        ("at", "alerts/press.py:71", "alerts/press.py:71"),
        ("at", "https://x.example/ann", logs.WITHHELD),
        ("text", "hello", logs.WITHHELD),
        ("author", "ann", logs.WITHHELD),
        ("case", ["my", "dad"], logs.WITHHELD),
        ("case", {"text": POST}, logs.WITHHELD),
    ],
)
def test_each_field_has_its_shape(name: str, value: object, written: object) -> None:
    assert logs.harmless(name, value) == written


@given(
    st.sampled_from([*logs.FIELDS, "text", "author"]), st.lists(st.text(st.characters(categories=["L"])), min_size=2)
)
@example("channel", ["Ann", "Lee"])
@example("topic", ["nobody", "comes"])
def test_no_two_words_get_in(name: str, words: list[str]) -> None:
    assert logs.harmless(name, " ".join(words)) == logs.WITHHELD


@given(WORDS)
def test_what_is_a_number_takes_no_words(words: str) -> None:
    numbers = [name for name, shape in logs.FIELDS.items() if shape is None]
    assert {logs.harmless(name, words) for name in numbers} == {logs.WITHHELD}


_ANYTHING = st.text() | st.integers() | st.floats() | st.none() | st.dictionaries(st.text(), st.text())


@given(st.text(), st.dictionaries(st.text() | st.sampled_from([*logs.FIELDS]), _ANYTHING))
def test_whatever_it_is_given_it_writes_lines_of_known_shape(event: str, fields: dict[str, object]) -> None:
    said = logs._as_record(None, "info", logs._only_harmless(None, "info", {**fields, "event": event}))["msg"]
    assert re.fullmatch(r"[a-z_]+( [a-z_]+=[A-Za-z0-9_.:+/-]+)*", said)


def test_of_an_exception_the_kind_and_the_place(lines: Lines) -> None:
    def write(log: Any) -> None:
        try:
            logs.look_of(POST, sys.stderr)
        except NeedsPerson as error:
            log.error("press", case=7, error=error)

    (line,) = lines(write)
    assert (line["error"], line["case"]) == ("NeedsPerson", 7)
    file, _, number = line["at"].partition(":")
    assert "raise NeedsPerson" in (PROJECT / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert POST not in str(line)
    assert POST in str(lines(write, traces=True)), "--debug tells all"


@pytest.mark.parametrize("look", ["json", "pretty"])
def test_what_libraries_write_comes_without_their_words(look: logs.Look) -> None:
    given = ("urllib3.connectionpool", logging.WARNING, "/site/connectionpool.py", 823, "Retrying %s", (POST,), None)
    said = logs.formatter(look).format(logging.LogRecord(*given))
    assert "urllib3.connectionpool" in said
    assert "warning" in said
    assert "connectionpool.py:823" in said
    assert "Retrying" not in said
    assert "dad" not in said


def test_of_a_librarys_exception_the_kind(lines: Lines) -> None:
    def write(log: Any) -> None:
        try:
            raise ValueError(POST)
        except ValueError:
            log.exception(POST)

    (line,) = lines(write, "asyncio")
    assert (line["event"], line["error"], line["level"]) == ("library", "ValueError", "error")
    assert "dad" not in str(line)


def test_what_a_migration_says_is_known(lines: Lines) -> None:
    (line,) = lines(lambda log: log.info("Running upgrade %s -> %s", "0001", "0002"), "alembic.runtime.migration")
    assert line["event"] == "Running upgrade 0001 -> 0002"


@pytest.mark.parametrize(
    ("asked", "is_terminal", "look"),
    [
        (None, True, "pretty"),
        (None, False, "json"),
        ("", False, "json"),
        ("pretty", False, "pretty"),
        ("json", True, "json"),
    ],
)
def test_the_look(asked: str | None, is_terminal: bool, look: str) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal  # type: ignore[method-assign]
    assert logs.look_of(asked, stream) == look


def test_a_look_or_a_level_that_there_is_not() -> None:
    with pytest.raises(NeedsPerson, match="CALL_LIGHT_LOG is json or pretty, not 'xml'"):
        logs.look_of("xml", sys.stderr)
    with pytest.raises(NeedsPerson, match="CALL_LIGHT_LOG_LEVEL is one of debug, info, warning, error, not 'loud'"):
        logs.level_of("loud")
    assert [logs.level_of(one) for one in (None, "DEBUG", "error")] == [20, 10, 40]


def test_fields_of_a_thread(lines: Lines) -> None:
    def write(log: Any) -> None:
        with logs.bound(job="flow"):
            log.info("read", count=1)
        log.info("read", count=2)

    assert [line.get("job") for line in lines(write)] == ["flow", None]


def test_what_threads_and_libraries_would_write_themselves() -> None:
    program = f"""
        import logging, sys, threading, warnings
        from listener import logs
        logs.start_logging(logging.INFO, {{look!r}})
        logs.catch_strays()
        def dies():
            raise ValueError({POST!r})
        for what in (dies, sys.exit):
            thread = threading.Thread(target=what)
            thread.start()
            thread.join()
        warnings.warn({POST!r})
        logging.getLogger("urllib3").warning("%d", {POST!r})  # which cannot be written
        class Dies:
            def __del__(self):
                raise KeyError({POST!r})
        Dies()
    """
    for look in ("json", "pretty"):
        text = textwrap.dedent(program.format(look=look))
        done = subprocess.run([sys.executable, "-c", text], cwd=PROJECT, capture_output=True, text=True, check=True)
        assert [word for word in ("dad", "Traceback", "SystemExit") if word in done.stdout + done.stderr] == []
        assert [done.stderr.count(word) for word in ("ValueError", "KeyError", "py.warnings")] == [1, 1, 1], done.stderr
