"""What pages arrive at: a server that takes apprise's json:// and ntfy:// addresses, with the errors such services give.

Checked against: apprise 2.2, and ntfy's "publish as JSON".
"""

from __future__ import annotations

from fakes.server import Answer, FakeServer, RateLimited, Request


class FakePager(FakeServer):
    """Keeps every page that it took."""

    def json(self, path: str = "oncall", options: str = "") -> str:
        """An address of the service that takes plain JSON; it has a password in it."""
        return f"json://oncall:hunter2@{self._host}/{path}{options}"

    def ntfy(self, topic: str = "danger", options: str = "") -> str:
        """An address of ntfy on a server of the hospital's own."""
        return f"ntfy://{self._host}/{topic}{options}"

    @property
    def _host(self) -> str:
        return self.base_url.removeprefix("http://")

    def pages(self, service: str = "") -> list[str]:
        """The words of every page that was taken, title and text."""
        taken = [request for request in self.seen(service or None) if request.status == 200]
        return [f"{request.body['title']} | {request.body['message']}" for request in taken]

    def answer(self, request: Request) -> Answer:
        """Take a page."""
        if request.method != "POST" or not isinstance(request.body, dict) or not request.body.get("message"):
            return self.status_answer(400)
        if "topic" in request.body:
            return Answer(200, {"id": "p1", "event": "message", **request.body})
        return Answer(200, {})

    def status_answer(self, code: int) -> Answer:
        """ntfy's form of an error."""
        return Answer(code, {"code": code * 100, "http": code, "error": "refused"})

    def limited_answer(self, fault: RateLimited) -> Answer:
        """Too many pages."""
        return Answer(429, {"code": 42901, "http": 429, "error": "limit reached"})
