"""Reads the five files and checks them: every mistake at once, each with its place and what would be right."""

import difflib
import json
import re
import stat
import tomllib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.across import NOTHING_KNOWN, Files, Known, across
from config.hidden import secrets_in, without_secrets
from config.places import EndlessKey, Path_, Place, given_twice, places_of, values_of
from config.schema import Care, CollectorSettings, Config, Hospital, Keywords, Listening, NotAmong, Report

_FILES: dict[str, type[BaseModel]] = {
    "hospital.toml": Hospital,
    "listening.toml": Listening,
    "keywords.toml": Keywords,
    "care.toml": Care,
    "report.toml": Report,
}
NAMES = tuple(_FILES)
_LARGEST = 2_000_000  # bytes; the files that ship have 100,000 together
_MOST = 200  # mistakes of one table that are told one by one
_UTF8 = "a file saved as UTF-8; the editor asks for it under Save as, Encoding"


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
        problems += [_secret(folder / name, *where) for where in secrets_in(_plain(text))]
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


def problem_at(path: Path, saved: str, key: Path_, found: str, allowed: str) -> Problem:
    """A mistake that only those who use the values can find, in a file that was loaded from this text."""
    return _File(str(path), {}, places_of(_plain(saved))).problem(key, found, allowed)


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
        text = _plain(saved)
        try:
            values = values_of(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax(path, text, str(error))]) from None
        except (RecursionError, ValueError) as error:  # ValueError: a number with thousands of digits
            found = "lists within lists" if isinstance(error, RecursionError) else "a number that is too long"
            found = "a key with too many parts" if isinstance(error, EndlessKey) else found
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


def _secret(path: Path, line: int, column: int) -> Problem:
    allowed = "secrets stand in the environment or in .env, as versions of these files are kept: take it out, and make a new one"
    return Problem(str(path), line, column, "secret", "what looks like one", allowed)


def _plain(saved: str) -> str:
    return saved.removeprefix("\ufeff").replace("\r\n", "\n")


def _text(path: Path) -> str:
    """A file as it is saved, with its line ends and its byte order mark. Raises ConfigError."""

    def wrong(found: str, allowed: str, line: int = 1, column: int = 1) -> ConfigError:
        return ConfigError([Problem(str(path), line, column, "file", found, allowed)])

    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would never end
            raise wrong("a folder" if stat.S_ISDIR(status.st_mode) else "no file", "a file of text")
        if status.st_size > _LARGEST:
            raise wrong(f"more than {_LARGEST // 1_000_000} MB", "a smaller file")
        data = path.read_bytes()
    except FileNotFoundError:
        found = "a link to a file that is not there" if path.is_symlink() else "nothing"
        raise wrong(found, "this file; copy it from the folder config/ of the release") from None
    except OSError as error:
        raise wrong(error.strerror or type(error).__name__, "a file that this program may read") from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        found = 'UTF-16, which Windows calls "Unicode"' if is_utf16 else "a character that is not UTF-8"
        raise wrong(found, _UTF8, *_place(data[: error.start].decode("utf-8-sig", errors="replace"))) from None
    if "\0" in text[:2]:
        raise wrong("UTF-16 without its mark", _UTF8)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if "\r" in plain:
        allowed = 'line ends as Windows or Linux write them; choose "CRLF" or "LF" in the editor'
        raise wrong("a line end of old Macs (CR)", allowed, *_place(plain[: plain.index("\r")]))
    return text


def _place(before: str) -> Place:
    """Line and column of what follows this text."""
    return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def _syntax(path: Path, text: str, message: str) -> Problem:
    twice = given_twice(text) if re.match(r"Cannot|Duplicate", message) else None
    if twice:
        again, first, second = twice
        found = f"given twice, first in line {first[0]}"
        return Problem(str(path), *second, _dotted(again), found, "each key and each [table] once")
    match = re.search(r"\(at line (\d+), column (\d+)\)", message)
    line, column = (int(match[1]), int(match[2])) if match else (text.count("\n") + 1, 1)
    lines = text.split("\n")
    shown = without_secrets(lines[line - 1]).strip()[:60] if line <= len(lines) else "end of file"
    sentence = re.sub(r"\s*\(at .*\)$", "", message).lower()
    key = lines[line - 1].partition("=")[0].strip()[:40] if line <= len(lines) and "=" in lines[line - 1] else ""
    key = key if key and key.isprintable() else "not TOML"
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    return Problem(str(path), line, column, key, f"{shown!r} ({sentence})", _right(sentence, shown, rest))


