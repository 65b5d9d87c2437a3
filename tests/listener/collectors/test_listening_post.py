"""The form over HTTP, answered by the collector as the service runs it: nobody is thanked for words that are not kept."""

import base64
import contextlib
import errno
import hashlib
import logging
import re
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import segno
from conftest import PROJECT
from fakes.listening_post import Visitor, free_port
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select
from starlette.datastructures import Headers

from alerts.console import Console
from config.schema import Config, Site
from listener import keep
from listener.collectors import listening_post as collector
from listener.errors import NeedsPerson
from listener.mention import Mention
from listener.post import Asking, Page
from listener.service import Passed, Service
from listener.watch import Gap, Watch

CONTACT = "Patient Relations 555-0100"
DANGER = "If someone is in danger, tell any staff member now or call 911."
DAD = "My dad collapsed in your waiting room and nobody comes"


class Building:
    """The service with its form, as `call-light run` has it: started again when it ends."""

    def __init__(self, config: Config, engine: Engine, clock: Any, port: int) -> None:
        self.config, self.engine, self.clock, self.port = config, engine, clock, port
        self.base = f"http://127.0.0.1:{port}"
        self.box: Any = None  # what waits to be kept
        self.errors: list[Exception] = []
        self._thread: threading.Thread | None = None

    def open(self, **settings: Any) -> "Building":
        table = collector.Settings(**{"on": True, "contact": CONTACT, "port": self.port, **settings})
        only = self.config.model_copy(update={"collectors": {"listening_post": table}})
        self.service = Service(only, self.engine, Console({}), {}, lambda: self.clock.at)
        self.passed = Passed()
        self._thread = threading.Thread(target=self._collect)
        self._thread.start()
        waits_for(lambda: is_open(self.port))  # by anybody
        return self

    def _collect(self) -> None:
        try:
            self.service.collect("listening_post", self.passed, stays=True)
        except Exception as error:
            self.errors.append(error)

    def ends(self, within: float = 5) -> float:
        """Wait for the end; how long it took."""
        began = time.monotonic()
        if self._thread is not None:
            self._thread.join(within)
            assert not self._thread.is_alive()
        return time.monotonic() - began

    def close(self) -> float:
        if self._thread is not None:
            self.service.stop.set()
        return self.ends()

    def heard(self) -> list[Mention]:
        with Session(self.engine) as session:
            return list(session.exec(select(Mention).order_by(col(Mention.id))).all())

    def texts(self) -> list[str]:
        return [mention.text for mention in self.heard()]

    def posts(self) -> list[tuple[str, str | None]]:
        return [(mention.text, mention.place) for mention in self.heard()]

    def line(self) -> socket.socket:
        """A connection, to say on it whatever one likes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


@pytest.fixture
def building(config: Config, engine: Engine, clock: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Building]:
    monkeypatch.setattr(collector, "_LOOK", 0.02)
    building = Building(config, engine, clock, free_port())

    class Box(collector._Box):
        def __init__(self) -> None:
            super().__init__()
            building.box = self

    monkeypatch.setattr(collector, "_Box", Box)
    yield building
    building.close()


@pytest.fixture
def ann(building: Building) -> Visitor:
    """She stands before the open form."""
    return Visitor(building.open().base)


class Held:
    """Keeping, which waits or fails when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.at_it, self.fails = threading.Event(), threading.Event(), False
        self.go.set()
        self.pages: list[Page] = []
        really = keep.keep

        def kept(session: Session, name: str, page: Page, *rest: Any) -> keep.Kept:
            if page.posts:
                self.pages.append(page)
                self.at_it.set()
                assert self.go.wait(10)
                if self.fails:
                    raise OperationalError("INSERT", {}, Exception("disk I/O error"))
            return really(session, name, page, *rest)

        monkeypatch.setattr(keep, "keep", kept)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(monkeypatch)
    yield held
    held.go.set()


