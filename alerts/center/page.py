"""How a page is written: its template in the frame, in the visitor's language, and nothing of a post as markup."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadData

from alerts.act import OWN_ACCOUNT, known_actions
from alerts.center.access import Visitor, named
from alerts.center.room import Room
from alerts.clockface import in_words
from alerts.drawing import NARROW, WIDE, svg
from alerts.message import NAMES, SIGNS, face, place, visible
from alerts.palette import FONTS, fills, variables
from alerts.report import css
from alerts.section import is_number, shown

LANGUAGES = {"en": "English", "es": "Español"}
_FOLDER = Path(__file__).parent
_NAME = re.compile("[A-Za-z]+")
_LONGEST = 1_000  # characters of a sentence of ours with the values in it
_TOLD = "told"  # the cookie with the sentence that the next page shows


@dataclass(frozen=True)
class Words:
    """What the pages say in one language."""

    language: str

    def __call__(self, english: str, **values: object) -> str:
        """A sentence, with values in the place of their names in braces; one that nobody has translated as it is."""
        said = _written(self.language).words.get(english)
        if said is None and not values:
            return self._filled_in(english)
        return (said or english).format(**values) if values else said or english

    def _filled_in(self, english: str) -> str:
        """What comes with its values in it, as an action says it: "Case 12 is yours." is known as "Case {} is yours."."""
        # What is longer has words of somebody in it, perhaps so chosen that looking for ours takes a second.
        for pattern, said, is_ours in _written(self.language).patterns if len(english) <= _LONGEST else ():
            if found := pattern.fullmatch(english):
                values = zip(found.groups(), is_ours, strict=True)
                return said.format(*(self(value) if ours else value for value, ours in values))
        return english

    def date(self, english: str) -> str:
        """A date as Python writes it, with the names of its days and months."""
        dates = _written(self.language).dates
        return _NAME.sub(lambda found: dates.get(found[0], found[0]), english)

    def many(self, one: str, several: str, n: int, **values: object) -> str:
        """One of two sentences, as the number asks for."""
        return self(one if n == 1 else several, n=f"{n:,}", **values)


def write(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page by the name of its template."""
    room: Room = request.app.state.room
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    say = words_for(request)
    cookie = _named(request, _TOLD)
    told = request.cookies.get(cookie, "")
    html = (
        _environment()
        .get_template(f"{name}.html.jinja")
        .render(
            _=say,
            name=name,
            visitor=visitor,
            csrf=request.app.state.access.csrf(visitor) if visitor else "",
            nav=request.app.state.nav if visitor else (),
            hospital=room.config().hospital.name,
            here=request.url.path,
            now=room.now(),
            zone=room.config().hospital.zone,
            static=static_address,
            told=_sentence(request, told),
            languages=LANGUAGES,
            **values,
        )
    )
    response = HTMLResponse(html, status)
    if told:
        response.delete_cookie(cookie, httponly=True, samesite="strict", secure=is_secure(request))
    return response


def fragment(name: str, say: Words, zone: ZoneInfo, now: datetime, **values: Any) -> str:
    """A part of a page by the name of its template: what an open page puts in the place of another."""
    return _environment().get_template(f"{name}.html.jinja").render(_=say, zone=zone, now=now, **values)


def go(request: Request, to: str, sentence: str = "") -> Response:
    """To another page, after something was sent; the sentence is shown there. The script of an open page goes itself."""
    response = RedirectResponse(to, 204 if is_script(request) else 303)
    if sentence:
        said = request.app.state.sentences.dumps(sentence)
        response.set_cookie(
            _named(request, _TOLD), said, max_age=30, httponly=True, samesite="strict", secure=is_secure(request)
        )
    return response


def is_script(request: Request) -> bool:
    """Whether center.js sent something, and not the browser itself."""
    return request.headers.get("accept") == "text/plain"


def _sentence(request: Request, told: str) -> str:
    """What was to be told; only what we wrote ourselves."""
    try:
        return str(request.app.state.sentences.loads(told, max_age=60)) if told else ""
    except BadData:
        return ""


