"""Slack on loopback: its Web API, what it refuses, and the addresses and connections an app is given by it.

What people do in it is in slack_people.py, how that reaches the app in slack_lines.py.

Checked against: slack_sdk 3.47 and slack_bolt 1.30, executed; docs.slack.dev method pages and rate limits of 2026.
"""

from __future__ import annotations

import copy
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from . import server
from .server import HTML_PAGE, Answer, FakeServer, On, RateLimited, Request
from .slack_limits import TOTAL_MAX, SlackError, structure_problems, text_length
from .slack_lines import HttpLine, Line, SocketLine
from .slack_views import APP, BOT_ID, TEAM, Views

ALL_SCOPES = (
    "chat:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "groups:history",
    "groups:read",
    "im:write",
    "usergroups:read",
    "users:read",
    "commands",
    "files:write",
)
POST_TEXT_MAX = 40_000
UPDATE_TEXT_MAX = 4_000
METADATA_MAX = 8_000
BOT_USER = "U0BOT00001"
SITE = "https://example.slack.com"
HOOK_USES = 5
HOOK_SECONDS = 30 * 60
ALT_MAX = 1000
IMAGES = (".png", ".jpg", ".jpeg", ".gif")
# which scopes allow a method; an empty tuple: any token may
SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.getPermalink": (),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.join": ("channels:join",),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "users.info": ("users:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "views.open": (),
    "views.push": (),
    "views.update": (),
}
LIVE = re.compile(
    r"<(?:!(?:channel|here|everyone)\b[^<>]*|!subteam\^[^<>]*|@[UW][^<>]*|#C[^<>]*|(?:https?|mailto):[^<>|]*\|[^<>]*)>"
)


def live_mentions(message: dict[str, Any]) -> list[str]:
    """Markup in a message that Slack would act on: broadcasts, user and group mentions, links under another name.

    Looks at the top-level text, at every mrkdwn text and markdown block, and at rich text's own mention elements."""
    found = LIVE.findall(message.get("text") or "")

    def look(part: Any) -> None:
        if isinstance(part, list):
            for one in part:
                look(one)
        elif isinstance(part, dict):
            kind = part.get("type")
            if kind in {"mrkdwn", "markdown"} and isinstance(part.get("text"), str):
                found.extend(LIVE.findall(part["text"]))
            elif kind in {"user", "usergroup", "broadcast"}:
                found.append(f"{kind}:{part.get('user_id') or part.get('usergroup_id') or part.get('range')}")
            for value in part.values():
                look(value)

    look(message.get("blocks") or [])
    return found


@dataclass
class _Channel:
    id: str
    name: str
    archived: bool
    member: bool
    private: bool
    person: str = ""  # whose direct messages these are
    outside: set[str] = field(default_factory=set)  # everybody else is in it
    messages: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)  # deleted, and still on somebody's screen
    allowance: float = 0.0
    counted_at: float = -math.inf


@dataclass
class StoredFile:
    """A file of the app's: `shared` are the ids of the channels whose people may open it."""

    id: str
    name: str
    length: int
    alt: str
    title: str = ""
    content: bytes | None = None  # as it came to its upload URL
    done_at: float | None = None  # when it was completed
    deleted: bool = False
    shared: set[str] = field(default_factory=set)

    @property
    def permalink(self) -> str:
        """Where people open it."""
        return f"{SITE}/files/{BOT_USER}/{self.id}/{self.name.lower()}"


@dataclass
class Hook:
    """A response_url: `said` is what the app has sent to it."""

    url: str
    user: str
    channel: str
    ts: str | None
    at: float
    said: list[dict[str, Any]] = field(default_factory=list)


class _Handler(server._Handler):
    """The connections of Socket Mode are on the port of everything else."""

    def do_GET(self) -> None:
        if self.path.startswith("/link/"):
            self.close_connection = True
            self.server.fake.socket().serve(self)  # type: ignore[attr-defined]
        else:
            super().do_GET()

    do_POST = do_PUT = do_DELETE = do_GET


CARE_CHANNELS = (
    "social-care",
    "social-care-danger",
    "kind-words",
    "operations-social",
    "billing-social",
    "privacy-office-social",
    "call-light-health",
    "social-weekly",
)  # of the care.toml that ships


