"""Every mistake in the five files is told with its place, what was found, what is allowed and what was perhaps meant."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PROJECT, deep_after
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.act import known_actions
from alerts.report import known_sections
from config.across import Known
from config.load import ConfigError, Problem, load
from config.places import places_of
from config.schema import Exclude
from listener.collect import settings_of_all
from nlp.phrases import check

FILES = ("care.toml", "hospital.toml", "keywords.toml", "listening.toml", "report.toml")
SECTIONS = tuple(known_sections())
SECTIONS_LINE = re.findall(
    r"^sections = \[.*?\]", (PROJECT / "config" / "report.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the files that ship."""
    for name in FILES:
        shutil.copy(PROJECT / "config" / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str, str], None]:
    """Put one text in another's place, once."""

    def replaced(file: str, old: str, new: str) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replaced


def problems(folder: Path, **options: Any) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load(folder, settings_of_all(), **options)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return caught.value.problems


def place_of(folder: Path, file: str, text: str) -> tuple[int, int]:
    """Line and column of a text in a file, both from 1."""
    lines = (folder / file).read_text(encoding="utf-8").split("\n")
    number = next(n for n, line in enumerate(lines, 1) if text in line)
    return number, lines[number - 1].index(text) + 1


def test_what_ships_is_right(folder: Path) -> None:
    config = load(folder, settings_of_all(), known=Known(SECTIONS))
    assert config.hospital.name == "Saint Brigid Medical Center"
    assert set(config.collectors) == set(settings_of_all()), "every collector has its table"
    assert not any(settings.on for settings in config.collectors.values())


def test_a_sentence_has_all_of_it() -> None:
    problem = Problem("config/care.toml", 3, 7, "slack.oncal", "an unknown key", "oncall, channels", "oncall")
    assert str(problem) == (
        "config/care.toml:3:7: slack.oncal: found an unknown key; allowed: oncall, channels; did you mean 'oncall'?"
    )


