"""Reads the five files and checks them: every mistake at once, each with its place and what would be right."""

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.across import NOTHING_KNOWN, Files, Known, across
from config.places import Path_, Place, given_twice, places_of
from config.schema import Care, CollectorSettings, Config, Hospital, Keywords, Listening, NotAmong, Report

_FILES: dict[str, type[BaseModel]] = {
    "hospital.toml": Hospital,
    "listening.toml": Listening,
    "keywords.toml": Keywords,
    "care.toml": Care,
    "report.toml": Report,
}
NAMES = tuple(_FILES)
_LARGEST = 2_000_000  # bytes; the files that ship have 30,000 together


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, what was found there, what is allowed, and what was perhaps meant."""

    file: str
    line: int
    column: int
    key: str
    found: str
    allowed: str
    meant: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        sentence = f"{place}: {self.key}: found {self.found}; allowed: {self.allowed}"
        return f"{sentence}; did you mean {self.meant!r}?" if self.meant else sentence


class ConfigError(Exception):
    """The configuration cannot be used; nothing was changed. `problems` holds every mistake, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def load(folder: Path, collectors: Mapping[str, type[CollectorSettings]], known: Known = NOTHING_KNOWN) -> Config:
    """The checked configuration in `folder`.

    `collectors` gives the settings that each known collector takes, `known` what else only their users can tell.
    Raises ConfigError with every mistake in all five files.
    """
    return load_files(*read_files(folder), folder, collectors, known)


def read_files(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The five files of a folder by name, as they are saved, and what is wrong with those that cannot be read.

    Raises ConfigError when there is no such folder.
    """
    if not _is_folder(folder):
        allowed = "a folder with the five files; name it with --config DIR or CALL_LIGHT_CONFIG"
        raise ConfigError([Problem(str(folder), 1, 1, "config folder", "no such folder", allowed)])
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for name in NAMES:
        try:
            texts[name] = _text(folder / name)
        except ConfigError as error:
            problems += error.problems
    return texts, problems


def load_files(
    texts: Mapping[str, str],
    unread: Sequence[Problem],
    folder: Path,
    collectors: Mapping[str, type[CollectorSettings]],
    known: Known = NOTHING_KNOWN,
) -> Config:
    """The checked configuration of files as texts, by name; `folder` is how mistakes name their place.

    `unread` is what is known to be wrong already. Raises ConfigError with every mistake in all five files.
    """
    files: dict[str, _File] = {}
    problems = list(unread)
    for name, text in texts.items():
        try:
            files[name] = _File.of(folder / name, text)
        except ConfigError as error:
            problems += error.problems
    parsed: dict[str, Any] = {}
    for name, file in files.items():
        parsed[name], found = _checked(_FILES[name], file.values, file)
        problems += found
    settings, found = _collectors(parsed.get("listening.toml"), files.get("listening.toml"), collectors)
    problems += found
    right = Files(**{name.partition(".")[0]: parsed.get(name) for name in _FILES}, known=known)
    problems += [
        files[wrong.file].problem(wrong.path, wrong.found, wrong.allowed, _near(wrong.word, wrong.choices))
        for wrong in across(right)
    ]
    if problems:
        raise ConfigError(sorted(problems, key=lambda p: (p.file, p.line, p.column)))
    return Config(
        hospital=parsed["hospital.toml"],
        collectors=settings,
        keywords=parsed["keywords.toml"],
        care=parsed["care.toml"],
        report=parsed["report.toml"],
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


# ---------------------------------------------------------------- one file


@dataclass(frozen=True)
class _File:
    """A TOML file as values and as places."""

    name: str
    values: dict[str, Any]
    places: dict[Path_, Place]

    @classmethod
    def of(cls, path: Path, saved: str) -> "_File":
        """Raises ConfigError when the text is not TOML."""
        text = saved.removeprefix("\ufeff").replace("\r\n", "\n")
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax(path, text, str(error))]) from None
        except (RecursionError, ValueError) as error:  # ValueError: a number with thousands of digits
            found = "lists within lists" if isinstance(error, RecursionError) else "a number that is too long"
            raise ConfigError([Problem(str(path), 1, 1, "not TOML", found, "what people write")]) from None
        return cls(str(path), values, places_of(text))

    def place(self, path: Path_) -> Place:
        """Line and column of a key, or of the nearest table around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def problem(self, path: Path_, found: str, allowed: str, meant: str | None = None) -> Problem:
        line, column = self.place(path)
        return Problem(self.name, line, column, _dotted(path), found, allowed, meant)


def _text(path: Path) -> str:
    """A file as it is saved, with its line ends and its byte order mark. Raises ConfigError."""

    def wrong(found: str, allowed: str, line: int = 1, column: int = 1) -> ConfigError:
        return ConfigError([Problem(str(path), line, column, "file", found, allowed)])

    try:
        if path.stat().st_size > _LARGEST:
            raise wrong(f"more than {_LARGEST // 1_000_000} MB", "a smaller file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise wrong("nothing", "this file; copy it from the folder config/ of the release") from None
    except OSError as error:
        raise wrong(error.strerror or type(error).__name__, "a file that this program may read") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].rpartition(b"\n")[2].decode("utf-8-sig", errors="replace")
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong("a character that is not UTF-8", "a file saved as UTF-8", line, len(before) + 1) from None


def _syntax(path: Path, text: str, message: str) -> Problem:
    twice = given_twice(text) if re.match(r"Cannot|Duplicate", message) else None
    if twice:
        again, first, second = twice
        found = f"given twice, first in line {first[0]}"
        return Problem(str(path), *second, _dotted(again), found, "each key and each [table] once")
    match = re.search(r"\(at line (\d+), column (\d+)\)", message)
    line, column = (int(match[1]), int(match[2])) if match else (text.count("\n") + 1, 1)
    lines = text.split("\n")
    shown = lines[line - 1].strip()[:60] if line <= len(lines) else "end of file"
    sentence = re.sub(r"\s*\(at .*\)$", "", message).lower()
    key = lines[line - 1].partition("=")[0].strip()[:40] if line <= len(lines) and "=" in lines[line - 1] else ""
    allowed = "key = value, quotes and brackets closed"
    if re.search("[\u2018\u2019\u201c\u201d\u201e]", shown):
        allowed = 'straight quotation marks: "…"'
    return Problem(str(path), line, column, key or "not TOML", f"{shown!r} ({sentence})", allowed)


def _dotted(path: Path_) -> str:
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
            continue
        name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part, ensure_ascii=False)
        out += ("." if out else "") + name
    return out or "file"


