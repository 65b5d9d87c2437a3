"""JSON Lines in, JSON Lines out: what `call-light read` and `call-light check-reply` do with each line. No database."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as Terminal

    from config.schema import Config


def of(file: str) -> Iterator[str]:
    """The lines of a file, or of standard input for "-". Raises NeedsPerson."""
    from listener.errors import NeedsPerson

    try:
        # Bytes that are no UTF-8 become U+FFFD: one bad line must not end the rest.
        handle = sys.stdin.buffer if file == "-" else open(file, "rb")  # noqa: SIM115
    except OSError as error:
        raise NeedsPerson(f"cannot read {file} ({error.strerror}); check its name and permissions") from None
    for line in handle:
        yield line.decode("utf-8-sig", errors="replace")


def put(result: dict[str, Any]) -> None:
    """Print one result, in UTF-8 wherever it goes."""
    sys.stdout.buffer.write(json.dumps(result, ensure_ascii=False).encode() + b"\n")


def readings(reader: Any, lines: Iterable[str], any_hospital: bool) -> Iterator[dict[str, Any]]:
    """One result a line, in order; a line that cannot be read yields {"id", "error"}."""
    from listener.post import storable
    from nlp.pipeline import Text

    ids: list[Any] = []
    texts: list[Text] = []

    def finished() -> Iterator[dict[str, Any]]:
        for id_, reading in zip(ids, reader.read(texts), strict=True):
            yield {"id": id_, **reading}
        ids.clear()
        texts.clear()

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            text = record["text"]
            if not isinstance(text, str):
                raise TypeError("text is not text")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            yield from finished()
            why = (
                "no text"
                if isinstance(error, KeyError)
                else f"not JSON ({error})"
                if isinstance(error, ValueError)
                else "not an object with text"
            )
            yield {"id": None, "line": number, "error": why}
            continue
        ids.append(storable(record.get("id", number)))
        texts.append(Text(storable(text), about_us=any_hospital or record.get("about_us") is True))
        if len(texts) == 200:
            yield from finished()
    yield from finished()


def explain(reader: Any, lines: Iterable[str], any_hospital: bool, terminal: "Terminal") -> None:
    """Each post with its words marked. A line that is not JSON is a post itself: people try sentences."""
    from alerts.message import visible
    from nlp.explain import drawn
    from nlp.pipeline import Text

    for line in filter(str.strip, lines):
        try:
            record = json.loads(line)
        except ValueError:
            record = line.strip()
        text = str(record.get("text", "")) if isinstance(record, dict) else line.strip()
        terminal.print(drawn(reader.doc(Text(visible(text), about_us=any_hospital))), soft_wrap=True)


def verdicts(config: "Config", lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One verdict a draft, in order; a line that cannot be read yields {"id", "line", "error"}."""
    from alerts.privacy.check import check
    from listener.post import storable

    contacts = (config.care.replies.contact,)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict) or not isinstance(record.get("reply"), str):
                raise ValueError("not an object with reply")
            if not isinstance(record.get("post"), str | None):
                raise ValueError("post is not text")
        except (ValueError, RecursionError) as error:
            why = f"not JSON ({error})" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
            yield {"id": None, "line": number, "error": why}
            continue
        found = check(storable(record["reply"]), config.hospital, record.get("post"), contacts)
        reasons = [{"words": one.words, "rule": one.rule, "instead": one.instead} for one in found]
        yield {"id": storable(record.get("id", number)), "ok": not found, "why": reasons}


def explain_replies(config: "Config", lines: Iterable[str], terminal: "Terminal") -> None:
    """Each draft with its words marked. A line that is not JSON is a draft itself: people try sentences."""
    from rich.text import Text

    from alerts.message import visible
    from alerts.privacy.check import check

    for line in filter(str.strip, lines):
        try:
            record = json.loads(line)
        except ValueError:
            record = {"reply": line.strip()}
        reply, post = (
            (record.get(key) for key in ("reply", "post")) if isinstance(record, dict) else (line.strip(), None)
        )
        text = Text(visible(str(reply or "")))
        found = check(text.plain, config.hospital, str(post) if post else None, (config.care.replies.contact,))
        for one in found:
            text.stylize("bold red", one.start, one.end)
        terminal.print(text, soft_wrap=True)
        for one in found:
            said = " ".join(one.words.split())
            terminal.print(
                f"    “{said}”: {one.why}. Instead: {one.instead}", soft_wrap=True, markup=False, highlight=False
            )
        terminal.print("    refused" if found else "    may go out", style="bold red" if found else "green")
