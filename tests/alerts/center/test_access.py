"""Who may see what: a table of facts, and strangers who send whatever they like."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from alerts.center.access import (
    MASTER,
    Access,
    Asked,
    Visitor,
    cookie_name,
    counted_as,
    is_asked_for,
    is_ours,
    is_own_page,
    key_in,
    named_by_proxy,
)
from config.schema import Center, Seat
from listener.errors import NeedsPerson

SECRET = "a secret of more than twenty characters"
NOW = datetime.fromisoformat("2026-11-16T15:00:00+00:00")
LOCAL = Center()
FAR = {"listen": "0.0.0.0:8765", "address": "https://care.stbrigid.example"}
PEOPLE = {
    "ana@stbrigid.example": {"role": "care", "name": "Ana", "slack": "U0123ABCD"},
    "José": {"role": "care"},
    "wall": {"role": "viewer", "stay": "90d"},
    "boss": {"role": "admin"},
}
TEAM = Center.model_validate({**FAR, "people": PEOPLE})
SSO = Center.model_validate({**FAR, "people": PEOPLE, "proxies": ["10.0.0.5"], "user_header": "X-Forwarded-User"})
OPEN_SSO = SSO.model_copy(update={"everyone": "care"})
HERE = [("host", "127.0.0.1:8765"), ("connection", "keep-alive")]
ACCESS = Access(b"k" * 32, {"CALL_LIGHT_WEB_TOKEN": SECRET})


def asked(address: str, *headers: tuple[str, str], cookie: str = "", is_old: bool = False) -> Asked:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return Asked(address, Headers(raw=raw), cookie, is_old)


def who(center: Center, question: Asked, access: Access = ACCESS) -> tuple[str, str, str] | None:
    visitor = access.visitor(center, question, NOW)
    return None if visitor is None else (visitor.who, visitor.role, visitor.by)


# ---------------------------------------------------------------- this machine


def test_a_program_of_the_same_account_needs_to_keep_no_connection() -> None:
    plain = Headers({"host": "127.0.0.1:8765"})
    assert ACCESS.visitor(LOCAL, Asked("127.0.0.1", plain), NOW) is None, (
        "it may be a web server that speaks for others"
    )
    assert ACCESS.visitor(LOCAL, Asked("127.0.0.1", plain, is_same_account=True), NOW) is not None
    assert ACCESS.visitor(LOCAL, Asked("127.0.0.1", plain, is_old=True, is_same_account=True), NOW) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "localhost:9000", "LOCALHOST"])
def test_this_machine_is_open(address: str, host: str) -> None:
    visitor = ACCESS.visitor(LOCAL, asked(address, ("host", host), ("connection", "keep-alive")), NOW)
    assert visitor is not None
    assert (visitor.role, visitor.by) == ("admin", "machine")


@pytest.mark.parametrize(
    "extra",
    [
        [("X-Forwarded-For", "198.51.100.7")],  # Caddy, Traefik, HAProxy with forwardfor
        [("X-Forwarded-Host", "care.example")],
        [("X-Forwarded-Server", "care.example")],  # Apache
        [("X-Real-IP", "198.51.100.7")],
        [("X-Forwarded-User", "ana@stbrigid.example")],
        [("Forwarded", "for=198.51.100.7")],
        [("Via", "1.1 varnish")],
        [("CF-Connecting-IP", "198.51.100.7")],  # cloudflared
        [("Tailscale-User-Login", "ana")],
        [("Remote-User", "ana")],  # what signs people in
        [("CDN-Loop", "here")],
        [("Fastly-Client-IP", "198.51.100.7")],
        [("Akamai-Origin-Hop", "1")],
        [("Client-IP", "198.51.100.7")],
    ],
)
def test_what_a_web_server_passes_on_is_not_this_machine(extra: list[tuple[str, str]]) -> None:
    assert who(LOCAL, asked("127.0.0.1", *HERE)) is not None
    assert who(LOCAL, asked("127.0.0.1", *HERE, *extra)) is None


def test_nginx_as_it_comes_is_not_this_machine() -> None:
    """It sends the upstream's own name, and nothing of whom it speaks for; from 1.29.7 on it does so in HTTP/1.1."""
    assert who(LOCAL, asked("127.0.0.1", *HERE, is_old=True)) is None
    assert who(LOCAL, asked("127.0.0.1", ("host", "127.0.0.1:8765"))) is None
    assert who(LOCAL, asked("127.0.0.1", ("host", "127.0.0.1:8765"), ("connection", "close"))) is None


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("172.17.0.1", "127.0.0.1:8765"),  # a port mapped by Docker
        ("10.0.0.9", "127.0.0.1:8765"),
        ("127.0.0.1", "care.example"),  # a name that was made to lead here
        ("127.0.0.1", "0.0.0.0:8765"),
        ("127.0.0.1", "localhost.evil.example"),
        ("127.0.0.1", "evil@127.0.0.1"),
        ("127.0.0.1", ""),
        ("", "127.0.0.1:8765"),
        ("testclient", "127.0.0.1:8765"),
    ],
)
def test_nobody_else_is_this_machine(address: str, host: str) -> None:
    assert who(LOCAL, asked(address, ("host", host), ("connection", "keep-alive"))) is None