def waits_for(happened: Callable[[], object], seconds: float = 5) -> None:
    """For what another thread or process does."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.005)


def is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def said(line: socket.socket) -> str:
    """All that comes until the other side closes."""
    with line, line.makefile("rb") as answer:
        try:
            return answer.read().decode()
        except ConnectionError:
            return ""


def hung_up(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def answers(visitor: Visitor) -> bool:
    try:
        return visitor.opens().status == 200
    except requests.ConnectionError:
        return False


def watch(engine: Engine) -> Watch:
    with Session(engine) as session:
        return session.get(Watch, "listening_post") or Watch(name="listening_post")


# what a message becomes


def test_what_a_message_becomes(ann: Visitor, building: Building, clock: Any) -> None:
    shown = ann.says(DAD + "\n\nPlease", "/?at=Emergency", reach="  Ann Lee,\t555 0199 ")
    (mention,) = building.heard()  # there at the moment of the answer
    assert shown.status == 200
    assert re.fullmatch("[0-9a-f]{32}", mention.ref)
    assert timedelta() <= mention.written_at - clock.at < timedelta(seconds=20)
    kept = mention.model_dump(include=set(collector.Post.model_fields) - {"ref", "written_at"})
    assert kept == {
        "source": "listening_post",
        "text": DAD + "\n\nPlease",
        "place": "Emergency",
        "author": "Ann Lee, 555 0199",
        "about_us": True,
        "own": False,
        **dict.fromkeys(("edited_at", "url", "author_name", "answers", "quotes", "rating", "reach")),
        "thread": kept["thread"],
    }


def test_without_anything_else_it_is_anonymous(ann: Visitor, building: Building) -> None:
    shown = ann.says(DAD)
    (mention,) = building.heard()
    assert (mention.text, mention.author) == (DAD, None)
    assert "Thank you" in shown.words
    assert CONTACT in shown.words
    assert DANGER in shown.words


def test_the_place_that_the_code_says(ann: Visitor, building: Building) -> None:
    places = {
        "?at=Emergency": "Emergency",
        "?at=emergency%20": "Emergency",
        "?at=Labor+and+Delivery": "Labor and Delivery",
        "?at=Harbor+Campus": "Harbor Campus",
        "?at=The+Moon": "",
        "?at=%22%3E%3Cscript%3E": "",
        "?at=%00%ff": "",
        "": "",
    }
    for number, (at, left) in enumerate(places.items()):
        form = ann.opens("/" + at)
        assert (at, form.fields["at"]) == (at, left)
        assert not re.search("Moon|<script", form.html)
        ann.sends(form, text=f"Cold {number}")
        assert building.posts()[-1] == (f"Cold {number}", left or None)


def test_a_place_that_is_not_ours_is_left_out(ann: Visitor, building: Building) -> None:
    ann.says("It is cold", at="(left at: The Moon)")
    assert building.texts() == ["It is cold"]


def test_departments_that_two_sites_have(config: Config) -> None:
    sites = (Site(name="North", departments=("Lab", "Ward")), Site(name="South", departments=("Lab",)))
    hospital = config.hospital.model_copy(update={"sites": sites})
    assert collector._sites(hospital) == {"North": ["Lab (North)", "Ward"], "South": ["Lab (South)"]}


def test_a_hospital_without_sites_does_not_ask_where(
    building: Building, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = config.hospital.model_copy(update={"sites": ()})
    building.config = config.model_copy(update={"hospital": nowhere})
    ann = Visitor(building.open().base)
    assert "at" not in ann.opens("/?at=Emergency").fields
    assert ann.says(DAD).status == 200


# sent twice


def test_a_double_press_is_one_mention(ann: Visitor, building: Building, held: Held) -> None:
    form = ann.opens("/?at=Emergency")
    held.go.clear()
    with ThreadPoolExecutor(3) as presses:
        answers = [presses.submit(ann.sends, form, text=DAD) for _ in range(3)]
        assert held.at_it.wait(5)
        held.go.set()
        assert [answer.result().status for answer in answers] == [200] * 3
    assert ann.sends(form, text=DAD).status == 200  # and once more, after a reload
    assert [mention.revision for mention in building.heard()] == [1]


def test_other_words_from_a_form_that_was_used_do_not_replace_the_first(ann: Visitor, building: Building) -> None:
    """A tablet in the waiting room, and "back" on it."""
    form = ann.opens()
    ann.sends(form, text=DAD)
    ann.sends(form, text="The soup was cold")
    assert building.texts() == [DAD, "The soup was cold"]


def test_a_forms_number_that_is_not_ours_is_replaced(ann: Visitor, building: Building) -> None:
    numbers = ["", "../../etc", "A" * 32, "0" * 33, "0" * 31 + "\n"]
    for number in numbers * 2:
        assert ann.says("One", form=number).status == 200
    refs = {mention.ref for mention in building.heard()}
    assert len(refs) == 2 * len(numbers)
    assert all(re.fullmatch("[0-9a-f]{32}", ref) for ref in refs)


# kept before thanked


def test_nobody_is_thanked_before_it_is_kept(ann: Visitor, building: Building, held: Held) -> None:
    held.go.clear()
    with ThreadPoolExecutor(1) as phone:
        answer = phone.submit(ann.says, DAD)
        assert held.at_it.wait(5)
        assert building.heard() == []
        assert not answer.done()
        held.go.set()
        assert answer.result().status == 200
    assert building.texts() == [DAD]


def test_what_cannot_be_kept_is_shown_again_and_goes_through_later(
    ann: Visitor, building: Building, held: Held
) -> None:
    held.fails = True
    form = ann.says(DAD, "/?at=Emergency", reach="555 0199")
    assert form.status == 503
    assert form.fields | {"form": ""} == {
        "form": "",
        "text": DAD,
        "at": "Emergency",
        "reach": "555 0199",
        "website": "",
    }
    assert f"could not be saved just now. Please tell any staff member, or contact {CONTACT}" in form.words
    assert DANGER in form.words
    building.ends()
    assert [type(error) for error in building.errors] == [OperationalError]
    held.fails = False
    building.open()
    assert ann.sends(form).status == 200
    assert building.posts() == [(DAD, "Emergency")]


def test_a_database_that_takes_long_keeps_it_all_the_same(
    ann: Visitor, building: Building, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_KEPT_WITHIN", 0.1)
    held.go.clear()
    first, second = ann.says("First"), ann.says("Second")
    assert (first.status, second.status) == (503, 503)
    monkeypatch.setattr(collector, "_KEPT_WITHIN", 5)
    held.go.set()
    assert ann.sends(second).status == 200
    assert building.texts() == ["First", "Second"]


def test_several_that_wait_become_one_page(ann: Visitor, building: Building, held: Held) -> None:
    held.go.clear()
    with ThreadPoolExecutor(6) as phones:
        answers = [phones.submit(ann.says, "Number 0")]
        assert held.at_it.wait(5)
        answers += [phones.submit(ann.says, f"Number {n}") for n in range(1, 6)]
        waits_for(lambda: len(building.box._waiting) == 5)
        held.go.set()
        assert [answer.result().status for answer in answers] == [200] * 6
    assert [len(page.posts) for page in held.pages] == [1, 5]
    assert len(building.heard()) == 6


def test_not_too_many_wait(ann: Visitor, building: Building, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_MOST_WAITING", 1)
    held.go.clear()
    with ThreadPoolExecutor(2) as phones:
        kept = [phones.submit(ann.says, "Number 0")]
        assert held.at_it.wait(5)
        kept.append(phones.submit(ann.says, "Number 1"))
        waits_for(lambda: building.box._waiting)
        full = ann.says("Number 2")
        assert (full.status, full.fields["text"]) == (503, "Number 2")
        held.go.set()
        assert [answer.result().status for answer in kept] == [200, 200]


@pytest.mark.slow
def test_killed_after_the_thanks(tmp_path: Path, engine: Engine) -> None:
    port = free_port()
    program = f"""
        from datetime import UTC, datetime
        from pathlib import Path
        from alerts.console import Console
        from config.load import load
        from listener.collect import settings_of_all
        from listener.collectors.listening_post import Settings
        from listener.database import open_database
        from listener.service import Service
        config = load(Path({str(PROJECT / "config")!r}), settings_of_all())
        table = Settings(on=True, contact="x", port={port})
        config = config.model_copy(update={{"collectors": {{"listening_post": table}}}})
        Service(config, open_database(Path({str(tmp_path / "data")!r})), Console({{}}), {{}}).collect("listening_post", stays=True)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=PROJECT)
    try:
        waits_for(lambda: is_open(port), 30)
        assert Visitor(f"http://127.0.0.1:{port}").says(DAD).status == 200
    finally:
        process.kill()
        process.wait()
    with Session(engine) as session:
        assert session.exec(select(Mention.text)).all() == [DAD]