# one wrong key or value, exactly placed


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "key", "found", "allowed", "meant"),
    [
        # unknown keys, also deep inside
        ("hospital.toml", "town =", "twon =", "twon", "twon", "an unknown key", "name, timezone, aliases", "town"),
        ("hospital.toml", "\nreddit =", "\nredit =", "redit", "accounts.redit", "an unknown key", "x, reddit", "reddit"),
        ("hospital.toml", 'name = "Lakeside', 'nome = "Lakeside', "nome", "sites[1].nome", "an unknown key", "aliases", "name"),
        ("hospital.toml", "sun =", "sunday =", "sunday", "coverage.sunday", "an unknown key", "mon, tue", "sun"),
        ("care.toml", "kind = [\"praise\"]", "knd = [\"praise\"]", "knd", "rules[3].when.knd", "an unknown key", "urgency, kind", "kind"),
        ("care.toml", 'do = "digest"', 'dos = "digest"', "dos", "rules[3].dos", "an unknown key", "name, when, do, to", "do"),
        ("care.toml", "routine =", "rutine =", "rutine", "targets.rutine", "an unknown key", "danger, here_now", "routine"),
        ("listening.toml", "daily_reads = 2000", "daily_read = 2000", "daily_read = 2000", "collectors.x.daily_read", "an unknown key", "on, every", "daily_reads"),
        ("listening.toml", "[collectors.reddit]", "[collectors.redit]", "collectors.redit", "collectors.redit", "an unknown collector", "reddit", "reddit"),
        ("keywords.toml", "[urgency.danger]", "[urgency.dangr]", "urgency.dangr", "urgency.dangr", "an unknown key", "danger, here_now, serious", "danger"),
        ("report.toml", "hour = 8", "our = 8", "our = 8", "our", "an unknown key", "day, hour, channel, sections, long_sections", "hour"),
        # wrong types
        ("report.toml", "hour = 8", 'hour = "8"', "hour", "hour", "'8'", "a whole number", None),
        ("report.toml", "hour = 8", "hour = 24", "hour", "hour", "24", "less than or equal to 23", None),
        ("report.toml", 'day = "mon"', 'day = "monday"', "day = ", "day", "'monday'", "mon, tue", "mon"),
        ("listening.toml", "on = false", "on = 0", "on = 0", "collectors.x.on", "0", "true or false", None),
        ("listening.toml", "on = false", 'on = "no"', "on = ", "collectors.x.on", "'no'", "true or false", None),
        ("listening.toml", 'every = "60s"', 'every = "60"', "every = ", "collectors.x.every", "'60'", '"60s", "5m"', None),
        ("listening.toml", 'subreddits = ["PortAlder"]', 'subreddits = "PortAlder"', "subreddits =", "collectors.reddit.subreddits", "'PortAlder'", "a list in square brackets", None),
        ("listening.toml", '["PortAlder"]', '["PortAlder", "r/PortAlder"]', '"r/PortAlder"', "collectors.reddit.subreddits[1]", "'r/PortAlder'", "letters, digits", None),
        ("hospital.toml", '    "SBMC",', "    1,", "1,", "aliases[9]", "1", "text in quotes", None),
        ("hospital.toml", '    "SBMC",', '    " ",', '" ",', "aliases[9]", "' '", "text that is not empty", None),
        ("hospital.toml", '"Oncology" = [', '"Oncology" = [[], ', '[], ', "department_words.Oncology[0]", "[]", "text in quotes", None),
        ("hospital.toml", '"Pharmacy" =', '"Pharma\\tcy" =', '"Pharma\\tcy"', 'department_words."Pharma\\tcy"', "'Pharma\\tcy'", "a department of a site", "Pharmacy"),
        ("hospital.toml", "America/Chicago", "America/Chicgo", "timezone", "timezone", "'America/Chicgo'", "IANA", "America/Chicago"),
        ("hospital.toml", 'mon = "00:00-24:00"', 'mon = "0-24"', "mon =", "coverage.mon", "'0-24'", "08:00-20:00", None),
        ("care.toml", '"@here"\n', '"@hear"\n', "oncall =", "slack.oncall", "'@hear'", "@channel", None),
        ("care.toml", '"praise"] }', '"prais"] }', '"prais"', "rules[3].when.kind[0]", "'prais'", "complaint, question", "praise"),
        ("care.toml", 'do = "digest"', 'do = "digst"', 'do = "digst"', "rules[3].do", "'digst'", "alert, digest, dismiss", "digest"),
        ("care.toml", 'to = "privacy"', "", "rules]]", "rules[0]", "{'name'", '"to" names a channel', None),
        # what one table cannot know alone
        ("care.toml", 'to = "privacy"', 'to = "privat"', 'to = "privat"', "rules[0].to", "'privat'", "[slack.channels]", "privacy"),
        ("care.toml", '["privacy"], kind', '["privasy"], kind', '"privasy"', "rules[0].when.category[0]", "'privasy'", "keywords.toml", "privacy"),
        ("care.toml", 'kind = ["praise"]', 'urgency = ["danger"]', 'do = "digest"', "rules[3].do", "'digest'", "never batched", None),
        ("care.toml", 'health = "', 'helth = "', "helth", "slack.channels.helth", "a channel that nothing uses", "health", "health"),
        ("care.toml", "# [[hooks]]\n", '[[hooks]]\nname = "crm"\nurl = "http://crm.example/hook"\n', "url = \"http://crm", "hooks[0].url", "'http://crm.example/hook'", "begins with https://", None),
        # signs
        ("keywords.toml", "[signs.legal]", "[signs.Legal]", "signs.Legal", "signs.Legal", "'Legal'", "small letters, digits and _", "legal"),
        ("keywords.toml", "serious = true\nvoices", "serius = true\nvoices", "serius", "signs.press.serius", "an unknown key", "phrases, match, no_match, serious", "serious"),
        ("keywords.toml", "serious = true\nvoices", 'serious = "yes"\nvoices', "serious = \"yes\"", "signs.press.serious", "'yes'", "true or false", None),
        ("keywords.toml", '"patient", "news", "other"]', '"patient", "nws"]', '"nws"', "signs.press.voices[1]", "'nws'", "patient, news, promo, other", "news"),
        ("keywords.toml", 'voices = ["patient", "news", "other"]', "voices = []", "voices = []", "signs.press.voices", "[]", "at least one entry", None),
        ("keywords.toml", '"prensa", "noticiero*"', '"prensa", ""', '""', "signs.press.phrases[21]", "''", "text that is not empty", None),
        ("keywords.toml", "[signs.legal]", "[signs.court]\nphrases = []\n[signs.legal]", "phrases = []", "signs.court.phrases", "[]", "at least one entry", None),
        ("keywords.toml", "[signs.legal]", "[signs.court]\n[signs.legal]", "signs.court", "signs.court.phrases", "nothing", "this key with a value", None),
        ("care.toml", '"press"], voice', '"pres"], voice', '"pres"], voice', "rules[5].when.sign[0]", "'pres'", "one of [signs] in keywords.toml: legal, press", "press"),
        ("care.toml", 'sign = ["legal"]', 'sign = ["leagl"]', '"leagl"', "runbooks.legal.sign[0]", "'leagl'", "one of [signs] in keywords.toml: legal, press", "legal"),
        ("report.toml", '"summary"', '"sumary"', "channel", "channel", "'sumary'", "care, danger", "summary"),
        ("report.toml", '"headline"', '"haedline"', '"haedline"', "sections[0]", "'haedline'", "headline", "headline"),
        ("report.toml", 'slack = ["headline"', 'slack = ["haedline"', '"haedline"', "slack[0]", "'haedline'", "headline", "headline"),
        ("report.toml", 'charts = ["volume_by_day"', 'charts = ["Volume"', '"Volume"', "charts[0]", "'Volume'", "small letters", "volume"),
        ("report.toml", "# address = ", 'address = "reports.example.org"\n#', "address = ", "address", "'reports.example.org'", "an address such as", None),
        ("report.toml", SECTIONS_LINE, "sections = []", "sections = [", "sections", "[]", "at least one entry", None),
    ],
)  # fmt: skip
def test_one_mistake(
    folder: Path,
    edit: Any,
    file: str,
    old: str,
    new: str,
    at: str,
    key: str,
    found: str,
    allowed: str,
    meant: str | None,
) -> None:
    edit(file, old, new)
    problem = next(p for p in problems(folder, known=Known(SECTIONS)) if p.key == key)
    assert found in problem.found
    assert allowed in problem.allowed
    assert problem.meant == meant
    assert problem.file == str(folder / file)
    line, column = place_of(folder, file, at.strip())
    if at == "rules]]":
        line, column = place_of(folder, file, "[[rules]]")[0], 3
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    ("file", "line", "key"),
    [
        ("hospital.toml", 'town = "Port Alder"', "town"),
        ("hospital.toml", 'name = "Saint Brigid Medical Center"', "name"),
        ("report.toml", SECTIONS_LINE, "sections"),
    ],
)
def test_a_key_that_is_missing(folder: Path, edit: Any, file: str, line: str, key: str) -> None:
    edit(file, line, "")
    (problem,) = problems(folder)
    assert (problem.key, problem.line, problem.column) == (key, 1, 1)
    assert (problem.found, problem.allowed) == ("nothing", "this key with a value")


