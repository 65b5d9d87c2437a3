"""Signing in and out: nobody is sent elsewhere, nothing is kept that can be played again."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.center import FAR, LOCAL, SECRET, THERE, House, send, signed_in
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts.center.page import go
from alerts.center.pages.sign_in import _ours
from config.schema import Config

PEOPLE = {"ana": {"role": "care"}, "wall": {"role": "viewer", "stay": "90d"}}
TEAM = {"listen": "0.0.0.0:8765", "address": FAR, "people": PEOPLE}
COOKIE = "__Host-call_light"


@pytest.fixture
def house(config: Config, engine: Engine, tmp_path: Path, now: datetime) -> House:
    house = House(config, engine, tmp_path / "data", now)
    house.set(**TEAM)
    return house


def csrf(browser: TestClient) -> str:
    """What the forms of a page carry."""
    return browser.get("/inbox").text.partition('name="csrf" value="')[2].partition('"')[0]


def test_a_stranger_signs_in_and_goes_on(house: House) -> None:
    browser = house.browser(FAR, THERE)
    asked = browser.get("/cases/3/do/claim?x=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?to=/cases/3/do/claim%3Fx%3D1")
    page = browser.get(asked.headers["location"])
    assert 'value="/cases/3/do/claim?x=1"' in page.text
    done = send(browser, "/sign-in", token=house.token("ana"), to="/inbox")
    assert (done.status_code, done.headers["location"]) == (303, "/inbox")
    assert 'data-who="ana"' in browser.get("/inbox").text


@pytest.mark.parametrize(
    ("address", "cookie", "seconds"),
    [
        ("https://care.stbrigid.example", "__Host-call_light", 90 * 86400),
        ("http://care.stbrigid.example", "call_light", 90 * 86400),
    ],
)
def test_the_cookie(house: House, address: str, cookie: str, seconds: int) -> None:
    house.set(**TEAM | {"address": address})
    said = send(house.browser(address, THERE), "/sign-in", token=house.token("wall")).headers["set-cookie"]
    name, *marks = said.partition("=")[0], *said.lower().split("; ")[1:]
    assert name == cookie
    assert {"httponly", "path=/", "samesite=strict", f"max-age={seconds}"} <= set(marks)
    assert ("secure" in marks) == address.startswith("https")
    assert not any(mark.startswith("domain") for mark in marks)
    assert house.token("wall") not in said


@pytest.mark.parametrize("token", ["", "x", "wall", SECRET[:-1], SECRET + " x"])
def test_a_wrong_token(house: House, token: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = send(house.browser(FAR, THERE), "/sign-in", token=token)
    assert answer.status_code == 401
    assert "nobody" in answer.text
    assert "set-cookie" not in answer.headers
    assert "sign_in known=no" in caplog.text
    assert not token or token not in caplog.text


def test_too_many_tries(house: House) -> None:
    browser = house.browser(FAR, THERE)
    answers = [send(browser, "/sign-in", token=f"guess {n}") for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert "Please wait" in answers[-1].text
    assert send(browser, "/sign-in", token=SECRET).status_code == 429
    assert send(browser, "/sign-in", token=house.token("ana")).status_code == 303, "a nurse is let in all the same"


def test_who_signed_out_is_out_with_every_copy_of_the_cookie(house: House) -> None:
    browser, other = signed_in(house, "ana"), signed_in(house, "ana")
    copied = browser.cookies[COOKIE]
    answer = send(browser, "/sign-out", csrf=csrf(browser))
    assert (answer.status_code, answer.headers["clear-site-data"]) == (303, '"storage"')
    assert "secure" in answer.headers["set-cookie"].lower(), "without it browsers keep such a cookie"
    assert COOKIE not in browser.cookies
    for days in (0, 8):
        house.now += timedelta(days=days)
        assert house.browser(FAR, THERE, cookie=f"{COOKIE}={copied}").get("/inbox").status_code == 303
        house.now -= timedelta(days=days)
    assert other.get("/inbox").status_code == 200, "where they have not signed out"


def test_nobody_is_signed_out_by_another_site(house: House) -> None:
    browser = signed_in(house, "ana")
    assert send(browser, "/sign-out", "https://evil.example", csrf=csrf(browser)).status_code == 403
    assert send(browser, "/sign-out").status_code == 403
    assert browser.get("/sign-out").status_code == 405
    assert browser.get("/inbox").status_code == 200


def test_a_cookie_that_was_there_before_is_not_taken_over(house: House) -> None:
    """Nobody can be made to use a sign-in that somebody else has prepared."""
    browser = house.browser(FAR, THERE)
    browser.cookies.set(COOKIE, "prepared", domain="care.stbrigid.example")
    said = send(browser, "/sign-in", token=house.token("ana")).headers["set-cookie"]
    assert "prepared" not in said
    for name in ("call_light", "__host-call_light", "__Secure-call_light"):
        value = said.partition("=")[2].partition(";")[0]
        assert house.browser(FAR, THERE, cookie=f"{name}={value}").get("/inbox").status_code == 303


def test_who_has_signed_in_is_not_asked_again(house: House) -> None:
    answer = signed_in(house, "ana").get("/sign-in", params={"to": "/inbox"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")


def test_a_link_from_elsewhere_goes_round_once(house: House) -> None:
    """Our cookie does not come along with a link in Slack; it does when our own page asks once more."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    answer = house.browser(FAR, THERE).get("/cases/1", headers=link)
    assert (answer.status_code, 'http-equiv="refresh" content="0"' in answer.text) == (200, True)