# what is not taken as it is


@pytest.mark.parametrize(
    ("filled", "status", "says"),
    [
        ({"text": ""}, 400, "Nothing is written yet"),
        ({"text": " \n\t "}, 400, "Nothing is written yet"),
        ({"text": "w" * 5_001}, 413, "at most 5,000 characters"),
        ({"text": "😀" * 5_001}, 413, "at most 5,000 characters"),
        ({"text": DAD, "reach": "5" * 201}, 400, "at most 200 characters"),
        ({"text": DAD, "website": "https://spam.example"}, 403, "press Send once more"),
    ],
    ids=["empty", "blank", "too long", "too long in emoji", "reach too long", "the field for robots"],
)
def test_what_is_refused_is_shown_again(
    ann: Visitor, building: Building, filled: dict[str, str], status: int, says: str
) -> None:
    again = ann.says(**{"address": "/?at=Emergency", **filled})
    assert again.status == status
    assert says in again.words
    assert DANGER in again.words
    assert again.fields["text"] == filled["text"]
    assert again.fields["at"] == "Emergency"
    assert again.fields["reach"] == filled.get("reach", "")
    assert ("<details open>" in again.html) == ("reach" in filled)
    assert "Not sent yet" in again.words
    assert building.heard() == []


def test_what_just_fits(ann: Visitor, building: Building) -> None:
    texts = ["w" * 5_000, "😀" * 5_000, "a\n" * 2_499 + "aa", "\n" + "x" * 5_000 + " "]
    assert [ann.says(text, reach="5" * 200).status for text in texts] == [200] * 4
    assert building.texts() == [text.strip() for text in texts]