def test_a_key_that_a_table_lacks_is_told_at_its_header(folder: Path, edit: Any) -> None:
    edit("hospital.toml", 'name = "Lakeside Pavilion"', "")
    (problem,) = problems(folder)
    assert problem.key == "sites[1].name"
    lines = (folder / "hospital.toml").read_text(encoding="utf-8").split("\n")
    assert problem.line == [n for n, text in enumerate(lines, 1) if text == "[[sites]]"][1]


def test_every_mistake_is_told_at_once_in_the_order_of_the_files(folder: Path, edit: Any) -> None:
    edit("hospital.toml", "town =", "twon =")
    edit("listening.toml", "on = false", "on = 0")
    edit("care.toml", 'ops = "', 'opps = "')
    edit("report.toml", '"headline"', '"haedline"')
    edit("keywords.toml", "[urgency.danger]", "[urgency.danger]\nweight = 5")
    found = problems(folder, known=Known(SECTIONS))
    assert [p.key for p in found] == [
        "slack.channels.opps", "spikes.channel", "rules[5].to", "rules[7].to", "town", "twon", "urgency.danger.weight",
        "collectors.x.on", "sections[0]",
    ]  # fmt: skip


def test_danger_and_health_need_their_channels(folder: Path, edit: Any) -> None:
    edit("care.toml", 'danger = "#social-care-danger"\n', "")
    (problem,) = problems(folder)
    assert (problem.key, problem.found) == ("slack.channels", "no channel 'danger'")
    assert "#a-channel" in problem.allowed


def test_columns_count_letters(folder: Path, edit: Any) -> None:
    edit("hospital.toml", "not_us = [", 'not_us = ["é病🏥", 5, ')
    (problem,) = problems(folder)
    assert (problem.line, problem.column) == place_of(folder, "hospital.toml", "5, ")


