"""Pages say everything in both languages, and nothing of a stranger's words acts."""

import ast
import re
import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest
import visit
from conftest import PROJECT
from desk import Desk
from jinja2 import Environment, nodes
from sqlalchemy import Engine

from alerts.act import known_actions
from alerts.actions.not_for_us import REASONS
from alerts.case import State
from alerts.center.app import known_pages
from alerts.center.page import Words, static_address, static_files
from alerts.message import NAMES, PLACES
from alerts.privacy.vocabulary import languages
from alerts.search import KINDS
from alerts.topic import titles_of
from config.schema import Config
from listener.keep import DELETED, EXPIRED
from nlp.reading import URGENCIES

CENTER = PROJECT / "alerts" / "center"
SPANISH: dict[str, str] = tomllib.loads((CENTER / "words" / "es.toml").read_text(encoding="utf-8"))["words"]
TEMPLATES = sorted(CENTER.rglob("*.html.jinja"))
# What people read of what these are given: the first such argument, and the one after the last.
READ = {
    "say": (0, 1), "words_for": (0, 1), "many": (0, 2), "go": (2, 3), "HTTPException": (1, 2), "NeedsPerson": (0, 1),
    "Wrong": (0, 2), "Done": (0, 1), "Form": (0, 2), "Field": (1, 2), "Choice": (1, 2), "Link": (0, 1),
    "changed": (5, 6), "note": (5, 6), "open_case": (2, 3), "join": (2, 3), ".move": (1, 2), "move": (4, 5),
}  # fmt: skip
CODE = sorted(
    path
    for folder in ("alerts/center", "alerts/actions")
    for path in (PROJECT / folder).rglob("*.py")
    if path.stem not in ("access", "sign_outs")  # which speak to who starts the service
) + [PROJECT / "alerts" / f"{name}.py" for name in ("act", "case", "reminders", "spikes", "press")]


