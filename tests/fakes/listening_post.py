"""A visitor with a phone: the other side of the listening post's form.

There is no site to fake, as the collector itself is the server. A Visitor does what a browser does: opens the page, reads
its form, fills it in and presses Send, with the line ends and headers of a browser. Checked against the requests that
Chromium 156 sent from a page with this form and `Referrer-Policy: no-referrer` (which makes it say `Origin: null`).
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests

from .place import Place

_OWN = "tests/listener/collectors/test_listening_post.py"
_CLOSED = f"the form is open only while the service stays, not in a single pass; {_OWN} sends words over HTTP instead"
_NOBODY_ASKED = f"no site is asked that could fail; {_OWN} has the troubles of a server instead"
_NO_TIMES = f"nobody else's time is involved: a message is written when it arrives ({_OWN})"


@contextlib.contextmanager
def place(clock: Any, folder: Path) -> Iterator[Place]:
    """A form that is closed: the contract asks for single passes."""
    yield Place(
        server=None,
        settings={"contact": "Patient Relations 555-0100", "port": free_port()},
        cannot={
            **dict.fromkeys(
                ("first_run", "nothing_new", "what_is_new_since", "several_pages", "crash_between_pages"), _CLOSED
            ),
            **dict.fromkeys(("duplicates", "ten_thousand_posts", "gap"), _CLOSED),
            **dict.fromkeys(("trouble", "asked_to_wait_until", "trouble_half_way"), _NOBODY_ASKED),
            **dict.fromkeys(("our_clock_is_wrong", "cursor_from_the_future"), _NO_TIMES),
            **dict.fromkeys(
                ("edited_post", "deleted_post"), "nobody knows who wrote a message, so nobody can change it"
            ),
            "own_reply": "there is no public thread in which the hospital could answer",
        },
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclass
class Shown:
    """What the phone shows, and the form on it with what is filled in."""

    status: int
    headers: Any
    html: str
    url: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What can be read on it."""
        plain = re.sub("<(style|select).*?</\\1>|</?(a|b|strong|span)\\b[^>]*>", "", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub("<[^>]+>", " ", plain)).split())


class Visitor:
    """Somebody with a phone."""

    def __init__(self, base: str, language: str = "en-US,en;q=0.9", **headers: str) -> None:
        self.base = base
        self.headers = {
            "Accept-Language": language,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }

    def opens(self, address: str = "/") -> Shown:
        """Scan the code, or follow a link."""
        return self._shown(requests.get(self.base + address, headers=self.headers, timeout=10))

    def sends(self, shown: Shown, /, **filled: str) -> Shown:
        """Fill in and press Send; what is not named stays as the form has it."""
        fields = {name: value.replace("\n", "\r\n") for name, value in {**shown.fields, **filled}.items()}
        headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin", **self.headers}
        return self._shown(requests.post(shown.url, data=fields, headers=headers, timeout=10))

    def says(self, text: str, address: str = "/", **filled: str) -> Shown:
        """Open the form and send it."""
        return self.sends(self.opens(address), text=text, **filled)

    def _shown(self, answer: requests.Response) -> Shown:
        form = _Form()
        form.feed(answer.text)
        form.close()
        return Shown(answer.status_code, answer.headers, answer.text, answer.url, form.fields)


class _Form(HTMLParser):
    """The fields of a page's form as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._within = ""  # the textarea or the select
        self._option = False  # chosen, and called by its text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._option = False
        if tag == "input":
            self.fields[found["name"] or ""] = found.get("value") or ""
        elif tag in ("textarea", "select"):
            self._within = found["name"] or ""
            self.fields[self._within] = ""
        elif tag == "option" and "selected" in found:
            self._option = "value" not in found
            self.fields[self._within] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":  # a line end right after the tag is not part of the text
            self.fields[self._within] = self.fields[self._within].removeprefix("\n")
        if tag in ("textarea", "select"):
            self._within = ""
        self._option = False

    def handle_data(self, data: str) -> None:
        if (self.lasttag == "textarea" and self._within) or self._option:
            self.fields[self._within] += data
