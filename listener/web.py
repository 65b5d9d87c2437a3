"""One web request with limits: time, size, where it goes, no surprise. For places that have no library of their own, and
for libraries.

An answer may send us on, and whoever writes it may be anybody: to a machine of the hospital's network, or to the address
at which a cloud tells its secrets. So what config files do not name is asked only where the internet is.
"""

import contextlib
import io
import json
import re
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from listener.errors import AskedToWait, NeedsPerson, TryLater

TIMEOUT = 15.0  # seconds for a whole answer: a server that drips would hold a thread for ever
LARGEST = 5_000_000  # bytes of an answer
_CHUNK = 65_536
_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}
_UNICAST = ip_network("2000::/3")  # what of IPv6 is given out; the rest is a network's own, or nobody's
# Not on the internet, although Python takes it to be: what clouds answer at (Azure, Oracle), and what is for protocols alone.
_NOT_PUBLIC = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
_AS_IPV4 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))  # an IPv4 address is at the end of these


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str  # where it came from in the end

    def json(self, place: str) -> Any:
        """The body as JSON. Raises TryLater."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise TryLater(f"{place}: the answer is not JSON; is something else answering in its place?") from None


def get(
    place: str,
    url: str,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    largest: int = LARGEST,
    session: requests.Session | None = None,
) -> Answer:
    """One GET, whatever its status. Raises TryLater when no whole answer comes, NeedsPerson when it is too large."""
    ends = time.monotonic() + timeout
    try:
        with (
            _lent(session, url) as asking,
            asking.get(
                url, params=params, headers=headers, timeout=(min(5, timeout), timeout), stream=True
            ) as response,
        ):
            body = bytearray()
            while chunk := response.raw.read1(_CHUNK, decode_content=True):  # what is there: a drip fills no chunk
                body += chunk
                if len(body) > largest:
                    raise NeedsPerson(
                        f"{place}: the answer is larger than {largest // 1_000_000} MB; check its address"
                    )
                if time.monotonic() > ends:
                    raise TryLater(f"{place}: the answer takes longer than {timeout:g} s")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, found, bytes(body), response.url)
    except LeadsInside as error:
        raise NeedsPerson(f"{place}: {error}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TryLater(
            f"{place}: no answer ({type(error).__name__}); check the network, the next pass asks again"
        ) from None


def write(
    place: str,
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout: float,
    **body: Any,
) -> Answer:
    """One request that changes something, whatever its status, with the limits of get(). For use within collect.sending().

    `body` as requests takes it: json, data. Raises TryLater when no whole answer comes, and what requests raises.
    """
    ends, options = time.monotonic() + timeout, {"timeout": (min(5, timeout), timeout), "stream": True, **body}
    with session.request(method, url, headers=dict(headers), allow_redirects=False, **options) as response:
        try:
            said = _bounded(response, ends, f"{place}: the answer is too large, or takes too long")
        except urllib3.exceptions.HTTPError as error:
            raise TryLater(f"{place}: the answer was cut short ({type(error).__name__})") from None
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, said, response.url)


def _bounded(response: requests.Response, ends: float, says: str) -> bytes:
    """The whole body. Raises TryLater, which `says` so, when it is too large or not there in time; and what urllib3 raises."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > LARGEST or time.monotonic() > ends:
            raise TryLater(says)
    return bytes(body)


def remedy(
    place: str, answer: Answer, now: datetime, people: Mapping[int, str] | None = None
) -> TryLater | NeedsPerson:
    """The error of a status that is no success. `people`: the sentence for each status that needs a person."""
    if answer.status == 429:
        return AskedToWait(f"{place}: asks to wait (429)", retry_at(answer.headers, now))
    if people and answer.status in people:
        return NeedsPerson(f"{place}: {people[answer.status]}")
    return TryLater(f"{place}: answers {answer.status}", retry_at(answer.headers, now))


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a Retry-After header says to come back; None if it says nothing that can be understood."""
    stated = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,6}", stated):
        return now + timedelta(seconds=int(stated))
    try:
        moment = parsedate_to_datetime(stated)
    except (ValueError, TypeError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


# ---------------------------------------------------------------- where it may go


class LeadsInside(NeedsPerson):
    """An answer, or a name, leads to where strangers may not lead us."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"leads to {host[:100]}, which is no place on the internet, so it was not asked; check its address, and write it "
            "with https:// if it is one of your own"
        )


def guarded(gateway: str | None, *named: str) -> requests.Session:
    """For requests to `named`, addresses of config files, or by way of `gateway` in their place; and to where these lead.

    What is sent, perhaps with a secret in it, is not sent on, wherever an answer leads. Raises LeadsInside when asked.
    """
    session = _Guarded()
    session.trust_env = gateway is None  # else a proxy of the environment would be asked
    session.max_redirects = _REDIRECTS
    for scheme in _PORTS:
        session.mount(f"{scheme}://", Guard([gateway] if gateway else [one for one in named if _is_sure(one)]))
    return session


