"""What an editor is told is what the loader takes: of shipped files, of wrong values, of any text at all."""

import copy
import json
import re
import shutil
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from jsonschema.validators import extend
from pydantic import BaseModel, TypeAdapter, ValidationError
from typer.testing import CliRunner, Result

from alerts.known import known_schemas
from config.editor import schemas, write
from config.schema import (
    Account,
    Address,
    Care,
    Duration,
    Hospital,
    Hours,
    Identifier,
    Keywords,
    Language,
    Listening,
    Member,
    Ping,
    Report,
    SafeUrl,
    Text,
    Url,
    Zone,
    written,
)
from listener.cli import app
from listener.collect import settings_of_all
from listener.collectors.mastodon import Domain, Handle, Instance, Tag
from listener.collectors.reddit import Subreddit
from listener.collectors.x import Reach

MODELS = {"hospital": Hospital, "listening": Listening, "keywords": Keywords, "care": Care, "report": Report}
SHIPPED = {name: tomllib.loads((PROJECT / "config" / f"{name}.toml").read_text(encoding="utf-8")) for name in MODELS}
MADE = known_schemas()
TAPLO = Path(sysconfig.get_path("scripts")) / "taplo"


def _whole(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    # In Python "$" also stands before a last line end; in JSON Schema it does not.
    if isinstance(value, str) and not re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), value):
        yield from Draft7Validator({"pattern": "(?!)"}).iter_errors(value)


Validator = extend(Draft7Validator, {"pattern": _whole})


def editor_takes(schema: Mapping[str, Any], value: Any) -> bool:
    return Validator(schema).is_valid(value)


def loader_takes(name: str, values: Any) -> bool:
    """Whether the file is right in itself; what it names in other files no schema can know."""
    try:
        model: BaseModel = MODELS[name].model_validate(values)
        if isinstance(model, Listening):
            for collector, table in model.collectors.items():
                settings_of_all()[collector].model_validate(table)
    except (ValidationError, KeyError):
        return False
    return True