def test_a_browser_that_fills_in_the_field_for_robots_loses_nothing(ann: Visitor, building: Building) -> None:
    again = ann.says(DAD, website="https://ann.example")
    assert "website" not in again.fields  # it would only be filled in again
    assert ann.sends(again).status == 200
    assert building.texts() == [DAD]


def test_what_another_site_made_the_browser_send(ann: Visitor, building: Building) -> None:
    shown = Visitor(ann.base, Sec_Fetch_Site="cross-site").says(DAD)
    assert (shown.status, shown.fields["text"], "press Send once more" in shown.words) == (403, DAD, True)
    assert building.heard() == []
    assert ann.sends(shown).status == 200


@pytest.mark.parametrize(
    ("headers", "settings", "elsewhere"),
    [
        ({}, {}, False),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, {}, False),
        ({"sec-fetch-site": "none"}, {}, False),
        ({"sec-fetch-site": "same-site"}, {}, False),
        ({"sec-fetch-site": "cross-site", "origin": "null"}, {}, True),
        ({"origin": "null"}, {}, False),
        ({"origin": "http://127.0.0.1:1"}, {}, False),
        ({"origin": "https://evil.example"}, {}, True),
        ({"origin": "https://["}, {}, True),
        ({"origin": "file://"}, {}, True),
        ({"origin": "https://h.example"}, {"public_url": "https://H.example/listen"}, False),
        ({"origin": "https://h.example", "x-forwarded-host": "h.example"}, {}, True),
        ({"origin": "https://h.example", "x-forwarded-host": "h.example"}, {"behind_proxy": True}, False),
    ],
)
def test_from_elsewhere(headers: dict[str, str], settings: dict[str, Any], elsewhere: bool) -> None:
    asked = Headers({"host": "127.0.0.1:8642", **headers})
    assert collector._from_elsewhere(collector.Settings(contact=CONTACT, **settings), asked) is elsewhere


@pytest.mark.parametrize("size", [300_000, 3_000_000])
def test_far_too_much_is_read_away_and_its_beginning_kept(ann: Visitor, building: Building, size: int) -> None:
    again = ann.says(DAD + " " + "w" * size, "/?at=Emergency")
    assert (again.status, again.fields["at"]) == (413, "Emergency")
    assert again.fields["text"].startswith(DAD + " www")
    assert len(again.fields["text"]) < 270_000
    assert "far too long" in again.words


def test_without_an_end_it_is_cut_off(ann: Visitor, building: Building) -> None:
    with building.line() as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n")
        line.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\ntext=")
        with contextlib.suppress(OSError):
            for _ in range(100):
                line.sendall(b"w" * 100_000)
        with contextlib.suppress(ConnectionError):
            assert line.makefile("rb").readline() in (b"", b"HTTP/1.1 413 Request Entity Too Large\r\n")
    assert ann.says(DAD).status == 200