def test_places_of_every_shape() -> None:
    text = '[a]\nb.c = 1\n"d é" = [[1], { e = 2 }, # no\n  3]\n[[f]]\n[[f.g]]\n[[f]]\n[f.h.i]\nk=0\n'
    assert places_of(text) == {
        ("a",): (1, 2), ("a", "b", "c"): (2, 1), ("a", "b"): (2, 1), ("a", "d é"): (3, 1), ("a", "d é", 0): (3, 10),
        ("a", "d é", 0, 0): (3, 11), ("a", "d é", 1): (3, 15), ("a", "d é", 1, "e"): (3, 17), ("a", "d é", 2): (4, 3),
        ("f", 0): (5, 3), ("f",): (5, 3), ("f", 0, "g", 0): (6, 3), ("f", 0, "g"): (6, 3), ("f", 1): (7, 3),
        ("f", 1, "h", "i"): (8, 2), ("f", 1, "h"): (8, 2), ("f", 1, "h", "i", "k"): (9, 1),
    }  # fmt: skip


# phrases


def refuse(bad: str) -> Callable[[str], None]:
    def check(phrase: str) -> None:
        if bad in phrase:
            raise ValueError("words, * at the end of a word, | and ...")

    return check


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("[urgency.danger]", "urgency.danger.phrases[1]"),
        ("[urgency.serious]", "urgency.serious.phrases[1]"),
        ("[categories.parking]", "categories.parking.phrases[1]"),
        ("[voices.promo]", "voices.promo.phrases[1]"),
        ("[exclude]", "exclude.phrases[1]"),
    ],
)
def test_a_phrase_that_cannot_be_read(folder: Path, table: str, key: str) -> None:
    path = folder / "keywords.toml"
    start, name, rest = path.read_text(encoding="utf-8").partition(table)
    before, word, after = rest.partition("phrases = [")
    path.write_text(f'{start}{name}{before}{word}"fine",  "b§d",{after}', encoding="utf-8")
    (problem,) = problems(folder, known=Known(check_phrase=refuse("§")))
    assert (problem.key, problem.found, problem.allowed) == (key, "'b§d'", "words, * at the end of a word, | and ...")
    assert (problem.line, problem.column) == place_of(folder, "keywords.toml", '"b§d"')


def test_examples_are_no_phrases(folder: Path) -> None:
    checked: list[str] = []
    config = load(folder, settings_of_all(), known=Known(check_phrase=checked.append))
    assert set(config.keywords.exclude.phrases) <= set(checked)
    assert not set(config.keywords.urgency.danger.match) & set(checked)


@pytest.mark.parametrize("table", ["[categories.parking]", "[urgency.danger]"])
def test_an_empty_phrase(folder: Path, table: str) -> None:
    path = folder / "keywords.toml"
    start, name, rest = path.read_text(encoding="utf-8").partition(table)
    path.write_text(start + name + rest.replace("phrases = [", 'phrases = ["", ', 1), encoding="utf-8")
    (problem,) = problems(folder)
    assert (problem.key, problem.allowed) == (f"{table.strip('[]')}.phrases[0]", "text that is not empty")
    assert (problem.line, problem.column) == place_of(folder, "keywords.toml", '"", ')


def test_an_empty_query(folder: Path, edit: Any) -> None:
    edit("listening.toml", "mentions = true", 'mentions = true\nqueries = ["  "]')
    (problem,) = problems(folder)
    assert (problem.key, problem.allowed) == ("collectors.x.queries[0]", "text that is not empty")


def test_a_category_may_be_called_like_a_key(folder: Path) -> None:
    path = folder / "keywords.toml"
    more = '\n[categories.phrases]\ntitle = "T"\nowner = "O"\nphrases = ["b§d"]\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    (problem,) = problems(folder, known=Known(check_phrase=refuse("§")))
    assert problem.key == "categories.phrases.phrases[0]"


# files that are no files, no text, no TOML


