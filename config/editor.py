"""What an editor is told of the five files, so that it completes keys, shows what they mean and marks mistakes.

JSON Schema, draft 7, without $ref: Taplo (which Even Better TOML runs on) reads drafts 4 to 7 and loses the description
of a key beside a $ref, and Tombi resolves none.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from config.across import NOTHING_KNOWN, Known
from config.schema import Care, CollectorSettings, Hospital, Keywords, Listening, Report, written

_FILES: dict[str, type[BaseModel]] = {
    "hospital": Hospital, "listening": Listening, "keywords": Keywords, "care": Care, "report": Report,
}  # fmt: skip
_SECTIONS = ("sections", "long_sections", "slack")  # keys of report.toml that name sections
# \w as pydantic takes it; Taplo's has no letter beyond ASCII.
_WORD = "A-Za-z0-9_\u0080-\U0010ffff"

Schema = dict[str, Any]


def schemas(collectors: Mapping[str, type[CollectorSettings]], known: Known = NOTHING_KNOWN) -> dict[str, Schema]:
    """JSON Schema of each file by its name without ".toml"."""
    found = {name: _schema(model) for name, model in _FILES.items()}
    tables = {name: _schema(settings) for name, settings in collectors.items()}
    found["listening"]["properties"]["collectors"] |= {"properties": tables, "additionalProperties": False}
    found["listening"]["properties"]["collectors"].pop("patternProperties")
    found["hospital"]["properties"]["timezone"]["enum"] = sorted((files("tzdata") / "zones").read_text().split())
    _name_known(found, known)
    title = "{}.toml of Call Light"
    return {
        name: {"$schema": "http://json-schema.org/draft-07/schema#", "title": title.format(name), **schema}
        for name, schema in found.items()
    }


def write(folder: Path, schemas: Mapping[str, Schema]) -> list[Path]:
    """Each schema as a file of its own in `folder`, which is made if it is not there. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in schemas.items():
        paths.append(folder / f"{name}.json")
        text = json.dumps(schema, indent=1, ensure_ascii=True)
        paths[-1].write_text(text + "\n", encoding="utf-8", newline="\n")
    return paths


def _name_known(found: Mapping[str, Schema], known: Known) -> None:
    """The names that only the code that uses them knows."""
    if known.sections is not None:
        for key in _SECTIONS:
            found["report"]["properties"][key]["items"] = {"type": "string", "enum": sorted(known.sections)}
    if known.actions is not None:
        permissions = found["care"]["properties"]["permissions"]
        (people,) = permissions.pop("patternProperties").values()
        people["description"] = 'Who may do this: IDs of people (U…) or groups (S…) in Slack, such as "S0123ABCD".'
        permissions |= {"properties": dict.fromkeys(sorted(known.actions), people), "additionalProperties": False}


class _Generated(GenerateJsonSchema):
    """Defaults as people write them."""

    def encode_default(self, dft: Any) -> Any:
        """ "5m", not PT5M; "08:00-20:00", not minutes."""
        return super().encode_default(_as_written(dft))


def _as_written(value: Any) -> Any:
    if isinstance(value, timedelta):
        return written(value)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return ", ".join(f"{_clock(start)}-{_clock(end if end <= 1440 else end - 1440)}" for start, end in value)
    return value


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _schema(model: type[BaseModel]) -> Schema:
    schema = model.model_json_schema(schema_generator=_Generated)
    made = _plain(schema, schema.get("$defs", {}))
    for name, key in made["properties"].items():
        key.setdefault("description", _inherited(model, name))
    return made


def _inherited(model: type[BaseModel], key: str) -> str | None:
    """What a table that this one extends says of a key: one with another default is described there."""
    fields = (parent.model_fields.get(key) for parent in model.__mro__ if issubclass(parent, BaseModel))
    return next((field.description for field in fields if field and field.description), None)


def _plain(schema: Schema, defs: Mapping[str, Schema]) -> Schema:
    """A schema with what it refers to put in its place, without what TOML has not (null) and nobody reads (titles)."""
    schema = {**schema}
    if reference := schema.pop("$ref", None):
        schema = {**defs[reference.rpartition("/")[2]], **schema}
    options = [option for option in schema.pop("anyOf", ()) if option != {"type": "null"}]
    if options:
        (only,) = options
        schema = {**only, **schema}
    if not _is_short(schema.get("default")):
        schema.pop("default", None)
    schema.pop("$defs", None)
    schema.pop("title", None)
    for key in ("properties", "patternProperties"):
        if key in schema:
            schema[key] = {name: _plain(one, defs) for name, one in schema[key].items()}
    if "patternProperties" in schema:
        schema["additionalProperties"] = False
        for one in schema["patternProperties"].values():
            one.setdefault("description", schema.get("description"))
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _plain(schema[key], defs)
    if "pattern" in schema:
        schema["pattern"] = _portable(schema["pattern"])
    return schema


def _is_short(default: Any) -> bool:
    """Whether a default can be put in for somebody who types its key: a value or a list of values."""
    values = default if isinstance(default, list) else [default]
    return default not in (None, "", []) and not any(isinstance(one, dict) for one in values)


def _portable(pattern: str) -> str:
    """A pattern with every letter wherever \\w stands."""
    inside = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\w")
    return inside.sub(lambda found: f"[{_WORD}]" if found[0] == r"\w" else found[0].replace(r"\w", _WORD), pattern)
