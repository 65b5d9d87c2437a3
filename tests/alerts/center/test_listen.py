"""The form under /listen/ of another server: what is sent there is kept, and while it is closed people know whom to call."""

import asyncio
import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests
import segno
from conftest import NOW
from fakes.listening_post import Visitor, free_port
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from alerts.center import listen
from config.schema import Config
from listener.collectors import listening_post as collector
from listener.post import Asking, Post
from listener.serving import Limits, Where, served, serving

CONTACT = "Patient Relations 555-0100"
DAD = "My dad collapsed in your waiting room and nobody comes"
ENGLISH = "If someone is in danger, tell any staff member now or call 911."
SPANISH = "Si alguien está en peligro, avise ahora mismo a cualquier miembro del personal o llame al 911."
LIMITS = Limits(connections=300, silence=5.0, life=None, end=0.2, one_request=False)


class Place:
    """A hospital with its center, and with a form that is open or not."""

    def __init__(self, config: Config, center: int) -> None:
        self.config, self.heard = config, list[Post]()
        self.base, self.port = f"http://127.0.0.1:{center}/listen", center
        self.faults = list[type]()
        self.fails = False

    def set(self, **settings: Any) -> None:
        table = collector.Settings(**{"on": True, "contact": CONTACT, "port": free_port(), **settings})
        self.own = f"http://127.0.0.1:{table.port}"
        self.config = self.config.model_copy(update={"collectors": {"listening_post": table}})

    @contextlib.contextmanager
    def open(self, **settings: Any) -> Iterator[Visitor]:
        """The collector runs, as the service runs it; who stands before the form in the center."""
        self.set(**settings)
        ends, began = threading.Event(), threading.Event()
        table = self.config.collectors["listening_post"].model_copy(update={"every": timedelta()})
        asking = Asking(self.config.hospital, NOW, stays=True, stopped=ends.is_set)

        def listens() -> None:
            for page in collector.fetch(table, {}, asking):
                began.set()
                if self.fails and page.posts:
                    return
                self.heard += page.posts

        with ThreadPoolExecutor(1) as service:
            running = service.submit(listens)
            try:
                assert began.wait(10), running.result(0)
                yield Visitor(self.base)
            finally:
                ends.set()
        running.result()


@pytest.fixture
def place(config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(collector, "_LOOK", 0.02)

    def missing(request: Request, _: Exception) -> Response:
        return PlainTextResponse(f"the center's own words at {request.app.state.name}", 404)

    def broken(_: Request, error: Exception) -> Response:
        place.faults.append(type(error))
        return Response(status_code=500)

    handlers: Any = {HTTPException: missing, Exception: broken}
    app = Starlette(routes=listen.routes(lambda: place.config), exception_handlers=handlers)
    app.state.name = "the center"
    with serving(app, Where("The center", "127.0.0.1", 0, "x"), LIMITS) as there:
        place = Place(config, there.port)
        yield place


def bare(answer: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items() if name.lower() not in ("date", "location")}


# open


def test_what_is_sent_there_is_heard(place: Place) -> None:
    with place.open() as ann:
        thanks = ann.says(DAD, "/?at=Emergency", reach="555 0199")
        assert (thanks.status, "Thank you" in thanks.words) == (200, True)
        assert [(post.text, post.place, post.author) for post in place.heard] == [(DAD, "Emergency", "555 0199")]
        assert Visitor(place.own).says("The soup was cold").status == 200
    assert [post.text for post in place.heard] == [DAD, "The soup was cold"]


def test_many_at_both_doors(place: Place) -> None:
    with place.open(per_minute=10_000, per_minute_all=10_000) as ann, ThreadPoolExecutor(8) as phones:
        doors = (ann, Visitor(place.own))
        statuses = list(phones.map(lambda n: doors[n % 2].says(f"Number {n}").status, range(60)))
    assert statuses == [200] * 60
    assert sorted(post.text for post in place.heard) == sorted(f"Number {n}" for n in range(60))


def test_the_way_there_from_the_code_to_the_other_language(place: Place) -> None:
    with place.open() as ann:
        answer = requests.get(place.base + "?at=Emergency&lang=es", allow_redirects=False, timeout=5)
        assert (answer.status_code, answer.headers["Location"]) == (307, "listen/?at=Emergency&lang=es")
        assert requests.get(place.base, allow_redirects=False, timeout=5).headers["Location"] == "listen/"
        spanish = ann.opens("?at=Emergency&lang=es")
        assert spanish.url == place.base + "/?at=Emergency&lang=es"
        assert (spanish.fields["at"], SPANISH in spanish.words) == ("Emergency", True)
        assert not re.search(r'(?:src|href|action)="(?!\?|tel:)', spanish.html), "all links are relative"
        (link,) = re.findall('class="switch" href="([^"]+)"', spanish.html)
        assert ENGLISH in ann.opens("/" + link.replace("&amp;", "&")).words
        assert ann.opens("/healthz").html == "ok"


@pytest.mark.parametrize("public_url", ["https://h.example/listen/", "https://h.example/listen"])
def test_the_poster_leads_there(place: Place, public_url: str) -> None:
    with place.open(public_url=public_url) as ann:
        poster = ann.opens("/poster?at=emergency")
    code = f"{public_url}?at=Emergency"
    assert code in poster.words
    assert segno.make(code, error="m", micro=False).svg_inline(omitsize=True) in poster.html


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://h.example", "Sec_Fetch_Site": ""}, 200),
        ({"Origin": "https://evil.example", "Sec_Fetch_Site": ""}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_whose_page_made_the_browser_send_it(place: Place, headers: dict[str, str], status: int) -> None:
    with place.open(public_url="https://h.example/listen/"):
        assert Visitor(place.base, **headers).says(DAD).status == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/", None),
        ("HEAD", "/?at=Emergency", None),
        ("GET", "/poster", None),
        ("GET", "/healthz", None),
        ("GET", "/nowhere", None),
        ("PUT", "/", b"x"),
        ("POST", "/", b"text="),
        ("POST", "/", b"text=" + b"w" * 6_000),
        ("POST", "/", b"text=" + b"w" * 300_000),
    ],
)
def test_it_answers_as_on_its_own_port(place: Place, method: str, path: str, body: bytes | None) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    with place.open(public_url="https://h.example/listen/"):
        here, own = (
            requests.request(method, base + path, data=body, headers=kind, timeout=5)
            for base in (place.base, place.own)
        )
    assert (here.status_code, bare(here)) == (own.status_code, bare(own))
    number = '(?<=name="form" value=")[0-9a-f]{32}'
    assert re.sub(number, "", here.text) == re.sub(number, "", own.text)