def refuse_inside(url: str, own: Collection[str]) -> None:
    """For libraries that have a connection of their own. `own`: on whose hosts admins named an address. Raises LeadsInside.

    Without TLS anybody's name may lead to any machine; with it that machine would have to prove the name first.
    """
    host = _place(url)[0]
    if host not in [_place(one)[0] for one in own] and not (url.startswith("https://") and _may_be_public(host)):
        raise LeadsInside(host or url)


def is_public(address: str) -> bool:
    """Whether an IP address is one on the internet: no machine of a network of its own, and none of a cloud's either."""
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address):
        number = _within(number) or number
    if isinstance(number, IPv6Address) and number not in _UNICAST:
        return False
    return number.is_global and not number.is_multicast and not any(number in network for network in _NOT_PUBLIC)


class Guard(HTTPAdapter):
    """Asks hosts on the internet, and those of `own`, addresses that admins named, wherever these are."""

    def __init__(self, own: Collection[str]) -> None:
        self._own = {place for url in own for place in _places(url)}
        self._anywhere = HTTPAdapter()
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """As HTTPAdapter.init_poolmanager, for connections that look where they came to."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """As HTTPAdapter.send, for each step on the way. Raises LeadsInside."""
        url = request.url or ""
        if _place(url) in self._own:
            return self._anywhere.send(request, *args, **options)
        host = _place(url)[0]
        if not _may_be_public(host):  # a proxy would look up names itself, but a number says it all
            raise LeadsInside(host)
        return super().send(request, *args, **options)

    def close(self) -> None:
        """As HTTPAdapter.close."""
        self._anywhere.close()
        super().close()


class Limited(Guard):
    """For a library's session: the whole answer is there within `timeout` seconds and LARGEST bytes, or TryLater is raised.

    requests' own timeout starts anew with every byte.
    """

    def __init__(self, place: str, timeout: float, own: Collection[str]) -> None:
        """`own` as of Guard."""
        self.place, self.timeout = place, timeout
        super().__init__(own)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """As Guard.send."""
        given = options.get("timeout")
        within = min(given, self.timeout) if isinstance(given, int | float) else self.timeout
        ends = time.monotonic() + within
        options |= {"timeout": (min(5, within), within), "stream": True}
        response = super().send(request, **options)
        try:
            body = _bounded(response, ends, f"{self.place}: the answer is larger or takes longer than any that is due")
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from None
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response


class _Guarded(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads, if something was only asked for: a form with a secret in it is not sent on."""
        target: str | None = super().get_redirect_target(resp)
        return target if resp.request.method in ("GET", "HEAD") else None


def _looked_at(line: socket.socket, host: str) -> socket.socket:
    """The connection, if it came to the internet. Before anything is sent: a name may lead elsewhere from one moment to the next."""
    try:
        if is_public(line.getpeername()[0]):
            return line
    except OSError:
        line.close()
        raise
    line.close()
    raise LeadsInside(host)


class _Line(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _looked_at(super()._new_conn(), self.host)


class _TlsLine(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _looked_at(super()._new_conn(), self.host)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Line


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsLine


@contextlib.contextmanager
def _lent(session: requests.Session | None, url: str) -> Iterator[requests.Session]:
    """The session, or one for this request alone."""
    if session is not None:
        yield session
    else:
        with guarded(None, url) as own:
            yield own


def _is_sure(url: str) -> bool:
    """Whether what answers there can only be what an admin meant: TLS, a number, or a name of the network itself.

    A site's http:// name may be made to lead to any machine by whoever has the name.
    """
    host = _place(url)[0]
    return url.startswith("https://") or _number(host) is not None or "." not in host


def _may_be_public(host: str) -> bool:
    host = host.rstrip(".")  # "localhost." is the same name
    number = _number(host)
    return (
        bool(host)
        and host != "localhost"
        and not host.endswith(".localhost")
        and (number is None or is_public(str(number)))
    )


def _number(host: str) -> IPv4Address | IPv6Address | None:
    """What a host is as an address, also where it is written as systems read it: 2130706433, 0x7f.1, 127.1; None for a name."""
    with contextlib.suppress(ValueError):
        return ip_address(host.partition("%")[0])
    if re.fullmatch(r"[0-9a-fA-FxX.]+", host):
        with contextlib.suppress(OSError):
            return IPv4Address(socket.inet_aton(host))
    return None


def _within(number: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if any(number in network for network in _AS_IPV4):
        return IPv4Address(int(number) & 0xFFFF_FFFF)
    return number.ipv4_mapped or number.sixtofour


def _place(url: str) -> tuple[str, int | None]:
    """Host and port of an address."""
    with contextlib.suppress(ValueError):  # a port that is none
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    return "", None


def _places(url: str) -> list[tuple[str, int | None]]:
    """With the one to which a site leads that has TLS by now."""
    host, port = _place(url)
    return [(host, port), (host, 443)] if port == 80 else [(host, port)]