@pytest.mark.parametrize(
    "center",
    [
        Center(address="http://127.0.0.1:8765"),  # how an admin says: here too everybody signs in
        Center.model_construct(proxies=("10.0.0.5",)),  # this and the next: as no file can say
        TEAM,
        Center.model_construct(listen="0.0.0.0:8765"),
    ],
)
def test_where_others_come_this_machine_signs_in_too(center: Center) -> None:
    assert who(center, asked("127.0.0.1", *HERE)) is None


# ---------------------------------------------------------------- tokens


def test_a_token_is_its_owners() -> None:
    for name, seat in TEAM.people.items():
        visitor = ACCESS.of_token(TEAM, ACCESS.token(name, seat))
        assert visitor is not None
        assert (visitor.who, visitor.name, visitor.role) == (seat.slack or name, seat.name or name, seat.role)
    assert len({ACCESS.token(name, seat) for name, seat in TEAM.people.items()}) == len(PEOPLE)


def test_the_secret_itself_is_an_admins() -> None:
    visitor = ACCESS.of_token(TEAM, SECRET)
    assert visitor is not None
    assert (visitor.who, visitor.role) == (MASTER, "admin")


def renamed(**changes: Any) -> Center:
    people = {**PEOPLE, "wall": {**PEOPLE["wall"], **changes}}
    return Center.model_validate({**FAR, "people": people})


WITHOUT_WALL = Center.model_validate({**FAR, "people": {"boss": {"role": "admin"}}})
OTHER_SECRET = Access(b"k" * 32, {"CALL_LIGHT_WEB_TOKEN": SECRET + "!"})
OTHER_KEY = Access(b"l" * 32, {"CALL_LIGHT_WEB_TOKEN": SECRET})


@pytest.mark.parametrize(
    ("center", "access", "by_token", "by_cookie"),
    [
        (TEAM, ACCESS, "viewer", "viewer"),
        (renamed(role="care"), ACCESS, "care", "care"),  # at once, not with the next sign-in
        (renamed(token=2), ACCESS, None, None),
        (WITHOUT_WALL, ACCESS, None, None),
        (TEAM, OTHER_SECRET, None, None),
        (TEAM, OTHER_KEY, "viewer", None),
        (TEAM, Access(b"k" * 32, {}), None, None),
        (TEAM, Access(b"k" * 32, {"CALL_LIGHT_WEB_TOKEN": SECRET[:19]}), None, None),
    ],
)
def test_what_ends_a_sign_in(center: Center, access: Access, by_token: str | None, by_cookie: str | None) -> None:
    token = ACCESS.token("wall", TEAM.people["wall"])
    visitor = ACCESS.of_token(TEAM, token)
    assert visitor is not None
    cookie = ACCESS.cookie(visitor, NOW)
    held = access.of_token(center, token)
    assert (held.role if held else None) == by_token
    shown = access.visitor(center, asked("10.1.2.3", cookie=cookie), NOW)
    assert (shown.role if shown else None) == by_cookie


@pytest.mark.parametrize("secret", [SECRET, ""])
def test_a_cookie_of_the_secret_ends_with_it(secret: str) -> None:
    visitor = ACCESS.of_token(TEAM, SECRET)
    assert visitor is not None
    question = asked("10.1.2.3", cookie=ACCESS.cookie(visitor, NOW))
    assert (who(TEAM, question, Access(b"k" * 32, {"CALL_LIGHT_WEB_TOKEN": secret})) is not None) == (secret == SECRET)
    assert who(TEAM, question, OTHER_SECRET) is None


