"""Names that must fit those of another table or file: each one that stands for nothing is found at its place."""

from typing import Any

import pytest

from alerts.act import known_actions
from alerts.replies import template_problems
from alerts.report import known_sections
from config.across import Files, Known, Wrong, across
from config.schema import Config
from nlp.phrase_language import check, check_site

BILL = {"name": "crm", "url": "https://crm.example/hook"}
STEP = {"after": "45m", "to": "manager"}


@pytest.fixture
def files(config: Config) -> Files:
    """What ships, and all that the code knows."""
    known = Known(known_sections(), known_actions(), check, template_problems, check_site)
    return Files(config.hospital, None, config.keywords, config.care, config.report, known)


def changed(files: Files, table: str, path: tuple[str, ...], value: Any) -> Files:
    """The same files with another value at a key, as if a person had written it there."""
    model = getattr(files, table)
    whole = model.model_dump(mode="python")
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return Files(**{**vars(files), table: type(model).model_validate(whole)})


def only(files: Files) -> Wrong:
    (wrong,) = across(files)
    return wrong


def test_what_ships_fits_together(files: Files) -> None:
    assert list(across(files)) == []


WRONG = [
    # table, key, what stands there, the place that is named, what was found, the beginning of what is allowed
    (
        "care", ("targets", "categories"), {"biling": "30m"},
        ("targets", "categories", "biling"), "'biling'", "a category of keywords.toml: ",
    ),
    ("care", ("spikes", "owners"), {"portal": "ops"}, ("spikes", "owners", "portal"), "'portal'", "a category of "),
    (
        "care", ("spikes", "owners"), {"billing": "billing", "digital": "it"},
        ("spikes", "owners", "digital"), "'it'", "a channel of [slack.channels]: ",
    ),
    ("care", ("spikes", "channel"), "it", ("spikes", "channel"), "'it'", "a channel of [slack.channels]: "),
    ("care", ("recognition",), "kudos", ("recognition",), "'kudos'", "a channel of [slack.channels]: "),
    (
        "care", ("runbooks", "privacy", "category"), ("billing", "privcy"),
        ("runbooks", "privacy", "category", 1), "'privcy'", "a category of keywords.toml: ",
    ),
    (
        "care", ("permissions",), {"claim": ("S0CARE1",), "aprove": ("S0CARE1",)},
        ("permissions", "aprove"), "'aprove'", "an action: approve, send",
    ),
    (
        "care", ("hooks",), [BILL, {**BILL, "url": "https://other.example/"}],
        ("hooks", 1, "name"), "'crm' twice", "a name of its own for each hook",
    ),
    (
        "care", ("escalation", "steps"), [{"after": "15m", "to": "oncall"}, STEP],
        ("escalation", "steps", 1, "to"), "'manager'", '"manager" only with manager = "<@U…>" under [slack]',
    ),
    ("report", ("sections",), ("headline", "haedline"), ("sections", 1), "'haedline'", ""),
    ("report", ("long_sections",), ("headline", "aeras"), ("long_sections", 1), "'aeras'", ""),
    ("report", ("channel",), "nowhere", ("channel",), "'nowhere'", "a channel of care.toml: "),
    (
        "hospital", ("department_words",), {"Emergancy": ("ER",)},
        ("department_words", "Emergancy"), "'Emergancy'", "a department of a site: ",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("table", "key", "value", "path", "found", "allowed"), WRONG)
def test_a_name_that_stands_for_nothing(
    files: Files, table: str, key: tuple[str, ...], value: Any, path: tuple[Any, ...], found: str, allowed: str
) -> None:
    problems = [wrong for wrong in across(changed(files, table, key, value)) if "nothing uses" not in wrong.found]
    (wrong,) = problems
    assert (wrong.file, wrong.path, wrong.found) == (f"{table}.toml", path, found)
    assert wrong.allowed.startswith(allowed)
    if "twice" not in found and "manager" not in found:
        assert wrong.word == found.strip("'")
        assert wrong.choices


def test_a_manager_may_be_told_where_there_is_one(files: Files) -> None:
    led = changed(files, "care", ("slack", "manager"), "<@U0BOSS1>")
    assert list(across(changed(led, "care", ("escalation", "steps"), [STEP]))) == []


def test_three_hooks_of_one_name_are_two_mistakes(files: Files) -> None:
    found = list(across(changed(files, "care", ("hooks",), [BILL] * 3)))
    assert [wrong.path for wrong in found] == [("hooks", 1, "name"), ("hooks", 2, "name")]


@pytest.mark.parametrize("do", ["digest", "dismiss"])
def test_danger_is_never_batched_or_muted(files: Files, do: str) -> None:
    rule = {"name": "quiet", "when": {"urgency": ["danger"]}, "do": do, "to": "care" if do == "digest" else None}
    rules = [*(one.model_dump() for one in files.care.rules), rule]  # type: ignore[union-attr]
    wrong = only(changed(files, "care", ("rules",), rules))
    assert (wrong.path, wrong.found) == (("rules", len(rules) - 1, "do"), repr(do))


def test_a_rule_names_channels_and_topics_that_there_are(files: Files) -> None:
    rule = {"name": "new", "when": {"category": ["food", "fod"]}, "do": "alert", "to": "kitchen"}
    found = list(across(changed(files, "care", ("rules",), [*files.care.model_dump()["rules"], rule])))  # type: ignore[union-attr]
    assert [(wrong.path[2:], wrong.found) for wrong in found] == [
        (("to",), "'kitchen'"),
        (("when", "category", 1), "'fod'"),
    ]


@pytest.mark.parametrize("name", ["care", "danger", "health"])
def test_channels_that_the_product_writes_to_itself(files: Files, name: str) -> None:
    channels = {one: where for one, where in files.care.slack.channels.items() if one != name}  # type: ignore[union-attr]
    found = [wrong.found for wrong in across(changed(files, "care", ("slack", "channels"), channels))]
    assert f"no channel {name!r}" in found


def test_a_channel_that_nothing_uses_is_a_typo_somewhere(files: Files) -> None:
    channels = {**files.care.slack.channels, "carre": "#social-care"}  # type: ignore[union-attr]
    wrong = only(changed(files, "care", ("slack", "channels"), channels))
    assert (wrong.path, wrong.found, wrong.word) == (
        ("slack", "channels", "carre"),
        "a channel that nothing uses",
        "carre",
    )


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (("exclude",), ("exclude", "phrases", 0)),
        (("categories", "food"), ("categories", "food", "phrases", 0)),
        (("urgency", "danger"), ("urgency", "danger", "phrases", 0)),
        (("voices", "news"), ("voices", "news", "phrases", 0)),
        (("signs", "legal"), ("signs", "legal", "phrases", 0)),
    ],
)
def test_a_phrase_that_cannot_be_used_is_found_wherever_it_stands(
    files: Files, key: tuple[str, ...], path: tuple[Any, ...]
) -> None:
    wrong = only(changed(files, "keywords", (*key, "phrases"), ("[" * 80,)))
    assert (wrong.file, wrong.path) == ("keywords.toml", path)
    assert len(wrong.found) < 62, "a long one is shortened"


