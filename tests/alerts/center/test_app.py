"""The door: names, other sites, methods, how many; and which role is answered what on every page there is."""

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from fakes.center import AS_FORM, FAR, HERE, LOCAL, SECRET, THERE, House, send, signed_in
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, OperationalError
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from alerts.center import app as center_app
from alerts.center.access import ROLES, Visitor
from alerts.center.app import known_pages
from config.schema import Config

PEOPLE = {"eve": {"role": "viewer"}, "ana": {"role": "care"}, "boss": {"role": "admin"}}
TEAM = {"listen": "0.0.0.0:8765", "address": FAR, "people": PEOPLE}
SSO = {**TEAM, "proxies": ["10.0.0.5"], "user_header": "X-Forwarded-User"}
FRAME = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


@pytest.fixture
def house(config: Config, engine: Engine, tmp_path: Path, now: datetime) -> House:
    """As it ships: this machine alone."""
    return House(config, engine, tmp_path / "data", now)


@pytest.fixture
def team(house: House) -> House:
    """With people who sign in."""
    house.set(**TEAM)
    return house


# ---------------------------------------------------------------- every page there is

# A page says once, in ROLE, who may see it; whatever is sent is for the care team, and only what stands here is otherwise.
OPEN = {"GET /sign-in", "POST /sign-in", "GET /language/{lang}"}
WATCHED = {"GET /healthz", "HEAD /healthz", "GET /readyz", "HEAD /readyz"}
OTHERWISE = {
    "GET /cases/{case_id:int}/do/{action}": "care",
    "GET /spikes/{spike_id:int}": "care",
    "POST /sign-out": "viewer",
    **dict.fromkeys(("GET /tuning/try", "GET /tuning/try/{file}"), "admin"),
    **dict.fromkeys(("POST /tuning/try", "POST /tuning/stop", "POST /tuning/save"), "admin"),
}


def routes() -> Iterator[tuple[str, str]]:
    """Each method and address of every page."""
    for name, page in known_pages().items():
        for route in page.router.routes:
            assert isinstance(route, APIRoute), name
            yield from ((method, route.path) for method in sorted(route.methods))


def needed(method: str, path: str) -> str | None:
    """The least role that is let in; None: whoever asks."""
    if f"{method} {path}" in OPEN | WATCHED:
        return None
    if f"{method} {path}" in OTHERWISE:
        return OTHERWISE[f"{method} {path}"]
    role = next(page.ROLE for page in known_pages().values() if path in paths(page))
    assert role is not None, "open to whoever asks: name it above if that is meant"
    return role if method in ("GET", "HEAD") or ranks(role) > ranks("care") else "care"


def paths(page: Any) -> set[str]:
    return {route.path for route in page.router.routes}


def filled(path: str) -> str:
    """With something in the place of what an address leaves open."""
    words = {"action": "claim", "lang": "es", "name": "no.css", "topic": "inbox", "file": "care.toml"}
    return re.sub(r"\{(\w+)(:int)?\}", lambda found: "1" if found[2] else words[found[1]], path)


@pytest.mark.parametrize(("method", "path"), list(routes()))
def test_who_is_let_in_where(team: House, method: str, path: str) -> None:
    least = needed(method, path)
    for name in (None, *PEOPLE):
        browser = signed_in(team, name) if name else team.browser(FAR, THERE)
        status = browser.request(method, filled(path), headers={"origin": FAR, "accept": "text/plain"}).status_code
        role = PEOPLE[name]["role"] if name else None
        if least is None:
            assert status not in (401, 403) or (path, status) == ("/sign-in", 401), (name, status)
        elif role is None:
            assert status == 401, (name, status)
        elif ranks(role) < ranks(least):
            assert status == 403, (name, status)
        elif method in ("GET", "HEAD"):
            assert status not in (401, 403), (name, status)
        else:
            assert status == 403, "without what the form carries nobody sends anything"


def ranks(role: str) -> int:
    return [*ROLES].index(role)  # type: ignore[arg-type]


def test_nothing_is_served_but_pages(house: House) -> None:
    """Neither FastAPI's own pages nor anything that was added at another place."""
    served = {route.path for route in house.app._app.routes if isinstance(route, Route | Mount)}
    assert served <= {path for _, path in routes()} | {"/static/{name}", "/live/{topic}", "/listen"}
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert house.browser().get(path).status_code == 404