@pytest.mark.parametrize(
    ("content", "place", "key", "found", "allowed"),
    [
        (b'day = "mon"\nday = "tue"\n', (2, 1), "day", "given twice, first in line 1", "once"),
        (b"[a]\n[b]\n[a]\n", (3, 2), "a", "given twice, first in line 1", "once"),
        (b"a = {b = 1, b = 2}\n", (1, 13), "a.b", "given twice, first in line 1", "once"),
        (b"a = 1\na.b = 2\n", (2, 8), None, "a.b = 2", "key = value"),
        ("day = “mon”\n".encode(), (1, 7), "day", "day = “mon”", "straight quotation marks"),
        (b'day = "mon\n', (1, 11), "day", "'day = \"mon'", "quotes and brackets closed"),
        (b'day = ["mon"\n', (2, 1), "not TOML", "''", 'a comma between two entries and "]" after the last'),
        (b'day = ["mon" "tue"]\n', (1, 14), "day", "unclosed array", "a comma between two entries"),
        (b"day\n", (1, 4), "not TOML", "'day'", "key = value"),
        (b'day = "m\0n"\n', (1, 9), "day", "\\x00", "stands nothing (NUL)"),
        (b'day = "mon"\n' + b"\0" * 9, (2, 1), "not TOML", "\\x00", "stands nothing (NUL)"),
        (b"day = mon\n", (1, 7), "day", "day = mon", "text in quotes"),
        (b"hour = True\n", (1, 8), "hour", "hour = True", "true or false in small letters"),
        ("hour\u00a0= 8\n".encode(), (1, 5), "hour", "hour\\xa0=", "here stands NO-BREAK SPACE"),
        ("day = [\n\u00a0'mon']\n".encode(), (2, 1), "not TOML", "invalid value", "here stands NO-BREAK SPACE"),
        ("ho\u200bur = 8\n".encode(), (1, 3), "not TOML", "ho\\u200bur", "here stands ZERO WIDTH SPACE"),
        (b'\x1b[31mday = "mon"\n', (1, 1), "not TOML", "\\x1b", "U+001B"),
        (b'day = "C:\\inbox"\n', (1, 12), "day", "unescaped", "in place of"),
        (b'day = "mon"\rhour = 8\r', (1, 12), "file", "a line end of old Macs (CR)", 'choose "CRLF" or "LF"'),
        (b'day = "mon"\nhour = 8\r # e\n', (2, 9), "file", "a line end of old Macs (CR)", 'choose "CRLF" or "LF"'),
        (b'day = "mon"\nx = "\xff"\n', (2, 6), "file", "not UTF-8", "saved as UTF-8"),
        ("x = é\n".encode("latin-1"), (1, 5), "file", "not UTF-8", "saved as UTF-8"),
        ('day = "mon"\n'.encode("utf-16"), (1, 1), "file", 'UTF-16, which Windows calls "Unicode"', "saved as UTF-8"),
        ('day = "mon"\n'.encode("utf-16-le"), (1, 1), "file", "UTF-16 without its mark", "saved as UTF-8"),
        ('day = "mon"\n'.encode("utf-16-be"), (1, 1), "file", "UTF-16 without its mark", "saved as UTF-8"),
        (b"x = " + b"[" * 5000, (1, 1), "not TOML", "lists within lists", "what people write"),
        (b"x = " + b"9" * 5000, (1, 1), "not TOML", "a number that is too long", "what people write"),
        (b"x" + b" . x" * 5000 + b" = 1", (1, 1), "not TOML", "a key with too many parts", "what people write"),
        (b"[x" + b'."x"' * 5000 + b"]", (1, 1), "not TOML", "a key with too many parts", "what people write"),
        (b"hour = 0x" + b"f" * 9000, (1, 1), "hour", "a number that is too long", "less than or equal to 23"),
        (b"sections = " + b"[" * 400 + b"]" * 400, (1, 1), "sections", "[[[", "at least one entry"),
        (b'"a\\nb" = 1\n', (1, 1), '"a\\nb"', "an unknown key", "day, hour"),
        (b'"" = 1\n', (1, 1), '""', "an unknown key", "day, hour"),
        (b"#" * 20_000_000, (1, 1), "file", "more than 2 MB", "a smaller file"),
        (b"", (1, 1), "sections", "nothing", "this key with a value"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)
def test_what_is_no_toml(
    folder: Path, content: bytes, place: tuple[int, int], key: str | None, found: str, allowed: str
) -> None:
    (folder / "report.toml").write_bytes(content)
    problem = next(p for p in problems(folder) if key is None or p.key == key)
    assert (problem.line, problem.column) == place
    assert found in problem.found
    assert allowed in problem.allowed


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_or_a_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (problem,) = problems(folder)
    assert (problem.file, problem.found) == (str(folder / name), "nothing")
    assert "copy it" in problem.allowed
    (folder / name).mkdir()
    (problem,) = problems(folder)
    assert (problem.found, problem.allowed) == ("a folder", "a file of text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "care.toml").chmod(0)
    (problem,) = problems(folder)
    assert problem.found == "Permission denied"


@pytest.mark.parametrize("where", ["nowhere", "care.toml", "care.toml/inside", "nul\0"])
def test_no_folder(folder: Path, where: str) -> None:
    (problem,) = problems(folder / where)
    assert (problem.key, problem.found) == ("config folder", "no such folder")
    assert "--config DIR" in problem.allowed


def test_windows_line_ends_and_a_byte_order_mark(folder: Path) -> None:
    for name in FILES:
        path = folder / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folder, settings_of_all()) == load(PROJECT / "config", settings_of_all())
    path = folder / "report.toml"
    path.write_bytes(path.read_bytes().replace(b"hour = 8", b"our = 8"))
    (problem,) = problems(folder)
    assert (problem.line, problem.column) == place_of(folder, "report.toml", "our = 8")


# what stands in a file's place and is none


def linked(path: Path, to: Path | str) -> None:
    path.unlink()
    path.symlink_to(to)


def test_a_link_to_a_file_is_followed(folder: Path) -> None:
    linked(folder / "care.toml", PROJECT / "config" / "care.toml")
    assert load(folder, settings_of_all()) == load(PROJECT / "config", settings_of_all())


@pytest.mark.parametrize(
    ("to", "found"),
    [
        ("nowhere.toml", "a link to a file that is not there"),
        ("care.toml", "Too many levels of symbolic links"),
        (".", "a folder"),
        ("/dev/null", "no file"),
        ("/dev/zero", "no file"),
    ],
)
def test_a_link_to_anything_else(folder: Path, to: str, found: str) -> None:
    linked(folder / "care.toml", to)
    (problem,) = problems(folder)
    assert (problem.file, problem.found) == (str(folder / "care.toml"), found)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this machine has no pipes")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "care.toml").unlink()
    os.mkfifo(folder / "care.toml")
    (problem,) = problems(folder)
    assert (problem.found, problem.allowed) == ("no file", "a file of text")


# much of everything


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "more", "key", "rest"),
    deep_after(
        1,
        [
            ("report.toml", "\nk{} = 1", "k0", "99,800 more mistakes"),
            ("report.toml", "\n[t{}]", "t0", "99,800 more mistakes"),
            ("keywords.toml", "\n[categories.c{}]", "categories.c0.title", "199,800 more mistakes"),
        ],
    ),
)
def test_a_hundred_thousand_mistakes(folder: Path, file: str, more: str, key: str, rest: str) -> None:
    path = folder / file
    path.write_text(
        path.read_text(encoding="utf-8") + "".join(more.format(number) for number in range(100_000)), encoding="utf-8"
    )
    if path.stat().st_size > 2_000_000:
        path.write_text(path.read_text(encoding="utf-8")[:1_990_000].rpartition("\n")[0], encoding="utf-8")
        rest = "more mistakes"
    found = problems(folder)
    assert len(found) == 201
    assert found[0].key == key
    assert found[-1].found.endswith(rest)