def nodes(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key and the schema of its value."""
    for name, of_it in {**schema.get("properties", {}), **schema.get("patternProperties", {})}.items():
        yield f"{path}.{name}", of_it
        yield from nodes(of_it, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"], f"{path}[]")


# the schemas as they are written


@pytest.mark.parametrize("name", MODELS)
def test_the_schema_that_ships_is_what_the_code_says(name: str) -> None:
    shipped = json.loads((PROJECT / "config" / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    assert shipped == MADE[name], "run: call-light config schema"


@pytest.mark.parametrize("name", MODELS)
def test_the_shipped_files_name_their_schema_and_fit_it(name: str) -> None:
    first = (PROJECT / "config" / f"{name}.toml").read_text(encoding="utf-8").split("\n")[0]
    assert first == f"#:schema ./schemas/{name}.json"
    Draft7Validator.check_schema(MADE[name])
    assert [error.message for error in Validator(MADE[name]).iter_errors(SHIPPED[name])] == []


@pytest.mark.parametrize("name", MODELS)
def test_every_key_is_described_in_a_sentence(name: str) -> None:
    found = dict(nodes(MADE[name]))
    assert [path for path, key in found.items() if not key.get("description", "").strip()] == []
    assert [path for path, key in found.items() if len(key["description"]) > 140] == []
    assert [path for path, key in found.items() if key.get("additionalProperties", ...) is True] == []


def test_nothing_is_referred_to() -> None:
    """Taplo loses what stands beside a $ref, other editors resolve none."""
    assert "$ref" not in json.dumps(MADE)
    assert '"null"' not in json.dumps(MADE)


def test_defaults_are_as_people_write_them() -> None:
    care = MADE["care"]["properties"]
    assert care["targets"]["properties"]["danger"]["default"] == "5m"
    assert care["escalation"]["properties"]["quiet"]["properties"]["hours"]["default"] == "22:00-07:00"
    assert care["slack"]["properties"]["mode"]["default"] == "socket"
    assert "default" not in care["rules"], "ten rules would be put in for somebody who types the key"


def test_what_a_collector_takes_over_is_described_too() -> None:
    x = MADE["listening"]["properties"]["collectors"]["properties"]["x"]["properties"]
    assert x["every"]["description"].startswith("How often it asks")
    assert x["every"]["default"] == "1m"


def test_what_is_not_known_is_not_refused() -> None:
    found = schemas(settings_of_all())
    assert "enum" not in found["report"]["properties"]["sections"]["items"]
    assert "properties" not in found["care"]["properties"]["permissions"]


def test_they_are_written(tmp_path: Path) -> None:
    paths = write(tmp_path / "new" / "schemas", MADE)
    assert [path.name for path in paths] == [f"{name}.json" for name in MODELS]
    assert json.loads(paths[2].read_text(encoding="utf-8")) == MADE["keywords"]
    assert b"\r" not in paths[0].read_bytes()


# one value after another: both take it, or both refuse it


def at(values: Any, path: str) -> tuple[Any, str | int]:
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        values = values[part]
    return values, last


GONE = object()


@pytest.mark.parametrize(
    ("name", "path", "value", "right"),
    [
        # unknown keys, and names that cannot be
        ("hospital", "twon", "Port Alder", False),
        ("hospital", "accounts/redit", "StBrigidCares", False),
        ("hospital", "sites/1/nome", "Lakeside", False),
        ("hospital", "coverage/sunday", "", False),
        ("listening", "collectors/redit", {"on": False}, False),
        ("listening", "collectors/x/daily_read", 2000, False),
        ("listening", "collectors/rss/feeds/0/al", True, False),
        ("listening", "colectors", {}, False),
        ("keywords", "urgency/dangr", {"phrases": []}, False),
        ("keywords", "categories/food/phrase", ["food"], False),
        ("keywords", "categories/Food", {"title": "Food", "owner": "Kitchen"}, False),
        ("keywords", "categories/lost_property", {"title": "Lost property", "owner": "Front desk"}, True),
        ("keywords", "signs/Legal", {"phrases": ["lawyer"]}, False),
        ("keywords", "exclude/phrase", ["fish fry"], False),
        ("care", "rules/3/dos", "digest", False),
        ("care", "rules/3/when/knd", ["praise"], False),
        ("care", "targets/rutine", "60m", False),
        ("care", "slack/channels/Night", "#night", False),
        ("report", "our", 8, False),
        # keys that are missing
        ("hospital", "town", GONE, False),
        ("hospital", "sites/0/name", GONE, False),
        ("hospital", "coverage", GONE, True),
        ("keywords", "categories/food/title", GONE, False),
        ("keywords", "signs/legal/phrases", GONE, False),
        ("keywords", "urgency", GONE, False),
        ("keywords", "categories", {}, False),
        ("care", "slack", GONE, False),
        ("care", "slack/channels", GONE, False),
        ("care", "rules/0/do", GONE, False),
        ("report", "sections", GONE, False),
        ("listening", "collectors/rss/feeds", GONE, False),
        ("listening", "collectors/x", GONE, True),
        # kinds of values
        ("report", "hour", "8", False),
        ("report", "hour", 24, False),
        ("report", "hour", -1, False),
        ("report", "hour", True, False),
        ("report", "hour", 23, True),
        ("report", "day", "monday", False),
        ("report", "sections", [], False),
        ("report", "sections", ["haedline"], False),
        ("report", "charts", ["a", "b", "c", "d", "e"], False),
        ("report", "address", "reports.example.org", False),
        ("report", "address", "https://reports.example.org/", True),
        ("listening", "collectors/x/on", 0, False),
        ("listening", "collectors/x/on", "no", False),
        ("listening", "collectors/x/daily_reads", 0, False),
        ("listening", "collectors/x/price_per_read", -1, False),
        ("listening", "collectors/x/price_per_read", 1, True),
        ("listening", "collectors/x/first_reach", "8d", False),
        ("listening", "collectors/x/first_reach", "169h", False),
        ("listening", "collectors/x/first_reach", "168h", True),
        ("listening", "collectors/x/queries", ["  "], False),
        ("listening", "collectors/reddit/subreddits", "PortAlder", False),
        ("listening", "collectors/reddit/subreddits", ["r/PortAlder"], False),
        ("listening", "collectors/reddit/on", True, False),  # not approved
        ("listening", "collectors/mastodon/on", True, True),
        ("listening", "collectors/mastodon/tags", ["Münster", "Krankenhaus_Nord"], True),
        ("listening", "collectors/mastodon/tags", ["#Brigid"], False),
        ("listening", "collectors/google_reviews/locations", [" accounts/1/locations/2 "], True),
        ("listening", "collectors/google_reviews/locations", ["1/2"], False),
        ("listening", "collectors/listening_post/port", 70000, False),
        ("hospital", "aliases", [], False),
        ("hospital", "aliases", ["Brigid", 1], False),
        ("hospital", "aliases", ["Brigid", " "], False),
        ("hospital", "aliases", "Brigid", False),
        ("hospital", "timezone", "America/Chicgo", False),
        ("hospital", "timezone", "Chicago", False),
        ("hospital", "accounts/x", "@StBrigidCares", True),
        ("hospital", "accounts/x", "https://x.com/StBrigidCares", False),
        ("hospital", "coverage/mon", "8-20", False),
        ("hospital", "coverage/mon", "", True),
        ("hospital", "coverage/mon", "08:00-12:00, 13:00-24:00", True),
        ("hospital", "coverage/mon", "24:00-06:00", False),
        ("hospital", "department_words/Emergency", ["ER"], True),
        ("hospital", "department_words/ ", ["ER"], False),
        ("keywords", "reader/model", "yes", False),
        ("keywords", "exclude/phrases", [""], False),
        ("keywords", "exclude/phrases", ["x" * 501], False),
        ("keywords", "exclude/phrases", ['"ER" NEAR wait~'], True),
        ("keywords", "signs/press/voices", ["nws"], False),
        ("keywords", "signs/press/voices", [], False),
        ("care", "slack/oncall", "@hear", False),
        ("care", "slack/oncall", "<@U0123ABCD>", True),
        ("care", "slack/listen", "8643", False),
        ("care", "targets/danger", "5 minutes", False),
        ("care", "targets/danger", "0s", False),
        ("care", "targets/danger", 5, False),
        ("care", "targets/danger", "PT5M", False),
        ("care", "targets/danger", "3651d", False),
        ("care", "targets/danger", "87601h", False),
        ("care", "targets/danger", "3650d", True),
        ("care", "targets/categories/billing", "half an hour", False),
        ("care", "escalation/warn_at", 1, False),
        ("care", "escalation/warn_at", 0.75, True),
        ("care", "escalation/steps", [{"after": "5m", "to": "boss"}], False),
        ("care", "rules/0/to", GONE, False),
        ("care", "rules/0/do", "dismiss", False),
        ("care", "rules/9/to", "care", False),
        ("care", "rules/0/when/kind", ["prais"], False),
        ("care", "rules/0/when/urgency", ["urgent"], False),
        ("care", "runbooks/missing/steps", [], False),
        ("care", "runbooks/missing/danger", ["gone"], False),
        ("care", "permissions", {"approve": ["S0123ABCD"]}, True),
        ("care", "permissions", {"approve": ["Jane"]}, False),
        ("care", "shifts", [{"name": "Day", "hours": "07:00-19:00", "people": ["<@U1>"]}], True),
        ("care", "shifts", [{"name": "Day", "hours": "7-19"}], False),
        ("care", "hooks", [{"name": "crm", "url": "https://crm.example/hook", "events": ["case.opened"]}], True),
        ("care", "hooks", [{"name": "crm", "url": "http://crm.example/hook"}], False),
        ("care", "hooks", [{"name": "crm", "url": "https://crm.example/", "events": ["case.open"]}], False),
        ("care", "replies/templates/0/text", " ", False),
        ("care", "replies/send", ["facebook"], False),
        ("care", "recognition", "praise", True),
    ],
)  # fmt: skip
def test_both_take_it_or_both_refuse_it(name: str, path: str, value: Any, right: bool) -> None:
    values = copy.deepcopy(SHIPPED[name])
    table, key = at(values, path)
    if value is GONE:
        del table[key]
    else:
        table[key] = value
    assert editor_takes(MADE[name], values) is right
    if (name, path, right) != ("report", "sections", False) or not value:  # load() is told of sections elsewhere
        assert loader_takes(name, values) is right


def test_an_action_that_there_is_not() -> None:
    values = SHIPPED["care"] | {"permissions": {"aprove": ["S0123ABCD"]}}
    assert not editor_takes(MADE["care"], values)


# any text at all

BLANK = st.sampled_from(["", " ", "  ", "\t"])
TYPES = {
    "text": (Text, st.text()),
    "identifier": (Identifier, st.from_regex(r"[a-zA-Z_][a-z0-9_ -]{0,45}\n?", fullmatch=True)),
    "duration": (Duration, st.builds("{}{}{}{}{}".format, BLANK, st.integers(-5, 99_999_999), BLANK, st.sampled_from("smhdMw"), BLANK)),
    "reach": (Reach, st.builds("{}{}".format, st.integers(0, 700_000), st.sampled_from("smhd"))),
    "hours": (Hours, st.from_regex(r"[ ,]{0,2}([0-2][0-9]:[0-6][05]-[0-2][0-9]:[0-6][05][ ,]{0,2}){0,2}", fullmatch=True)),
    "zone": (Zone, st.sampled_from(["UTC", "utc", "Europe/Berlin", "Berlin", "EST", "America/", ""])),
    "account": (Account, st.from_regex(r"[ @]{0,2}[a-z/@ ]{0,4}[@ ]?[a-z.]{0,3} ?", fullmatch=True)),
    "language": (Language, st.from_regex(r"[a-zA-Zé]{1,3}\n?", fullmatch=True)),
    "address": (Address, st.from_regex(r"(https?|ftp)://[a-z.:0-9/?#| ]{0,9}", fullmatch=True)),
    "url": (Url, st.from_regex(r"(https?|ftp)://[a-z.:0-9/? ]{0,9}\n?", fullmatch=True)),
    "safe url": (SafeUrl, st.from_regex(r"https?://(localhost|127\.0\.0\.1|\[::1\]|crm|10\.0\.0\.7)(:80)?[/?#x ]{0,3}", fullmatch=True)),
    "ping": (Ping, st.from_regex(r"@here|@channel|<!subteam\^S\w{0,3}>|<@[UWX]\w{0,3}>\n?", fullmatch=True)),
    "member": (Member, st.from_regex(r"[UWSB][A-Za-z0-9]{0,5}", fullmatch=True)),
    "instance": (Instance, st.from_regex(r"https?://[\w.-]{0,5}(:[0-9]{0,2})?/?/?", fullmatch=True)),
    "domain": (Domain, st.from_regex(r"[\w.@ -]{0,5}", fullmatch=True)),
    "tag": (Tag, st.from_regex(r"[\w·# -]{0,5}", fullmatch=True)),
    "handle": (Handle, st.from_regex(r"@?[\w.-]{0,3}@?[\w.-]{0,3}", fullmatch=True)),
    "subreddit": (Subreddit, st.from_regex(r"(r/)?\w{0,34}", fullmatch=True)),
}  # fmt: skip
SAMPLES = st.one_of(st.sampled_from(list(TYPES)).flatmap(lambda name: st.tuples(st.just(name), TYPES[name][1])))
# Not said in JSON Schema: blanks around a text count for its length. Not the same letters in Python, Rust and JavaScript:
# what counts as a blank or a letter outside the alphabets that people write with.
BEYOND = re.compile(r"[^\t\n -~\u00a1-\u167f\u1681-\u1fff\u2030-\u205e\u2c00-\u2fef\u3001-\ud7ff]")


@settings(max_examples=400, deadline=None)
@given(sample=SAMPLES)
def test_any_text_is_taken_by_both_or_refused_by_both(sample: tuple[str, str]) -> None:
    name, value = sample
    schema = ONE_OF_EACH[name]
    try:
        TypeAdapter(TYPES[name][0]).validate_python(value)
        taken = True
    except ValidationError:
        taken = False
    if BEYOND.search(value):
        return
    if name in ("instance", "domain", "tag", "handle", "ping"):  # "\w": more signs outside ASCII, never fewer
        assert editor_takes(schema, value) or not taken
        if not value.isascii():
            return
    assert editor_takes(schema, value) is taken


def _one_of_each() -> dict[str, Any]:
    found = schemas(settings_of_all())
    care, hospital = found["care"]["properties"], found["hospital"]["properties"]
    tables = found["listening"]["properties"]["collectors"]["properties"]
    of = {name: table["properties"] for name, table in tables.items()}
    return {
        "text": hospital["name"],
        "identifier": care["recognition"],
        "duration": care["targets"]["properties"]["danger"],
        "reach": of["x"]["first_reach"],
        "hours": hospital["coverage"]["properties"]["mon"],
        "zone": hospital["timezone"],
        "account": hospital["accounts"]["properties"]["x"],
        "language": care["replies"]["properties"]["templates"]["items"]["properties"]["when"]["properties"]["language"]["items"],
        "address": found["report"]["properties"]["address"],
        "url": of["x"]["base_url"],
        "safe url": care["hooks"]["items"]["properties"]["url"],
        "ping": care["slack"]["properties"]["oncall"],
        "member": next(iter(care["permissions"]["patternProperties"].values()))["items"],
        "instance": of["mastodon"]["instance"],
        "domain": of["mastodon"]["domain"],
        "tag": of["mastodon"]["tags"]["items"],
        "handle": of["mastodon"]["accounts"]["items"],
        "subreddit": of["reddit"]["subreddits"]["items"],
    }  # fmt: skip


ONE_OF_EACH = _one_of_each()


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=90), "90s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=60), "1h"),
        (timedelta(hours=24), "1d"),
        (timedelta(days=3650), "3650d"),
    ],
)
def test_a_duration_as_people_write_it(duration: timedelta, words: str) -> None:
    assert written(duration) == words
    assert TypeAdapter(Duration).validate_python(words) == duration


# Taplo itself, which Even Better TOML for VS Code runs on


def lint(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [str(TAPLO), "lint", "--no-auto-config", "--colors", "never", str(folder / f"{name}.toml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not TAPLO.exists():
        pytest.skip("needs Taplo: pip install taplo")
    for name in MODELS:
        shutil.copy(PROJECT / "config" / f"{name}.toml", tmp_path)
    shutil.copytree(PROJECT / "config" / "schemas", tmp_path / "schemas")
    return tmp_path


@pytest.mark.parametrize("name", MODELS)
def test_taplo_finds_nothing_in_what_ships(folder: Path, name: str) -> None:
    found = lint(folder, name)
    assert (found.returncode, re.findall("^error.*", found.stderr, re.MULTILINE)) == (0, [])


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("hospital", "town =", "twon =", "'twon' was unexpected"),
        ("hospital", "America/Chicago", "America/Chicgo", '"America/Chicgo" is not one of'),
        ("hospital", 'mon = "00:00-24:00"', 'mon = "0-24"', '"0-24" does not match'),
        ("listening", 'every = "60s"', 'every = "60 seconds"', '"60 seconds" does not match'),
        ("listening", "on = false", "on = 0", '0 is not of type "boolean"'),
        ("listening", "\ndaily_reads", "\ndaily_read", "'daily_read' was unexpected"),
        ("listening", 'tags = ["StBrigid"', 'tags = ["Münster", "#StBrigid"', '"#StBrigid" does not match'),
        ("keywords", "[exclude]\nphrases", "[exclude]\nphrase", "'phrase' was unexpected"),
        ("keywords", '"softball league"', '" "', '" " does not match'),
        ("care", 'do = "digest"', 'do = "digst"', '"digst" is not one of'),
        ("care", 'to = "privacy"\n', "", '"to" is a required property'),
        ("care", 'danger = "5m"', 'danger = "99999d"', '"99999d"'),
        ("report", '"headline"', '"haedline"', '"haedline" is not one of'),
    ],
)
def test_taplo_marks_a_typo(folder: Path, name: str, old: str, new: str, said: str) -> None:
    path = folder / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = lint(folder, name)
    errors = re.findall("^error.*", found.stderr, re.MULTILINE)
    assert found.returncode == 1
    assert any(said in error for error in errors), errors
    assert "Münster" not in "".join(errors)


# the command


def ask(*words: str) -> Result:
    return CliRunner().invoke(app, ["config", "schema", *words])


def test_the_command_writes_beside_the_files_that_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALL_LIGHT_CONFIG", str(tmp_path))
    said = ask()
    assert (said.exit_code, sorted(path.stem for path in (tmp_path / "schemas").iterdir())) == (0, sorted(MODELS))
    assert "#:schema ./schemas/keywords.json" in said.output


def test_the_command_writes_where_it_is_told(tmp_path: Path) -> None:
    said = ask("--out", str(tmp_path / "elsewhere"))
    assert json.loads((tmp_path / "elsewhere" / "care.json").read_text(encoding="utf-8")) == MADE["care"]
    assert f"#:schema {tmp_path / 'elsewhere' / 'keywords.json'}" in said.output


def test_the_command_prints_all_of_them(tmp_path: Path) -> None:
    assert json.loads(ask("--json").stdout) == MADE


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = ask("--out", str(tmp_path / "file" / "schemas"))
    assert said.exit_code == 1
    assert said.stderr.endswith("name another folder with --out DIR\n")