def test_words_that_may_not_go_out_are_no_template(files: Files) -> None:
    template = {"name": "bad", "text": "We are sorry that your visit went badly. {contakt}"}
    wrong = next(across(changed(files, "care", ("replies", "templates"), [template])))
    assert wrong.path[:3] == ("replies", "templates", 0)
    assert "contakt" in wrong.found


@pytest.mark.parametrize("left_out", ["hospital", "keywords", "care", "report"])
def test_one_file_that_cannot_be_read_hides_no_other(files: Files, left_out: str) -> None:
    assert list(across(Files(**{**vars(files), left_out: None}))) == []


def test_what_the_code_does_not_say_is_not_checked(files: Files) -> None:
    whole = changed(files, "care", ("permissions",), {"dance": ("S0CARE1",)})
    whole = changed(whole, "report", ("sections",), ("weather",))
    assert list(across(Files(**{**vars(whole), "known": Known()}))) == []


@pytest.mark.parametrize(
    ("phrase", "allowed", "meant"),
    [
        ("portal site:lakside", "a site of hospital.toml: Harbor Campus, Lakeside Pavilion", "Lakeside Pavilion"),
        ('portal site:"Brigid Harbour"', "a site of hospital.toml: Harbor Campus, Lakeside Pavilion", "Harbor Campus"),
        ("portal lang:eng", "the two letters of a language, such as lang:en or lang:es", "en"),
        ("portal NOT portal", "never matches: ", None),
    ],
)
def test_a_phrase_names_only_sites_and_languages_that_there_are(
    files: Files, phrase: str, allowed: str, meant: str | None
) -> None:
    wrong = only(changed(files, "keywords", ("exclude", "phrases"), ("fish fry", phrase)))
    assert (wrong.path, wrong.found) == (("exclude", "phrases", 1), repr(phrase))
    assert wrong.allowed.startswith(allowed)
    assert wrong.word == meant


@pytest.mark.parametrize("phrase", ["portal site:HARBOR", 'portal site:"brigid’s harbor" lang:es NOT school'])
def test_a_site_is_named_by_any_of_its_spellings(files: Files, phrase: str) -> None:
    sites = [{"name": "Harbor", "aliases": ["Brigid's Harbor"]}]
    there = changed(changed(files, "hospital", ("sites",), sites), "hospital", ("department_words",), {})
    assert list(across(changed(there, "keywords", ("exclude", "phrases"), (phrase,)))) == []
