"""Who may see what: this machine, somebody with a token, or whom a named proxy has signed in. Pure.

On this machine the page is open, as long as nothing says that others come through it: a web server in front of it would
make everybody look like this machine. A person's token is made from CALL_LIGHT_WEB_TOKEN and their name, so that nothing
secret is kept; who is taken out of [center.people] is out at once.
"""

import contextlib
import getpass
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import Headers

from alerts.act import OWN_ACCOUNT
from alerts.case import US
from alerts.people import is_slack_id
from config.schema import Center, Seat, is_loopback
from listener.errors import NeedsPerson
from listener.strangers import Limit, address_of

Role = Literal["viewer", "care", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "care", "admin")  # each may do what those before it may
SECRET = "CALL_LIGHT_WEB_TOKEN"  # noqa: S105  # its name
MASTER = "admin"  # who signs in with CALL_LIGHT_WEB_TOKEN itself
SHORTEST = 20  # characters of CALL_LIGHT_WEB_TOKEN: from a token of theirs, nobody must find it out by trying
_STAY = timedelta(hours=12)  # of who has no seat of their own
# How the headers begin that a web server or a tunnel adds for those it speaks for.
_FORWARDED = (
    *("forwarded", "via", "x-", "cf-", "true-client-", "tailscale-", "fly-", "client-ip"),
    *("remote-", "cdn-", "fastly-", "akamai-"),
)
_TRIES = (10, 100)  # a minute, from one address and from all: tokens that may have been guessed
_LONGEST_NAME = 200
_KEY = "center.key"


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page."""

    who: str  # as it is written down: a Slack ID where theirs is known, else their name
    name: str  # as colleagues call them
    role: Role
    session: str = ""  # what tells their token from later ones; "" where there was none
    by: Literal["machine", "token", "bearer", "proxy"] = "machine"
    sign_in: str = ""  # what tells this sign-in from others of the same token

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Asked:
    """What a request says about who sends it."""

    address: str
    headers: Headers
    cookie: str = ""
    is_old: bool = False  # HTTP/1.0, which no browser speaks, and many a web server to what is behind it
    is_same_account: bool = False  # a program of whoever runs us sent it, as the system says


class Access:
    """The rules, with the keys that sign-ins are signed with."""

    def __init__(self, key: bytes, secrets: Mapping[str, str]) -> None:
        self._key, self._master = key, secrets.get(SECRET, "")
        self._cookies = URLSafeTimedSerializer(key, salt="sign-in", signer_kwargs={"digest_method": hashlib.sha256})
        self._tries = Limit(*_TRIES)

    @property
    def has_tokens(self) -> bool:
        """Whether anybody can sign in with a token."""
        return len(self._master) >= SHORTEST

    def visitor(self, center: Center, asked: Asked, now: datetime) -> Visitor | None:
        """Who asks; None where they have to sign in first."""
        name = named_by_proxy(center, asked)
        if name and (visitor := _of_proxy(center, name)):
            return visitor
        if (token := bearer_in(asked.headers)) is not None:
            visitor = self.of_token(center, token)
            return replace(visitor, by="bearer") if visitor is not None else None
        if asked.cookie and (visitor := self._of_cookie(center, asked.cookie, now)):
            return visitor
        return Visitor(_account(), _account(), "admin") if is_local(center, asked) else None

    def of_token(self, center: Center, token: str) -> Visitor | None:
        """Whose token it is; None where it is nobody's, or theirs no more."""
        if not self.has_tokens:
            return None
        if hmac.compare_digest(token.encode(), self._master.encode()):
            return Visitor(MASTER, MASTER, "admin", self._mark("", token), "token")
        name = _name_in(token)
        seat = center.people.get(name)
        expected = self._made(name, seat.token if seat is not None else 1)  # it takes as long for a name that is none
        if not hmac.compare_digest(token.encode(), expected.encode()) or seat is None:
            return None
        return _seated(name, seat, self._mark(name, token), "token")

    def token(self, name: str, seat: Seat) -> str:
        """The token of somebody in [center.people]. Raises NeedsPerson."""
        if not self.has_tokens:
            raise NeedsPerson(
                f"{SECRET} is not set, or shorter than {SHORTEST} characters; make one (openssl rand -base64 32) and put "
                "it into the environment or .env of the service and of this command"
            )
        return self._made(name, seat.token)

    def wait(self, tried: Visitor | None, address: str, now: float) -> float:
        """Seconds until a token may be tried again from there; 0: this one counts.

        A person's own token cannot be guessed, so theirs is taken however many wrong ones others send meanwhile.
        """
        return 0.0 if tried is not None and tried.who != MASTER else self._tries.wait(address, now)

    def cookie(self, visitor: Visitor, now: datetime) -> str:
        """What their browser keeps, and shows with every request."""
        return str(self._cookies.dumps([visitor.session, now.timestamp(), secrets.token_hex(16)]))

    def stay(self, center: Center, visitor: Visitor) -> timedelta:
        """How long they stay signed in."""
        seat = center.people.get(_name_in(visitor.session))
        return seat.stay if seat is not None else _STAY

    def csrf(self, visitor: Visitor) -> str:
        """What every form of theirs carries, and no other site can know."""
        said = f"form\0{visitor.by}\0{visitor.who}\0{visitor.session}"
        return hmac.digest(self._key, said.encode(), "sha256").hex()[:32]

    def is_csrf(self, visitor: Visitor, given: str) -> bool:
        """Whether a form came from a page of theirs."""
        return hmac.compare_digest(given.encode(), self.csrf(visitor).encode())

    def _of_cookie(self, center: Center, cookie: str, now: datetime) -> Visitor | None:
        try:
            session, since, sign_in = self._cookies.loads(cookie)
            at = float(since)
        except (BadData, TypeError, ValueError):
            return None
        name = _name_in(str(session))
        seat = center.people.get(name)
        if not self.has_tokens:
            return None
        visitor = self.of_token(center, self._made(name, seat.token) if seat is not None else self._master)
        if visitor is None or not hmac.compare_digest(visitor.session, str(session)):
            return None  # the token is another one now
        # A clock that was put back must not sign people out: a moment in the future has just been.
        is_over = timedelta(seconds=now.timestamp() - at) >= self.stay(center, visitor)
        return None if is_over else replace(visitor, sign_in=str(sign_in))

    def _made(self, name: str, number: int) -> str:
        """The token of a name; raising the number makes it another one."""
        proof = hmac.digest(_stretched(self._master), f"{number}:{name}".encode(), "sha256")
        return f"{_written(name.encode())}.{_written(proof)}"

    def _mark(self, name: str, token: str) -> str:
        """What tells a token from later ones of the same name, and does not give it away."""
        return f"{_written(name.encode())}.{hmac.digest(self._key, token.encode(), 'sha256').hex()[:24]}"


