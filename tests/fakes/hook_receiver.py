"""What a hospital's CRM does with events: checks the signature with the library for it, drops what it knows, answers.

Checked against: the Standard Webhooks specification and standardwebhooks 1.1.
"""

from __future__ import annotations

from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from fakes.server import Answer, FakeServer, RateLimited, Request

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1ob3NwaXRhbC1vbmU="
OTHER = "whsec_" + "YW5vdGhlci1zZWNyZXQtb2YtdGhlLWhvc3BpdGFs"


class HookReceiver(FakeServer):
    """Takes what is signed with `secret`; `events` by webhook-id, so that a double changes nothing."""

    def __init__(self, secret: str = SECRET, port: int = 0) -> None:
        super().__init__(port=port)
        self.secret = secret
        self.events: dict[str, Any] = {}

    def answer(self, request: Request) -> Answer:
        """204, or 401 for what is not signed, is signed with another secret, or was signed more than 5 minutes ago."""
        try:
            event = Webhook(self.secret).verify(request.raw, request.headers)
        except (WebhookVerificationError, ValueError):
            return self.status_answer(401)
        self.events.setdefault(request.headers["webhook-id"], event)
        return Answer(204, "")

    def status_answer(self, code: int) -> Answer:
        """An error without much to say."""
        return Answer(code, {"message": "no"})

    def limited_answer(self, fault: RateLimited) -> Answer:
        """Too many events."""
        said = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        return Answer(429, {"message": "slow down"}, said)
