"""Reads the five files and checks them: every mistake at once, each with its place and what would be right."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import tree_sitter
import tree_sitter_toml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.schema import Care, CollectorSettings, Config, Hospital, Keywords, Listening, Report

_FILES: dict[str, type[BaseModel]] = {
    "hospital.toml": Hospital,
    "listening.toml": Listening,
    "keywords.toml": Keywords,
    "care.toml": Care,
    "report.toml": Report,
}
# The product itself writes to these, whatever the rules say.
_ALWAYS_USED = {"care", "danger", "health"}
_LARGEST = 20_000_000

Path_ = tuple[str | int, ...]


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


def load(
    folder: Path,
    collectors: Mapping[str, type[CollectorSettings]],
    sections: Collection[str] | None = None,
    check_phrase: Callable[[str], None] | None = None,
) -> Config:
    """The checked configuration in `folder`.

    `collectors` gives the settings that each known collector takes, `sections` the names of the known report
    sections (None: not checked), `check_phrase` raises ValueError for a phrase that cannot be read. Raises ConfigError with every mistake in all five files.
    """
    if not folder.is_dir():
        sentence = "no such folder"
        allowed = "a folder with the five files; name it with --config DIR or CALL_LIGHT_CONFIG"
        raise ConfigError([Problem(str(folder), 0, 0, "config folder", sentence, allowed)])
    texts: dict[str, _File] = {}
    problems: list[Problem] = []
    for name in _FILES:
        try:
            texts[name] = _File.read(folder / name)
        except ConfigError as error:
            problems += error.problems
    parsed: dict[str, Any] = {}
    for name, file in texts.items():
        parsed[name], found = _checked(_FILES[name], file.values, file)
        problems += found
    settings, found = _collectors(parsed.get("listening.toml"), texts.get("listening.toml"), collectors)
    problems += found
    if not problems:
        problems += _across(parsed, texts, sections)
        if check_phrase:
            problems += _phrases(parsed["keywords.toml"].model_dump(), (), texts["keywords.toml"], check_phrase)
    if problems:
        raise ConfigError(sorted(problems, key=lambda p: (p.file, p.line, p.column)))
    return Config(
        hospital=parsed["hospital.toml"],
        collectors=settings,
        keywords=parsed["keywords.toml"],
        care=parsed["care.toml"],
        report=parsed["report.toml"],
    )


def schema(collectors: Mapping[str, type[CollectorSettings]]) -> dict[str, Any]:
    """JSON Schema of each file, for editors that complete and check."""
    schemas = {name: model.model_json_schema() for name, model in _FILES.items()}
    tables = {name: settings.model_json_schema() for name, settings in collectors.items()}
    schemas["listening.toml"]["properties"]["collectors"] = {"type": "object", "properties": tables}
    return schemas


# ---------------------------------------------------------------- one file


@dataclass(frozen=True)
class _File:
    """A TOML file as values and as places."""

    name: str
    values: dict[str, Any]
    places: dict[Path_, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> "_File":
        """Raises ConfigError when the file cannot be read or is not TOML."""
        try:
            if path.stat().st_size > _LARGEST:
                raise ConfigError([Problem(str(path), 0, 0, "file", "more than 20 MB", "a smaller file")])
            text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except FileNotFoundError:
            allowed = "this file; copy it from the folder config/ of the release"
            raise ConfigError([Problem(str(path), 0, 0, "file", "nothing", allowed)]) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([Problem(str(path), 0, 0, "file", _reason(error), "a readable UTF-8 file")]) from None
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax(path, text, str(error))]) from None
        except RecursionError:
            raise ConfigError([Problem(str(path), 0, 0, "file", "lists within lists", "TOML")]) from None
        return cls(str(path), values, dict(_places(text)))

    def place(self, path: Path_) -> tuple[int, int]:
        """Line and column of a key, or of the nearest table around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def problem(self, path: Path_, found: str, allowed: str, meant: str | None = None) -> Problem:
        line, column = self.place(path)
        return Problem(self.name, line, column, _dotted(path), found, allowed, meant)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return getattr(error, "strerror", None) or type(error).__name__