def test_another_kind_of_content(ann: Visitor, building: Building) -> None:
    for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain", "", "a" * 5_000):
        answer = requests.post(ann.base, data=b"text=x", headers={"Content-Type": kind}, timeout=5)
        assert (answer.status_code, "could not be read" in answer.text) == (415, True)
    assert building.heard() == []


@given(
    body=st.one_of(st.binary(max_size=200), st.dictionaries(st.text(), st.text()).map(lambda d: urlencode(d).encode()))
)
def test_whatever_is_sent_becomes_a_post_or_a_page(config: Config, body: bytes) -> None:
    desk = collector._Desk(collector.Settings(contact=CONTACT), config.hospital, lambda: datetime.now(UTC))
    draft = desk.filled(desk.draft({}, {}), body)
    page = desk.page("form", draft, "again")
    assert page.count("<form") == page.count("</textarea>") == 1
    assert desk.post(draft).source == "listening_post"


def test_many_fields(ann: Visitor, building: Building) -> None:
    """Taking them apart would hold up the others."""
    fields = {"text": DAD} | {f"text{n}": "x" for n in range(50)}
    assert requests.post(ann.base, data=fields, timeout=5).status_code == 400
    assert building.heard() == []


def test_what_is_shown_again_is_text(ann: Visitor, building: Building) -> None:
    text = "</textarea><script>alert(1)</script>\n<!-- {{ 7*7 }} \"'& &lt;"
    again = ann.says(text, reach='"><img src=x onerror=alert(1)>', website="x")
    assert (again.fields["text"], again.fields["reach"]) == (text, '"><img src=x onerror=alert(1)>')
    assert "<script" not in again.html
    assert "<img" not in again.html
    assert "49" not in again.words
    assert ann.sends(again).status == 200
    assert building.texts() == [text]


def test_the_line_ends_at_the_beginning_stay(ann: Visitor) -> None:
    assert ann.says("\n\n" + DAD, website="x").fields["text"] == "\n\n" + DAD


# those who do not play along


def test_those_who_never_end(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 1.0)
    ann = Visitor(building.open().base)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n"
    lines = [building.line() for _ in range(3)]
    for line, begun in zip(lines, (head + b"\r\ntext=My+dad", head, b""), strict=True):
        line.sendall(begun)
    assert ann.says(DAD).status == 200  # nobody waits for them
    half_a_body, half_a_head, nothing = (said(line) for line in lines)
    assert half_a_body.startswith("HTTP/1.1 400 ")
    assert "did not arrive whole" in half_a_body
    assert "\nMy dad</textarea>" in half_a_body
    assert (half_a_head, nothing) == ("", "")
    assert building.texts() == [DAD]


def test_one_who_hangs_up(ann: Visitor, building: Building, caplog: pytest.LogCaptureFixture) -> None:
    with building.line() as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ntext=")
    assert ann.says(DAD).status == 200
    assert "error" not in caplog.text