def _right(sentence: str, shown: str, rest: str) -> str:
    """What would be right, by what the parser says, the line as it is shown, and what stands from the mistake on."""
    if rest.startswith("\0"):
        return "text alone; from here on stands nothing (NUL), as a full disk or a power cut leaves it"
    if rest and rest[0] != " " and unicodedata.category(rest[0]) in ("Cc", "Cf", "Zs"):
        name = unicodedata.name(rest[0], f"U+{ord(rest[0]):04X}")
        return f"only spaces and letters that are seen; here stands {name}, delete it and type a space"
    if re.search("[\u2018\u2019\u201c\u201d\u201e]", shown):
        return 'straight quotation marks: "…"'
    if re.match(r"[A-Za-z]", rest) and sentence == "invalid value":
        return "text in quotes, a number, or true or false in small letters"
    if sentence == "unclosed array":
        return 'a comma between two entries and "]" after the last, quotes closed'
    if sentence.startswith("unescaped '\\'"):
        return "'…' in place of \"…\" around a text with \\ in it"
    return "key = value, quotes and brackets closed"


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
_NAME = r"^[a-z][a-z0-9_]{0,39}$"  # the pattern of Identifier
_PATTERNS = {  # how a pattern begins -> what it asks for
    "^https?://([A-Za-z0-9]([": 'an address without a path, such as "https://care.example.org"',
    "^https?": 'an address such as "https://gateway.example"',
    "^(@here": '"@here", "@channel", "<!subteam^S…>" or "<@U…>"',
    "^[A-Za-z0-9_]": 'a name of letters, digits and _ alone, such as "PortAlder"',
    "^[UWS]": 'the ID of a person or a user group in Slack, such as "U0123ABCD" or "S0123ABCD"',
    "^[\\w.": 'an address and a port, such as "127.0.0.1:8643"',
    "^(\\[[0-9": 'an address and a port, such as "127.0.0.1:8765"',
    "^[^\\s,]+": "the name that somebody signs in with: no comma, and no blank at its ends",
    "^[a-z]{2}$": 'the two letters of a language, such as "en" or "es"',
    _NAME: 'a name of small letters, digits and _, such as "night_shift"',
}

_Model = TypeVar("_Model", bound=BaseModel)


def _checked(model: type[_Model], values: Any, file: _File, prefix: Path_ = ()) -> tuple[_Model | None, list[Problem]]:
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        told = [_sentence(e, model, file, prefix) for e in wrong[:_MOST]]
        if more := len(wrong) - len(told):
            told.append(file.problem(prefix + wrong[_MOST]["loc"], f"{more:,} more mistakes", "mend the first ones"))
        return None, told


def _sentence(error: ErrorDetails, model: type[BaseModel], file: _File, prefix: Path_) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        choices = _keys_allowed(model, path[:-1])
        return file.problem(prefix + path, "an unknown key", ", ".join(choices), _near(path[-1], choices))
    if kind == "missing":
        return file.problem(prefix + path, "nothing", _ALLOWED[kind])
    found, meant = _shown(error["input"]), None
    allowed = _ALLOWED.get(kind, error["msg"].lower().removeprefix("input should be "))
    if kind == "literal_error":
        choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        allowed, meant = ", ".join(choices), _near(error["input"], choices)
    elif kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern"))
        allowed = next((said for start, said in _PATTERNS.items() if pattern.startswith(start)), f"text like {pattern}")
        meant = _as_name(error["input"]) if pattern == _NAME else None
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
    if not isinstance(word, str) or len(word) >= 100:
        return None
    small = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(word.casefold(), list(small), 1, 0.6)
    return small[close[0]] if close else None


def _as_name(word: str) -> str | None:
    """What somebody types as a name, as one: "Lost Property" is lost_property."""
    name = re.sub(r"[^a-z0-9]+", "_", word.casefold()).strip("_")
    return name if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) else None


def _shown(value: Any) -> str:
    try:
        text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
        text = without_secrets(text)
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