def is_local(center: Center, asked: Asked) -> bool:
    """Whether it is somebody at this machine who asks, and no web server for somebody else.

    Browsers keep a connection alive. nginx, which may add no header at all, speaks HTTP/1.0 or leaves that word out, as
    curl does too: that one is told by its account.
    """
    if center.address is not None or center.proxies or not is_loopback(center.host) or not is_loopback(asked.address):
        return False
    is_passed_on = asked.is_old or any(name.startswith(_FORWARDED) for name in asked.headers)
    is_direct = asked.is_same_account or keeps_alive(asked.headers)
    return is_direct and not is_passed_on and is_loopback(host_of(asked.headers.get("host", "")))


def keeps_alive(headers: Headers) -> bool:
    """Whether the other side asks to keep the connection, as every browser does."""
    return "keep-alive" in headers.get("connection", "").lower()


def named_by_proxy(center: Center, asked: Asked) -> str | None:
    """Who it is, as one of our web servers says; None where none says so, or two things at once."""
    if center.user_header is None or not is_proxy(center, asked.address):
        return None
    said = [value.strip() for value in asked.headers.getlist(center.user_header)]
    if len(said) != 1 or "," in said[0] or len(said[0]) > _LONGEST_NAME:  # one of them is perhaps forged
        return None
    name = said[0].encode("latin-1", "replace")  # as it came
    with contextlib.suppress(UnicodeDecodeError):
        said[0] = name.decode()
    return said[0] if said[0] and said[0].isprintable() else None