@pytest.mark.parametrize(
    ("name", "after", "is_in"),
    [
        ("boss", timedelta(hours=11, minutes=59), True),
        ("boss", timedelta(hours=12), False),
        ("wall", timedelta(days=89), True),
        ("wall", timedelta(days=90), False),
        ("boss", timedelta(hours=-3), True),  # the clock of the server was put back
    ],
)
def test_how_long_somebody_stays(name: str, after: timedelta, is_in: bool) -> None:
    visitor = ACCESS.of_token(TEAM, ACCESS.token(name, TEAM.people[name]))
    assert visitor is not None
    question = asked("10.1.2.3", cookie=ACCESS.cookie(visitor, NOW))
    assert (ACCESS.visitor(TEAM, question, NOW + after) is not None) == is_in


def test_each_sign_in_is_told_from_others() -> None:
    visitor = ACCESS.of_token(TEAM, SECRET)
    assert visitor is not None
    one, other = (ACCESS.visitor(TEAM, asked("10.1.2.3", cookie=ACCESS.cookie(visitor, NOW)), NOW) for _ in range(2))
    assert one
    assert other
    assert one.sign_in
    assert one.sign_in != other.sign_in
    assert ACCESS.csrf(one) == ACCESS.csrf(other), (
        "a draft in a page from before may still be sent after signing in anew"
    )


def test_a_wrong_token_is_not_made_good_by_a_cookie_or_this_machine() -> None:
    visitor = ACCESS.of_token(TEAM, SECRET)
    assert visitor is not None
    wrong = ("authorization", "Bearer wrong")
    assert who(LOCAL, asked("127.0.0.1", *HERE, wrong, cookie=ACCESS.cookie(visitor, NOW))) is None
    assert who(LOCAL, asked("127.0.0.1", *HERE, ("authorization", f"bearer  {SECRET} "))) == (MASTER, "admin", "bearer")


def test_a_token_without_a_secret_says_what_to_do() -> None:
    for secret in ({}, {"CALL_LIGHT_WEB_TOKEN": "x" * 19}):
        with pytest.raises(NeedsPerson, match="openssl rand -base64 32"):
            Access(b"k" * 32, secret).token("ana", Seat(role="care"))


def test_others_who_guess_lock_nobody_out() -> None:
    access = Access(b"k" * 32, {"CALL_LIGHT_WEB_TOKEN": SECRET})
    ana, master = access.of_token(TEAM, access.token("boss", TEAM.people["boss"])), access.of_token(TEAM, SECRET)
    assert sum(access.wait(None, "10.0.0.1", 0.0) == 0 for _ in range(50)) == 10
    assert sum(access.wait(None, f"10.0.1.{n}", 0.0) == 0 for n in range(200)) == 90
    assert access.wait(ana, "10.0.0.1", 0.0) == 0, "who holds a token of their own did not guess it"
    assert access.wait(master, "10.9.9.9", 0.0) > 0, "the secret could be guessed, so it waits as a wrong one does"
    assert access.wait(master, "10.9.9.9", 61.0) == 0


# ---------------------------------------------------------------- web servers that sign people in


@pytest.mark.parametrize(
    ("center", "address", "headers", "expected"),
    [
        (SSO, "10.0.0.5", [("X-Forwarded-User", "ana@stbrigid.example")], ("U0123ABCD", "care", "proxy")),
        (SSO, "::ffff:10.0.0.5", [("X-Forwarded-User", "boss")], ("boss", "admin", "proxy")),
        (SSO, "10.0.0.5", [("x-forwarded-USER", " Ana@StBrigid.example ")], ("U0123ABCD", "care", "proxy")),
        (SSO, "10.0.0.5", [("X-Forwarded-User", "JosÃ©")], ("José", "care", "proxy")),  # UTF-8, as HTTP carries it
        (SSO, "10.0.0.6", [("X-Forwarded-User", "boss")], None),
        (SSO, "127.0.0.1", [("X-Forwarded-User", "boss")], None),
        (TEAM, "10.0.0.5", [("X-Forwarded-User", "boss")], None),
        (SSO, "10.0.0.5", [("X_Forwarded_User", "boss")], None),
        (SSO, "10.0.0.5", [("X-Forwarded-User", "boss"), ("X-Forwarded-User", "wall")], None),
        (SSO, "10.0.0.5", [("X-Forwarded-User", "boss, wall")], None),
        (SSO, "10.0.0.5", [("X-Forwarded-User", "")], None),
        (SSO, "10.0.0.5", [], None),
        (SSO, "10.0.0.5", [("X-Forwarded-User", "eve")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "eve")], ("eve", "care", "proxy")),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "WALL")], ("wall", "viewer", "proxy")),  # no way to more
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "eve, boss")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "e" * 201)], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "eve\x85boss")], None),
        # Names that are written down for somebody else.
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "U0123ABCD")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "U0987ZYXW")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "Call-Light")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "admin")], None),
        (OPEN_SSO, "10.0.0.5", [("X-Forwarded-User", "the hospital's account")], None),
    ],
)
def test_the_word_of_a_web_server(
    center: Center, address: str, headers: list[tuple[str, str]], expected: tuple[str, str, str] | None
) -> None:
    assert who(center, asked(address, ("host", "care.stbrigid.example"), *headers)) == expected