def test_five_thousand_phrases(folder: Path, edit: Any) -> None:
    many = "".join(f'"phrase number {number}", ' for number in range(5000))
    edit("keywords.toml", '"softball league"', many + '"softball league"')
    found = load(folder, settings_of_all(), Known(check_phrase=check)).keywords.exclude.phrases
    assert len(found) == 5006


@pytest.mark.parametrize("phrase", ["(a+)+$", "(.*)*x", r"\\bportal\\b", "[a-z]+", "porta(l|ls)"])
def test_a_regular_expression_is_no_phrase(folder: Path, edit: Any, phrase: str) -> None:
    edit("keywords.toml", '"softball league"', f'"{phrase}"')
    (problem,) = problems(folder, known=Known(check_phrase=check))
    assert problem.key == "exclude.phrases[0]"
    assert "regular expression" in problem.allowed


# what was meant


@pytest.mark.parametrize(
    ("file", "old", "new", "meant"),
    [
        ("care.toml", '["privacy"], kind', '["Privacy"], kind', "privacy"),
        ("care.toml", '\nbilling = "30m"', '\nbiling = "30m"', "billing"),
        ("care.toml", 'billing = "billing"', 'bilings = "billing"', "billing"),
        ("care.toml", 'to = "privacy"', 'to = "privcy"', "privacy"),
        ("care.toml", "# approve =", "aprove =", "approve"),
        ("care.toml", "[escalation.quiet]", "[escalation.Quite]", "quiet"),
        ("care.toml", 'category = ["billing"], kind', 'categorys = ["billing"], kind', "category"),
        ("care.toml", 'danger = ["self_harm"]', 'danger = ["Self-Harm"]', "self_harm"),
        ("keywords.toml", "[categories.food]", "[categories.Food]", "food"),
        ("keywords.toml", "[categories.food]", '[categories."Lost Property"]', "lost_property"),
        ("keywords.toml", "[categories.food]", "[category.food]", "categories"),
        ("keywords.toml", "[exclude]", "[excludes]", "exclude"),
        ("keywords.toml", "[urgency.here_now]", "[urgency.here-now]", "here_now"),
        ("keywords.toml", "[exclude]\nphrases", "[exclude]\nPhrases", "phrases"),
        ("listening.toml", "[collectors.mastodon]", "[collectors.mastadon]", "mastodon"),
        ("listening.toml", "[collectors.google_reviews]", "[collectors.google-reviews]", "google_reviews"),
        ("listening.toml", "\nquiet_after", "\nquietafter", "quiet_after"),
        ("hospital.toml", "\nnot_us", "\nNot-us", "not_us"),
        ("hospital.toml", "\naliases", "\nalias", "aliases"),
        ("hospital.toml", '"Intensive Care" =', '"Intensive care" =', "Intensive Care"),
        ("hospital.toml", "America/Chicago", "america/chicago", "America/Chicago"),
        ("report.toml", '"reply_times", "danger"', '"reply-times", "danger"', "reply_times"),
        ("report.toml", 'day = "mon"', 'day = "Monday"', "mon"),
        ("report.toml", 'day = "mon"', 'day = "MON"', "mon"),
        ("keywords.toml", "[exclude]\nphrases", "[exclude]\nPHRASES", "phrases"),
    ],
)
def test_what_was_meant(folder: Path, edit: Any, file: str, old: str, new: str, meant: str) -> None:
    edit(file, old, new)
    found = problems(folder, known=Known(SECTIONS, known_actions()))
    assert meant in [problem.meant for problem in found if problem.file == str(folder / file)]


