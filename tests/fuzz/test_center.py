"""The Listening Center under a stream of requests made from its own list of addresses, by each role and by nobody."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from conftest import NOW
from desk import Desk
from fakes.center import AS_FORM, FAR, THERE, House, signed_in
from fuzz.odd import NASTY, examples, texts, watched
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session
from starlette.testclient import TestClient

from alerts.act import known_actions
from alerts.center.access import Visitor
from config.schema import Config
from listener.strangers import Limit

ROLES = {"eve": "viewer", "ana": "care", "boss": "admin"}
KINDS = (
    "text/html",
    "text/plain",
    "text/csv",
    "application/json",
    "application/vnd.openxmlformats",
    "image/",
    "application/pdf",
)
FIELDS = (
    *(
        "back",
        "cards",
        "key",
        "known",
        "q",
        "seal",
        "shown",
        "since",
        "to",
        "token",
        "tried",
        "version",
        "reply",
        "why",
    ),
    *(
        "span",
        "outcome",
        "note",
        "channel",
        "category",
        "topics",
        "urgency",
        "case",
        "words",
        "hospital.toml",
        "care.toml",
    ),
)
forms = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=20), texts, max_size=6)


@pytest.fixture
def house(config: Config, engine: Engine, tmp_path: Path, session: Session) -> House:
    """With three people and two cases; no request is one too many."""
    house = House(config, engine, tmp_path, NOW)
    house.set(address=FAR, people={name: {"role": role} for name, role in ROLES.items()})
    desk = Desk(session, config)
    for text in ("waited for hours", "my dad collapsed in your waiting room"):
        desk.alert(text)
    session.close()
    house.app._visitors = house.app._strangers = Limit(10**9, 10**9)
    return house


@pytest.fixture
def browsers(house: House) -> dict[str | None, TestClient]:
    """Everybody's, and nobody's. What goes wrong in a page is raised here."""
    return {None: house.browser(FAR, THERE), **{name: signed_in(house, name) for name in ROLES}}


@contextmanager
def reading_only(engine: Engine) -> Iterator[list[str]]:
    """What is written to the database meanwhile."""
    written: list[str] = []

    def look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if re.match(r"\s*(?:insert|update|delete|replace|drop|create|alter)\b", statement, re.IGNORECASE):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", look)
    try:
        yield written
    finally:
        event.remove(engine, "before_cursor_execute", look)


def is_well(answer: Any) -> None:
    """Whatever was asked: a page or a sentence, of a kind that a browser takes for no other, and no way out of the house."""
    assert answer.status_code < 500, (answer.request.url, answer.text[:200])
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    if answer.content and answer.status_code not in (204, 304):
        assert answer.headers["content-type"].startswith(KINDS), answer.headers["content-type"]
    to = answer.headers.get("location", "/")
    assert re.match(rf"(?:{re.escape(FAR)})?(?:/(?![/\\\\])|$)", to), to
    assert not any(mark in "".join(answer.headers.values()) for mark in "\r\n\x00")


def operations(house: House) -> list[Any]:
    """Every address and method, as FastAPI knows them; the list itself is not served."""
    inner = house.app._app
    with warnings.catch_warnings(action="ignore"):  # GET and HEAD of one address are one function
        found = schemathesis.openapi.from_dict(inner.openapi()).get_all_operations()
    return [one.ok() for one in found]


@pytest.mark.slow
def test_whatever_is_asked_for(house: House, browsers: dict[str | None, TestClient]) -> None:
    every = [one for one in operations(house) if not one.path.startswith("/live/")]  # which does not end
    assert len(every) > 30
    wanted = st.one_of([one.as_strategy() for one in every])

    @examples(120)
    @given(wanted, st.sampled_from([None, *ROLES]), st.sampled_from(["text/html", "*/*", "a/b;q=x", ""]))
    def asked(case: Any, name: str | None, accept: str) -> None:
        sent = case.as_transport_kwargs(base_url=FAR)
        sent = {key: sent[key] for key in ("method", "url", "params") if sent.get(key) is not None}
        with reading_only(house.engine) as written, watched():
            is_well(browsers[name].request(**sent, headers={"accept": accept, "origin": FAR}))
        assert written == [] or sent["method"] not in ("GET", "HEAD", "OPTIONS"), written

    asked()


@pytest.mark.slow
def test_whatever_is_sent(house: House, browsers: dict[str | None, TestClient]) -> None:
    paths = [
        *(f"/cases/1/do/{action}" for action in sorted(known_actions())),
        *("/cases/2/check", "/cases/1/read", "/sign-in", "/sign-out", "/search", "/spikes/1", "/inbox", "/tuning/try"),
        *("/tuning/save", "/tuning/stop", "/week"),
    ]
    access = house.app._access

    @examples(150)
    @given(st.sampled_from(paths), st.sampled_from([None, *ROLES]), forms, st.booleans(), st.sampled_from(NASTY))
    def sent(path: str, name: str | None, fields: dict[str, str], is_right: bool, wrong: str) -> None:
        if path == "/sign-out" and name:
            return  # they are needed
        visitor = Visitor(name, name, ROLES[name], by="cookie") if name else None
        given = _csrf(browsers[name]) if visitor and is_right else wrong
        data = {key: value.encode("utf-8", "surrogatepass") for key, value in fields.items() if _sendable(key)}
        with watched():
            is_well(
                browsers[name].post(
                    path,
                    data={**data, "csrf": given.encode("utf-8", "surrogatepass")},
                    headers=AS_FORM | {"origin": FAR},
                )
            )

    def _csrf(browser: TestClient) -> str:
        return browser.get("/inbox").text.partition('name="csrf" value="')[2].partition('"')[0]

    def _sendable(key: str) -> bool:
        return "\ud800" not in key

    assert access is not None
    sent()


@pytest.mark.parametrize(
    "name", ["accept", "accept-language", "cookie", "authorization", "origin", "host", "x-forwarded-for"]
)
def test_whatever_stands_in_a_header(house: House, name: str) -> None:
    browser = house.browser(FAR, THERE)
    odd = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=300)

    @examples(12)
    @given(odd | st.sampled_from(["a" * 60_000 + "!", "a-" * 30_000 + "!", "," * 9999, "a=" * 9999, ";" * 60_000]))
    def shown(value: str) -> None:
        with watched():
            is_well(browser.get("/sign-in", headers={name: value.encode("latin-1")}))

    shown()
