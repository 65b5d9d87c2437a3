"""The door to other systems, a CRM or a ticket tool: events of cases as signed web requests (standardwebhooks.com).

A request may be sent again without harm, as it keeps its webhook-id and the receiver drops what it knows; so nothing here is
ever looked for, and no outcome is unknown.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import requests
from standardwebhooks import Webhook

from alerts.door import Sent
from alerts.message import Message
from config.schema import Hook
from listener.environment import HOOK_SECRET
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.web import retry_at

_TIMEOUT = (5, 10)  # seconds to be let in, and for an answer
_LONGEST_WAIT = timedelta(days=1)
_SECRET_BYTES = range(24, 65)  # as the standard has it


class Hooks:
    """Tells the hooks of care.toml; a message's metadata is what is sent, and `channel` is channel_of(hook)."""

    name = "hooks"

    def __init__(
        self,
        hooks: Sequence[Hook],
        secrets: Mapping[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._hooks = {channel_of(hook.name): hook for hook in hooks}
        self._secrets = secrets
        self._now = now

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """One POST, signed; `key` is its webhook-id. Raises AskedToWait, TryLater, NeedsPerson."""
        hook = self._hooks.get(channel)
        if hook is None:
            raise NeedsPerson(f"care.toml has no {channel} any more, and events wait for it")
        # Signed as text, sent as bytes: the two must be the same to the last blank.
        body = json.dumps(message.metadata, ensure_ascii=False, separators=(",", ":"))
        headers = signed(signing_keys(hook.name, self._secrets), key, self._now(), body)
        try:
            # What it says beside the status is not ours to read, and may be long.
            with requests.post(
                hook.url, body.encode(), headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                status, said = response.status_code, response.headers
        except requests.RequestException as error:
            raise TryLater(
                f"{channel}: no answer ({type(error).__name__}); check its url and the network, it is told again"
            ) from None
        if not 200 <= status < 300:
            raise self._refused(channel, status, {name.lower(): value for name, value in said.items()})
        return Sent(urlsplit(hook.url).hostname or "", key)

    def update(self, sent: Sent, message: Message) -> None:
        """What was told is not taken back: a change is an event of its own."""

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """Nothing is looked for: the receiver drops what it has had."""
        return None

    def _refused(self, channel: str, status: int, headers: Mapping[str, str]) -> TryLater | NeedsPerson:
        if status == 410:
            return NeedsPerson(f"{channel}: its receiver wants no more events (410); remove it from care.toml")
        if 300 <= status < 400:
            return NeedsPerson(f"{channel}: it has moved ({status}); write its new url in care.toml")
        at = retry_at(headers, self._now())
        if status == 429 or (status == 503 and at):
            until = min(at, self._now() + _LONGEST_WAIT) if at else None
            return AskedToWait(f"{channel}: asks to wait ({status})", until)
        refuses = status in (401, 403)
        return TryLater(
            f"{channel}: answers {status}"
            + (f"; does its receiver have the same secret as {HOOK_SECRET}?" if refuses else "")
        )


def channel_of(hook: str) -> str:
    """A hook's name among channels, where no channel of Slack can have the same."""
    return f"hook {hook}"


def signed(keys: Sequence[Webhook], key: str, at: datetime, body: str) -> dict[str, str]:
    """The headers of a request with this text: one signature for each key, so that a secret can be replaced."""
    moment = at.astimezone(UTC)  # the library takes the figures of any zone for UTC's
    return {
        "content-type": "application/json",
        "user-agent": "Call Light",
        "webhook-id": key,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(one.sign(key, moment, body) for one in keys),
    }


def signing_keys(hook: str, secrets: Mapping[str, str]) -> list[Webhook]:
    """The keys of a hook: its own secrets, else those for all. Raises NeedsPerson, naming the variable."""
    own = f"{HOOK_SECRET}_{hook.upper()}"
    name = own if secrets.get(own) else HOOK_SECRET
    given = secrets.get(name, "").split()
    if not given:
        raise NeedsPerson(
            f"hook {hook}: set {own} or {HOOK_SECRET} in the environment or in .env and start the service again"
        )
    for secret in given:
        try:  # the library would take any text, and drop what does not fit
            size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
        except ValueError:
            size = 0
        if size not in _SECRET_BYTES:
            raise NeedsPerson(
                f"hook {hook}: {name} has to be whsec_ and 24 to 64 random bytes in base64; docs/handoff.md says how"
            )
    return [Webhook(secret) for secret in given]