# ---------------------------------------------------------------- what pydantic found, as sentences

_ALLOWED = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "tuple_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "missing": "this key with a value",
    "string_too_short": "text that is not empty",
    "too_short": "at least one entry",
}
_PATTERNS = {  # how a pattern begins -> what it asks for
    "^https?": 'an address such as "https://gateway.example"',
    "^(@here": '"@here", "@channel", "<!subteam^S…>" or "<@U…>"',
    "^[A-Za-z0-9_]": 'a name of letters, digits and _ alone, such as "PortAlder"',
    "^[UWS]": 'the ID of a person or a user group in Slack, such as "U0123ABCD" or "S0123ABCD"',
    "^[\\w.": 'an address and a port, such as "127.0.0.1:8643"',
    "^[a-z]{2}$": 'the two letters of a language, such as "en" or "es"',
    "^[a-z]": 'a name of small letters, digits and _, such as "night_shift"',
}

_Model = TypeVar("_Model", bound=BaseModel)


def _checked(model: type[_Model], values: Any, file: _File, prefix: Path_ = ()) -> tuple[_Model | None, list[Problem]]:
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [_sentence(e, model, file, prefix) for e in error.errors(include_url=False)]


def _sentence(error: ErrorDetails, model: type[BaseModel], file: _File, prefix: Path_) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        choices = _keys_allowed(model, path[:-1])
        return file.problem(prefix + path, "an unknown key", ", ".join(choices), _near(path[-1], choices))
    if kind == "missing":
        return file.problem(prefix + path, "nothing", _ALLOWED[kind])
    found, meant = _shown(error["input"]), None
    allowed = _ALLOWED.get(kind, error["msg"].lower())
    if kind == "literal_error":
        choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        allowed, meant = ", ".join(choices), _near(error["input"], choices)
    elif kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        allowed = next((said for start, said in _PATTERNS.items() if pattern.startswith(start)), f"text like {pattern}")
    elif kind == "value_error":
        reason = context.get("error")
        allowed = str(reason)
        meant = _near(error["input"], reason.choices) if isinstance(reason, NotAmong) else None
    return file.problem(prefix + path, found, allowed, meant)


def _keys_allowed(model: Any, path: Path_) -> list[str]:
    """The keys of the table at `path` below `model`, found by walking the annotations."""
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(part)].annotation
        else:  # a list of tables, or tables by name
            model = next((a for a in reversed(get_args(model)) if a is not Ellipsis), None)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []


def _near(word: Any, choices: Collection[str]) -> str | None:
    close = difflib.get_close_matches(word, list(choices), 1, 0.6) if isinstance(word, str) and len(word) < 100 else []
    return next(iter(close), None)


def _shown(value: Any) -> str:
    try:
        text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        text = "a number that is too long"
    return text if len(text) <= 60 else text[:57] + "…"


# ---------------------------------------------------------------- collectors check their own tables


def _collectors(
    listening: Listening | None, file: _File | None, known: Mapping[str, type[CollectorSettings]]
) -> tuple[dict[str, CollectorSettings], list[Problem]]:
    settings: dict[str, CollectorSettings] = {}
    problems: list[Problem] = []
    if listening is None or file is None:
        return settings, problems
    for name, values in listening.collectors.items():
        path: Path_ = ("collectors", name)
        if name not in known:
            problems.append(file.problem(path, "an unknown collector", ", ".join(sorted(known)), _near(name, known)))
            continue
        table, found = _checked(known[name], values, file, path)
        problems += found
        if table is not None:
            settings[name] = table
    return settings, problems