# any edit at all

INSERTED = [*list("\"'[]{}=.,#\n\x00\\é9“”\u00a0\ufeff\r|*~"), "= 5", "[[rules]]\n", "[x]\n", "inf", "2026-01-01"]
KINDS = [
    "name",
    "delete",
    "insert",
    "cut",
    "double",
    "swap",
    "comment",
    "other quotes",
    "no table",
    "table twice",
    "end",
]


def mutated(text: str, kind: str, at: int, to: int, with_: str) -> str:
    lines = text.split("\n")
    place, other = at % (len(text) + 1), to % (len(text) + 1)
    first, second = at % len(lines), to % len(lines)
    tables = [*(number for number, line in enumerate(lines) if line.startswith("[")), len(lines)]
    this = at % max(1, len(tables) - 1)
    table = slice(tables[this], tables[min(this + 1, len(tables) - 1)])
    match kind:
        case "name":  # a letter of a key or of a header, where a slip would cost most
            named = [
                found.start(1) + to % len(found[1]) for found in re.finditer(r"^\[*([a-z_.]+)", text, re.MULTILINE)
            ]
            place = named[at % len(named)] if named else place
            return text[:place] + text[place + 1 :]
        case "delete":
            return text[:place] + text[place + 1 :]
        case "insert":
            return text[:place] + with_ + text[place:]
        case "cut":
            return text[: min(place, other)] + text[max(place, other) :]
        case "end":
            return text[:place]
        case "double":
            return "\n".join([*lines[:first], lines[first], *lines[first:]])
        case "comment":
            return "\n".join([*lines[:first], "# " + lines[first], *lines[first + 1 :]])
        case "other quotes":
            return "\n".join([*lines[:first], lines[first].translate({34: 39, 39: 34}), *lines[first + 1 :]])
        case "no table":
            return "\n".join(lines[: table.start] + lines[table.stop :])
        case "table twice":
            return "\n".join(lines[: table.stop] + lines[table])
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def strings(text: str) -> Iterator[tuple[str, str]]:
    """Every string that stands in a text outside notes, with the header of the table that it stands under.

    Read in another way than the program does: a sign after the other.
    """
    header = ""
    sign = re.compile(r"""#[^\n]*|^[ \t]*\[\[?([^\[\]"'\n]+)\]\]?|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'""", re.MULTILINE)
    for found in sign.finditer(text):
        if found[1] is not None:
            header = found[1]
        elif (found[2] or found[3]) and not re.match(r"[ \t]*=", text[found.end() :]):  # else it is a key
            yield header, (found[2] or found[3]).strip()


def under(values: Any, header: str) -> set[str]:
    """Every string of a config below the table with this header."""
    for name in filter(None, header.split(".")):
        values = values[-1] if isinstance(values, tuple | list) else values
        values = values.get(name, {}) if isinstance(values, dict) else {}
    return set(leaves(values))


