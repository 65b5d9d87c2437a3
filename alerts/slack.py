"""The only door to Slack: slack-sdk's WebClient, without its own retries, and with limits.

Its default handler sends chat.postMessage again when a connection drops, which makes two cards of one; and waiting for
a rate limit inside the call would hold up danger for another channel. Both are the outbox's business. Of itself it reads
whatever comes for as long as it comes, and follows a redirect to anybody with the token.
"""

import contextlib
import errno
import http.client
import logging
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError

from alerts.door import NotReady, Sent
from alerts.message import Message, Uploaded, escape, shorten
from alerts.people import is_slack_id
from listener import web
from listener.errors import AskedToWait, CallLightError, NeedsPerson, NoChannel, OutcomeUnknown, TryLater
from listener.logs import logger

log = logger(__name__)

_TIMEOUT = 10  # seconds
_LARGEST = 20_000_000  # bytes of an answer
_LONGEST_WAIT = timedelta(hours=1)  # that Slack is believed
_ID = re.compile(r"^[CGD][A-Z0-9]{5,}$")
_GROUPS_FOR = timedelta(minutes=5)  # a change of a user group counts after so long at most
_ALT = 1000  # characters of what a picture shows
_PAGES = 10  # of history or channels that are looked through
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
# Slack says these when it is the one in trouble.
_PASSING = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
}
_REMEDY = {
    "invalid_auth": "Slack does not accept SLACK_BOT_TOKEN; copy it again from the app's page",
    "not_authed": "SLACK_BOT_TOKEN is empty; copy it from the app's page",
    "token_expired": "SLACK_BOT_TOKEN has expired; install the Slack app again",
    "not_allowed_token_type": "SLACK_BOT_TOKEN is a token of another kind; copy the bot token, which begins with xoxb-",
    "account_inactive": "the Slack app was removed from the workspace; install it again",
    "token_revoked": "SLACK_BOT_TOKEN was revoked; install the Slack app again",
    "missing_scope": "the Slack app lacks a permission ({needed}); add it on the app's page and install it again",
    "channel_not_found": "Slack knows no channel {channel}; correct it in care.toml, or invite the bot if it is private",
    "not_in_channel": "the bot is not in {channel}; type /invite @Call Light there",
    "restricted_action": "the bot may not post in {channel}; allow apps to post there in the channel's settings",
    "is_archived": "the channel {channel} is archived; name another in care.toml",
    "file_uploads_disabled": "this workspace takes no files; allow them in its settings",
    "file_uploads_except_images_disabled": "this workspace takes no files but images; put the pages on a web server and "
    "name it as address in report.toml",
}
_OF_CHANNEL = {"channel_not_found", "not_in_channel", "restricted_action", "is_archived"}


class Client(WebClient):
    """The SDK's client: a whole answer comes in time and within limits, or an OSError; no token follows a redirect."""

    def _perform_urllib_http_request_internal(self, url: str, req: urllib.request.Request) -> dict[str, Any]:
        status, headers, body = _whole(req, self.timeout, self.proxy, self.ssl)
        return {"status": status, "headers": headers, "body": body.decode(errors="replace")}


class _AsItComes(urllib.request.HTTPErrorProcessor):
    """No status is an error yet, and no redirect is followed."""

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:
        return response

    https_response = http_response