def test_only_so_many_lines_at_once(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_CONNECTIONS", 3)
    ann = Visitor(building.open().base)
    lines = [building.line() for _ in range(3)]
    with building.line() as one_more:
        assert hung_up(one_more)
    lines.pop().close()
    waits_for(lambda: answers(ann))
    for line in lines:
        line.close()


def test_a_flood(ann: Visitor, building: Building) -> None:
    """One address sends and sends: a minute's worth is heard, and everybody can still open the form."""
    form, began = ann.opens("/?at=Emergency"), time.monotonic()
    with ThreadPoolExecutor(8) as phones:
        shown = list(phones.map(lambda n: ann.sends(form, text=f"Number {n}"), range(200)))
    refused = [one for one in shown if one.status == 429]
    more = (time.monotonic() - began) / 2  # one each two seconds
    assert 30 <= len(shown) - len(refused) == len(building.heard()) <= 31 + more
    for one in refused:
        assert 2 <= int(one.headers["Retry-After"]) <= 62
        assert DANGER in one.words
        assert CONTACT in one.words
        assert one.fields["text"].startswith("Number ")
    assert ann.opens().status == 200


def test_addresses_behind_the_proxy_are_told_apart_by_its_own_word(building: Building) -> None:
    building.open(behind_proxy=True, per_minute=1)
    statuses = [
        Visitor(building.base, X_Forwarded_For=hops).says(f"From {hops}").status
        for hops in ("10.0.0.1", "10.0.0.2", "6.6.6.6, 10.0.0.1", "10.0.0.1, 10.0.0.3", "2001:db8::1", "2001:db8::2")
    ]
    assert statuses == [200, 200, 429, 200, 200, 429]


def test_without_a_proxy_nobody_is_believed(building: Building) -> None:
    building.open(per_minute=1)
    statuses = [Visitor(building.base, X_Forwarded_For=f"10.0.0.{n}").says("x").status for n in range(3)]
    assert statuses == [200, 429, 429]


@pytest.mark.slow
def test_many_messages_of_many_people(ann: Visitor, building: Building) -> None:
    building.close()
    building.open(per_minute=10_000, per_minute_all=10_000)
    with ThreadPoolExecutor(8) as phones:
        statuses = list(phones.map(lambda n: ann.says(f"Number {n}").status, range(300)))
    assert set(statuses) == {200}
    assert sorted(building.texts()) == sorted(f"Number {n}" for n in range(300))


# languages


def test_in_spanish_from_the_code_to_the_thanks(building: Building) -> None:
    ana = Visitor(building.open().base, "es-MX,es;q=0.9")
    form = ana.opens("/?at=Emergency")
    assert (
        "Si alguien está en peligro, avise ahora mismo a cualquier miembro del personal o llame al 911." in form.words
    )
    assert "¿Qué pasó? ¿Qué necesita?" in form.words
    assert 'href="?lang=en&amp;at=Emergency"' in form.html
    assert "todavía no ha escrito nada" in ana.sends(form, text=" ").words.lower()
    thanks = ana.sends(form, text="Mi papá se desmayó en la sala de espera y nadie viene")
    assert (thanks.status, "Gracias" in thanks.words) == (200, True)
    assert building.posts() == [("Mi papá se desmayó en la sala de espera y nadie viene", "Emergency")]


def test_the_switch_keeps_the_place(ann: Visitor) -> None:
    (link,) = re.findall('class="switch" href="([^"]+)"', ann.opens("/?at=Labor+and+Delivery").html)
    spanish = ann.opens("/" + link.replace("&amp;", "&"))
    assert (spanish.fields["at"], '<html lang="es">' in spanish.html) == ("Labor and Delivery", True)


def test_every_sentence_is_there_in_each_language() -> None:
    words = collector._template("listening_post").environment.get_template("listening_post.words.jinja").module.words
    assert set(words) == set(collector._LANGUAGES)
    english, spanish = words["en"], words["es"]
    assert set(english) == set(spanish)
    assert set(english["troubles"]) == set(spanish["troubles"])
    for name in english["troubles"]:
        assert (
            len(
                set(re.findall(r"%\(\w+\)s", english["troubles"][name]))
                ^ set(re.findall(r"%\(\w+\)s", spanish["troubles"][name]))
            )
            == 0
        )


# the poster and the rest of the pages


@pytest.mark.parametrize(
    ("public_url", "query", "code"),
    [
        ("https://listen.example", "", "https://listen.example"),
        ("https://listen.example/", "?at=Emergency", "https://listen.example/?at=Emergency"),
        ("https://h.example/l?x=1", "?at=labor+and+delivery", "https://h.example/l?x=1&at=Labor+and+Delivery"),
        ("https://listen.example/", "?at=The+Moon", "https://listen.example/"),
    ],
)
def test_the_poster(building: Building, public_url: str, query: str, code: str) -> None:
    poster = Visitor(building.open(public_url=public_url).base).opens("/poster" + query)
    assert poster.status == 200
    assert segno.make(code, error="m", micro=False).svg_inline(omitsize=True) in poster.html
    assert code in poster.words
    for words in (
        "Saint Brigid Medical Center",
        "Tell us what happened",
        "Cuéntenos qué pasó",
        DANGER,
        "llame al 911.",
    ):
        assert words in poster.words
    assert "The Moon" not in poster.html


def test_the_poster_in_spanish_begins_in_spanish(building: Building) -> None:
    poster = Visitor(building.open(public_url="https://listen.example").base).opens("/poster?lang=es")
    spanish, english = ("Cuéntenos qué", "Escanee", "Si alguien"), ("Tell us what", "Scan with", "If someone")
    at = {words: poster.words.index(words) for words in spanish + english}
    assert all(at[first] < at[then] for first, then in zip(spanish, english, strict=True))


def test_no_poster_without_a_public_address(ann: Visitor) -> None:
    assert ann.opens("/poster").status == 404


def test_there_is_nothing_else(ann: Visitor) -> None:
    for address in ("/nowhere", "/docs", "/openapi.json", "/../etc/passwd", "/%00", "/favicon.ico"):
        shown = ann.opens(address)
        assert (shown.status, "There is nothing here." in shown.words, DANGER in shown.words) == (404, True, True)
    assert requests.put(ann.base, timeout=5).status_code == 404


def test_healthz(ann: Visitor) -> None:
    assert ann.opens("/healthz").html == "ok"


def test_looking_without_fetching(ann: Visitor) -> None:
    answer = requests.head(ann.base + "/?at=Emergency", timeout=5)
    assert (answer.status_code, answer.text) == (200, "")


def test_every_page_is_closed_to_everything_else(building: Building) -> None:
    ann = Visitor(building.open(public_url="https://listen.example", per_minute=3).base)
    pages = [
        ann.opens(),
        ann.says(DAD),
        ann.says(""),
        ann.says(DAD),
        ann.says(DAD),
        ann.opens("/poster"),
        ann.opens("/x"),
    ]
    assert [page.status for page in pages] == [200, 200, 400, 200, 429, 200, 404]
    for page in pages:
        (style,) = re.findall("<style>(.*?)</style>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert page.headers["Content-Security-Policy"] == (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not {"set-cookie", "server"} & {name.lower() for name in page.headers}
        assert not re.search(r"<script|<img|<link|<iframe|\sstyle=|\son\w+=|autofocus|url\(|@import", page.html)
        assert not re.search(r'(?:src|href|action)="(?!\?|tel:)', page.html)


def test_every_field_has_a_label(ann: Visitor) -> None:
    html = ann.opens().html
    fields = re.findall(r'<(?:textarea|select|input)(?! type="hidden")[^>]* id="(\w+)"', html)
    assert sorted(fields) == ["at", "reach", "text", "website"]
    assert sorted(re.findall(r'<label[^>]* for="(\w+)"', html)) == sorted(fields)


@pytest.mark.parametrize(
    ("emergency", "html"),
    [
        ("911", 'call&nbsp;<a href="tel:911">911</a>.'),
        ("(555) 01-00", 'call&nbsp;<a href="tel:5550100">(555) 01-00</a>.'),
        ("2222 from any phone here", "call&nbsp;2222 from any phone here."),
    ],
)
def test_the_number_for_an_emergency(building: Building, emergency: str, html: str) -> None:
    assert html in Visitor(building.open(emergency=emergency).base).opens().html


# opening and closing


def test_a_single_pass_does_not_open_the_form(building: Building, one_pass: Any) -> None:
    passed = one_pass(collector, collector.Settings(contact=CONTACT, port=building.port), {"open_until": "kept"})
    assert passed.error is None
    assert [(page.posts, page.cursor) for page in passed.pages] == [((), {"open_until": "kept"})]
    assert not is_open(building.port)


def test_it_says_that_it_is_open(building: Building, engine: Engine, clock: Any) -> None:
    """So that people are told when it is not."""
    building.open(every=timedelta(milliseconds=20))
    for _ in range(2):
        clock.at += timedelta(minutes=1)
        waits_for(lambda: watch(engine).asked_at == clock.at)
    assert watch(engine).heard_at is None


@pytest.mark.parametrize(
    ("open_until", "gap"),
    [
        (timedelta(hours=-3), True),
        (timedelta(minutes=-2), False),
        (timedelta(days=2), False),
        (None, False),
        ("2026-11-18T00:00:00", False),
        (7, False),
    ],
    ids=["hours ago", "a restart", "in the future", "never", "no zone", "no time"],
)
def test_the_time_it_was_closed_is_told(
    building: Building, engine: Engine, clock: Any, open_until: Any, gap: bool
) -> None:
    before = (clock.at + open_until).isoformat() if isinstance(open_until, timedelta) else open_until
    with Session(engine) as session:
        session.add(Watch(name="listening_post", cursor={} if before is None else {"open_until": before}))
        session.commit()
    ann = Visitor(building.open().base)
    assert ann.says(DAD).status == 200
    with Session(engine) as session:
        gaps = [(found.since, found.until) for found in session.exec(select(Gap)).all()]
    assert gaps == ([(clock.at - timedelta(hours=3), clock.at)] if gap else [])
    assert clock.at <= datetime.fromisoformat(watch(engine).cursor["open_until"]) < clock.at + timedelta(seconds=20)


def test_it_ends_within_a_second_whoever_is_there(
    building: Building, engine: Engine, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_LOOK", 0.2)
    ann = Visitor(building.open().base)
    lines = [building.line() for _ in range(3)]
    lines[1].sendall(b"GET / HT")
    lines[2].sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ntext=")
    held.go.clear()
    with ThreadPoolExecutor(2) as phones:
        phones.submit(ann.says, "First")
        assert held.at_it.wait(5)
        waiting = phones.submit(ann.says, "Second")
        waits_for(lambda: building.box._waiting)
        building.service.stop.set()
        held.go.set()
        assert building.ends() < 1
        assert waiting.result().status == 503
    for line in lines:
        line.close()
    assert not is_open(building.port)
    assert building.texts() == ["First"]
    assert building.errors == []


def test_it_opens_again_on_the_same_port(building: Building) -> None:
    for number in range(3):
        assert Visitor(building.open().base).says(f"Number {number}").status == 200
        building.close()
    assert len(building.heard()) == 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_taken(building: Building, engine: Engine, host: str) -> None:
    with socket.create_server(("127.0.0.1", building.port)):
        building.open(host=host).ends()
    assert building.passed.trouble == [
        f"listening_post: port {building.port} on {host} is used by another program, or another copy of this one; "
        "change port or host under [collectors.listening_post]"
    ]
    assert watch(engine).failures == 1


@pytest.mark.parametrize(
    ("host", "raised", "words"),
    [
        ("127.0.0.1", PermissionError(errno.EACCES, "Permission denied"), "may not be opened by this user"),
        ("127.0.0.1", OSError(errno.EADDRNOTAVAIL, "Cannot assign"), "does not have that address"),
        ("nowhere.invalid", socket.gaierror(-2, "Name or service not known"), "cannot be opened (gaierror)"),
    ],
)
def test_an_address_that_cannot_be(
    config: Config, monkeypatch: pytest.MonkeyPatch, host: str, raised: OSError, words: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(socket, "create_server", refuse)
    settings = collector.Settings(contact=CONTACT, host=host, port=80)
    with pytest.raises(NeedsPerson, match=re.escape(words)) as error:
        list(collector.fetch(settings, {}, Asking(config.hospital, datetime.now(UTC), stays=True)))
    assert str(error.value).startswith(f"listening_post: port 80 on {host} ")


def test_a_server_that_ends_by_itself(building: Building, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: sockets[0].accept()[0].close())
    building.open().ends()
    assert building.passed.trouble == ["listening_post: the form ended by itself; it opens again soon"]


def test_a_fault_of_ours_is_not_thanked_for(
    ann: Visitor, building: Building, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(DAD)

    monkeypatch.setattr(collector, "read_post", broken)
    answer = ann.says(DAD)
    assert (answer.status, answer.fields["text"], CONTACT in answer.words) == (503, DAD, True)
    assert "listening_post error=RuntimeError" in caplog.text
    assert DAD not in caplog.text


def test_no_log_holds_words_or_addresses(
    building: Building, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        building.open(behind_proxy=True, per_minute=1, every=timedelta(milliseconds=20))
        ann = Visitor(building.base, X_Forwarded_For="203.0.113.7")
        statuses = [ann.says(DAD, "/?at=Emergency", reach="555 0199").status for _ in range(3)]
        assert statuses == [200, 429, 429]
        waits_for(lambda: "busy=" in caplog.text)
        building.close()
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("urllib3"))
    said += "".join(capsys.readouterr())
    assert "keep collector=listening_post new=1" in said
    assert not re.search("collapsed|555 0199|203.0.113|127.0.0.1|Emergency", said)


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": ""},
        {"port": 0},
        {"port": 65_536},
        {"port": "8642"},
        {"public_url": "listen.example"},
        {"per_minute": 0},
        {"per_minute_all": True},
        {"behind_proxy": "yes"},
        {"prot": 8642},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**{"contact": CONTACT, **wrong})


def test_the_contact_is_asked_for() -> None:
    with pytest.raises(ValidationError, match="contact"):
        collector.Settings()
