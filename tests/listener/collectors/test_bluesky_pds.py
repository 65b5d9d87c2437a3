"""Both collectors of Bluesky, and their fakes, beside Bluesky's own servers: its PDS, its AppView, its firehose.

What is not in them, and is therefore only known from its source: Jetstream itself (here the firehose is put into the
fake's frames), Bluesky's search cluster (the AppView alone looks for words), and the limits of bsky.social.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from fakes.bluesky import COLLECTION, FakeBluesky, stamp
from fakes.bluesky_live import FakeJetstream

from config.schema import Config
from listener import collect
from listener.collectors import bluesky, bluesky_live
from listener.errors import NeedsPerson
from listener.post import Answerable, Asking, Page, Post

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "fakes" / "pds" / "network.cjs"
HOSPITAL, LISTENER = "stbrigid.test", "listener.test"
HOW = (
    "set CALL_LIGHT_PDS to a folder with Bluesky's servers: "
    "npm install @atproto/dev-env && npm rebuild better-sqlite3, in an empty folder"
)


@dataclass
class Network:
    """Where Bluesky's servers are, and who is on them."""

    pds: str
    appview: str
    tokens: dict[str, dict[str, str]]

    def call(self, method: str, who: str | None = None, /, **body: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.tokens[who]['accessJwt']}"} if who else {}
        answer = requests.post(f"{self.pds}/xrpc/{method}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def join(self, handle: str) -> str:
        """Make an account; its permanent name."""
        account = {"handle": handle, "email": f"{handle}@example.org", "password": "a long password"}
        self.tokens[handle] = self.call("com.atproto.server.createAccount", **account)
        return self.tokens[handle]["did"]

    def post(self, handle: str, text: str, answers: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = {"$type": COLLECTION, "text": text, "createdAt": now} | more
        if answers is not None:
            named = {key: answers[key] for key in ("uri", "cid")}
            record["reply"] = {"root": named, "parent": named}
        repo = self.tokens[handle]["did"]
        return self.call("com.atproto.repo.createRecord", handle, repo=repo, collection=COLLECTION, record=record)

    def change(self, handle: str, uri: str, text: str | None) -> None:
        """Put the record anew, or delete it."""
        named = {"repo": self.tokens[handle]["did"], "collection": COLLECTION, "rkey": uri.rpartition("/")[2]}
        if text is None:
            self.call("com.atproto.repo.deleteRecord", handle, **named)
        else:
            record = {"$type": COLLECTION, "text": text, "createdAt": "2026-11-18T08:00:00.000Z"}
            self.call("com.atproto.repo.putRecord", handle, **named, record=record)

    def shows(self, uri: str) -> str | None:
        """What the AppView shows of a post."""
        params = {"uris": [uri]}
        answer = requests.get(f"{self.appview}/xrpc/app.bsky.feed.getPosts", params=params, timeout=30).json()
        return next((str(post["record"]["text"]) for post in answer["posts"]), None)

    def wait(self, uri: str, text: str | None) -> None:
        """Until the AppView has heard of it."""
        ends = time.monotonic() + 30
        while self.shows(uri) != text:
            assert time.monotonic() < ends, "the AppView does not follow"
            time.sleep(0.05)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A database for the AppView, on a socket in a folder of its own; PostgreSQL refuses to be run by root."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("needs PostgreSQL (initdb) for Bluesky's AppView")
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    folder = tempfile.mkdtemp(prefix="appview")
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
        subprocess.run(
            [initdb, "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8"], check=True, **options
        )
        command = [str(Path(initdb).with_name("postgres")), "-D", f"{folder}/data", "-k", folder, "-h", ""]
        with subprocess.Popen([*command, "-c", "fsync=off"], **options) as server:
            try:
                ends = time.monotonic() + 30
                while not Path(folder, ".s.PGSQL.5432").exists():
                    assert server.poll() is None
                    assert time.monotonic() < ends, "PostgreSQL does not start"
                    time.sleep(0.05)
                yield f"postgresql://postgres@localhost/postgres?host={folder}"
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    folder = os.environ.get("CALL_LIGHT_PDS", "")
    if shutil.which("node") is None or not Path(folder, "node_modules", "@atproto", "dev-env").is_dir():
        pytest.skip(HOW)
    with postgres() as database, tempfile.TemporaryDirectory() as files, tempfile.TemporaryFile() as complaints:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {"CALL_LIGHT_PDS": folder, "DB_POSTGRES_URL": database, "TMPDIR": files}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        with subprocess.Popen(["node", str(SCRIPT)], env=environment, **pipes) as servers:
            try:
                assert servers.stdout is not None
                ready = select.select([servers.stdout], [], [], 90)[0]
                line = servers.stdout.readline() if ready else b""
                complaints.seek(0)
                assert line, complaints.read()[-2000:].decode(errors="replace")
                yield Network(**json.loads(line), tokens={})
            finally:
                servers.kill()


@pytest.fixture(scope="module")
def people(network: Network) -> dict[str, str]:
    """Three accounts and their permanent names."""
    return {handle: network.join(handle) for handle in (HOSPITAL, LISTENER, "ann.test")}


@pytest.fixture
def asking(config: Config) -> Callable[..., Asking]:
    def made(secrets: dict[str, str] | None = None, account: str = HOSPITAL) -> Asking:
        accounts = config.hospital.accounts.model_copy(update={"bluesky": account})
        hospital = config.hospital.model_copy(update={"accounts": accounts})
        return Asking(hospital, datetime.now(UTC), secrets or {})

    return made


@pytest.fixture(scope="module")
def secrets(network: Network, people: dict[str, str]) -> dict[str, str]:
    """An app password, as the admin makes one."""
    password = network.call("com.atproto.server.createAppPassword", LISTENER, name="call-light")["password"]
    return {"BLUESKY_HANDLE": LISTENER, "BLUESKY_APP_PASSWORD": password}


@pytest.fixture(scope="module")
def settings(network: Network) -> bluesky.Settings:
    return bluesky.Settings(on=True, search=("waiting",), service=network.pds, public_url=network.appview)


def posts_of(pages: list[Page]) -> list[Post]:
    assert [skip for page in pages for skip in page.skipped] == []
    return [post for page in pages for post in page.posts]


def test_search_own_replies_and_lookup(
    network: Network, people: Any, asking: Any, secrets: dict[str, str], settings: bluesky.Settings
) -> None:
    began = datetime.now(UTC)
    asked = network.post("ann.test", "Four hours waiting at St. Brigid's")
    shown = {"$type": "app.bsky.embed.record", "record": {key: asked[key] for key in ("uri", "cid")}}
    quoting = network.post("ann.test", "still waiting", embed=shown)
    answered = network.post(HOSPITAL, "Please call us.", answers=asked)
    network.wait(answered["uri"], "Please call us.")
    pages = list(bluesky.fetch(settings, {}, asking(secrets)))
    found = {post.ref: post for post in posts_of(pages)}
    post = found[asked["uri"]]
    assert (post.text, post.author, post.thread) == ("Four hours waiting at St. Brigid's", "ann.test", asked["uri"])
    assert began.replace(microsecond=0) <= post.written_at <= datetime.now(UTC)
    assert found[quoting["uri"]].quotes == asked["uri"]
    replies = posts_of(list(bluesky.own_replies(settings, {}, asking(secrets))))
    assert (answered["uri"], asked["uri"], True) in [(reply.ref, reply.answers, reply.own) for reply in replies]

    network.change("ann.test", quoting["uri"], "My dad collapsed while waiting")
    network.change("ann.test", asked["uri"], None)
    network.wait(quoting["uri"], "My dad collapsed while waiting")
    network.wait(asked["uri"], None)
    page = bluesky.lookup(settings, [asked["uri"], quoting["uri"], answered["uri"]], asking(secrets))
    assert [ref.ref for ref in page.deleted] == [asked["uri"]]
    assert [post.text for post in page.posts] == ["My dad collapsed while waiting", "Please call us."]
    again = posts_of(list(bluesky.fetch(settings, pages[-1].cursor, asking(secrets))))
    assert asked["uri"] not in [post.ref for post in again]


def test_a_reply(
    network: Network, people: Any, asking: Any, secrets: dict[str, str], settings: bluesky.Settings
) -> None:
    """Sent, found at once where it was written to, heard as ours; and what the servers refuse."""
    password = network.call("com.atproto.server.createAppPassword", HOSPITAL, name="call-light answers")["password"]
    told = asking({"BLUESKY_REPLY_PASSWORD": password})
    root = network.post("ann.test", "Four hours at St. Brigid's")
    asked = network.post("ann.test", "and counting", answers=root)
    network.wait(asked["uri"], "and counting")
    post, text = Answerable("bluesky", asked["uri"]), "  José, call us 🙏\nhttps://stbrigid.example/help  "
    assert collect.find_reply("bluesky", settings, post, text, told) is None
    replied = collect.reply("bluesky", settings, post, text, told)
    assert collect.find_reply("bluesky", settings, post, text, told) == replied
    network.wait(replied.ref, text)
    heard = {one.ref: one for one in posts_of(list(bluesky.own_replies(settings, {}, asking(secrets))))}[replied.ref]
    assert (heard.answers, heard.thread, heard.own, heard.text) == (asked["uri"], root["uri"], True, text)
    assert heard.url == replied.url
    with pytest.raises(NeedsPerson, match="300 characters"):
        collect.reply("bluesky", settings, post, "x" * 301, told)
    gate = {"$type": "app.bsky.feed.threadgate", "post": root["uri"], "allow": [], "createdAt": stamp(time.time())}
    gate_of = {"repo": people["ann.test"], "collection": gate["$type"], "rkey": root["uri"].rpartition("/")[2]}
    network.call("com.atproto.repo.createRecord", "ann.test", **gate_of, record=gate)
    assert "only some people" in until_refused(lambda: collect.reply("bluesky", settings, post, "Another one", told))
    network.change("ann.test", asked["uri"], None)
    network.wait(asked["uri"], None)
    with pytest.raises(NeedsPerson, match="deleted"):
        collect.reply("bluesky", settings, post, "Another one", told)


def until_refused(reply: Callable[[], Any]) -> str:
    """Why a reply is not sent any more, once the AppView has heard of it."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            reply()
        except NeedsPerson as refused:
            return str(refused)
    return "never"


def test_more_than_a_page(
    network: Network, people: Any, asking: Any, secrets: dict[str, str], settings: bluesky.Settings
) -> None:
    began = datetime.now(UTC).timestamp()
    records = [
        {"$type": COLLECTION, "text": f"waiting, number {n}", "createdAt": stamp(began + n / 1000)} for n in range(130)
    ]
    create = {"$type": "com.atproto.repo.applyWrites#create", "collection": COLLECTION}
    writes = [create | {"value": record} for record in records]
    done = network.call("com.atproto.repo.applyWrites", "ann.test", repo=people["ann.test"], writes=writes)
    made = [result["uri"] for result in done["results"]]
    network.wait(made[-1], "waiting, number 129")
    pages = list(bluesky.fetch(settings, {}, asking(secrets)))
    assert len(pages) > 2
    assert set(made) <= {post.ref for post in posts_of(pages)}


def test_what_it_refuses(network: Network, people: Any, asking: Any, secrets: Any, settings: bluesky.Settings) -> None:
    wrong = {**secrets, "BLUESKY_APP_PASSWORD": "aaaa-bbbb-cccc-dddd"}
    with pytest.raises(NeedsPerson, match="Invalid identifier or password"):
        list(bluesky.fetch(settings, {}, asking(wrong)))
    with pytest.raises(NeedsPerson, match=r"Profile not found.*accounts\.bluesky"):
        list(bluesky.own_replies(settings, {}, asking(secrets, "nobody.test")))


REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("pds", "com.atproto.server.createSession", "none", {"identifier": LISTENER, "password": "wrong"}),
    ("pds", "com.atproto.server.createSession", "none", {"identifier": "nobody.test", "password": "wrong"}),
    ("pds", "app.bsky.feed.searchPosts", "access", {}),
    ("pds", "app.bsky.feed.searchPosts", "access", {"q": "a", "limit": 101}),
    ("pds", "app.bsky.feed.searchPosts", "refresh", {"q": "a"}),
    ("pds", "app.bsky.feed.getAuthorFeed", "access", {"actor": "nobody.test"}),
    ("pds", "app.bsky.feed.getAuthorFeed", "none", {"actor": HOSPITAL}),
    ("pds", "app.bsky.feed.nonsense", "access", {}),
    ("appview", "app.bsky.feed.getPosts", "none", {"uris": [f"at://did:plc:{'a' * 24}/{COLLECTION}/3m"] * 26}),
    ("appview", "com.atproto.identity.resolveHandle", "none", {"handle": "nobody.test"}),
]


@pytest.mark.parametrize(("server", "method", "token", "params"), REFUSED, ids=lambda value: str(value)[:40])
def test_the_fake_refuses_as_bluesky_does(
    network: Network, people: Any, secrets: dict[str, str], server: str, method: str, token: str, params: dict[str, Any]
) -> None:
    with FakeBluesky() as fake:
        fake.user(LISTENER, password=secrets["BLUESKY_APP_PASSWORD"])
        fake.user(HOSPITAL)
        told = [
            refusal(base, address, method, token, params, secrets)
            for base, address in ((network.pds, getattr(network, server)), (fake.base_url, fake.base_url))
        ]
    assert told[0] == told[1]
    assert told[0][0] >= 400


def refusal(
    base: str, address: str, method: str, token: str, params: dict[str, Any], secrets: dict[str, str]
) -> tuple[int, Any]:
    headers = {}
    if token != "none":
        login = {"identifier": secrets["BLUESKY_HANDLE"], "password": secrets["BLUESKY_APP_PASSWORD"]}
        session = requests.post(f"{base}/xrpc/com.atproto.server.createSession", json=login, timeout=30).json()
        headers["authorization"] = f"Bearer {session[f'{token}Jwt']}"
    url = f"{address}/xrpc/{method}"
    if "password" in params:
        answer = requests.post(url, json=params, timeout=30)
    else:
        answer = requests.get(url, params=params, headers=headers, timeout=30)
    return answer.status_code, answer.json()


def test_the_firehose_in_jetstreams_frames(network: Network, people: dict[str, str], asking: Any) -> None:
    asked = network.post("ann.test", "My dad collapsed at St. Brigid's")
    other = network.post("ann.test", "Nice weather")
    answered = network.post(HOSPITAL, "We are on our way.", answers=asked)
    to_us = network.post("ann.test", "Thank you", answers=answered)
    network.change("ann.test", asked["uri"], "My dad collapsed at St. Brigid's, hurry")
    network.change("ann.test", other["uri"], None)
    network.wait(other["uri"], None)
    with FakeJetstream() as fake:
        for operation, uri, record in firehose(network, until=other["uri"]):
            fake.happens(uri, operation, **({"record": record} if record else {}))
        settings = bluesky_live.Settings(on=True, server=fake.base_url, public_url=network.appview)
        pages = list(bluesky_live.fetch(settings, {}, asking()))
    heard = [(post.ref, post.text, post.author, post.own) for post in posts_of(pages)][-4:]
    assert heard == [
        (asked["uri"], "My dad collapsed at St. Brigid's", "ann.test", False),
        (answered["uri"], "We are on our way.", HOSPITAL, True),
        (to_us["uri"], "Thank you", "ann.test", False),
        (asked["uri"], "My dad collapsed at St. Brigid's, hurry", "ann.test", False),
    ]
    assert [ref.ref for page in pages for ref in page.deleted][-1] == other["uri"]
    assert pages[-1].cursor["own"] == [HOSPITAL, people[HOSPITAL]]


def firehose(network: Network, until: str) -> Iterator[tuple[str, str, Any]]:
    """Everything that happened to posts, from the beginning, until this one is deleted."""
    from atproto import CAR, firehose_models, models, parse_subscribe_repos_message
    from websockets.sync.client import connect

    address = f"ws{network.pds.removeprefix('http')}/xrpc/com.atproto.sync.subscribeRepos?cursor=0"
    with connect(address, max_size=None, proxy=None, close_timeout=0.2) as stream:
        while True:
            frame = firehose_models.Frame.from_bytes(stream.recv(20))  # type: ignore[arg-type]
            commit = parse_subscribe_repos_message(frame)  # type: ignore[arg-type]
            if not isinstance(commit, models.ComAtprotoSyncSubscribeRepos.Commit):
                continue
            blocks = CAR.from_bytes(commit.blocks).blocks  # type: ignore[arg-type]
            for op in commit.ops:
                uri = f"at://{commit.repo}/{op.path}"
                if op.path.startswith(f"{COLLECTION}/"):
                    yield op.action, uri, blocks.get(op.cid) if op.cid else None
                if (op.action, uri) == ("delete", until):
                    return


def test_a_server_that_is_gone(network: Network, people: Any, asking: Any, secrets: dict[str, str]) -> None:
    """Nothing listens there any more: the sentence is the same as with the fake."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    gone = bluesky.Settings(on=True, service=f"http://127.0.0.1:{port}")
    with pytest.raises(Exception, match="no answer that can be read \\(ConnectError\\)"):
        list(bluesky.fetch(gone, {}, asking(secrets)))