class Slack:
    """Posts, edits and finds messages. Channels are configured by name or ID; IDs come back from Slack."""

    name = "slack"

    def __init__(
        self,
        token: str,
        base_url: str | None,
        channels: dict[str, str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        address = base_url.rstrip("/") if base_url else "https://slack.com"
        address = address if address.endswith("/api") else address + "/api"
        quiet = logging.getLogger("slack_sdk.web")  # it would write the first words of whatever answers at that address
        quiet.setLevel(logging.CRITICAL)
        self._address = address
        self.client = Client(token, base_url=address + "/", timeout=_TIMEOUT, retry_handlers=[], logger=quiet)
        self.team: str | None = None  # the workspace's ID, once it is known
        self.channels = channels
        self._now = now
        self._groups: dict[
            str, tuple[datetime, frozenset[str]]
        ] = {}  # members of user groups, as asked of Slack lately

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """chat.postMessage. Blocks that Slack refuses go as plain text: a card that looks plain beats none."""
        there = self._there(channel)
        options = {"channel": there, "metadata": message.metadata, "unfurl_links": False}
        # A file is shared by unfolding its link (slackapi/bolt-python issue 1018); links of others stay folded.
        options |= {} if message.file_ids else {"unfurl_media": False}
        answer = self._with_blocks(there, self.client.chat_postMessage, message, options)
        place, ref = answer.get("channel"), answer.get("ts")
        if not place or not ref:
            raise OutcomeUnknown("Slack's answer does not say where the message is")
        return Sent(str(place), str(ref))

    def update(self, sent: Sent, message: Message) -> None:
        """chat.update; a message that people removed stays removed."""
        options = {"channel": sent.place, "ts": sent.ref, "metadata": message.metadata}
        options |= {"file_ids": list(message.file_ids)} if message.file_ids else {}
        try:
            answer = self._with_blocks(sent.place, self.client.chat_update, message, options)
            if answer.get("ts") != sent.ref:
                raise _odd()
        except _Refused as refused:
            if refused.code not in _GONE:
                raise

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """The message with this key in its metadata. Raises TryLater when Slack cannot be asked.

        What went to one person alone is not looked for: the app may not read there, and twice beats never.
        """
        if is_slack_id(channel):
            return None
        there = self._there(channel)
        now_in = self._id_of(there)
        if now_in is None and place is None:
            raise NeedsPerson(
                f"the bot cannot look whether a message reached {there}: write the channel's ID in care.toml, "
                "or give the Slack app channels:read and groups:read"
            )
        # The channel may have been changed in care.toml since the message left: look in the old one and the new.
        for one in dict.fromkeys((place, now_in)):
            if one is not None and (sent := self._look_in(one, key, since)):
                return sent
        return None

    def _look_in(self, place: str, key: str, since: datetime) -> Sent | None:
        options: dict[str, Any] = {"channel": place, "include_all_metadata": True, "limit": 200}
        # Slack's clock and ours may differ a little.
        options["oldest"] = str((since - timedelta(minutes=2)).timestamp())
        for _ in range(_PAGES):
            answer = self._call(place, self.client.conversations_history, **options)
            for message in _listed(answer, "messages"):
                payload = _within(message, "metadata", "event_payload")
                if payload.get("delivery") == key:
                    return Sent(place, str(message["ts"]))
            options["cursor"] = _within(answer, "response_metadata").get("next_cursor")
            if not options["cursor"]:
                break
        return None

    def _with_blocks(self, there: str, method: Callable[..., Any], message: Message, options: dict[str, Any]) -> Any:
        """Send a message, and once more without its images, then without its blocks, if Slack refuses these."""
        without = [block for block in message.blocks if block["type"] != "image"]
        for blocks in (message.blocks, without) if len(without) < len(message.blocks) else (message.blocks,):
            try:
                return self._call(there, method, text=message.text, blocks=blocks, **options)
            except _Refused as refused:
                if refused.code not in _BAD_BLOCKS:
                    raise
                # Slack looks for malware in a file first, and until then says "invalid slack file" of any block with
                # it, without posting anything (slackapi/python-slack-sdk issues 1521, 1797; java-slack-sdk 1349).
                if any("slack file" in why for why in refused.details):
                    raise NotReady("Slack is still looking at the charts") from None
        return self._call(there, method, text=message.text, **options)

    # ---------------------------------------------------------------- files

    def upload(
        self, name: str, title: str, content: bytes, alt: str = "", began: Callable[[str], None] = lambda id: None
    ) -> Uploaded:
        """A private file: only the bot sees it until a message shows it in an image block or shares its link.

        The steps of files_upload_v2, but each error keeps its remedy, and `began` is told what may be half done.
        """
        more = {"alt_txt": shorten(alt, _ALT)} if alt else {}
        call = self.client.files_getUploadURLExternal
        ticket = self._call("", call, filename=name, length=len(content), **more)
        id_, address = ticket.get("file_id"), ticket.get("upload_url")
        if not id_ or not address:
            raise OutcomeUnknown("Slack's answer does not say where to upload to")
        began(str(id_))
        self._call("", self._put, address=str(address), content=content)
        named = [{"id": id_, "title": title}]
        answer = self._call("", self.client.files_completeUploadExternal, files=named)
        done = _listed(answer, "files") or [{}]
        return Uploaded(str(id_), str(done[0].get("permalink") or ""))

    def take_back(self, id: str) -> None:
        """files.delete; one that is gone already is no error."""
        try:
            self._call("", self.client.files_delete, file=id)
        except _Refused as refused:
            if refused.code not in ("file_not_found", "file_deleted"):
                raise

    def _put(self, address: str, content: bytes) -> None:
        """The bytes of a file, to where Slack told; anything but 200 is an error."""
        try:
            web.refuse_inside(address, [self._address])
        except web.LeadsInside:
            raise OutcomeUnknown("Slack's answer leads to no place on the internet") from None
        with web.guarded(None, self._address) as session:
            kind = {"Content-Type": "application/octet-stream"}
            answer = web.write("Slack", session, "POST", address, kind, _TIMEOUT, data=content)
        if answer.status != 200:
            now = self._now()
            until = web.retry_at(answer.headers, now)
            why = f"Slack answers {answer.status} to an upload"
            raise OutcomeUnknown(why, min(until, now + _LONGEST_WAIT) if until else None)

    # ---------------------------------------------------------------- to one person

    def open_view(self, trigger: str, view: dict[str, Any]) -> str | None:
        """views.open; the modal's ID, None when Slack's three seconds are over or it cannot be asked."""
        return self._shown(self.client.views_open, trigger_id=trigger, view=view)

    def update_view(self, view_id: str, view: dict[str, Any]) -> bool:
        """views.update; False when nobody sees it any more."""
        return self._shown(self.client.views_update, view_id=view_id, view=view) is not None

    def whisper(self, channel: str, user: str, text: str) -> None:
        """A sentence that only one person sees, where they pressed, else as a message to them. Nothing hangs on it."""
        words = {"text": escape(text).replace("&lt;@U", "<@U").replace("&gt;", ">")}
        try:
            if channel:
                self._call(channel, self.client.chat_postEphemeral, channel=channel, user=user, **words)
                return
        except CallLightError:
            pass
        with contextlib.suppress(CallLightError):
            self._call(user, self.client.chat_postMessage, channel=user, **words)

    def groups_of(self, user: str, groups: Collection[str]) -> set[str]:
        """Which of these user groups somebody is in. Raises CallLightError when Slack cannot be asked."""
        return {group for group in groups if user in self._members(group)}

    def _members(self, group: str) -> frozenset[str]:
        asked, members = self._groups.get(group, (None, frozenset()))
        if asked is None or self._now() - asked > _GROUPS_FOR:
            answer = self._call(group, self.client.usergroups_users_list, usergroup=group)
            users = answer.get("users")
            if not isinstance(users, list):
                raise _odd()
            members = frozenset(map(str, users))
            self._groups[group] = (self._now(), members)
        return members

    def _shown(self, method: Callable[..., Any], **options: Any) -> str | None:
        try:
            view = _within(self._call("", method, **options), "view")
        except CallLightError as error:
            log.warning("modal", remedy=type(error).__name__)
            return None
        return str(view.get("id") or "") or None

    # ---------------------------------------------------------------- how Slack is asked

    def _there(self, channel: str) -> str:
        if is_slack_id(channel):  # a word to one person
            return channel
        if channel not in self.channels:
            raise NoChannel(f"care.toml has no channel {channel!r} any more, and a message waits for it")
        return self.channels[channel]

    def about_bot(self) -> tuple[dict[str, Any], set[str], str]:
        """auth.test: who the bot is, its scopes, and the time Slack has (an HTTP date, "" if not given)."""
        answer = self._call("", self.client.auth_test)
        self.team = str(answer.get("team_id") or "") or None
        headers = {name.lower(): str(value) for name, value in answer.headers.items()}
        scopes = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
        return dict(answer.data), scopes, headers.get("date", "")

    def may_listen(self, app_token: str) -> None:
        """Ask for a line, which is not taken up. Raises NeedsPerson when Slack does not accept this token."""
        self._call("", self.client.apps_connections_open, app_token=app_token)

    def about_channel(self, there: str) -> dict[str, Any]:
        """conversations.info of a channel, by name or ID. Raises NeedsPerson when there is none."""
        answer = self._call(there, self.client.conversations_info, channel=self._id_of(there) or there)
        return _within(answer, "channel")

    def _id_of(self, there: str) -> str | None:
        """A channel's ID, which the history asks for; None when Slack does not tell."""
        if _ID.match(there):
            return there
        options: dict[str, Any] = {"limit": 1000, "types": "public_channel,private_channel"}
        try:
            for _ in range(_PAGES):
                answer = self._call(there, self.client.conversations_list, **options)
                for channel in _listed(answer, "channels"):
                    if channel.get("name") == there.removeprefix("#"):
                        return str(channel["id"])
                options["cursor"] = _within(answer, "response_metadata").get("next_cursor")
                if not options["cursor"]:
                    break
        except NeedsPerson:
            pass  # the scope channels:read is not there
        return None

    def _call(self, there: str, method: Callable[..., Any], /, **options: Any) -> Any:
        """One request. Raises TryLater, OutcomeUnknown, NeedsPerson, _Refused."""
        try:
            return method(**options)
        except SlackApiError as error:
            raise _by_remedy(error, there, self._now()) from None
        except urllib.error.URLError as error:
            if _never_left(error.reason):
                raise TryLater(
                    "no connection to Slack; check the network, the cards wait and go out as soon as it is back"
                ) from None
            raise OutcomeUnknown(f"Slack gave no answer ({type(error.reason).__name__})") from None
        except (OSError, http.client.HTTPException, SlackRequestError, SlackClientError) as error:
            raise OutcomeUnknown(f"Slack gave no answer ({type(error).__name__})") from None
        except (AttributeError, ValueError):  # the SDK takes any JSON for an object
            raise _odd() from None


class _Refused(NeedsPerson):
    """Slack does not take this message, whoever sends it."""

    def __init__(self, code: str, there: str, details: Collection[str] = ()) -> None:
        self.code, self.details = code, details
        super().__init__(f"Slack refuses it in {there or 'this workspace'} ({code})")


def _odd() -> OutcomeUnknown:
    return OutcomeUnknown("Slack's answer is not what Slack sends")


def _listed(answer: Any, key: str) -> list[dict[str, Any]]:
    """The objects that an answer lists. Raises OutcomeUnknown: to take anything else for an empty list would lose them."""
    found = answer.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _odd()
    return found


def _within(answer: Any, *path: str) -> dict[str, Any]:
    """The object at this path, {} where there is none. Raises OutcomeUnknown for anything else."""
    for key in path:
        answer = answer.get(key) or {}
        if not isinstance(answer, dict):
            raise _odd()
    return dict(answer)


def _whole(
    request: urllib.request.Request, timeout: float, proxy: str | None = None, tls: ssl.SSLContext | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of an answer. Raises OSError, also when it takes too long or is too large."""
    ends = time.monotonic() + timeout
    proxies = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    opener = urllib.request.build_opener(_AsItComes, urllib.request.HTTPSHandler(context=tls), *proxies)
    with opener.open(request, timeout=timeout) as answer:
        stated = int(answer.headers.get("content-length") or -1)
        body = bytearray()
        while len(body) != stated and (chunk := answer.read1(65_536)):
            body += chunk
            if len(body) > _LARGEST or time.monotonic() > ends:
                raise TimeoutError("the answer is too large, or takes too long")
        if len(body) < stated:
            raise http.client.IncompleteRead(bytes(body), stated - len(body))
        return answer.status, answer.headers, bytes(body)


def _never_left(reason: object) -> bool:
    """Whether the connection was not made at all: then nothing can have arrived."""
    if isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return True
    return isinstance(reason, OSError) and reason.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)


def _by_remedy(error: SlackApiError, there: str, now: datetime) -> Exception:
    response: Any = error.response
    status = int(getattr(response, "status_code", 200))
    headers = {str(name).lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        stated = str(headers.get("retry-after", ""))
        wait = min(float(stated), _LONGEST_WAIT.total_seconds()) if re.fullmatch(r"\d+(\.\d+)?", stated) else 30.0
        return AskedToWait("Slack asks to wait (429)", now + timedelta(seconds=wait))
    is_slack = re.fullmatch(r"[a-z][a-z_0-9]*", code) is not None  # the SDK puts a web page into the same field
    if 300 <= status < 500 and status != 408 and not is_slack:
        return NeedsPerson(f"what answers at Slack's address is not Slack ({status}); check base_url in care.toml")
    if status >= 500 or status == 408 or code in _PASSING or not is_slack:
        return OutcomeUnknown(f"Slack answers {status}{' ' + code if is_slack else ', no JSON'}")
    if code in _REMEDY:
        needed = data.get("needed", "see the README") if isinstance(data, dict) else ""
        kind = NoChannel if code in _OF_CHANNEL else NeedsPerson
        return kind("Slack: " + _REMEDY[code].format(channel=there, needed=needed))
    details = data.get("errors") if isinstance(data, dict) else None
    return _Refused(code, there, [str(one) for one in details] if isinstance(details, list) else ())