def said_in(template: Path) -> Iterator[str]:
    """Every English sentence that a template hands to _(), also out of a table of them."""
    tree = Environment().parse(template.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        called = call.node.node if isinstance(call.node, nodes.Getattr) else call.node
        if isinstance(called, nodes.Name) and called.name == "_":
            for argument in call.args[:2] if isinstance(call.node, nodes.Getattr) else call.args[:1]:
                yield from _strings(argument)


def _strings(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.Dict):
        for pair in node.items:
            yield from _strings(pair.value)
    elif isinstance(node, nodes.CondExpr):
        yield from _strings(node.expr1)
        if node.expr2 is not None:
            yield from _strings(node.expr2)
    elif isinstance(node, nodes.Getitem | nodes.Getattr | nodes.Or):
        for child in node.iter_child_nodes():
            if not isinstance(child, nodes.Const):
                yield from _strings(child)
    elif isinstance(node, nodes.Call):
        yield from _strings(node.node)


def said_in_code(path: Path) -> Iterator[str]:
    """Every English sentence of a file in Python that people read; with {} where it has a value."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).append(node.value)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for read in _read(call):
            yield from (said for said in _texts(read, named) if re.search("[a-z]{2}", said))


def _read(call: ast.Call) -> Iterator[ast.expr]:
    """What people read of what a call is given."""
    called = call.func
    if isinstance(called, ast.Call):  # words_for(request)("...")
        called = called.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    name = f".{name}" if isinstance(called, ast.Attribute) and f".{name}" in READ else name
    first, last = READ.get(name, (0, 0))
    yield from call.args[first:last]
    if name in READ:
        yield from (one.value for one in call.keywords if one.arg in ("hint", "says"))


def _texts(node: ast.expr, named: Mapping[str, Sequence[ast.expr]]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else _value(part) for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (said for one in (node.body, node.orelse) for said in _texts(one, named))
    elif isinstance(node, ast.Tuple | ast.List):
        yield from (said for one in node.elts for said in _texts(one, named))
    elif isinstance(node, ast.Name):
        yield from (said for one in named.get(node.id, ()) for said in _texts(one, {}))


def _value(part: ast.expr) -> str:
    return "'{}'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "{}"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_sentence_of_a_template_is_there_in_spanish(template: Path) -> None:
    assert [said for said in said_in(template) if said not in SPANISH] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_every_sentence_of_the_code_is_there_in_spanish(path: Path) -> None:
    assert [said for said in said_in_code(path) if said not in SPANISH and not is_known_as_a_whole(said)] == []


def is_known_as_a_whole(said: str) -> bool:
    """Whether a sentence that is put together ("{}{}") is known with a value in each place."""
    example = said.replace("{}", "7")
    return "{}{}" in said and Words("es")(example) != example


def test_what_is_chosen_from_is_there_in_spanish() -> None:
    rules = {why for why, _ in languages()[0].rules.values()}
    pages = {page.NAV[1] for page in known_pages().values() if hasattr(page, "NAV")}
    places = {name for name in PLACES.values() if " " in name}  # the others are names of companies
    told = {*get_args(State), DELETED, EXPIRED, *rules, *pages, *places, *NAMES.values(), *URGENCIES[:-1]}
    told |= {action.LABEL for action in known_actions().values()} | {*KINDS, *REASONS.values()}
    assert sorted(told - SPANISH.keys()) == []


def test_what_the_shipped_config_calls_topics_and_outcomes_is_there_in_spanish(config: Config) -> None:
    told = {*titles_of(config).values(), *config.care.outcomes.values(), *(rule.name for rule in config.care.rules)}
    told |= {outcome.lower() for outcome in config.care.outcomes.values()}
    assert sorted(told - SPANISH.keys()) == []


def test_the_script_says_only_what_the_frame_gives_it() -> None:
    script = (CENTER / "static" / "center.js").read_text(encoding="utf-8")
    frame = (CENTER / "frame.html.jinja").read_text(encoding="utf-8").partition("data-words=")[2].partition("tojson")[0]
    assert set(re.findall(r"\bwords\.(\w+)\b(?!\()", script)) == set(re.findall(r'"(\w+)": _\(', frame))


@pytest.mark.parametrize(("english", "spanish"), SPANISH.items())
def test_a_translation_fills_in_the_same_values(english: str, spanish: str) -> None:
    assert fields(english) == fields(spanish)
    assert spanish.strip() == spanish
    assert spanish


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Case 12 is yours.", "El caso 12 es suyo."),
        ("Case 1,200 is with May.", "El caso 1,200 es ahora de May."),  # a name is no word of ours
        ("Case 3 is Here now.", "El caso 3 es ahora: Aquí ahora."),
        ("now danger, was routine: she fell, now", "ahora: PELIGRO; antes: por contestar. Motivo: she fell, now"),
        ("opened: rule 'praise to kind words'", "abierto: regla «elogios, a las palabras amables»"),
        ("case 3 is claimed by Wall already: 'Claim' cannot follow", "el caso 3 ya está tomado por Wall; ya no es posible: «Tomar»"),
        ("case 3 is open and danger already: 'Reopen' cannot follow", "el caso 3 ya está abierto y es PELIGRO; ya no es posible: «Reabrir»"),
        ("told the oncall: page 3", "avisó al personal de guardia: llamada 3"),
        ("snoozed: waits for\nthe lab", "en pausa: waits for\nthe lab"),
        ("snoozed: Close", "en pausa: Close"),
        ("X takes 280 characters, these are 300: shorten it by 20.", "X admite 280 caracteres y aquí hay 300: acorte el texto en 20."),
        ("“a”: it names a person. Instead: b “c”: it gives medical advice. Instead: d", "“a”: nombra a una persona. En su lugar: b “c”: da un consejo médico. En su lugar: d"),
        ("Cases are yours.", "Cases are yours."),
        (f"snoozed: {'x' * 991}", f"en pausa: {'x' * 991}"),
        (f"snoozed: {'x' * 992}", f"snoozed: {'x' * 992}"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_comes_with_its_values_in_it(english: str, spanish: str) -> None:
    assert Words("es")(english) == spanish
    assert Words("en")(english) == english


def test_braces_of_a_stranger_are_only_braces() -> None:
    assert Words("es")("{0.__class__}") == "{0.__class__}"
    assert Words("es")("gave it to {0.__class__}") == "se lo dio a {0.__class__}"
    assert Words("en")("{name} has it", name="{csrf}") == "{csrf} has it"


def test_dates() -> None:
    assert Words("es").date("Mon 9 Nov to Sun 15 Nov 2026") == "lun 9 nov al dom 15 nov 2026"
    assert Words("en").date("Mon 9 Nov to Sun 15 Nov 2026") == "Mon 9 Nov to Sun 15 Nov 2026"
    days = (date(2026, 1, 1) + timedelta(days=number) for number in range(366))
    assert [day for day in days if re.search("[A-Z]", Words("es").date(f"{day:%a %d %b}"))] == []


@pytest.mark.parametrize(
    ("lang", "chosen", "is_spanish"),
    [("", "", False), ("es-US,es;q=0.9", "", True), ("es", "en", False), ("en", "es", True)],
)
def test_a_page_speaks_as_its_visitor_does(
    desk: Desk, engine: Engine, config: Config, tmp_path: Path, lang: str, chosen: str, is_spanish: bool
) -> None:
    case = desk.alert("the door is broken, May 5", urgency="danger", source="google_reviews")
    client = visit.visit(visit.room(engine, config, tmp_path), {"accept-language": lang})
    client.cookies.set("lang", chosen)
    page = client.get(f"/cases/{case}")
    assert ('<html lang="es">' in page.text, '<html lang="en">' in page.text) == (is_spanish, not is_spanish)
    assert ("PELIGRO</span>" in page.text, "DANGER</span>" in page.text) == (is_spanish, not is_spanish)
    assert ("lun 16 nov" in page.text, "Mon 16 Nov" in page.text) == (is_spanish, not is_spanish)
    assert ("Reseña de Google" in page.text, "Google review" in page.text) == (is_spanish, not is_spanish)
    assert "the door is broken, May 5" in page.text
    form = {"csrf": visit.csrf(page.text), "key": "1"}
    claimed = client.post(f"/cases/{case}/do/claim", data=form, headers={"origin": "http://127.0.0.1:8765"})
    assert f'role="status">{"El caso" if is_spanish else "Case"} {case} ' in claimed.text
    script = {"accept": "text/plain", "origin": "http://127.0.0.1:8765"}
    again = client.post(f"/cases/{case}/do/claim", data=form | {"key": "2"}, headers=script)
    assert again.status_code == 409
    assert again.text.startswith(f"el caso {case} ya está tomado por" if is_spanish else f"case {case} is claimed by")
    missing = client.get("/cases/999", headers={"accept": "text/plain"})
    assert missing.text == ("Ese caso no existe.\n" if is_spanish else "There is no such case.\n")


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_no_template_has_style_or_script_of_its_own() -> None:
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?! src=)|\|\s*safe", text), template.name


def test_a_file_that_changes_has_another_address() -> None:
    for name, (content, _) in static_files().items():
        assert static_address(name) == f"/static/{name}?v={sha256(content).hexdigest()[:12]}"