def _named(request: Request, cookie: str) -> str:
    room: Room = request.app.state.room
    return named(room.config().care.center, cookie)


def is_secure(request: Request) -> bool:
    """Whether browsers reach us through TLS, so that a cookie must not go out without."""
    room: Room = request.app.state.room
    return (room.config().care.center.address or "").startswith("https://")


def words_for(request: Request) -> Words:
    """The language of the visitor: chosen, or as their browser prefers."""
    from listener.strangers import language_of

    chosen = request.query_params.get("lang") or request.cookies.get("lang") or request.cookies.get("__Host-lang", "")
    return Words(language_of(chosen, request.headers.get("accept-language", ""), tuple(LANGUAGES)))


@cache
def static_files() -> Mapping[str, tuple[bytes, str]]:
    """What browsers load beside a page: name -> content and its type."""
    style = (_FOLDER / "static" / "center.css").read_text(encoding="utf-8")
    script = (_FOLDER / "static" / "center.js").read_bytes()
    icon = (_FOLDER / "static" / "icon.svg").read_bytes()
    return {
        "center.css": (f"{_colours()}\n{style}".encode(), "text/css; charset=utf-8"),
        "center.js": (script, "text/javascript; charset=utf-8"),
        "icon.svg": (icon, "image/svg+xml"),
        "report.css": (
            f"{fills()}\n.report {{\nmax-width: 45rem;\n{css()}}}\n".encode(),
            "text/css; charset=utf-8",
        ),  # within its place
    }


@cache
def static_address(name: str) -> str:
    """Where such a file is; another address as soon as it is another file."""
    return f"/static/{name}?v={sha256(static_files()[name][0]).hexdigest()[:12]}"


def _colours() -> str:
    light = " ".join(f"--{name}: {colour};" for name, (colour, _) in variables().items())
    dark = " ".join(f"--{name}: {colour};" for name, (_, colour) in variables().items())
    return (
        f":root {{ color-scheme: light dark; --fonts: {FONTS}; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )


class _Written(NamedTuple):
    """The file of a language."""

    words: Mapping[str, str]
    dates: Mapping[str, str]
    # What comes with its values in it, its translation, and of each value whether it is words of ours: {:_}.
    patterns: Sequence[tuple[re.Pattern[str], str, Sequence[bool]]]


@cache
def _written(language: str) -> _Written:
    path = _FOLDER / "words" / f"{language}.toml"
    if not path.exists():  # English is what the templates say
        return _Written({}, {}, ())
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    patterns = [
        (
            re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL),
            said.replace("{:_}", "{}"),
            [value == "{:_}" for value in re.findall("{:?_?}", said)],
        )
        for english, said in found["words"].items()
        if "{}" in english
    ]
    return _Written(found["words"], found["dates"], patterns)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_FOLDER / "pages", _FOLDER, _FOLDER.parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "svg": svg,
        "local": _local,
        "dated": _dated,
        "span": in_words,
        "visible": visible,
    }
    environment.tests |= {"right": is_number}
    environment.globals |= {
        "NAMES": NAMES, "SIGNS": SIGNS, "face": face, "place": _place, "own_account": OWN_ACCOUNT, "WIDE": WIDE, "NARROW": NARROW,
        "labels": {name: action.LABEL for name, action in known_actions().items()},
    }  # fmt: skip
    return environment


@jinja2.pass_context
def _local(context: jinja2.runtime.Context, at: datetime, zone: ZoneInfo, form: str = "%a %H:%M") -> str:
    return _dated(context, at.astimezone(zone).strftime(form))


@jinja2.pass_context
def _dated(context: jinja2.runtime.Context, english: str) -> str:
    """ "Mon 9 Nov to Sun 15 Nov 2026" in the visitor's language."""
    say: Words = context["_"]
    return say.date(english)


@jinja2.pass_context
def _place(context: jinja2.runtime.Context, source: str) -> str:
    """A place as people call it, in the visitor's language."""
    say: Words = context["_"]
    return say(place(source))
