"""The only door to Slack: slack-sdk's WebClient, without its own retries.

Its default handler sends chat.postMessage again when a connection drops, which makes two cards of one; and waiting for
a rate limit inside the call would hold up danger for another channel. Both are the outbox's business.
"""

import http.client
import json
import re
import urllib.error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError

from alerts.door import Sent
from alerts.message import Message
from listener.errors import NeedsPerson, OutcomeUnknown, TryLater

_TIMEOUT = 10  # seconds
_ID = re.compile(r"^[CGD][A-Z0-9]{5,}$")
_PAGES = 10  # of history or channels that are looked through
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
# Slack says these when it is the one in trouble.
_PASSING = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "ratelimited",
    "rate_limited",
    "team_added_to_org",
}
_REMEDY = {
    "invalid_auth": "Slack does not accept SLACK_BOT_TOKEN; copy it again from the app's page",
    "not_authed": "SLACK_BOT_TOKEN is empty; copy it from the app's page",
    "account_inactive": "the Slack app was removed from the workspace; install it again",
    "token_revoked": "SLACK_BOT_TOKEN was revoked; install the Slack app again",
    "missing_scope": "the Slack app lacks a permission ({needed}); add it on the app's page and install it again",
    "channel_not_found": "Slack knows no channel {channel}; correct it in care.toml, or invite the bot if it is private",
    "not_in_channel": "the bot is not in {channel}; type /invite @Call Light there",
    "is_archived": "the channel {channel} is archived; name another in care.toml",
}


class Slack:
    """Posts, edits and finds messages. Channels are configured by name or ID; IDs come back from Slack."""

    name = "slack"

    def __init__(self, token: str, base_url: str | None, channels: dict[str, str]) -> None:
        address = base_url.rstrip("/") if base_url else "https://slack.com"
        address = address if address.endswith("/api") else address + "/api"
        self._client = WebClient(token, base_url=address + "/", timeout=_TIMEOUT, retry_handlers=[])
        self._channels = channels

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """chat.postMessage. Blocks that Slack refuses go as plain text: a card that looks plain beats none."""
        there = self._channels[channel]
        options: dict[str, Any] = {"metadata": message.metadata, "unfurl_links": False, "unfurl_media": False}
        try:
            answer = self._call(
                there, self._client.chat_postMessage, channel=there, text=message.text, blocks=message.blocks, **options
            )
        except _Refused as refused:
            if refused.code not in ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"):
                raise NeedsPerson(f"Slack refuses the message ({refused.code})") from None
            answer = self._call(there, self._client.chat_postMessage, channel=there, text=message.text, **options)
        return Sent(str(answer["channel"]), str(answer["ts"]))

    def update(self, sent: Sent, message: Message) -> None:
        """chat.update; a message that people removed stays removed."""
        try:
            self._call(
                sent.place,
                self._client.chat_update,
                channel=sent.place,
                ts=sent.ref,
                text=message.text,
                blocks=message.blocks,
                metadata=message.metadata,
            )
        except _Refused as refused:
            if refused.code not in _GONE:
                raise NeedsPerson(f"Slack refuses the change ({refused.code})") from None

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """The message with this key in its metadata. Raises TryLater when Slack cannot be asked."""
        there = place or self._id_of(self._channels[channel])
        # Slack's clock and ours may differ a little.
        options: dict[str, Any] = {"channel": there, "include_all_metadata": True, "limit": 200}
        options["oldest"] = str((since - timedelta(minutes=2)).timestamp())
        for _ in range(_PAGES):
            try:
                answer = self._call(there, self._client.conversations_history, **options)
            except _Refused as refused:
                raise NeedsPerson(f"Slack does not show the history of {there} ({refused.code})") from None
            for message in answer.get("messages") or ():
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("delivery") == key:
                    return Sent(there, str(message["ts"]))
            options["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not options["cursor"]:
                return None
        return None

    def about_bot(self) -> tuple[dict[str, Any], set[str]]:
        """auth.test: who the bot is, and its scopes."""
        answer = self._call("", self._client.auth_test)
        scopes = next((value for name, value in answer.headers.items() if name.lower() == "x-oauth-scopes"), "")
        return dict(answer.data), {scope.strip() for scope in str(scopes).split(",") if scope.strip()}

    def about_channel(self, there: str) -> dict[str, Any]:
        """conversations.info of a channel, by name or ID. Raises NeedsPerson when there is none."""
        try:
            answer = self._call(there, self._client.conversations_info, channel=self._id_of(there))
        except _Refused as refused:
            raise NeedsPerson(f"Slack says {refused.code} of {there}") from None
        return dict(answer["channel"])

    def _id_of(self, there: str) -> str:
        """A channel's ID; the history has no names."""
        if _ID.match(there):
            return there
        options: dict[str, Any] = {"limit": 1000, "exclude_archived": True, "types": "public_channel,private_channel"}
        try:
            for _ in range(_PAGES):
                answer = self._call(there, self._client.conversations_list, **options)
                for channel in answer.get("channels") or ():
                    if channel.get("name") == there.removeprefix("#"):
                        return str(channel["id"])
                options["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
                if not options["cursor"]:
                    break
        except (NeedsPerson, _Refused):
            pass  # the scope channels:read is not there: Slack may still know the name
        return there

    def _call(self, channel: str, method: Callable[..., Any], **options: Any) -> Any:
        """One request. Raises TryLater, OutcomeUnknown, NeedsPerson, _Refused."""
        try:
            return method(**options)
        except SlackApiError as error:
            raise _by_remedy(error, channel) from None
        except urllib.error.URLError as error:
            if (
                isinstance(error.reason, ConnectionRefusedError)
                or "resolve" in str(error.reason).lower()
                or "not known" in str(error.reason)
            ):
                raise TryLater("no connection to Slack") from None
            raise OutcomeUnknown(f"Slack gave no answer ({type(error.reason).__name__})") from None
        except (OSError, http.client.HTTPException, json.JSONDecodeError, SlackRequestError, SlackClientError) as error:
            raise OutcomeUnknown(f"Slack gave no answer ({type(error).__name__})") from None


class _Refused(Exception):
    """Slack does not take this message, whoever sends it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def _by_remedy(error: SlackApiError, channel: str) -> Exception:
    response: Any = error.response
    status = getattr(response, "status_code", 200)
    headers = {str(name).lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        stated = str(headers.get("retry-after", ""))
        wait = min(float(stated), 3600.0) if re.fullmatch(r"\d+(\.\d+)?", stated) else 30.0
        return TryLater("Slack asks to wait (429)", datetime.now(UTC) + timedelta(seconds=wait))
    if status >= 500 or code in _PASSING or not isinstance(data, dict):
        return OutcomeUnknown(f"Slack answers {status if status >= 500 else code or 'no JSON'}")
    if code in _REMEDY:
        return NeedsPerson(
            "Slack: " + _REMEDY[code].format(channel=channel, needed=data.get("needed", "see the README"))
        )
    return _Refused(code or "unknown")
