"""The door to pagers: PagerDuty, SMS, e-mail, Teams, ntfy and whatever else apprise knows. It needs no Slack.

Addresses hold tokens and phone numbers, and apprise writes some of them into its log: nothing of that log is shown, and a
sentence names an address by its place in CALL_LIGHT_PAGER_URLS and its service alone.

Each address is paged in a thread of its own. apprise's own threads are few and shared, and are waited for when the program
ends: a service that never answers would hold up the pages to all others, and the program itself.
"""

import logging
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from time import monotonic
from typing import Any

from alerts.door import Sent
from alerts.message import Message
from listener.errors import NeedsPerson, TryLater
from listener.logs import logger

log = logger(__name__)

ADDRESSES = "CALL_LIGHT_PAGER_URLS"
UNKNOWN = "unknown"  # the service of an address that apprise cannot make anything of
_WITHIN = 10.0  # seconds for every service together
_STATUS = re.compile(r"\berror=(\d{3})\b")  # how apprise's services log what was answered
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class Paged:
    """What became of a page to one address."""

    number: int  # of the address, from 1
    service: str
    trouble: str | None = None  # a sentence; None: the service took it
    remedy: type[TryLater] | type[NeedsPerson] = TryLater


class Pager:
    """Pages the people on call by every address; `addresses` are URLs of apprise, separated by blanks or lines."""

    name = "pager"

    def __init__(self, addresses: str, within: float = _WITHIN) -> None:
        self._given = addresses.split()
        self._within = within

    @property
    def services(self) -> list[str]:
        """The service of each address, in order; UNKNOWN where apprise knows none such."""
        return [address.service for address in self._addresses]

    def page(self, message: Message) -> list[Paged]:
        """Page by every address at once; what became of each, after `within` seconds at most."""
        ends = monotonic() + self._within
        for address in self._addresses:
            address.begin(message)
        return [address.paged(ends, self._within) for address in self._addresses]

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """Page; it has arrived when one service took it. `place` says how many did, `trouble` what became of the others."""
        pages = self.page(message)
        failed = [page for page in pages if page.trouble]
        for page in failed:
            log.warning("page", key=key, address=page.number, remedy=page.remedy.__name__)
        said = "; ".join(page.trouble for page in failed if page.trouble)
        if not pages:
            raise NeedsPerson(f"{ADDRESSES} names no address, so nobody can be paged; docs/handoff.md says how")
        if len(failed) == len(pages):
            asks = all(page.remedy is NeedsPerson for page in failed)
            raise (NeedsPerson if asks else TryLater)(f"nobody could be paged: {said}")
        return Sent(f"{len(pages) - len(failed)} of {len(pages)}", key, said or None)

    def update(self, sent: Sent, message: Message) -> None:
        """A page is not taken back."""

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """Services do not tell what they delivered; paging twice beats not paging."""
        return None

    @cached_property
    def _addresses(self) -> list["_Address"]:
        asset = _asset()
        return [_Address(number, url, asset) for number, url in enumerate(self._given, 1)]


class _Address:
    """One address, and the page to it that is under way."""

    def __init__(self, number: int, url: str, asset: Any) -> None:
        from apprise import Apprise

        loaded = Apprise.instantiate(url, asset=asset)
        self.number = number
        self.service = str(loaded.service_name) if loaded else UNKNOWN
        self._apprise = Apprise(loaded, asset=asset) if loaded else None
        self._thread: threading.Thread | None = None
        self._hangs = False
        self._answer: Any = None

    def begin(self, message: Message) -> None:
        """Page, unless the page before still hangs: threads must not become more with each."""
        self._hangs = self._thread is not None and self._thread.is_alive()
        if self._apprise is None or self._hangs:
            return
        self._answer = None
        # A daemon: it must not keep the program from ending.
        self._thread = threading.Thread(target=self._page, args=(message,), daemon=True)
        self._thread.start()

    def _page(self, message: Message) -> None:
        from apprise import NotifyFormat, NotifyType

        assert self._apprise is not None
        # A failure is what services with priorities take for urgent.
        self._answer = self._apprise.notify(
            message.excerpt, message.title, notify_type=NotifyType.FAILURE, body_format=NotifyFormat.TEXT
        )

    def paged(self, ends: float, within: float) -> Paged:
        """What became of the page, waited for until `ends`."""
        if self._thread is None:
            return self._failed("is none that apprise knows; docs/handoff.md says how they are written", NeedsPerson)
        if self._hangs:
            return self._failed("has not answered an earlier page yet")
        self._thread.join(max(0.0, ends - monotonic()))
        if self._thread.is_alive():
            return self._failed(f"gave no answer within {within:g} s")
        # Not the result as a whole: with "optional=yes" in the address a failure is one that apprise calls a success.
        results = () if self._answer is None else self._answer.results
        if any(attempt for result in results for attempt in result.attempts):
            return Paged(self.number, self.service)
        said = [found[1] for result in results for entry in result.logs() if (found := _STATUS.search(entry.message))]
        if not said:
            return self._failed("did not take it; check the address and the network")
        if said[-1].startswith("4") and said[-1] not in ("408", "429"):
            return self._failed(f"refuses it ({said[-1]}); check the token in it and to whom it goes", NeedsPerson)
        return self._failed(f"answers {said[-1]}")

    def _failed(self, why: str, remedy: type[TryLater] | type[NeedsPerson] = TryLater) -> Paged:
        sentence = f"the {_ordinal(self.number)} address of {ADDRESSES} ({self.service}) {why}"
        return Paged(self.number, self.service, sentence, remedy)


def _asset() -> Any:
    """How apprise is used: no file is read or written, no redirect followed with our tokens, nothing fetched for show."""
    logging.getLogger("apprise").propagate = False
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="Call Light",
        app_desc="Call Light",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        language="en",
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        http_redirects=False,
        async_mode=False,  # in our thread, not in one of its own
        service_timeout=0,
    )


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