@pytest.mark.parametrize("topic", sorted(name for name, page in known_pages().items() if hasattr(page, "news")))
def test_what_is_new_is_for_who_may_see_the_page(team: House, topic: str) -> None:
    role = known_pages()[topic].ROLE
    assert team.browser(FAR, THERE).get(f"/live/{topic}").status_code == 303
    for name, seat in PEOPLE.items():
        if role is not None and ranks(seat["role"]) < ranks(role):
            assert signed_in(team, name).get(f"/live/{topic}").status_code == 403


# ---------------------------------------------------------------- names and other sites


@pytest.mark.parametrize(
    ("base_url", "path", "status"),
    [
        (LOCAL, "/inbox", 200),
        ("http://localhost:8765", "/inbox", 200),
        ("http://evil.example:8765", "/inbox", 421),  # made to lead here
        ("http://evil.example:8765", "/sign-in", 421),
        ("http://evil.example:8765", "/live/inbox", 421),
        ("http://10.0.0.7:8765", "/inbox", 401),
    ],
)
def test_names_that_lead_here(house: House, base_url: str, path: str, status: int) -> None:
    assert house.browser(base_url).get(path, headers={"accept": "*/*"}).status_code == status


def test_a_scraper_calls_by_any_name_and_only_reads(team: House) -> None:
    program = team.browser("http://metrics.internal:8765", ("10.9.9.9", 4000), accept="*/*")
    assert program.get("/inbox").status_code == 421
    with_token = {"authorization": f"Bearer {team.token('eve')}"}
    assert program.get("/inbox", headers=with_token).status_code == 200
    assert program.get("/inbox", headers={"authorization": "Bearer wrong"}).status_code == 401
    for name in PEOPLE:
        answer = program.post(
            "/cases/1/do/claim",
            headers={"authorization": f"Bearer {team.token(name)}", "origin": program.base_url.host},
        )
        assert answer.status_code == 403
        answer = program.post(
            "/cases/1/do/claim",
            headers={"authorization": f"Bearer {team.token(name)}", "origin": "http://metrics.internal:8765"},
        )
        assert (answer.status_code, "only reads" in answer.text) == (403, True)


@pytest.mark.parametrize("path", ["/cases/1/do/claim", "/sign-in", "/sign-out", "/cases/1/check", "/nothing"])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9999", "http://localhost:8765", "null"])
def test_other_sites_send_nothing(house: House, path: str, origin: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert send(house.browser(), path, origin, csrf="x").status_code == 403
    assert "center foreign=yes" in caplog.text


def test_other_sites_have_nothing_looked_at_behind_ones_back(house: House) -> None:
    """A picture on another port of this machine would write down that its owner looked at a danger case."""
    browser = house.browser()
    background = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    assert browser.get("/inbox", headers=background).status_code == 403
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert browser.get("/inbox", headers=link).status_code == 200


def test_a_form_carries_what_no_other_site_knows(house: House) -> None:
    browser = house.browser()
    for fields in ({}, {"csrf": ""}, {"csrf": "0" * 32}):
        assert send(browser, "/cases/1/do/claim", **fields).status_code == 403
    right = house.app._access.csrf(Visitor(*(2 * (who_is_here(house),)), "admin"))
    assert send(browser, "/cases/1/do/claim", csrf=right).status_code == 404, "there is no such case"


def who_is_here(house: House) -> str:
    page = house.browser().get("/inbox").text
    return page.partition('data-who="')[2].partition('"')[0]


def test_a_token_in_an_address_is_nothing(team: House) -> None:
    browser = team.browser(FAR, THERE, accept="*/*")
    for name in ("token", "authorization", "csrf", "access_token"):
        assert browser.get("/inbox", params={name: team.token("boss")}).status_code == 401
    assert browser.post("/sign-in", params={"token": team.token("boss")}, headers={"origin": FAR}).status_code == 401


# ---------------------------------------------------------------- odd requests


@pytest.mark.parametrize(
    "path",
    [
        "//listen",
        "//inbox",
        "/listen/../inbox",
        "/listen/%2e%2e/inbox",
        "/listen/..%2finbox",
        "/inbox/../listen/",
        "/listen//../inbox",
        "/./inbox",
        "/listen\\..\\inbox",
        "/listen/%5c..%5cinbox",
    ],
)
def test_paths_that_a_web_server_reads_otherwise(house: House, path: str) -> None:
    status, headers, body = raw(house, "GET", path)
    assert (status, body) == (404, b"There is no such page.\n"), "and never the form's own word"
    assert headers[b"content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/Inbox", "/inbox/", "/listening", "/cases/abc", "/cases/1e3", f"/cases/{10**20}", "/cases/-", "/%00"]
)
def test_pages_that_are_none(house: House, path: str) -> None:
    status, headers, body = raw(house, "GET", path)
    assert status == 404
    assert b"There is no such" in body
    assert headers[b"content-security-policy"]


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "", "GET "])
@pytest.mark.parametrize("path", ["/inbox", "/cases/1/do/claim", "/sign-in", "/"])
def test_other_methods(house: House, method: str, path: str) -> None:
    status, headers, _ = raw(house, method, path)
    assert status in (403, 404, 405)
    assert b"access-control-allow-origin" not in headers


