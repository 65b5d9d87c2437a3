"""One request with limits, against a server that does what servers do."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from fakes.server import Answer, FakeServer, NotJson, RateLimited, Request, Reset, Stall, Status

from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.web import Answer as Given
from listener.web import LeadsInside, get, guarded, is_public, refuse_inside, remedy, retry_at, write

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


class Site(FakeServer):
    body = "hello"

    def answer(self, request: Request) -> Answer:
        return Answer(200, self.body)

    def status_answer(self, code: int) -> Answer:
        return Answer(code, {"error": code})

    def limited_answer(self, fault: RateLimited) -> Answer:
        return Answer(429, {}, {"retry-after": str(fault.retry_after)})


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


def test_what_comes_back(site: Site) -> None:
    answer = get("rss", f"{site.base_url}/feed", {"a": "b"}, {"if-none-match": "x"})
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"hello", "text/plain")
    assert site.requests[0].query == {"a": "b"}
    assert site.requests[0].headers["if-none-match"] == "x"


def test_too_large(site: Site) -> None:
    site.body = "x" * 2_000_000
    with pytest.raises(NeedsPerson, match=r"^rss: the answer is larger than 1 MB"):
        get("rss", site.base_url, largest=1_000_000)


@pytest.mark.parametrize(("fault", "said"), [(Stall(20), "Timeout"), (Reset(), "ConnectionError")], ids=str)
def test_no_answer(site: Site, fault: Any, said: str) -> None:
    site.fail_next(fault)
    begun = time.monotonic()
    with pytest.raises(TryLater, match=rf"^rss: no answer \(\w*{said}\); check the network"):
        get("rss", site.base_url, timeout=0.3)
    assert time.monotonic() - begun < 10


def test_json(site: Site) -> None:
    site.fail_next(Status(200, {"a": 1}))
    assert get("rss", site.base_url).json("rss") == {"a": 1}
    site.fail_next(NotJson())
    with pytest.raises(TryLater, match="is not JSON"):
        get("rss", site.base_url).json("rss")


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 200_000, b'{"a":' * 200_000])
def test_what_cannot_be_taken_for_json_is_trouble(body: bytes) -> None:
    with pytest.raises(TryLater, match="is not JSON"):
        Given(200, {}, body, "").json("rss")


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("120", NOW + timedelta(minutes=2)),
        ("0", NOW),
        ("Wed, 18 Nov 2026 09:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Wed, 18 Nov 2026 09:05:00 -0000", NOW + timedelta(minutes=5)),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("99999999999", None),
        ("1.5", None),
    ],
)
def test_when_to_come_back(said: str, at: datetime | None) -> None:
    assert retry_at({"retry-after": said}, NOW) == at


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (429, AskedToWait, "rss: asks to wait (429)"),
        (404, NeedsPerson, "rss: there is no such feed"),
        (403, TryLater, "rss: answers 403"),
        (503, TryLater, "rss: answers 503"),
    ],
)
def test_a_status_and_its_remedy(status: int, kind: type[Exception], sentence: str) -> None:
    found = remedy("rss", Given(status, {"retry-after": "60"}, b"", ""), NOW, {404: "there is no such feed"})
    assert (type(found), str(found)) == (kind, sentence)
    if isinstance(found, TryLater):
        assert found.at == NOW + timedelta(minutes=1)


def test_a_server_that_drips_is_given_up() -> None:
    """A byte now and then: each of them in time, the whole never."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while not over.wait(0.02):
                connection.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    try:
        with pytest.raises(TryLater, match=r"^rss: the answer takes longer than 0.3 s"):
            get("rss", f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.3)
    finally:
        over.set()
        thread.join()
        listening.close()
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("sent", "timeout"),
    [
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", *[b" "] * 40], 0.05),
        ([b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 65_536] * 100], 0),
    ],
    ids=["drips", "huge"],
)
def test_an_answer_without_an_end_is_left(sent: list[bytes], timeout: float) -> None:
    """The post was taken; whoever keeps talking after it is not listened to for ever."""
    stop = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, closing(listening):
            connection.recv(65_536)
            for piece in sent:
                with suppress(OSError):
                    connection.sendall(piece)
                stop.wait(timeout)
            stop.wait(10)  # to close with something unread would break what is on its way

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listening,))
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    with requests.Session() as session, pytest.raises(TryLater, match="too large, or takes too long"):
        write("probe", session, "POST", url, {}, 0.5 if timeout else 30, json={})
    stop.set()
    thread.join()