def test_whom_a_web_server_does_not_know_may_have_a_token() -> None:
    """The screen on the wall signs in nowhere else."""
    visitor = ACCESS.of_token(SSO, ACCESS.token("wall", SSO.people["wall"]))
    assert visitor is not None
    for name in ("", "kiosk"):
        question = asked("10.0.0.5", ("X-Forwarded-User", name), cookie=ACCESS.cookie(visitor, NOW))
        assert who(SSO, question) == ("wall", "viewer", "token")


@pytest.mark.parametrize(
    ("address", "forwarded", "expected"),
    [
        ("10.0.0.5", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.5", "forged, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.9", "198.51.100.7", "10.0.0.9"),  # who is no web server of ours cannot be somebody else each time
        ("2001:db8::1", "", "2001:db8::/64"),
        ("2001:db8::2", "", "2001:db8::/64"),
        ("10.0.0.5", "", "10.0.0.5"),
    ],
)
def test_by_whom_requests_are_counted(address: str, forwarded: str, expected: str) -> None:
    assert counted_as(SSO, address, Headers({"x-forwarded-for": forwarded} if forwarded else {})) == expected


# ---------------------------------------------------------------- names, other sites


@pytest.mark.parametrize(
    ("center", "host", "expected"),
    [
        (LOCAL, "127.0.0.1:8765", True),
        (LOCAL, "localhost:8765", True),
        (LOCAL, "[::1]:8765", True),
        (LOCAL, "evil.example:8765", False),
        (LOCAL, "127.0.0.1.evil.example", False),
        (LOCAL, "localhost.", False),
        (LOCAL, "", False),
        (LOCAL, "127.0.0.1@evil.example", False),
        (LOCAL, "127.0.0.1/evil", False),
        (LOCAL, "[::1", False),
        (TEAM, "care.stbrigid.example", True),
        (TEAM, "CARE.stbrigid.example:443", True),
        (TEAM, "10.0.0.7:8765", True),  # a number leads nowhere else; web servers and Prometheus send it
        (TEAM, "stbrigid.example", False),
        (TEAM, "evil.example", False),
        (Center(listen="Front-Desk:80", address="https://c.example"), "front-desk", True),
    ],
)
def test_our_names(center: Center, host: str, expected: bool) -> None:
    assert is_ours(center, host) == expected


@pytest.mark.parametrize(
    ("center", "headers", "expected"),
    [
        (LOCAL, {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765"}, True),
        (LOCAL, {"host": "localhost:9000", "origin": "http://localhost:9000"}, True),
        (LOCAL, {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:9999"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "origin": "http://localhost:8765"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "origin": "https://evil.example"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "origin": "null"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "origin": ""}, False),
        (LOCAL, {"host": "127.0.0.1:8765"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "sec-fetch-site": "same-origin"}, True),
        (LOCAL, {"host": "127.0.0.1:8765", "sec-fetch-site": "same-site"}, False),
        (LOCAL, {"host": "127.0.0.1:8765", "authorization": "Basic YTpi"}, False),  # browsers send it by themselves
        (TEAM, {"host": "care.stbrigid.example", "origin": "https://care.stbrigid.example"}, True),
        (TEAM, {"host": "care.stbrigid.example", "origin": "http://care.stbrigid.example"}, False),
        (TEAM, {"host": "127.0.0.1:8765", "origin": "https://care.stbrigid.example"}, True),  # nginx as it comes
        (TEAM, {"host": "care.stbrigid.example", "origin": "https://evil.stbrigid.example"}, False),
    ],
)
def test_what_a_page_of_ours_sends(center: Center, headers: dict[str, str], expected: bool) -> None:
    assert is_own_page(center, headers) == expected


@pytest.mark.parametrize(
    ("site", "mode", "dest", "expected"),
    [
        (None, None, None, True),
        ("none", "navigate", "document", True),
        ("same-origin", "cors", "empty", True),
        ("same-origin", "no-cors", "image", True),
        ("cross-site", "navigate", "document", True),  # a link in Slack
        ("cross-site", "navigate", "iframe", False),
        ("cross-site", "no-cors", "image", False),
        ("same-site", "no-cors", "script", False),  # another port of this machine
        ("cross-site", "cors", "empty", False),
    ],
)
def test_what_somebody_asked_to_see(site: str | None, mode: str | None, dest: str | None, expected: bool) -> None:
    said = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    assert is_asked_for({name: value for name, value in said.items() if value}) == expected


def test_the_name_of_the_cookie() -> None:
    assert (cookie_name(LOCAL), cookie_name(TEAM)) == ("call_light", "__Host-call_light")


def test_forms_know_their_visitor() -> None:
    one, other = Visitor("ana", "Ana", "care", by="proxy"), Visitor("bob", "Bob", "care", by="proxy")
    assert ACCESS.is_csrf(one, ACCESS.csrf(one))
    assert not any(ACCESS.is_csrf(other, given) for given in (ACCESS.csrf(one), "", "é"))
    assert OTHER_KEY.csrf(one) != ACCESS.csrf(one)


# ---------------------------------------------------------------- the key


def test_the_key_stays_and_is_nobody_elses(tmp_path: Path) -> None:
    key = key_in(tmp_path / "data")
    assert len(key) == 32
    assert key_in(tmp_path / "data") == key
    assert (tmp_path / "data" / "center.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["center.key"]


def test_a_key_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder belongs")
    with pytest.raises(NeedsPerson, match="cannot keep the key"):
        key_in(tmp_path / "data")
    (tmp_path / "center.key").write_bytes(b"short")
    with pytest.raises(NeedsPerson, match="delete it"):
        key_in(tmp_path)


# ---------------------------------------------------------------- strangers

LATIN = st.text(st.characters(max_codepoint=255), max_size=60)
NAMES = st.sampled_from(
    ["host", "connection", "authorization", "x-forwarded-user", "x-forwarded-for", "origin", "sec-fetch-site", "cookie"]
)
SOME_TOKEN = ACCESS.token("wall", TEAM.people["wall"])


@given(
    address=st.sampled_from(["127.0.0.1", "10.1.2.3", "::1", "", "x"]) | st.text(max_size=20),
    headers=st.lists(st.tuples(NAMES, LATIN | LATIN.map("Bearer {}".format) | st.just("boss")), max_size=6),
    cookie=LATIN | st.text(max_size=60) | st.just(f"{SOME_TOKEN}"),
    is_old=st.booleans(),
)
def test_nobody_is_let_in_by_chance(address: str, headers: list[tuple[str, str]], cookie: str, is_old: bool) -> None:
    question = asked(address, *headers, cookie=cookie, is_old=is_old)
    for center in (TEAM, SSO, OPEN_SSO):
        assert ACCESS.visitor(center, question, NOW) is None
        named_by_proxy(center, question)
        is_ours(center, question.headers.get("host", ""))
        is_own_page(center, question.headers)
    if address not in ("127.0.0.1", "::1"):
        assert ACCESS.visitor(LOCAL, question, NOW) is None


@given(st.text(max_size=200) | st.text("abcdefghijklmnopqrstuvwxyz.=-_", max_size=80))
def test_no_words_are_a_token(words: str) -> None:
    assert ACCESS.of_token(TEAM, words) is None


@given(st.integers(0, len(SOME_TOKEN) - 1), st.characters(max_codepoint=0x2FFF))
def test_a_token_that_was_changed_is_none(at: int, letter: str) -> None:
    changed = SOME_TOKEN[:at] + letter + SOME_TOKEN[at + 1 :]
    assert changed == SOME_TOKEN or ACCESS.of_token(TEAM, changed) is None


WALL = Visitor("wall", "wall", "viewer", ACCESS.of_token(TEAM, SOME_TOKEN).session, "token")  # type: ignore[union-attr]
SOME_COOKIE = ACCESS.cookie(WALL, NOW)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from("abcXYZ019-_."))
def test_a_cookie_that_was_changed_is_none(where: float, letter: str) -> None:
    at = int(where * (len(SOME_COOKIE) - 1))  # of the last letter not every bit counts
    changed = SOME_COOKIE[:at] + letter + SOME_COOKIE[at + 1 :]
    assert changed == SOME_COOKIE or ACCESS.visitor(TEAM, asked("10.1.2.3", cookie=changed), NOW) is None