def raw(
    house: House, method: str, path: str, headers: list[tuple[bytes, bytes]] | None = None, body: bytes = b""
) -> tuple[int, dict[bytes, bytes], bytes]:
    """An answer to what no client would send."""
    own = [(b"host", b"127.0.0.1:8765"), (b"connection", b"keep-alive")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": own if headers is None else headers, "client": HERE, "server": ("127.0.0.1", 8765),
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    pieces = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return pieces.pop() if pieces else {"type": "http.disconnect"}

    async def keep(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(house.app(scope, receive, keep))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent)


# ---------------------------------------------------------------- every answer


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/inbox", {}),
        ("/nothing", {}),
        ("/cases/999", {}),
        ("/sign-in", {}),
        ("/language/es", {}),
        ("/inbox", {"host": "evil.example"}),
        ("/inbox", {"sec-fetch-site": "cross-site"}),
        ("/inbox", {"authorization": "Bearer wrong"}),
    ],
)
def test_what_every_answer_says(house: House, path: str, headers: dict[str, str]) -> None:
    answer = house.browser().get(path, headers=headers)
    assert FRAME.items() <= dict(answer.headers).items()
    assert answer.headers["cache-control"] == "no-store"


def test_what_never_changes_may_be_kept(house: House) -> None:
    page = house.browser().get("/inbox").text
    address = page.partition('<script src="')[2].partition('"')[0]
    answer = house.browser("http://any.example").get(address)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert FRAME.items() <= dict(answer.headers).items()
    assert house.browser().get("/static/center.key").status_code == 404


def test_what_nobody_thought_of_gives_nothing_away(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("my dad collapsed")

    monkeypatch.setattr("alerts.inbox.counts", breaks)
    browser = TestClient(house.app, LOCAL, False, headers={"connection": "keep-alive"}, client=HERE)
    with caplog.at_level(logging.DEBUG):
        answer = browser.get("/inbox", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "my dad" not in answer.text + caplog.text
    assert "error=RuntimeError" in caplog.text
    assert FRAME.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "error", [OverflowError(), DataError("select", {}, Exception("out of range")), RequestValidationError([])]
)
def test_what_no_address_of_ours_holds_is_no_page(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("alerts.inbox.counts", breaks)
    assert house.browser().get("/inbox").status_code == 404


def test_a_database_that_is_away_lets_nobody_in(team: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = signed_in(team, "ana")

    def away(*_: object) -> bool:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr("alerts.center.app.is_signed_out", away)
    answer = browser.get("/inbox")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


# ---------------------------------------------------------------- how many


def taken(browser: TestClient, path: str, status: int) -> int:
    """How many requests get this answer until they are too many; a slow machine is given more meanwhile."""
    answers = (send(browser, path, csrf="x").status_code for _ in range(2_000))
    rest = next((number, answer) for number, answer in enumerate(answers) if answer != status)
    assert rest[1] == 429
    return rest[0]


def test_so_much_a_minute(team: House) -> None:
    """Whoever signs in has a measure of their own: strangers who send without end hold up nobody."""
    stranger, ana = team.browser(FAR, THERE), signed_in(team, "ana")
    assert taken(stranger, "/sign-out", 401) >= 55
    assert send(stranger, "/sign-out").headers["retry-after"]
    assert send(ana, "/cases/1/do/claim", csrf="x").status_code == 403
    assert taken(ana, "/cases/1/check", 403) >= 200
    assert send(signed_in(team, "boss"), "/cases/1/check", csrf="x").status_code == 403


def test_tokens_are_not_found_by_trying(team: House) -> None:
    program = team.browser(FAR, ("10.9.9.9", 4000), accept="*/*")
    answers = [program.get("/inbox", headers={"authorization": f"Bearer {n}"}).status_code for n in range(12)]
    assert answers == [401] * 10 + [429] * 2
    assert program.get("/inbox", headers={"authorization": f"Bearer {SECRET}"}).status_code == 429
    assert program.get("/inbox", headers={"authorization": f"Bearer {team.token('eve')}"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"a=1&" * 600, AS_FORM),
        (b"\xff\xfe&=&==&;", AS_FORM),
        (b'{"csrf": "x"}', {"content-type": "application/json"}),
        (b"--x\r\n", {"content-type": "multipart/form-data; boundary=x"}),
        (b"+ADw-", {"content-type": "application/x-www-form-urlencoded; charset=utf-7"}),
        (b"\x1f\x8b", AS_FORM | {"content-encoding": "gzip"}),
        (b"", {}),
    ],
)
def test_forms_that_are_none(house: House, body: bytes, headers: dict[str, str]) -> None:
    answer = house.browser().post("/cases/1/do/claim", content=body, headers=headers | {"origin": LOCAL})
    assert answer.status_code == 403


def test_a_form_that_is_too_large(house: House) -> None:
    answer = house.browser().post("/sign-in", content=b"token=" + b"a" * 600_000, headers=AS_FORM | {"origin": LOCAL})
    assert answer.status_code == 413


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"host", b"origin", b"cookie", b"authorization", b"content-type", b"x-forwarded-user"]),
        st.binary(max_size=40),
    ),
    max_size=5,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(["GET", "POST", "HEAD"]), path=st.text(max_size=20), headers=HEADERS, body=st.binary())