def test_a_web_server_in_front_that_speaks_the_old_way(place: Place) -> None:
    """As nginx does with what stands behind it: HTTP/1.0, and its own word on who asks."""
    body = f"text={quote_plus(DAD)}".encode()
    opened = place.open(public_url="https://h.example/listen/", behind_proxy=True)
    with opened, socket.create_connection(("127.0.0.1", place.port), timeout=10) as line:
        line.sendall(b"POST /listen/?at=Emergency HTTP/1.0\r\nHost: h.example\r\nX-Forwarded-For: 10.0.0.1\r\n")
        line.sendall(b"Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n")
        line.sendall(b"Origin: https://h.example\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        said = line.makefile("rb").read().decode()
    assert (said[:13], "Thank you" in said) == ("HTTP/1.1 200 ", True)
    assert [(post.text, post.place) for post in place.heard] == [(DAD, "Emergency")]


@pytest.mark.parametrize("path", ["/listen/../inbox", "/listen/%2e%2e/inbox", "/listen//inbox", "/listen/%2Finbox"])
def test_no_way_leads_from_it_to_the_pages_of_the_center(place: Place, path: str) -> None:
    with place.open(), contextlib.closing(http.client.HTTPConnection("127.0.0.1", place.port, timeout=5)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        assert (answer.status, b"There is nothing here." in answer.read()) == (404, True)


def test_both_doors_have_one_rate(place: Place) -> None:
    with place.open(per_minute=2) as ann:
        statuses = [one.says("x").status for one in (ann, Visitor(place.own), ann, Visitor(place.own))]
    assert statuses == [200, 200, 429, 429]


def test_behind_a_proxy_people_are_told_apart(place: Place) -> None:
    with place.open(per_minute=1, behind_proxy=True):
        hops = ("10.0.0.1", "6.6.6.6, 10.0.0.1", "10.0.0.1, 10.0.0.2")
        assert [Visitor(place.base, X_Forwarded_For=hop).says(hop).status for hop in hops] == [200, 429, 200]


# its limits


def test_those_who_never_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.open() as ann, socket.create_connection(("127.0.0.1", place.port), timeout=10) as line:
        monkeypatch.setattr(collector, "_TIMEOUT", 0.3)
        line.sendall(b"POST /listen/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n")
        line.sendall(b"Content-Length: 99\r\n\r\ntext=My+dad")
        said = line.makefile("rb").read().decode()
        assert said.startswith("HTTP/1.1 400 ")
        assert "did not arrive whole" in said
        assert ann.says(DAD).status == 200


def test_an_answer_takes_no_longer_than_on_its_own_port(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def for_ever(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(listen, "served", lambda _: for_ever)
    monkeypatch.setattr(collector, "limits", lambda: replace(LIMITS, life=0.2))
    with contextlib.suppress(requests.ConnectionError):
        assert requests.get(place.base + "/", timeout=10).status_code == 500


def test_too_many_at_once_leave_room_for_the_center(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_CONNECTIONS", 2)
    with place.open() as ann:
        lines = [socket.create_connection(("127.0.0.1", place.port), timeout=10) for _ in range(2)]
        for line in lines:
            line.sendall(b"POST /listen/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 100"), "it is being read"
        busy = ann.opens()
        assert (busy.status, busy.headers["Retry-After"]) == (503, "60")
        assert "tell any staff member" in busy.html
        assert "avise a cualquier miembro del personal" in busy.html
        assert "own words at the center" in requests.get(f"http://127.0.0.1:{place.port}/inbox", timeout=5).text
        for line in lines:
            line.sendall(b"text=Help")
            with line:
                assert line.recv(1000)
        assert ann.opens().status == 200


def test_a_fault_of_the_form_stays_in_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(DAD)

    with place.open() as ann:
        monkeypatch.setattr(collector, "read_post", broken)
        answer = ann.says(DAD)
    assert (answer.status, answer.fields["text"], CONTACT in answer.words) == (503, DAD, True)
    assert "listening_post error=RuntimeError" in caplog.text
    assert DAD not in caplog.text
    assert place.faults == []


# closed


@pytest.mark.parametrize("language", ["en", "es", "de"])
def test_whom_to_call_while_it_is_closed(place: Place, language: str) -> None:
    place.set()
    assert served("listening_post") is None
    closed = Visitor(place.base, language).opens("/?at=Emergency")
    assert (closed.status, closed.headers["Retry-After"]) == (503, "60")
    for words in ("This form is closed", "Este formulario está cerrado", ENGLISH, SPANISH):
        assert words in closed.words
    assert closed.words.count(CONTACT) == 2
    assert (closed.words.index("Este") < closed.words.index("This")) == (language == "es")
    assert f'<html lang="{"es" if language == "es" else "en"}">' in closed.html
    assert closed.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert closed.headers["Cache-Control"] == "no-store"
    assert "<form" not in closed.html
    health = Visitor(place.base).opens("/healthz")
    assert (health.status, health.html) == (503, "closed")


def test_words_sent_while_it_is_closed_are_shown_again_and_sent_once_it_is_open(place: Place) -> None:
    with place.open() as ann:
        form = ann.opens("/?at=Emergency")
    again = ann.sends(form, text=DAD, reach="555 0199")
    assert (again.status, again.headers["Retry-After"]) == (503, "60")
    assert (again.fields["text"], again.fields["at"], again.fields["reach"]) == (DAD, "Emergency", "555 0199")
    assert f"could not be saved just now. Please tell any staff member, or contact {CONTACT}" in again.words
    with place.open():
        assert ann.sends(again).status == 200
    assert [(post.text, post.place) for post in place.heard] == [(DAD, "Emergency")]


def test_who_waits_when_it_closes_is_told(place: Place) -> None:
    place.fails = True
    with place.open() as ann:
        answer = ann.says(DAD)
        assert (answer.status, answer.fields["text"]) == (503, DAD)
    assert place.heard == []


def test_it_says_what_the_config_says_now(place: Place) -> None:
    place.set()
    assert CONTACT in Visitor(place.base).opens("/").words
    place.set(contact="The Patient Line 555-0199", emergency="2222")
    closed = Visitor(place.base).opens("/").words
    assert "The Patient Line 555-0199" in closed
    assert CONTACT not in closed
    assert "llame al 2222." in closed


@pytest.mark.parametrize("collectors", [{}, {"on": False}])
def test_a_hospital_without_a_form(place: Place, collectors: dict[str, Any]) -> None:
    place.set(**collectors)
    if not collectors:
        place.config = place.config.model_copy(update={"collectors": {}})
    for path in ("/", "/poster", "/healthz"):
        answer = requests.get(place.base + path, timeout=5)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "There is no form here." in answer.text
        assert "Aquí no hay ningún formulario." in answer.text
        assert CONTACT not in answer.text