def _syntax(path: Path, text: str, message: str) -> Problem:
    match = re.search(r"\(at (?:line (\d+), column (\d+)|end of document)\)", message)
    line, column = (int(match[1]), int(match[2])) if match and match[1] else (text.count("\n") + 1, 1)
    lines = text.split("\n")
    found = lines[line - 1].strip()[:60] if line <= len(lines) else "end of file"
    sentence = re.sub(r"\s*\(at .*\)$", "", message)
    return Problem(
        str(path),
        line,
        column,
        "not TOML",
        f"{found!r} ({sentence.lower()})",
        "key = value, quotes and brackets closed",
    )


# ---------------------------------------------------------------- places of keys


def _places(text: str) -> Iterator[tuple[Path_, tuple[int, int]]]:
    """Every key and list item of a TOML text with its line and column, counted from 1."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    root = parser.parse(text.encode()).root_node
    counts: dict[Path_, int] = {}
    for node in root.named_children:
        if node.type == "pair":
            yield from _pair(node, ())
        elif node.type in ("table", "table_array_element"):
            keys = _keys(node.named_children[0])
            prefix = _numbered(keys[:-1], counts) + keys[-1:]
            if node.type == "table_array_element":
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = (*prefix, counts[prefix])
            yield prefix, _start(node.named_children[0])
            for child in node.named_children[1:]:
                if child.type == "pair":
                    yield from _pair(child, prefix)


def _numbered(keys: Path_, counts: Mapping[Path_, int]) -> Path_:
    """A path with the number of the current [[element]] put in after each list of tables."""
    path: Path_ = ()
    for key in keys:
        path = (*path, key)
        if path in counts:
            path = (*path, counts[path])
    return path


def _pair(node: tree_sitter.Node, prefix: Path_) -> Iterator[tuple[Path_, tuple[int, int]]]:
    path = prefix + _keys(node.named_children[0])
    yield path, _start(node.named_children[0])
    yield from _value(node.named_children[-1], path)


def _value(node: tree_sitter.Node, path: Path_) -> Iterator[tuple[Path_, tuple[int, int]]]:
    if node.type == "array":
        items = [child for child in node.named_children if child.type != "comment"]
        for number, item in enumerate(items):
            yield (*path, number), _start(item)
            yield from _value(item, (*path, number))
    elif node.type == "inline_table":
        for child in node.named_children:
            if child.type == "pair":
                yield from _pair(child, path)


def _keys(node: tree_sitter.Node) -> Path_:
    """The parts of a (dotted, quoted) key. tomllib itself unquotes each part."""
    parsed: Any = tomllib.loads(f"{(node.text or b'').decode()} = 0")
    keys: list[str] = []
    while isinstance(parsed, dict):
        key, parsed = next(iter(parsed.items()))
        keys.append(key)
    return tuple(keys)


def _start(node: tree_sitter.Node) -> tuple[int, int]:
    return node.start_point.row + 1, node.start_point.column + 1


def _dotted(path: Path_) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else ("." if out else "") + part
    return out or "file"


# ---------------------------------------------------------------- what pydantic found, as sentences

_ALLOWED = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "tuple_type": "a list in square brackets",
    "list_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "missing": "this key with a value",
    "string_too_short": "text that is not empty",
    "too_short": "at least one entry",
}


def _checked(model: type[BaseModel], values: Any, file: _File, prefix: Path_ = ()) -> tuple[Any, list[Problem]]:
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, [_sentence(e, model, values, file, prefix) for e in error.errors(include_url=False)]


def _sentence(error: ErrorDetails, model: type[BaseModel], values: Any, file: _File, prefix: Path_) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _keys_allowed(model, path[:-1])
        return file.problem(prefix + path, "an unknown key", ", ".join(allowed), _near(str(path[-1]), allowed))
    if kind == "missing":
        return file.problem(prefix + path, "nothing", _ALLOWED[kind])
    found = _shown(error["input"])
    if kind == "literal_error":
        choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
        return file.problem(prefix + path, found, ", ".join(choices), _near(str(error["input"]), choices))
    if kind == "string_pattern_mismatch":
        return file.problem(prefix + path, found, _pattern(str(context.get("pattern"))))
    if kind == "value_error":
        return file.problem(prefix + path, found, str(context.get("error")))
    return file.problem(prefix + path, found, _ALLOWED.get(kind, error["msg"].lower()))


def _pattern(pattern: str) -> str:
    if pattern.startswith("^https?"):
        return 'an address such as "https://gateway.example"'
    if pattern.startswith("^(@here"):
        return '"@here", "@channel", "<!subteam^S…>" or "<@U…>"'
    return 'a name of small letters, digits and _, such as "night_shift"'


def _keys_allowed(model: Any, path: Path_) -> list[str]:
    """The keys of the table at `path` below `model`, found by walking the annotations."""
    for part in path:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[str(part)].annotation
        else:
            model = next((a for a in reversed(get_args(model)) if a is not Ellipsis), None)
        while model is not None and not isinstance(model, type) and get_args(model) and "Annotated" in str(model)[:20]:
            model = get_args(model)[0]
    if isinstance(model, type) and issubclass(model, BaseModel):
        return list(model.model_fields)
    return []


def _near(word: str, choices: Collection[str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(choices), 1, 0.6)), None)


def _shown(value: Any) -> str:
    text = (
        repr(value)
        if isinstance(value, str)
        else {True: "true", False: "false"}.get(value, str(value))
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= 60 else text[:57] + "…"


# ---------------------------------------------------------------- what one table cannot know alone


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
        settings[name], found = _checked(known[name], values, file, path)
        problems += found
    return settings, problems


def _phrases(table: Any, path: Path_, file: _File, check: Callable[[str], None]) -> Iterator[Problem]:
    """Every list named "phrases", wherever it stands."""
    for key, value in table.items():
        if key == "phrases":
            for number, phrase in enumerate(value):
                try:
                    check(phrase)
                except ValueError as error:
                    yield file.problem((*path, key, number), repr(phrase), str(error))
        elif isinstance(value, dict):
            yield from _phrases(value, (*path, key), file, check)


def _across(parsed: dict[str, Any], files: dict[str, _File], sections: Collection[str] | None) -> Iterator[Problem]:
    hospital: Hospital = parsed["hospital.toml"]
    keywords: Keywords = parsed["keywords.toml"]
    care: Care = parsed["care.toml"]
    report: Report = parsed["report.toml"]
    file = files["care.toml"]
    channels, categories = care.slack.channels, keywords.categories
    used = _ALWAYS_USED | {report.channel}
    for number, rule in enumerate(care.rules):
        if rule.to is not None:
            used.add(rule.to)
            if rule.to not in channels:
                allowed = "a channel of [slack.channels]: " + ", ".join(channels)
                yield file.problem(("rules", number, "to"), repr(rule.to), allowed, _near(rule.to, channels))
        for place, category in enumerate(rule.when.category):
            if category not in categories:
                allowed = "a category of keywords.toml: " + ", ".join(categories)
                yield file.problem(
                    ("rules", number, "when", "category", place), repr(category), allowed, _near(category, categories)
                )
        if rule.do != "alert" and rule.when.urgency and "danger" in rule.when.urgency:
            yield file.problem(("rules", number, "do"), repr(rule.do), '"alert": danger is never batched or muted')
    for name in sorted(_ALWAYS_USED - set(channels)):
        yield file.problem(("slack", "channels"), f"no channel {name!r}", f'{name} = "#a-channel"')
    for name in channels:
        if name not in used:
            allowed = "a channel that a rule or report.toml uses: " + ", ".join(sorted(used))
            yield file.problem(("slack", "channels", name), "a channel that no rule uses", allowed, _near(name, used))
    file = files["report.toml"]
    if report.channel not in channels:
        allowed = "a channel of care.toml: " + ", ".join(channels)
        yield file.problem(("channel",), repr(report.channel), allowed, _near(report.channel, channels))
    for number, section in enumerate(report.sections):
        if sections is not None and section not in sections:
            allowed = ", ".join(sorted(sections))
            yield file.problem(("sections", number), repr(section), allowed, _near(section, sections))
    file = files["hospital.toml"]
    departments = {name for site in hospital.sites for name in site.departments}
    for name in hospital.department_words:
        if name not in departments:
            allowed = "a department of a site: " + ", ".join(sorted(departments))
            yield file.problem(("department_words", name), repr(name), allowed, _near(name, departments))
