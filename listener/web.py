"""One web request with limits: time, size, no surprise. For places that have no library of their own."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from listener.errors import AskedToWait, NeedsPerson, TryLater

TIMEOUT = 15.0  # seconds for a whole answer: a server that drips would hold a thread for ever
LARGEST = 5_000_000  # bytes of an answer
_CHUNK = 65_536


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
        with (session or requests).get(
            url, params=params, headers=headers, timeout=(min(5, timeout), timeout), stream=True
        ) as response:
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
        said = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            said += chunk
            if len(said) > LARGEST or time.monotonic() > ends:
                raise TryLater(f"{place}: the answer is too large, or takes too long")
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, bytes(said), response.url)


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