def test_whatever_is_sent_is_answered(
    house: House, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    status, said, _ = raw(house, method, f"/{quote(path)}", headers, body)
    assert status in (303, 401, 403, 404, 405, 421, 429)
    assert said[b"x-content-type-options"] == b"nosniff" or path.startswith("listen")


# ---------------------------------------------------------------- pages that stay open


def stays(house: House, monkeypatch: pytest.MonkeyPatch, changed: Any) -> int:
    """How many pieces of news an open page of ana's gets of four, when `changed` happens after the second."""
    monkeypatch.setattr(center_app, "_LOOKED_AFTER", 0.0)
    ana = signed_in(house, "ana")

    class Four:
        pages, topics = 0, ("inbox",)

        async def stream(self, *_: object) -> Any:
            for number in range(4):
                if number == 2:
                    await asyncio.to_thread(changed, ana)
                yield b"event: now\n\n"

    monkeypatch.setattr(house.app._app.state, "live", Four())
    return ana.get("/live/inbox").text.count("event")


@pytest.mark.parametrize(
    ("after", "pieces"),
    [
        ({"ana": {"role": "care"}}, 4),
        ({"ana": {"role": "viewer"}}, 4),
        ({"boss": {"role": "admin"}}, 2),
        ({"ana": {"role": "care", "token": 2}}, 2),
    ],
)
def test_an_open_page_ends_with_its_role(
    team: House, monkeypatch: pytest.MonkeyPatch, after: dict[str, Any], pieces: int
) -> None:
    assert stays(team, monkeypatch, lambda _: team.set(**TEAM | {"people": after})) == pieces


def test_an_open_page_ends_when_they_sign_out(team: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def out(ana: TestClient) -> None:
        again = team.browser(FAR, THERE, cookie=f"__Host-call_light={ana.cookies['__Host-call_light']}")
        csrf = again.get("/sign-in").headers  # signed in: it leads on
        assert csrf["location"] == "/"
        page = again.get("/nothing").text
        form = page.partition('name="csrf" value="')[2].partition('"')[0]
        assert send(again, "/sign-out", csrf=form).status_code == 303

    assert stays(team, monkeypatch, out) == 2


def test_one_person_does_not_hold_all_open_pages(team: House, monkeypatch: pytest.MonkeyPatch) -> None:
    eve, ana = signed_in(team, "eve"), signed_in(team, "ana")

    class Still:
        pages, topics = 0, ("inbox",)

        async def stream(self, *_: object) -> Any:
            yield b"event: now\n\n"

    monkeypatch.setattr(team.app._app.state, "live", Still())
    for _ in range(3):
        assert eve.get("/live/inbox").status_code == 200
    assert team.app.open == {}, "a page that was closed is not counted any more"
    team.app.open["eve"] = center_app._PAGES_EACH
    assert (eve.get("/live/inbox").status_code, ana.get("/live/inbox").status_code) == (503, 200)


# ---------------------------------------------------------------- what an attacker tries


@pytest.mark.parametrize(("base_url", "told"), [(FAR, "max-age=31536000; includeSubDomains"), (LOCAL, None)])
@pytest.mark.parametrize("path", ["/sign-in", "/healthz", "/nothing", "//nothing", "/static/center.css", "/listen/"])
def test_browsers_come_back_by_tls_alone(house: House, base_url: str, told: str | None, path: str) -> None:
    if base_url == FAR:
        house.set(**TEAM)
    assert house.browser(base_url, THERE).get(path).headers.get("strict-transport-security") == told


def test_what_is_looked_at_is_counted(team: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each visitor by themselves, and strangers by address; what looks whether we live is not kept from it."""
    monkeypatch.setattr(center_app, "_READ", (5, 100))
    monkeypatch.setattr(center_app, "_READ_BY_STRANGERS", (3, 100))
    house = House(team.config, team.engine, team.data, team.now)
    stranger = house.browser(FAR, THERE)
    assert [stranger.get("/sign-in").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [stranger.get(path).status_code for path in ("/healthz", "/static/center.css")] == [200, 200]
    eve, ana = signed_in(house, "eve"), signed_in(house, "ana")
    assert [eve.get("/inbox").status_code for _ in range(6)] == [200] * 5 + [429]
    assert ana.get("/inbox").status_code == 200


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "GETS"])
@pytest.mark.parametrize("path", ["/inbox", "/cases/1", "/sign-in"])
def test_methods_that_nothing_here_has(team: House, method: str, path: str) -> None:
    answer = signed_in(team, "boss").request(method, path, headers={"origin": FAR, "x-planted": "planted"})
    assert answer.status_code == 405
    assert "planted" not in answer.text


def test_no_other_site_may_read(team: House) -> None:
    """Neither is a page of ours shared with other origins, nor asked before with OPTIONS."""
    eve = signed_in(team, "eve")
    for path in ("/inbox", "/live/inbox", "/metrics"):
        answer = eve.get(path, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
        assert answer.status_code in (403, 404)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../data/center.key",
        "/static/..%2f..%2fdata%2fcenter.key",
        "/static/%2e%2e/center.key",
        "/week?span=../../../../etc/passwd",
        "/week/..%2f..%2fcall-light.db",
        "/tuning/try/..%2f..%2f.env",
        "/tuning/try/%2fetc%2fpasswd",
        "/live/..%2f..%2fetc",
        "/listen/..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_address_leads_to_a_file(team: House, path: str) -> None:
    (team.data / "center.key").write_bytes(b"planted" * 8)
    answer = signed_in(team, "boss").get(path)
    assert answer.status_code in (303, 404, 409, 422) or "week" in path
    assert "planted" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "word", ["planted\r\naction=sign_in known=yes", "planted\x1b[2J", "planted\n2026-11-16T15:00 INFO"]
)
def test_nothing_that_is_sent_reaches_the_log(team: House, caplog: pytest.LogCaptureFixture, word: str) -> None:
    with caplog.at_level(logging.DEBUG):
        stranger = team.browser(FAR, THERE)
        assert send(stranger, "/sign-in", token=word).status_code == 401
        stranger.get("/inbox", params={"q": word}, headers={"user-agent": word.encode().hex()})
        send(stranger, f"/{quote(word)}", origin="https://evil.example")
    assert [
        record for record in caplog.records if "planted" in record.getMessage() and record.name.startswith("alerts")
    ] == []


def test_what_somebody_may_not_do_is_written_down(team: House, caplog: pytest.LogCaptureFixture) -> None:
    eve = signed_in(team, "eve")
    assert send(eve, "/cases/1/do/claim").status_code == 403
    assert eve.get("/tuning/try").status_code == 403
    assert caplog.text.count("allowed=no role=viewer") == 2


def test_what_the_door_refuses_is_in_the_visitor_s_language(team: House) -> None:
    browser = team.browser("http://evil.example", THERE, accept_language="es")
    assert browser.get("/inbox").text.startswith("Este servidor no se llama así")
