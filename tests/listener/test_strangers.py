"""Requests of unknown browsers: how much of a body is read, how often one may send, by whom it is counted, what is spoken."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from listener import strangers
from listener.strangers import Limit, address_of, host_of, is_form, is_same_account, language_of, read_limited

# how often


def test_the_limits() -> None:
    limit = Limit(2, 5)
    assert [limit.wait("a", 1000) for _ in range(4)] == [0, 0, 30, 30]
    assert limit.wait("a", 1029) == 1
    assert limit.wait("a", 1030) == 0
    assert [limit.wait(name, 1030) for name in "bcdef"] == [0, 0, 0, 0, 12]
    assert limit.wait("a", 5000) == 0


def test_not_every_address_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "_ADDRESSES", 10)
    limit = Limit(2, 10_000)
    for n in range(100):
        limit.wait(f"10.0.0.{n}", 1000)
    assert list(limit._paid) == [f"10.0.0.{n}" for n in range(90, 100)]


@pytest.fixture
def _threads_change_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_threads_change_often")
def test_two_servers_share_one_limit() -> None:
    """The form is reached on its own port and under the center's path, each with a thread of its own."""
    limit = Limit(2_000, 3_000)

    def sends(name: str) -> int:
        return sum(limit.wait(name, 1000) == 0 for _ in range(10_000))

    with ThreadPoolExecutor(4) as servers:
        assert sum(servers.map(sends, "aabb")) == 3_000


# how much


async def drops(*chunks: bytes, then_waits: bool = False) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if then_waits:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("chunks", "read"),
    [
        ((), (b"", "")),
        ((b"text=", b"Help"), (b"text=Help", "")),
        ((b"0123456789",), (b"0123456789", "")),
        ((b"01234567890",), (b"0123456789", "cut")),
        ((b"01234", b"567", b"890", b"x"), (b"0123456789", "cut")),
        ((b"w" * 1_000,), (b"w" * 10, "cut")),
    ],
    ids=["nothing", "two parts", "what just fits", "one more", "in parts", "far more"],
)
def test_how_much_is_read(chunks: tuple[bytes, ...], read: tuple[bytes, str]) -> None:
    assert asyncio.run(read_limited(drops(*chunks), 10, 100, 5)) == read


def test_what_comes_too_slowly_is_kept_as_far_as_it_came() -> None:
    assert asyncio.run(read_limited(drops(b"text=My dad", then_waits=True), 100, 100, 0.01)) == (
        b"text=My dad",
        "unfinished",
    )


def test_far_too_much_is_taken_off_the_line_but_not_for_ever() -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(1)
            yield b"w" * 10

    assert asyncio.run(read_limited(endless(), 5, 40, 5)) == (b"wwwww", "cut")
    assert len(taken) == 5


# who, from where, and what they send


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 1000, "x" * 64),
    ],
)
def test_by_what_an_address_is_counted(host: str, counted: str) -> None:
    assert address_of(host, Headers(), behind_proxy=False) == counted


@pytest.mark.parametrize(
    ("hops", "counted"),
    [
        ([], "127.0.0.1"),
        (["10.0.0.1"], "10.0.0.1"),
        (["6.6.6.6, 10.0.0.1"], "10.0.0.1"),
        (["6.6.6.6", "10.0.0.1"], "10.0.0.1"),
        (["10.0.0.1, "], "127.0.0.1"),
        (["2001:db8::1"], "2001:db8::/64"),
        (["unknown"], "unknown"),
        (["10.0.0.1:50123"], "10.0.0.1"),  # Azure's gateways write the port, another for each connection
        (["[2001:db8::1]:50123"], "2001:db8::/64"),
        (["[2001:db8::1]"], "2001:db8::/64"),
    ],
)
def test_behind_a_proxy_its_own_word_counts(hops: list[str], counted: str) -> None:
    headers = Headers(raw=[(b"x-forwarded-for", hop.encode()) for hop in hops])
    assert address_of("127.0.0.1", headers, behind_proxy=True) == counted
    assert address_of("127.0.0.1", headers, behind_proxy=False) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://H.example/listen/?at=x", "h.example"),
        ("https://h.example:8443", "h.example"),
        ("//127.0.0.1:8765", "127.0.0.1"),
        ("//[::1]:8765", "::1"),
        ("", None),
        ("//", None),
        ("null", None),
        ("file://", None),
        ("https://[", None),
    ],
)
def test_the_host_of_an_address(address: str, host: str | None) -> None:
    assert host_of(address) == host


@given(st.text())
def test_whatever_an_address_is_it_has_a_host_or_none(address: str) -> None:
    assert host_of(address) is None or isinstance(host_of(address), str)
    assert len(address_of(address, Headers(), behind_proxy=False)) <= 64


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("application/x-www-form-urlencoded", True),
        ("Application/X-WWW-Form-URLencoded ; charset=UTF-8", True),
        ("multipart/form-data; boundary=x", False),
        ("application/json", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_the_plain_kind_of_form(kind: str, plain: bool) -> None:
    assert is_form(Headers({"content-type": kind})) is plain
    assert not is_form(Headers())


@pytest.mark.parametrize(
    ("accepts", "wanted", "lang"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "", "en"),
        ("de,es;q=0.5,en;q=0.7", "", "en"),
        ("de, en;q=0.5 , ES-419 ; q=0.7", "", "es"),
        ("de,fr;q=0.5", "", "en"),
        ("ES", "", "es"),
        ("es;q=0", "", "en"),
        ("es;q=abc,;;q,,=", "", "en"),
        ("", "", "en"),
        ("en", "es", "es"),
        ("es", "en", "en"),
        ("es", "xx", "es"),
    ],
)
def test_the_language(accepts: str, wanted: str, lang: str) -> None:
    assert language_of(wanted, accepts, ("en", "es")) == lang


@given(st.text(), st.text())
def test_whatever_a_browser_accepts_it_gets_a_language_that_we_speak(wanted: str, accepts: str) -> None:
    assert language_of(wanted, accepts, ("es", "en")) in ("en", "es")


def test_a_connection_of_our_own_account_is_known_until_it_ends() -> None:
    if not Path("/proc/net/tcp").exists():
        pytest.skip("this system does not say to whom a connection belongs")
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            assert is_same_account(client.getsockname(), server.getsockname())
            assert not is_same_account(client.getsockname(), ("127.0.0.1", 1)), "another server"
        assert not is_same_account(None, server.getsockname())
        assert not is_same_account(("127.0.0.1", 1), server.getsockname()), "nobody's"


def test_a_connection_of_another_account_is_not_ours() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can open a connection as somebody else")
    open_one = "import encodings.idna, os, socket, sys; os.setuid(65534); s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", open_one, str(server.getsockname()[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            port = int(other.stdout.readline())
            assert not is_same_account(("127.0.0.1", port), server.getsockname())
            other.communicate("")