def bearer_in(headers: Mapping[str, str]) -> str | None:
    """The token that a program shows, which no other site can make a browser do."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def counted_as(center: Center, address: str, headers: Headers) -> str:
    """By whom requests are counted; what says so is believed of our own web servers alone."""
    return address_of(address, headers, is_proxy(center, address))


def cookie_name(center: Center) -> str:
    """What the cookie of a sign-in is called."""
    return named(center, "call_light")


def named(center: Center, cookie: str) -> str:
    """Where TLS is, a name that no other machine of the same domain can give a cookie."""
    return f"__Host-{cookie}" if (center.address or "").startswith("https://") else cookie


def is_ours(center: Center, host: str) -> bool:
    """Whether the Host that a browser was sent to is one of ours: another name that leads here is an attack.

    A number is no name: nobody can make it lead elsewhere.
    """
    name = host_of(host)
    mine = urlsplit(center.address).hostname if center.address else None
    return is_loopback(name) or _number(name) is not None or (bool(name) and name in (mine, center.host.lower()))


def is_own_page(center: Center, headers: Mapping[str, str]) -> bool:
    """Whether a page of ours made the browser send something. Header names are lower case."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    address = urlsplit(center.address) if center.address else None
    ours = {f"{address.scheme}://{address.netloc}".lower()} if address else set()
    if address is None or host_of(host) != address.hostname:
        ours |= {f"http://{host}".lower(), f"https://{host}".lower()}
    return origin.lower() in ours


def is_asked_for(headers: Mapping[str, str]) -> bool:
    """Whether somebody, or a page of ours, asked to see something; else another site did so behind their back."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"


def host_of(host: str) -> str:
    """The name in a Host header, without the port; "" for what is none."""
    if not re.fullmatch(r"[\w.-]+(:[0-9]*)?|\[[0-9a-fA-F:.]+\](:[0-9]*)?", host, re.ASCII):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def key_in(folder: Path) -> bytes:
    """The key of this installation, made at the first start: a restart signs nobody out. Raises NeedsPerson."""
    path = folder / _KEY
    try:
        if not path.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder) as new:  # which nobody else may read
                new.write(secrets.token_bytes(32))
                new.flush()
                with contextlib.suppress(FileExistsError):  # another copy of the service was quicker
                    os.link(new.name, path)
        key = path.read_bytes()
    except OSError as error:
        raise NeedsPerson(f"cannot keep the key of the Listening Center in {path} ({error.strerror})") from None
    if len(key) < 32:
        raise NeedsPerson(f"{path} is no key any more; delete it, and people sign in anew")
    return key


def is_proxy(center: Center, address: str) -> bool:
    """Whether one of our web servers asks."""
    number = _number(address)
    return number is not None and any(number in ip_network(one) for one in center.proxies)


def _number(address: str) -> IPv4Address | IPv6Address | None:
    try:
        number = ip_address(address)
    except ValueError:
        return None
    return number.ipv4_mapped or number if isinstance(number, IPv6Address) else number


def _of_proxy(center: Center, name: str) -> Visitor | None:
    """Who somebody is whom a web server of ours signed in. Large and small letters are the same in names."""
    folded = name.casefold()
    for known, seat in center.people.items():
        if known.casefold() == folded:
            return _seated(known, seat, "", "proxy")
    # Somebody may choose their own name: it must not be one that is written down for somebody else.
    is_taken = (
        folded in (MASTER, US, OWN_ACCOUNT)
        or is_slack_id(name)
        or name in {seat.slack for seat in center.people.values()}
    )
    return Visitor(name, name, center.everyone, "", "proxy") if center.everyone and not is_taken else None


def _seated(name: str, seat: Seat, session: str, by: Literal["token", "proxy"]) -> Visitor:
    return Visitor(seat.slack or name, seat.name or name, seat.role, session, by)


@cache
def _stretched(master: str) -> bytes:
    """The key of people's tokens: whoever has one of these cannot try a million words a second for the other."""
    return hashlib.scrypt(master.encode(), salt=b"call-light token", n=2**14, r=8, p=1, dklen=32)


def _written(given: bytes) -> str:
    return urlsafe_b64encode(given).decode().rstrip("=")


def _name_in(token: str) -> str:
    """Whose token it says it is."""
    named = token.partition(".")[0]
    try:
        return urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
    except ValueError:
        return ""


def _account() -> str:
    """Whose machine it is."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