def test_whom_our_web_server_knows_and_we_do_not(house: House) -> None:
    house.set(**TEAM, proxies=["10.0.0.5"], user_header="X-Forwarded-User")
    browser = house.browser(FAR, ("10.0.0.5", 50000), x_forwarded_user="<b>eve</b>")
    page = browser.get("/sign-in").text
    assert "&lt;b&gt;eve&lt;/b&gt;, but that name may not come in here" in page
    assert "may not come in" not in house.browser(FAR, THERE, x_forwarded_user="eve").get("/sign-in").text


def test_where_nobody_can_sign_in_it_says_so(config: Config, engine: Engine, tmp_path: Path, now: datetime) -> None:
    house = House(config, engine, tmp_path / "data", now, secrets={})
    passed_on = house.browser(x_forwarded_for="198.51.100.7").get("/sign-in").text
    assert "docs/center.md" in passed_on
    assert 'name="token"' not in passed_on


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("/", "/"),
        ("/cases/3?x=1#y", "/cases/3?x=1#y"),
        ("", "/"),
        ("inbox", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/.\\/evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        (" //evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n//evil.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
        ("http://[", "/"),
        ("//[", "/"),
        ("/ok\u2028", "/"),
    ],
)
def test_nobody_is_sent_elsewhere(house: House, to: str, expected: str) -> None:
    assert _ours(to) == expected
    answer = send(house.browser(FAR, THERE), "/sign-in", token=house.token("ana"), to=to)
    assert (answer.status_code, answer.headers["location"]) == (303, expected)
    assert house.browser(FAR, THERE).get("/language/es", params={"to": to}).headers["location"] == expected


@given(st.text(max_size=30) | st.text("/\\.:@ehvil\t\n?#[]%", max_size=12))
def test_no_address_leads_elsewhere(to: str) -> None:
    given = _ours(to)
    assert given.startswith("/")
    assert not given.startswith(("//", "/\\"))
    assert "\r" not in given
    assert "\n" not in given


@pytest.mark.parametrize(("lang", "kept"), [("es", True), ("en", True), ("xx", False), ("es; Domain=evil", False)])
def test_the_language_is_kept(house: House, lang: str, kept: bool) -> None:
    answer = house.browser(LOCAL).get(f"/language/{lang}")
    assert answer.status_code == 303
    assert answer.headers.get("set-cookie", "").startswith(f"__Host-lang={lang};") == kept


def test_every_cookie_is_for_this_host_through_tls_alone(house: House) -> None:
    """No script reads it, no other site sends it along, and no other machine of the domain can give one."""
    browser = house.browser(FAR, THERE)
    answers = [send(browser, "/sign-in", token=house.token("ana")), browser.get("/language/es")]
    told = go(SimpleNamespace(app=house.app._app, headers={}), "/inbox", "Done.")  # type: ignore[arg-type]
    for cookie in (answer.headers["set-cookie"] for answer in (*answers, told)):
        assert cookie.startswith("__Host-")
        assert {"httponly", "secure", "samesite=strict", "path=/"} <= set(cookie.lower().split("; "))
        assert "domain" not in cookie.lower()
    assert 'lang="es"' in browser.get("/inbox").text


def test_who_signs_in_anew_has_ended_what_was_before(house: House) -> None:
    ana = signed_in(house, "ana")
    copied = house.browser(FAR, THERE, cookie=f"__Host-call_light={ana.cookies['__Host-call_light']}")
    assert copied.get("/inbox").status_code == 200
    assert send(ana, "/sign-in", token=house.token("ana")).status_code == 303
    assert (copied.get("/inbox").status_code, ana.get("/inbox").status_code) == (303, 200)
