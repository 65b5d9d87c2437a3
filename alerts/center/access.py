"""Who may see what: this machine, somebody with a token, or whom a named proxy has signed in. Pure.

On this machine the page is open, as long as nothing in the config says that others come through it: a web server in front
of it would make everybody look like this machine. A person's token is made from CALL_LIGHT_WEB_TOKEN and their name, so
that nothing secret is kept; who is taken out of [center.people] is out at once.
"""

import contextlib
import getpass
import hashlib
import hmac
import os
import secrets
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from config.schema import Center, Seat, is_loopback
from listener.errors import NeedsPerson

Role = Literal["viewer", "care", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "care", "admin")  # each may do what those before it may
SECRET = "CALL_LIGHT_WEB_TOKEN"
MASTER = "admin"  # who signs in with CALL_LIGHT_WEB_TOKEN itself
_SHORTEST = 20  # characters of CALL_LIGHT_WEB_TOKEN: from a token of theirs, nobody must find it out by trying
_STAY = timedelta(hours=12)  # of who has no seat of their own
# What a web server adds for those it speaks for.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_KEY = "center.key"


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page."""

    who: str  # as it is written down: a Slack ID where theirs is known, else their name
    name: str  # as colleagues call them
    role: Role
    session: str = ""  # what tells this sign-in from others; "" where there was none
    by: Literal["machine", "token", "proxy"] = "machine"

    def may(self, role: Role) -> bool:
        """Whether they may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Asked:
    """What a request says about who sends it. Header names are lower case."""

    address: str
    headers: Mapping[str, str]
    cookie: str = ""
    is_old: bool = False  # HTTP/1.0, which no browser speaks, and many a web server to what is behind it


class Access:
    """The rules, with the keys that sign-ins are signed with."""

    def __init__(self, key: bytes, secrets: Mapping[str, str]) -> None:
        self._key, self._master = key, secrets.get(SECRET, "")
        self._cookies = URLSafeTimedSerializer(key, salt="sign-in", signer_kwargs={"digest_method": hashlib.sha256})

    def visitor(self, center: Center, asked: Asked, now: datetime) -> Visitor | None:
        """Who asks; None where they have to sign in first."""
        if name := self._by_proxy(center, asked):
            return _of_proxy(center, name)
        bearer = asked.headers.get("authorization", "")
        if bearer[:7].lower() == "bearer ":
            return self.of_token(center, bearer[7:].strip())
        if asked.cookie and (visitor := self._of_cookie(center, asked.cookie, now)):
            return visitor
        return Visitor(_account(), _account(), "admin") if is_local(center, asked) else None

    def of_token(self, center: Center, token: str) -> Visitor | None:
        """Whose token it is; None where it is nobody's, or theirs no more."""
        if len(self._master) < _SHORTEST:
            return None
        if hmac.compare_digest(token.encode(), self._master.encode()):
            return Visitor(MASTER, MASTER, "admin", self._mark("", token), "token")
        name = _name_in(token)
        seat = center.people.get(name)
        if seat is None or not hmac.compare_digest(token.encode(), self.token(name, seat).encode()):
            return None
        return _seated(name, seat, self._mark(name, token), "token")

    def token(self, name: str, seat: Seat) -> str:
        """The token of somebody in [center.people]. Raises NeedsPerson."""
        if len(self._master) < _SHORTEST:
            raise NeedsPerson(
                f"{SECRET} is not set, or shorter than {_SHORTEST} characters; make one: openssl rand -base64 32"
            )
        proof = hmac.digest(self._master.encode(), f"{seat.token}:{name}".encode(), "sha256")
        return f"{_written(name.encode())}.{_written(proof)}"

    def cookie(self, visitor: Visitor, now: datetime) -> str:
        """What their browser keeps, and shows with every request."""
        return str(self._cookies.dumps([visitor.session, now.timestamp(), secrets.token_hex(8)]))

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

    def _by_proxy(self, center: Center, asked: Asked) -> str | None:
        if center.user_header is None or not _is_proxy(center, asked.address):
            return None
        return asked.headers.get(center.user_header.lower(), "").strip() or None

    def _of_cookie(self, center: Center, cookie: str, now: datetime) -> Visitor | None:
        try:
            session, since, _ = self._cookies.loads(cookie)
            at = float(since)
        except (BadData, TypeError, ValueError):
            return None
        name = _name_in(str(session))
        seat = center.people.get(name)
        if len(self._master) < _SHORTEST or (name and seat is None):
            return None
        visitor = self.of_token(center, self.token(name, seat) if seat is not None else self._master)
        if visitor is None or not hmac.compare_digest(visitor.session, str(session)):
            return None  # the token is another one now
        # A clock that was put back must not sign people out: a moment in the future has just been.
        return visitor if timedelta(seconds=now.timestamp() - at) < self.stay(center, visitor) else None

    def _mark(self, name: str, token: str) -> str:
        """What tells a token from later ones of the same name, and does not give it away."""
        return f"{_written(name.encode())}.{hmac.digest(self._key, token.encode(), 'sha256').hex()[:24]}"


def is_local(center: Center, asked: Asked) -> bool:
    """Whether it is surely somebody at this machine who asks."""
    if center.address is not None or center.proxies or not is_loopback(asked.address):
        return False
    is_passed_on = asked.is_old or any(name in asked.headers for name in _FORWARDED)
    return not is_passed_on and is_loopback(host_of(asked.headers.get("host", "")))


def is_ours(center: Center, host: str) -> bool:
    """Whether the Host that a browser was sent to is one of ours: another name that leads here is an attack."""
    name = host_of(host)
    mine = urlsplit(center.address).hostname if center.address else None
    return is_loopback(name) or (bool(name) and name in (mine, center.host))


def is_own_page(center: Center, headers: Mapping[str, str]) -> bool:
    """Whether a page of ours made the browser send something. Header names are lower case."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin" or "authorization" in headers
    address = urlsplit(center.address) if center.address else None
    ours = {f"http://{host}", f"https://{host}"} | ({f"{address.scheme}://{address.netloc}"} if address else set())
    return origin in ours


def host_of(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def key_in(folder: Path) -> bytes:
    """The key of this installation, made at the first start: a restart signs nobody out. Raises NeedsPerson."""
    path = folder / _KEY
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
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


def _is_proxy(center: Center, address: str) -> bool:
    try:
        return any(ip_address(address) in ip_network(one) for one in center.proxies)
    except ValueError:
        return False


def _of_proxy(center: Center, name: str) -> Visitor | None:
    seat = center.people.get(name)
    if seat is not None:
        return _seated(name, seat, "", "proxy")
    return Visitor(name[:200], name[:200], center.everyone, "", "proxy") if center.everyone else None


def _seated(name: str, seat: Seat, session: str, by: Literal["token", "proxy"]) -> Visitor:
    return Visitor(seat.slack or name, seat.name or name, seat.role, session, by)


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
