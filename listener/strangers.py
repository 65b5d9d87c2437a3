"""What a web page of ours needs against browsers that nobody knows: how much they may send, how often, and who they are."""

import asyncio
import contextlib
import ipaddress
import os
import re
import threading
from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_ADDRESSES = 2_000  # whose rate is remembered


class Limit:
    """So many a minute from each address and from all together, in one go or spread.

    Of each only the moment is remembered at which all that it sent is paid off, at the price of a minute / so many.
    """

    def __init__(self, each: int, everyone: int) -> None:
        self._each, self._everyone = 60 / each, 60 / everyone
        self._paid: dict[str, float] = {}
        self._paid_by_all = 0.0
        self._one_at_a_time = threading.Lock()  # one app may be served by two servers, each on a thread of its own

    def wait(self, address: str, now: float) -> float:
        """Seconds until the next one is taken; 0: this one is."""
        with self._one_at_a_time:
            own = max(self._paid.pop(address, 0.0), now) + self._each
            everyone = max(self._paid_by_all, now) + self._everyone
            wait = max(own, everyone) - now - 60
            taken = wait < 1e-6
            self._paid[address] = own if taken else own - self._each
            self._paid_by_all = everyone if taken else self._paid_by_all
            if len(self._paid) > _ADDRESSES:
                del self._paid[next(iter(self._paid))]
        return 0.0 if taken else wait


async def read_limited(chunks: AsyncIterable[bytes], largest: int, read_away: int, timeout: float) -> tuple[bytes, str]:
    """The first `largest` bytes of what is sent, and the trouble with it if that is not all: "cut" or "unfinished".

    Up to `read_away` bytes are taken off the line all the same: a browser shows no answer before it has sent them.
    """
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(timeout):
            async for chunk in chunks:
                size += len(chunk)
                body += chunk[: max(0, largest - len(body))]
                if size > read_away:
                    break
    except TimeoutError:
        return bytes(body), "unfinished"
    return bytes(body), "cut" if size > largest else ""


def is_form(headers: "Headers") -> bool:
    """Whether a form of the plain kind was sent."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def address_of(host: str, headers: "Headers", behind_proxy: bool) -> str:
    """By whom requests are counted: an IPv4 address, or the 64 bits of an IPv6 one that a household has."""
    if behind_proxy:  # what stands before the last address was written by anybody
        host = ",".join(headers.getlist("x-forwarded-for")).rpartition(",")[2].strip() or host
    # Some web servers add the port, another one each time.
    if with_port := re.fullmatch(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", host):
        host = with_port[1] or with_port[2] or host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:64]
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))


def is_same_account(client: tuple[str, int] | None, server: tuple[str, int | None] | None) -> bool:
    """Whether a connection within this machine belongs to the account that we run as; False where the system does not say."""
    if client is None or server is None or server[1] is None:
        return False
    owners = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                _, from_, to, _, _, _, _, owner, *_ = line.split()
                if (_port(from_), _port(to)) == (client[1], server[1]):
                    owners.append(int(owner))
    return bool(owners) and set(owners) == {os.getuid()}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def host_of(address: str) -> str | None:
    """The name or number of the machine in a web address, in small letters; None where there is none."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def language_of(wanted: str, accepted: str, known: Sequence[str]) -> str:
    """The language asked for, else the one that the browser's Accept-Language prefers, else the first of the known."""
    best, weight = known[0], 0.0
    for part in accepted.split(",")[:20]:
        if found := re.fullmatch(r"\s*+([a-z]++)[\w-]*+\s*+(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", part.lower()):
            name, q = found[1], float(found[2] or 1)
            best, weight = (name, q) if name in known and q > weight else (best, weight)
    return wanted if wanted in known else best