# where it may go


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),  # 93.184.215.14, as a network without IPv4 reaches it
        ("127.0.0.1", False),
        ("127.8.9.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),  # a provider's
        ("169.254.169.254", False),  # where clouds tell their secrets
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("fec0::1", False),  # a site's own, as long ago
        ("::7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("4000::1", False),
        ("3fff::1", False),  # of examples
        ("168.63.129.16", False),  # where Azure tells a machine its secrets
        ("192.0.0.192", False),  # where Oracle does
        ("192.88.99.1", False),
    ],
)
def test_what_is_on_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to this machine."""
    look_up = socket.getaddrinfo

    def here(host: Any, *args: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if str(host).endswith(".example") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "inside.example",
        "user:password@127.0.0.1",
        "127.0.0.1.",
    ],
)
def test_no_answer_leads_into_the_house(site: Site, host: str, names: None) -> None:
    with Site() as inside:
        port = inside.base_url.rpartition(":")[2]
        site.fail_next(Status(302, "", {"location": f"http://{host}:{port}/secrets"}))
        with pytest.raises((NeedsPerson, TryLater)) as told:
            get("rss", site.base_url)
        assert str(told.value).startswith("rss: ")
        assert inside.requests == []


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "file:///etc/passwd"]
)
def test_neither_to_a_cloud_nor_to_a_file(site: Site, address: str) -> None:
    """A connection to another host than this one would fail the test."""
    site.fail_next(Status(302, "", {"location": address}))
    with pytest.raises(
        (NeedsPerson, TryLater), match=r"^rss: (leads to .*, which is no place on|no answer \(InvalidSchema)"
    ):
        get("rss", site.base_url)


def test_what_config_files_name_may_be_anywhere(site: Site) -> None:
    site.fail_next(Status(301, "", {"location": "/new"}))
    assert get("rss", site.base_url).url == f"{site.base_url}/new"


def test_a_site_s_own_name_may_not_lead_inside(site: Site, names: None) -> None:
    """Whoever has the name says where it leads, from one moment to the next; with TLS, that machine has to prove it."""
    with pytest.raises(NeedsPerson, match=r"^rss: leads to news\.example, which is no place on the internet"):
        get("rss", site.base_url.replace("127.0.0.1", "news.example"))
    assert site.requests == []


def test_a_gateway_is_asked_wherever_it_is(site: Site, names: None) -> None:
    gateway = site.base_url.replace("127.0.0.1", "gateway.example")
    with guarded(gateway, "http://news.example") as session:
        assert get("rss", f"{gateway}/feed", session=session).status == 200


def test_a_name_is_looked_at_when_it_is_connected_to(site: Site, names: None) -> None:
    """Not before: it could lead elsewhere a moment later."""
    with guarded("https://gateway.example") as session, pytest.raises(LeadsInside):
        session.get(site.base_url.replace("127.0.0.1", "another.example"))
    assert site.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_sent_is_not_sent_on(site: Site, status: int) -> None:
    """A form may hold a secret: the one for a new token, say."""
    with Site() as other, guarded(None, site.base_url, other.base_url) as session:
        site.fail_next(Status(status, "", {"location": other.base_url}))
        assert session.post(site.base_url, data={"refresh_token": "secret"}).status_code == status
        assert other.requests == []


def test_a_token_stays_with_whom_it_is_for(site: Site) -> None:
    with Site() as other, guarded(None, site.base_url, other.base_url) as session:
        site.fail_next(Status(302, "", {"location": other.base_url}))
        get("rss", site.base_url, headers={"Authorization": "Bearer secret"}, session=session)
        assert "authorization" in site.requests[0].headers
        assert "authorization" not in other.requests[0].headers


def test_behind_a_proxy_a_number_says_it_all(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy that is connected to, and that looks up names."""
    monkeypatch.setenv("HTTP_PROXY", site.base_url)
    monkeypatch.setenv("NO_PROXY", "")
    assert get("rss", "http://news.example/feed").body == b"hello"
    with guarded(None, "http://news.example") as session:
        for inside in (
            "http://10.0.0.1/",
            "http://2130706433/",
            "http://localhost/",
            "http://localhost./",
            "http://10.0.0.1./",
        ):
            with pytest.raises(NeedsPerson, match="which is no place on the internet"):
                get("rss", inside, session=session)
    assert len(site.requests) == 1


def test_a_way_without_end(site: Site) -> None:
    site.fail_next(Status(302, "", {"location": "/"}), times=None)
    with pytest.raises(TryLater, match="TooManyRedirects"):
        get("rss", site.base_url)
    assert len(site.requests) == 6


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://pds.example/xrpc", True),
        ("https://93.184.215.14/xrpc", True),
        ("http://pds.example/xrpc", False),
        ("https://10.0.0.1/xrpc", False),
        ("https://localhost/xrpc", False),
        ("https://2130706433/xrpc", False),
        ("https://", False),
        ("https://[bad", False),
        ("file:///etc/passwd", False),
        ("http://own.example:8080/xrpc", True),
        ("http://own.example.evil.example/xrpc", False),
    ],
)
def test_where_a_library_may_be_led(url: str, may: bool) -> None:
    with contextlib.nullcontext() if may else pytest.raises(LeadsInside):
        refuse_inside(url, ["http://own.example"])