def leaves(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from leaves(value)
    elif isinstance(values, tuple | list):
        for value in values:
            yield from leaves(value)


def filters(file: str) -> set[tuple[str, str]]:
    """The words that decide what is heard, by the header of their table."""
    whole = load(PROJECT / "config", settings_of_all())
    said = {*leaves(whole.keywords.model_dump())} if file == "keywords.toml" else set[str]()
    if file == "hospital.toml":
        hospital = whole.hospital
        sites = [*(word for site in hospital.sites for word in (*site.aliases, *site.departments))]
        said = {*hospital.aliases, *hospital.not_us, *sites, *leaves(hospital.department_words)}
    text = (PROJECT / "config" / file).read_text(encoding="utf-8")
    return {(header, word) for header, word in strings(text) if word in said}


FILTERS = {file: filters(file) for file in FILES}


def silently_off(file: str, text: str, config: Any) -> list[tuple[str, str]]:
    """Words that stand in a file that was taken, and that the configuration does not have."""
    part = file.partition(".")[0]
    values = config.model_dump()["collectors" if part == "listening" else part]
    headers, all_words = {header for header, _ in FILTERS[file]}, {word for _, word in FILTERS[file]}
    standing = {  # also under a header that an edit has made
        (header, word)
        for header, word in strings(text)
        if (header, word) in FILTERS[file] or (header not in headers and word in all_words)
    }
    words = {header: under(values, header) for header, _ in standing}
    return sorted((header, word) for header, word in standing if word not in words[header])


def test_the_oracle_sees_every_filter() -> None:
    assert len(FILTERS["keywords.toml"]) > 1500
    assert len(FILTERS["hospital.toml"]) > 80
    whole = load(PROJECT / "config", settings_of_all())
    for file in FILES:
        assert silently_off(file, (PROJECT / "config" / file).read_text(encoding="utf-8"), whole) == []
    keywords = whole.keywords.model_copy(update={"exclude": Exclude()})
    less = whole.model_copy(update={"keywords": keywords})
    text = (PROJECT / "config" / "keywords.toml").read_text(encoding="utf-8")
    assert ("exclude", "fish fry") in silently_off("keywords.toml", text, less)


EDITS = st.tuples(
    st.sampled_from([*KINDS, "name", "name"]),
    st.integers(0, 100_000),
    st.integers(0, 100_000),
    st.sampled_from(INSERTED),
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=st.sampled_from([*FILES, *["keywords.toml"] * 3]), edits=st.lists(EDITS, min_size=1, max_size=3))
def test_any_edit_is_taken_as_it_stands_or_refused(
    tmp_path_factory: pytest.TempPathFactory, file: str, edits: list[tuple[str, int, int, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-edit"
    if not folder.exists():
        folder.mkdir()
        for name in FILES:
            shutil.copy(PROJECT / "config" / name, folder / name)
    original = text = (PROJECT / "config" / file).read_text(encoding="utf-8")
    for kind, at, to, with_ in edits:
        text = mutated(text, kind, at, to, with_)
    (folder / file).write_bytes(text.encode())
    try:
        judged(folder, file, text)
    finally:
        (folder / file).write_text(original, encoding="utf-8")


def judged(folder: Path, file: str, text: str) -> None:
    """Whether what became of a file is told well, or taken as a whole."""
    try:
        config = load(folder, settings_of_all(), Known(SECTIONS, known_actions(), check))
    except ConfigError as error:
        found = error.problems
    else:
        assert silently_off(file, text, config) == []
        return
    assert found
    for problem in found:
        is_told_well(problem, folder)


def is_told_well(problem: Problem, folder: Path) -> None:
    path = Path(problem.file)
    assert (path.parent, path.name in FILES) == (folder, True)
    lines = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    assert 1 <= problem.line <= len(lines)
    assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    assert problem.key
    assert problem.found
    assert problem.allowed
    assert str(problem).replace("\n", " ").isprintable(), "what a terminal would act on"


@pytest.mark.slow
@pytest.mark.parametrize("file", deep_after(1, FILES))
def test_a_file_that_is_half_written(folder: Path, file: str) -> None:
    """Refused, or taken as a smaller file that is whole: what is gone from the text is not there, what stands there is."""
    whole = (folder / file).read_bytes()
    ends = [place for place in range(len(whole)) if whole[place : place + 1] == b"\n"]
    for place in [*ends[::12], *range(0, len(whole), max(1, len(whole) // 40))]:
        (folder / file).write_bytes(whole[:place])
        try:
            text = whole[:place].decode("utf-8")
        except UnicodeDecodeError:
            (problem,) = problems(folder)
            assert "UTF-8" in problem.found
        else:
            judged(folder, file, text)