class FakeSlack(FakeServer):
    """Slack for the length of a `with` block.

    With `enforce_rate`, a channel takes `burst` messages at once and then one a second; duplicates are never
    detected. With `connections_a_minute`, apps.connections.open is limited by the clock. `line` is how what people do
    reaches the app: Socket Mode unless a test says otherwise. A file may be shown in a block `looks_at_files` seconds
    after it was uploaded; `refuses_files` is the error of a workspace that takes none."""

    def __init__(
        self,
        token: str = "xoxb-test-token",
        now: Callable[[], float] = time.time,
        *,
        scopes: Iterable[str] = ALL_SCOPES,
        enforce_rate: bool = False,
        burst: int = 3,
        port: int = 0,
        app_token: str = "xapp-test-token",
        connections_a_minute: int | None = None,
        looks_at_files: float = 0.0,
        refuses_files: str = "",
    ) -> None:
        super().__init__(now, port)
        self.token = token
        self.scopes = tuple(scopes)
        self.enforce_rate = enforce_rate
        self.burst = burst
        self.app_token = app_token
        self.connections_a_minute = connections_a_minute
        self.looks_at_files = looks_at_files
        self.refuses_files = refuses_files
        self._files: dict[str, StoredFile] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.views = Views(self.now)
        self._socket = SocketLine()
        self.line: Line = self._socket
        self._channels: dict[str, _Channel] = {}
        self._ephemerals: list[dict[str, Any]] = []
        self._hooks: dict[str, Hook] = {}
        self._connections: list[float] = []
        self._last_ts = 0
        self.news = threading.Condition(self._lock)

    def __enter__(self) -> Self:
        super().__enter__()
        assert self._http is not None
        self._http.RequestHandlerClass = _Handler
        return self

    # what tests do

    def add_channel(
        self, name: str, id: str | None = None, archived: bool = False, member: bool = True, private: bool = False
    ) -> str:
        """Make a channel (`member`: whether the bot is in it); its id."""
        with self._lock:
            made = id or f"C{len(self._channels) + 1:010d}"
            self._channels[made] = _Channel(made, name.lstrip("#"), archived, member, private)
            return made

    def change_channel(self, channel: str, *, archived: bool | None = None, member: bool | None = None) -> None:
        """Archive a channel, or put the bot in or out of it."""
        with self._lock:
            found = self._channel(channel)
            found.archived = found.archived if archived is None else archived
            found.member = found.member if member is None else member

    def add_message(self, channel: str, text: str, user: str = "U0SOMEBODY", thread_ts: str | None = None) -> str:
        """A message of somebody else's; its ts."""
        with self._lock:
            message = {"type": "message", "user": user, "text": text, "ts": self._next_ts()}
            self._channel(channel).messages.append(message | ({"thread_ts": thread_ts} if thread_ts else {}))
            return message["ts"]

    def remove_message(self, channel: str, ts: str) -> None:
        """What a person deleting a message does."""
        with self._lock:
            found = self._channel(channel)
            found.gone += [message for message in found.messages if message["ts"] == ts]
            found.messages = [message for message in found.messages if message["ts"] != ts]

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Every message in a channel (id or name), thread replies included, oldest first."""
        with self._lock:
            return copy.deepcopy(self._channel(channel).messages)

    def files(self) -> list[StoredFile]:
        """Every file that was completed and is not deleted, oldest first."""
        with self._lock:
            return [copy.deepcopy(one) for one in self._files.values() if one.done_at is not None and not one.deleted]

    def add_user(self, id: str, name: str, tz: str = "America/Chicago") -> str:
        """Make a person, who is in every channel; the id."""
        with self._lock:
            self.users[id] = {"id": id, "name": name, "tz": tz}
            return id

    def add_group(self, handle: str, users: Iterable[str], id: str | None = None) -> str:
        """Make a user group, or say anew who is in it; its id."""
        with self._lock:
            made = id or f"S{len(self.groups) + 1:010d}"
            self.groups[made] = {"id": made, "handle": handle.lstrip("@"), "users": list(users)}
            return made

    def leave(self, channel: str, user: str) -> None:
        """Put a person out of a channel."""
        with self._lock:
            self._channel(channel).outside.add(user)

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        """What only one person sees, in any channel, oldest first; each with its `channel` and `user`."""
        with self._lock:
            return copy.deepcopy([message for message in self._ephemerals if message["user"] == user])

    def direct_messages(self, user: str) -> list[dict[str, Any]]:
        """The app's conversation with one person, oldest first."""
        with self._lock:
            return copy.deepcopy(self._direct(user).messages)

    def wait_until(self, true: Callable[[], Any], within: float = 5.0) -> bool:
        """Wait for something that requests of the app bring about; whether it came in so many real seconds."""
        with self.news:
            return bool(self.news.wait_for(true, within))

    # how people reach the app

    def socket(self) -> SocketLine:
        """By Socket Mode, through whatever is connected."""
        return self._socket

    def http(self, url: str, secret: str, age: float = 0.0) -> HttpLine:
        """By requests to this address, signed `age` seconds ago."""
        return HttpLine(url, secret, self.now, age)

    def new_hook(self, kind: str, user: str, channel: str, ts: str | None = None) -> Hook:
        """A response_url for what somebody does (`kind`: actions or commands) in a channel, to the message `ts`."""
        with self._lock:
            path = f"/{kind}/{TEAM}/{len(self._hooks) + 1}"
            found = self._channel(channel).id
            self._hooks[path] = Hook(self.base_url + path, user, found, ts, self.now())
            return self._hooks[path]

    def new_trigger(self, user: str, in_view: bool = False) -> str:
        """What lets the app open a modal before somebody."""
        with self._lock:
            return self.views.new_trigger(user, in_view)

    def channel_named(self, channel: str) -> dict[str, str]:
        """The id and the name of a channel, as payloads have them."""
        with self._lock:
            found = self._channel(channel)
        return {"id": found.id, "name": "directmessage" if found.person else found.name}

    def on_screen(self, channel: str, ts: str, user: str) -> tuple[dict[str, Any], bool]:
        """A message as somebody may still see it though it is deleted, and whether only that person does."""
        with self._lock:
            found = self._channel(channel)
            for message in found.messages + found.gone:
                if message["ts"] == ts:
                    return copy.deepcopy(message), False
            for message in self._ephemerals:
                if (message["ts"], message["user"], message["channel"]) == (ts, user, found.id):
                    return copy.deepcopy(message), True
            raise LookupError(f"{user} sees no message {ts} in {channel}")

    # faults

    def _matches(self, on: On, request: Request) -> bool:
        if isinstance(on, str):
            return request.path.rsplit("/", 1)[-1] == on
        return super()._matches(on, request)

    def status_answer(self, code: int) -> Answer:
        return Answer(code, HTML_PAGE, {"content-type": "text/html; charset=utf-8"})

    def limited_answer(self, fault: RateLimited) -> Answer:
        wait: int | str = 1
        if fault.retry_after is not None:
            wait = fault.retry_after
        elif fault.reset is not None:
            wait = max(1, math.ceil(fault.reset - self.now()))
        return Answer(429, {"ok": False, "error": "ratelimited"}, {"retry-after": str(wait)})

    # requests

    def answer(self, request: Request) -> Answer:
        with self.news:
            if request.path.startswith("/upload/"):
                answer = self._uploaded(request)
            else:
                answer = self._hooked(request) if request.path in self._hooks else self._called(request)
            self.news.notify_all()
            return answer

    def _called(self, request: Request) -> Answer:
        headers = {"x-oauth-scopes": ",".join(self.scopes), "x-slack-req-id": f"req-{len(self.requests)}"}
        method = request.path.removeprefix("/api/")
        args = self._arguments(request)
        try:
            if method not in SCOPES or request.path != f"/api/{method}":
                raise SlackError("unknown_method", req_method=method)
            self._authorize(request, args, method)
            headers["x-accepted-oauth-scopes"] = ",".join(SCOPES[method])
            if (wait := self._too_soon(method, args)) is not None:
                return self.limited_answer(RateLimited(retry_after=wait))
            body = self._methods()[method](args)
        except SlackError as error:
            body = error.body
        return Answer(200, body, headers)

    @staticmethod
    def _arguments(request: Request) -> dict[str, Any]:
        args: dict[str, Any] = dict(request.query)
        if isinstance(request.body, dict):
            args |= request.body
        return args

    def _authorize(self, request: Request, args: dict[str, Any], method: str) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else args.get("token", "")
        if not given:
            raise SlackError("not_authed")
        if given not in (self.token, self.app_token):
            raise SlackError("invalid_auth")
        if given != (self.app_token if method == "apps.connections.open" else self.token):
            raise SlackError("not_allowed_token_type")
        needed = SCOPES[method]
        if needed and not set(needed) & set(self.scopes):
            raise SlackError("missing_scope", needed=needed[0], provided=",".join(self.scopes))

    def _methods(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open_connection,
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.getPermalink": self._permalink,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.list": self._list,
            "conversations.info": lambda args: {"ok": True, "channel": self._channel_shown(self._readable(args))},
            "conversations.join": self._join,
            "conversations.members": self._members,
            "conversations.open": self._open_direct,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
            "files.delete": self._delete_file,
            "users.info": self._user_info,
            "usergroups.list": self._list_groups,
            "usergroups.users.list": self._list_group,
            "views.open": self.views.open,
            "views.push": self.views.push,
            "views.update": self.views.update,
        }

    def _auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "url": f"{SITE}/",
            "team": "Example",
            "user": "call_light",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
            "is_enterprise_install": False,
        }

    def _open_connection(self, args: dict[str, Any]) -> dict[str, Any]:
        host = self.base_url.replace("http://", "ws://")
        return {"ok": True, "url": f"{host}/link/?ticket={self._socket.ticket()}&app_id={APP}"}

    # people

    def _user_info(self, args: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(str(args.get("user")))
        if user is None:
            raise SlackError("user_not_found")
        shown = {"real_name": user["name"].title(), "display_name": user["name"]}
        more = {"team_id": TEAM, "deleted": False, "is_bot": False, "tz_offset": 0, "profile": shown}
        return {"ok": True, "user": {**user, **more, "real_name": shown["real_name"]}}

    def _list_groups(self, args: dict[str, Any]) -> dict[str, Any]:
        shown = [
            {
                "id": group["id"],
                "team_id": TEAM,
                "is_usergroup": True,
                "name": group["handle"],
                "handle": group["handle"],
                "date_delete": 0,
                "user_count": len(group["users"]),
                **({"users": list(group["users"])} if _true(args.get("include_users")) else {}),
            }
            for group in self.groups.values()
        ]
        return {"ok": True, "usergroups": shown}

    def _list_group(self, args: dict[str, Any]) -> dict[str, Any]:
        group = self.groups.get(str(args.get("usergroup")))
        if group is None:
            raise SlackError("no_such_subteam")
        return {"ok": True, "users": list(group["users"])}

    def _members(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(args)
        people = [BOT_USER] * channel.member + [user for user in self.users if user not in channel.outside]
        page, cursor = self._paged(people, args, 1000)
        return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}

    def _open_direct(self, args: dict[str, Any]) -> dict[str, Any]:
        users = str(args.get("users") or "").split(",")
        if users == [""]:
            raise SlackError("users_list_not_supplied")
        if len(users) > 1:
            raise SlackError("method_not_supported_for_channel_type")
        if users[0] not in self.users:
            raise SlackError("user_not_found")
        return {"ok": True, "channel": {"id": self._direct(users[0]).id}}

    def _direct(self, user: str) -> _Channel:
        made = _Channel("D" + user[1:], "", archived=False, member=True, private=False, person=user)
        return self._channels.setdefault(made.id, made)

    # channels

    def _channel(self, named: Any, by_name: bool = True) -> _Channel:
        wanted = str(named or "")
        if wanted in self._channels:
            return self._channels[wanted]
        if by_name and wanted in self.users:
            return self._direct(wanted)
        for channel in self._channels.values():
            if by_name and channel.name == wanted.removeprefix("#") and not channel.person:
                return channel
        raise SlackError("channel_not_found")

    def _readable(self, args: dict[str, Any]) -> _Channel:
        """A channel by its id, which the bot may know of."""
        channel = self._channel(args.get("channel"), by_name=False)
        if channel.private and not channel.member:
            raise SlackError("channel_not_found")
        return channel

    def _writable(self, args: dict[str, Any], by_name: bool) -> _Channel:
        channel = self._channel(args.get("channel"), by_name)
        if channel.private and not channel.member:
            raise SlackError("channel_not_found")
        if channel.archived:
            raise SlackError("is_archived")
        if not channel.member and "chat:write.public" not in self.scopes:
            raise SlackError("not_in_channel")
        return channel

    def _channel_shown(self, channel: _Channel) -> dict[str, Any]:
        return {
            "id": channel.id,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": not channel.private and not channel.person,
            "is_group": channel.private,
            "is_im": bool(channel.person),
            "is_mpim": False,
            "is_private": channel.private,
            "is_archived": channel.archived,
            "is_general": False,
            "is_member": channel.member,
            "created": 1700000000,
            "creator": "U0SOMEBODY",
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "num_members": 3,
        }

    def _list(self, args: dict[str, Any]) -> dict[str, Any]:
        types = set(str(args.get("types") or "public_channel").split(","))
        there = [
            self._channel_shown(channel)
            for channel in self._channels.values()
            if ("im" if channel.person else "private_channel" if channel.private else "public_channel") in types
            and not (channel.private and not channel.member)
            and not (channel.archived and _true(args.get("exclude_archived")))
        ]
        page, cursor = self._paged(there, args, 1000)
        return {"ok": True, "channels": page, "response_metadata": {"next_cursor": cursor}}

    def _join(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args.get("channel"), by_name=False)
        if channel.private:
            raise SlackError("method_not_supported_for_channel_type")
        if channel.archived:
            raise SlackError("is_archived")
        already = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
        more = already if channel.member else {}
        channel.member = True
        return {"ok": True, "channel": self._channel_shown(channel), **more}

    @staticmethod
    def _paged(items: list[Any], args: dict[str, Any], most: int) -> tuple[list[Any], str]:
        limit = str(args.get("limit") or "100")
        if not limit.isdigit() or not 1 <= int(limit) <= most:
            raise SlackError("invalid_limit")
        cursor = str(args.get("cursor") or "")
        if cursor and re.fullmatch(r"bmV4dDo\d+", cursor) is None:
            raise SlackError("invalid_cursor")
        start = int(cursor[7:]) if cursor else 0
        end = start + int(limit)
        return items[start:end], f"bmV4dDo{end}" if end < len(items) else ""

    # messages

    def _too_soon(self, method: str, args: dict[str, Any]) -> int | None:
        """Seconds to wait before this may be asked; None when it may be asked now."""
        if method == "apps.connections.open" and self.connections_a_minute is not None:
            return self._too_many_connections(self.connections_a_minute)
        if method == "chat.postMessage" and self.enforce_rate:
            return self._too_many_messages(args)
        return None

    def _too_many_connections(self, most: int) -> int | None:
        self._connections = [at for at in self._connections if at > self.now() - 60]
        if len(self._connections) >= most:
            return max(1, math.ceil(self._connections[0] + 60 - self.now()))
        self._connections.append(self.now())
        return None

    def _too_many_messages(self, args: dict[str, Any]) -> int | None:
        try:
            channel = self._channel(args.get("channel"))
        except SlackError:
            return None
        now = self.now()
        gained = max(0.0, now - channel.counted_at)
        channel.allowance = min(float(self.burst), channel.allowance + gained)
        channel.counted_at = now
        if channel.allowance < 1:
            return max(1, math.ceil(1 - channel.allowance))
        channel.allowance -= 1
        return None

    def _next_ts(self) -> str:
        self._last_ts = max(int(self.now()) * 1_000_000 + 100, self._last_ts + 100)
        return _ts(self._last_ts)

    def _content(self, args: dict[str, Any], text_max: int) -> dict[str, Any]:
        """The checked text, blocks and metadata among the arguments; only those that were given."""
        content: dict[str, Any] = {}
        text = args.get("text")
        if text is not None:
            if len(str(text)) > text_max:
                raise SlackError("msg_too_long")
            content["text"] = str(text)
        if args.get("blocks") is not None:
            content["blocks"] = self._blocks(args["blocks"])
            self._check_files(content["blocks"])
        if args.get("metadata") is not None:
            content["metadata"] = self._metadata(args["metadata"])
        return content

    @staticmethod
    def _blocks(given: Any) -> list[dict[str, Any]]:
        blocks = _from_json(given, "invalid_blocks_format")
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        found = structure_problems(blocks)
        if found:
            raise SlackError(
                "invalid_blocks",
                errors=found,
                response_metadata={"messages": [f"[ERROR] {problem}" for problem in found]},
            )
        if text_length(blocks) > TOTAL_MAX:
            raise SlackError("msg_blocks_too_long")
        return [
            block if block.get("block_id") else {**block, "block_id": f"b{number}"}
            for number, block in enumerate(copy.deepcopy(blocks))
        ]

    @staticmethod
    def _metadata(given: Any) -> dict[str, Any]:
        metadata = _from_json(given, "invalid_metadata_format")
        if not isinstance(metadata, dict):
            raise SlackError("invalid_metadata_format")
        if not metadata:
            return {}
        if metadata.keys() != {"event_type", "event_payload"}:
            raise SlackError("invalid_metadata_schema")
        if not isinstance(metadata["event_type"], str) or not isinstance(metadata["event_payload"], dict):
            raise SlackError("invalid_metadata_schema")
        if len(json.dumps(metadata)) > METADATA_MAX:
            raise SlackError("metadata_too_large")
        return metadata

    def _post(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args, by_name=True)
        content = self._content(args, POST_TEXT_MAX)
        if not (content.get("text") or content.get("blocks")):
            raise SlackError("no_text")
        message = self._message(content)
        for name in ("thread_ts", "client_msg_id"):
            if args.get(name):
                message[name] = str(args[name])
        if args.get("unfurl_media") is not False:  # its link in the text of its owner shares a file, if it is unfolded
            linked = [one for one in self._files.values() if not one.deleted and one.permalink in message["text"]]
            self._share(linked, channel, message)
        channel.messages.append(message)
        return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": _without_metadata(message)}

    def _message(self, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT_ID,
            "team": TEAM,
            "text": "",
            "ts": self._next_ts(),
            **{name: value for name, value in content.items() if value or name == "text"},
        }

    def _post_ephemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args, by_name=True)
        user = str(args.get("user"))
        if user not in self.users or user in channel.outside:
            raise SlackError("user_not_in_channel")
        return {"ok": True, "message_ts": self._whispered(channel, user, args)}

    def _whispered(self, channel: _Channel, user: str, args: dict[str, Any]) -> str:
        """Show one person a message; its ts."""
        content = self._content(args, POST_TEXT_MAX)
        if not (content.get("text") or content.get("blocks")):
            raise SlackError("no_text")
        message = {**self._message(content), "user": user, "channel": channel.id}
        self._ephemerals.append(message)
        return str(message["ts"])

    def _permalink(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(args)
        ts = str(args.get("message_ts"))
        if all(message["ts"] != ts for message in channel.messages):
            raise SlackError("message_not_found")
        return {
            "ok": True,
            "channel": channel.id,
            "permalink": f"{SITE}/archives/{channel.id}/p{ts.replace('.', '')}",
        }

    def _own(self, channel: _Channel, args: dict[str, Any], refusal: str) -> dict[str, Any]:
        for message in channel.messages:
            if message["ts"] == args.get("ts"):
                if message["user"] != BOT_USER:
                    raise SlackError(refusal)
                return message
        raise SlackError("message_not_found")

    def _update(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args, by_name=False)
        message = self._own(channel, args, "cant_update_message")
        content = self._content(args, UPDATE_TEXT_MAX)
        if not content:
            raise SlackError("no_text")
        if "text" in content and "blocks" not in content:
            content["blocks"] = []  # a text without blocks takes the blocks away
        updated = {**message, **content}
        if not (updated["text"] or updated.get("blocks")):
            raise SlackError("no_text")
        for name in ("blocks", "metadata"):
            if not updated.get(name):
                updated.pop(name, None)
        if args.get("file_ids"):  # a link in the new text shares nothing
            ids = str(args["file_ids"]).split(",")
            self._share([self._file(one) for one in ids], channel, updated)
        updated["edited"] = {"user": BOT_USER, "ts": _ts(int(self.now()) * 1_000_000)}
        message.clear()
        message.update(updated)
        return {
            "ok": True,
            "channel": channel.id,
            "ts": message["ts"],
            "text": message["text"],
            "message": _without_metadata(message),
        }

    def _delete(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args.get("channel"), by_name=False)
        message = self._own(channel, args, "cant_delete_message")
        channel.messages.remove(message)
        channel.gone.append(message)
        return {"ok": True, "channel": channel.id, "ts": message["ts"]}

    # files: private until a message of the bot shares them; in an image block its readers see them

    def _upload_url(self, args: dict[str, Any]) -> dict[str, Any]:
        name, length = str(args.get("filename") or ""), str(args.get("length") or "")
        if not name or not length.isdigit() or length == "0":
            raise SlackError("missing_argument")
        if len(str(args.get("alt_txt") or "")) > ALT_MAX:
            raise SlackError("alt_txt_too_large")
        is_image = name.endswith(IMAGES)
        if self.refuses_files and not (is_image and self.refuses_files == "file_uploads_except_images_disabled"):
            raise SlackError(self.refuses_files)
        made = StoredFile(f"F{len(self._files) + 1:010d}", name, int(length), str(args.get("alt_txt") or ""))
        self._files[made.id] = made
        return {"ok": True, "upload_url": f"{self.base_url}/upload/v1/{made.id}", "file_id": made.id}

    def _uploaded(self, request: Request) -> Answer:
        """The bytes come without a token, to an address that only the owner knows."""
        found = self._files.get(request.path.rsplit("/", 1)[-1])
        if found is None or request.method != "POST" or len(request.raw) != found.length:
            return self.status_answer(500)
        found.content = request.raw
        return Answer(200, f"OK - {found.length}")

    def _complete(self, args: dict[str, Any]) -> dict[str, Any]:
        wanted = _from_json(args.get("files"), "invalid_arguments")
        shown = []
        for one in wanted:
            found = self._file(str(one.get("id")))
            if found.content is None:
                raise SlackError("file_not_found")
            found.title, found.done_at = str(one.get("title") or found.name), self.now()
            known = {"id": found.id, "name": found.name, "title": found.title, "permalink": found.permalink}
            shown.append({**known, "mimetype": "", "filetype": "", "channels": [], "shares": {}})  # not looked at yet
        return {"ok": True, "files": shown}

    def _delete_file(self, args: dict[str, Any]) -> dict[str, Any]:
        found = self._files.get(str(args.get("file")))
        if found is not None and found.deleted:
            raise SlackError("file_deleted")
        self._file(str(args.get("file"))).deleted = True
        return {"ok": True}

    def _file(self, id: str) -> StoredFile:
        if id not in self._files or self._files[id].deleted:
            raise SlackError("file_not_found")
        return self._files[id]

    def _check_files(self, blocks: list[dict[str, Any]]) -> None:
        for number, block in enumerate(blocks):
            if "slack_file" not in block:
                continue
            found = self._files.get(str(block["slack_file"].get("id")))
            is_there = found is not None and not found.deleted and found.done_at is not None
            if not (is_there and found and self.now() >= (found.done_at or 0) + self.looks_at_files):
                problem = f"invalid slack file [json-pointer:/blocks/{number}/slack_file]"
                told = {"messages": [f"[ERROR] {problem}"]}
                raise SlackError("invalid_blocks", errors=[problem], response_metadata=told)

    def _share(self, files: list[StoredFile], channel: _Channel, message: dict[str, Any]) -> None:
        for one in files:
            one.shared.add(channel.id)
        if files:
            message["files"] = [{"id": one.id, "permalink": one.permalink} for one in files]

    # response_url

    def _hooked(self, request: Request) -> Answer:
        hook = self._hooks[request.path]
        args = request.body if isinstance(request.body, dict) else {}
        if self.now() - hook.at > HOOK_SECONDS:
            return Answer(404, {"ok": False, "error": "expired_url"})
        if len(hook.said) >= HOOK_USES:
            return Answer(404, {"ok": False, "error": "used_url"})
        hook.said.append(args)
        try:
            self.say_back(hook, args)
        except SlackError as error:
            return Answer(400, error.body)
        return Answer(200, "ok")

    def say_back(self, hook: Hook, args: dict[str, Any]) -> None:
        """Do what an app says to a response_url, or in the answer to a command; SlackError says what is wrong."""
        channel = self._channels[hook.channel]
        if _true(args.get("delete_original")) or _true(args.get("replace_original")):
            self._replace_original(hook, channel, args)
        elif args.get("response_type") == "in_channel":
            content = self._content(args, POST_TEXT_MAX)
            if not (content.get("text") or content.get("blocks")):
                raise SlackError("no_text")
            channel.messages.append(self._message(content))
        else:
            self._whispered(channel, hook.user, args)

    def _replace_original(self, hook: Hook, channel: _Channel, args: dict[str, Any]) -> None:
        for shelf in (channel.messages, self._ephemerals):
            for message in shelf:
                if message["ts"] == hook.ts:
                    if _true(args.get("delete_original")):
                        shelf.remove(message)
                        return
                    content = self._content(args, POST_TEXT_MAX)
                    message.pop("blocks", None)
                    message.update({name: value for name, value in content.items() if value or name == "text"})
                    return
        raise SlackError("message_not_found")

    # reading

    def _history(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(args)
        if not channel.member:
            raise SlackError("not_in_channel")
        top = [m for m in channel.messages if m.get("thread_ts") in (None, m["ts"])]
        shown = self._between(top, args)
        shown.sort(key=lambda message: _micros(message["ts"]), reverse=True)
        return self._messages_page(shown, args)

    def _replies(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(args)
        if not channel.member:
            raise SlackError("not_in_channel")
        parent = str(args.get("ts") or "")
        thread = [m for m in channel.messages if parent in (m["ts"], m.get("thread_ts"))]
        if not thread:
            raise SlackError("thread_not_found")
        return self._messages_page(self._between(thread, args), args)

    @staticmethod
    def _between(messages: list[dict[str, Any]], args: dict[str, Any]) -> list[dict[str, Any]]:
        """Those within oldest and latest, both exclusive unless `inclusive`."""
        oldest, latest = args.get("oldest"), args.get("latest")
        low = _micros(oldest) if oldest else -1
        high = _micros(latest) if latest else math.inf
        if _true(args.get("inclusive")):
            return [m for m in messages if low <= _micros(m["ts"]) <= high]
        return [m for m in messages if low < _micros(m["ts"]) < high]

    def _messages_page(self, messages: list[dict[str, Any]], args: dict[str, Any]) -> dict[str, Any]:
        page, cursor = self._paged(messages, args, 999)
        if not _true(args.get("include_all_metadata")):
            page = [_without_metadata(message) for message in page]
        body: dict[str, Any] = {"ok": True, "messages": copy.deepcopy(page), "has_more": bool(cursor), "pin_count": 0}
        if cursor:
            body["response_metadata"] = {"next_cursor": cursor}
        return body


def _without_metadata(message: dict[str, Any]) -> dict[str, Any]:
    return {name: copy.deepcopy(value) for name, value in message.items() if name != "metadata"}


def _from_json(given: Any, refusal: str) -> Any:
    """A structured argument, which may come as JSON in a string."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise SlackError(refusal) from None


def _true(given: Any) -> bool:
    return given is True or given == 1 or str(given).lower() in {"true", "1"}


def _ts(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _micros(ts: Any) -> int:
    """A ts as whole microseconds, which a float would round."""
    found = re.fullmatch(r"(\d+)(?:\.(\d{1,6})\d*)?", str(ts))
    if found is None:
        raise SlackError("invalid_ts_latest")
    return int(found.group(1)) * 1_000_000 + int((found.group(2) or "0").ljust(6, "0"))
