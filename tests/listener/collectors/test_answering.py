"""What every place keeps to when one of its posts is answered in public, and that nothing is ever said twice.

A collector joins by having reply(); the Place of its fake says with may_answer() what that needs.
"""

import importlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fakes.server import BrokenShape, DropAfter, Fault, Request, Status
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Config
from listener import collect
from listener.collect import can_reply, known_collectors
from listener.collectors import bluesky
from listener.errors import AskedToWait, NeedsPerson, OutcomeUnknown, TryLater
from listener.post import Answerable, Asking, Post, Replied, same_words

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SAID = "@StBrigidCares Four hours in the waiting room at St. Brigid's"
REPLY = "Thank you for telling us. Please call Patient Relations at 555-0100, or see https://stbrigid.example/help."
PLACES = [name for name in known_collectors() if can_reply(name)]


class Desk:
    """Someone at the hospital who answers a post."""

    def __init__(self, name: str, place: Any, settings: Any, config: Config, clock: Any) -> None:
        self.name, self.place, self.settings, self.hospital, self.clock = name, place, settings, config.hospital, clock
        self.server: Any = place.server or place.fake
        self.secrets = place.may_answer()
        self.post = self.someone_writes()

    def someone_writes(self) -> Answerable:
        ref = self.place.post(SAID, self.clock.at - MINUTE)
        return Answerable(self.name, ref, "https://place.example/1", "ann@town.example", mentions_account=True)

    def reply(self, text: str = REPLY) -> Replied:
        return collect.reply(self.name, self.settings, self.post, text, self.asking())

    def find(self, text: str = REPLY) -> Replied | None:
        return collect.find_reply(self.name, self.settings, self.post, text, self.asking())

    def asking(self) -> Asking:
        return Asking(self.hospital, self.clock.at, self.secrets)

    def public(self) -> list[Post]:
        """What the place shows of the hospital's answers to the post a minute later."""
        self.clock.at += MINUTE
        told = Asking(self.hospital, self.clock.at, self.place.secrets)
        pages = list(collect.pages(self.name, "own_replies", self.settings, {}, told))
        return [post for page in pages for post in page.posts if post.answers == self.post.ref]

    def sent(self) -> int:
        return len(self.server.seen(says))

    def fail(self, fault: Fault) -> None:
        """The site has trouble with what says something, until it heals."""
        self.server.fail_next(fault, times=None, on=says)


def says(request: Request) -> bool:
    """Whether a request makes something public; the others that are no GET ask for tokens."""
    return request.method != "GET" and re.search("token|Session", request.path) is None


@pytest.fixture(params=PLACES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(name: str, config: Config, clock: Any, tmp_path: Path) -> Iterator[Desk]:
    with importlib.import_module(f"fakes.{name}").place(clock, tmp_path) as place:
        settings = known_collectors()[name].Settings(**{"on": True, **place.settings})
        yield Desk(name, place, settings, config, clock)


@pytest.fixture(autouse=True)
def wait_only(name: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """How long the collector waits for its site; long enough for a busy machine unless a test says less."""
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda self: None)

    def wait(seconds: float) -> None:
        monkeypatch.setattr(known_collectors()[name], "_TIMEOUT", seconds)

    wait(8.0)
    return wait


def test_a_reply_is_heard_as_ours(desk: Desk) -> None:
    replied = desk.reply()
    (heard,) = desk.public()
    assert (heard.ref, heard.answers) == (replied.ref, desk.post.ref)
    assert heard.own or desk.hospital.is_own_account(heard.source, heard.author)
    assert same_words(REPLY, heard.text)
    assert (replied.url or "").startswith("https://")
    assert desk.sent() == 1
    assert desk.find() == replied


def test_the_preview_is_what_is_sent(desk: Desk) -> None:
    """To the letter, blanks and emoji too, in the body of the request."""
    words = "  Thank you,\n\nJosé 🙏 & <all>…  "
    shown = collect.preview(desk.name, desk.post, words)
    desk.reply(words)
    (request,) = desk.server.seen(says)
    assert shown in strings(request.body)
    assert shown.endswith(words)


def strings(value: Any) -> list[str]:
    """Every text in a body."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] if isinstance(value, str) else [text for one in inner for text in strings(one)]


@pytest.mark.parametrize(
    ("fault", "kind", "there"),
    [
        (Status(502), OutcomeUnknown, 0),
        (Status(504), OutcomeUnknown, 0),
        (Status(408), OutcomeUnknown, 0),
        (Status(400), NeedsPerson, 0),
        (Status(403), NeedsPerson, 0),
        (Status(404), NeedsPerson, 0),
    ],
    ids=str,
)
def test_a_reply_is_sent_once(desk: Desk, fault: Fault, kind: Any, there: int, wait_only: Any) -> None:
    """Whatever becomes of it; and it is known whether it may be public. The other faults: tests/faults."""
    desk.fail(fault)
    with pytest.raises(Exception, match=f"^{desk.name}: ") as caught:
        desk.reply()
    assert type(caught.value) is kind or (kind is NeedsPerson and isinstance(caught.value, NeedsPerson))
    assert desk.sent() == 1
    desk.server.heal()
    wait_only(8.0)
    public = desk.public()
    assert len(public) == there
    found = desk.find()
    assert [found.ref if found else None] == ([post.ref for post in public] or [None])


def test_a_reply_that_is_not_accepted_is_not_public(desk: Desk) -> None:
    """401: a library may log in anew and try again, as nothing was done."""
    desk.fail(Status(401))
    with pytest.raises(NeedsPerson, match=desk.name):
        desk.reply()
    desk.server.heal()
    assert desk.public() == []


def test_there_is_nobody_to_answer(desk: Desk) -> None:
    desk.place.delete(desk.post.ref)
    with pytest.raises(NeedsPerson, match=r"deleted|taken back"):
        desk.reply()
    assert desk.public() == []


def test_a_reply_that_is_too_long(desk: Desk) -> None:
    with pytest.raises(NeedsPerson, match=r"280|10,000|300|500|4,096"):
        desk.reply("Thank you. " * 1000)
    assert desk.public() == []


def test_a_reply_without_words(desk: Desk) -> None:
    """On Google it would take the reply back that is there."""
    with pytest.raises(NeedsPerson, match="no words"):
        desk.reply(" \n")
    assert desk.sent() == 0


def test_what_answering_needs(desk: Desk) -> None:
    del desk.secrets[next(reversed(desk.secrets))]
    with pytest.raises(NeedsPerson, match=rf"^{desk.name}: to answer from here, set [A-Z_]+ in .*answer it by hand$"):
        desk.reply()
    assert desk.sent() == 0


def test_nothing_of_a_reply_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.reply("A secret thank you")
    desk.fail(Status(403))
    desk.find()
    with pytest.raises(NeedsPerson):
        desk.reply("Another one")
    logged = caplog.text
    assert "thank" not in logged
    assert "Another" not in logged
    assert not any(secret in logged for secret in desk.secrets.values() if len(secret) > 5)


def test_a_text_that_was_not_sent_is_not_found(desk: Desk) -> None:
    assert desk.find() is None
    desk.reply()
    assert desk.find("Something else was said.") is None


def test_a_site_that_is_gone(desk: Desk) -> None:
    """No connection is made: the second reply, for which everything is known already, was surely not sent."""
    desk.reply()
    desk.server.close()
    with pytest.raises(TryLater, match=rf"^{desk.name}: no [^;]*; the reply was not sent: check the network") as caught:
        desk.reply("Another one")
    assert type(caught.value) is TryLater
    assert desk.sent() == 1


def test_the_account_is_not_the_hospitals(desk: Desk) -> None:
    if desk.name == "google_reviews":
        pytest.skip("who manages the profile answers in its name")
    accounts = desk.hospital.accounts.model_copy(update={desk.name: "someone.else@elsewhere.example"})
    desk.hospital = desk.hospital.model_copy(update={"accounts": accounts})
    with pytest.raises(NeedsPerson, match=r"hospital\.toml|refuses the login"):
        desk.reply()
    assert desk.sent() == 0
    desk.hospital = desk.hospital.model_copy(update={"accounts": type(accounts)()})
    with pytest.raises(NeedsPerson, match=rf"^{desk.name}: write the hospital's account .* accounts\.{desk.name}$"):
        desk.reply()


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names, indirect=True)


# X


@only("x")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mentions_account": False}, "only who mentioned or quoted @StBrigidCares .*February 2026.*by hand"),
        ({"ref": "1"}, "deleted"),
    ],
)
def test_what_x_does_not_answer(desk: Desk, change: dict[str, Any], words: str) -> None:
    desk.post = replace(desk.post, **change)
    with pytest.raises(NeedsPerson, match=words):
        desk.reply()


@only("x")
def test_whom_x_says_that_we_may_answer(desk: Desk, clock: Any) -> None:
    """Who quotes us; anyone on an Enterprise plan, which has to be said; X itself has the last word."""
    ours = desk.server.post("Visiting hours end at 8", "StBrigidCares", clock.at - HOUR)
    quoting = desk.server.post("Is that so?", at=clock.at - MINUTE, quotes=ours)
    other = desk.server.post("Long wait at St. Brigid's", "bob", clock.at - MINUTE)
    desk.post = replace(desk.post, ref=quoting)
    desk.reply("It is.")
    desk.post = replace(desk.post, ref=other)
    with pytest.raises(NeedsPerson, match=r"only who mentioned or quoted the account.*by hand"):
        desk.reply("Sorry to hear this.")
    desk.post, desk.server.enterprise = replace(desk.post, mentions_account=False), True
    desk.settings = desk.settings.model_copy(update={"answer_anyone": True})
    desk.reply("Sorry to hear this.")


@only("x")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("You are not allowed to create a Tweet with duplicate content.", "same words before"),
        ("Your Tweet text is too long.", "280"),
        ("Tweet needs to be a bit shorter.", "280"),
        ("You attempted to reply to a Tweet that is deleted or not visible to you.", "nobody to answer"),
        ("You can only reply to or quote posts where you are mentioned or are the author.", "by hand"),
        (
            "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the "
            "author of the post you are replying to.",
            "by hand",
        ),
        ("The original Tweet author restricted who can reply to this Tweet.", "only some people"),
        (
            "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
            "Read and write",
        ),
        ("Your account is suspended and is not permitted to access this feature.", "suspended"),
        ("To protect our users from spam, this account is temporarily locked.", "locked"),
        ("Something that is new test-access-secret", r"\(403: Something that is new …\)"),
    ],
)
def test_why_x_refuses_a_reply(desk: Desk, said: str, words: str) -> None:
    desk.fail(Status(403, {"title": "Forbidden", "detail": said, "type": "about:blank", "status": 403}))
    with pytest.raises(NeedsPerson, match=words):
        desk.reply()


@only("x")
def test_what_x_refuses_here_it_refuses_in_the_fake(desk: Desk) -> None:
    desk.reply()
    with pytest.raises(NeedsPerson, match="same words before"):
        desk.reply()
    desk.server.replies_restricted.add(desk.post.ref)
    with pytest.raises(NeedsPerson, match="by hand"):
        desk.reply("Another one")
    desk.server.read_only = True
    with pytest.raises(NeedsPerson, match="Read and write"):
        desk.reply("Another one")


@only("x")
def test_credits_and_limits_of_x(desk: Desk, clock: Any) -> None:
    desk.fail(Status(402))
    with pytest.raises(NeedsPerson, match="credits"):
        desk.reply()
    desk.server.heal()
    for number in range(100):
        desk.reply(f"Thank you {number}")
    with pytest.raises(AskedToWait) as caught:
        desk.reply("One too many")
    assert caught.value.at == clock.at + 15 * MINUTE


@only("x")
def test_whose_keys_they_are_is_asked_once(desk: Desk) -> None:
    desk.reply("One")
    desk.reply("Two")
    assert len(desk.server.seen("/2/users/me")) == 1


@only("x")
@given(text=st.text())
def test_the_form_of_x_has_the_words_in_it(text: str) -> None:
    address = collect.by_hand("x", Answerable("x", "123"), text)
    assert re.fullmatch(r"https://x\.com/intent/tweet\?[\w%&=+.~*-]+", address or "")
    assert parse_qs(urlsplit(address or "").query, keep_blank_values=True) == {"in_reply_to": ["123"], "text": [text]}


@pytest.mark.parametrize(
    ("source", "mentions_account", "text", "dollars"),
    [
        ("x", True, "Please reach 555-0100 or relations@stbrigid.example.", 0.010),
        ("x", False, "Please reach 555-0100.", 0.015),
        ("x", True, "Read HTTPS://stbrigid.example/billing.", 0.200),
        ("mastodon", True, "Read https://stbrigid.example/billing.", 0.0),
        ("a place that is gone", True, "Hello", 0.0),
    ],
)
def test_what_a_place_bills_for_a_reply(source: str, mentions_account: bool, text: str, dollars: float) -> None:
    post = Answerable(source, "123", mentions_account=mentions_account)
    assert collect.price(source, post, text) == dollars


# Reddit


@only("reddit")
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (lambda fake, post: fake.locked.add(fake.submission_of(post.ref)), "locked"),
        (lambda fake, post: fake.banned_from.add("PortAlder"), "banned in this subreddit"),
        (lambda fake, post: fake.add_account("StBrigidCares", "suspended"), "suspended"),
        (lambda fake, post: fake.scopes.discard("submit"), "scope submit"),
        (lambda fake, post: fake.scopes.discard("identity"), "scope identity"),
        (lambda fake, post: setattr(fake, "refresh_token", "another"), "does not accept .* and REDDIT_REFRESH_TOKEN"),
    ],
    ids=["locked", "banned", "suspended", "may not write", "may not say who", "taken back"],
)
def test_why_reddit_refuses_a_reply(desk: Desk, trouble: Callable[[Any, Answerable], None], words: str) -> None:
    trouble(desk.server, desk.post)
    with pytest.raises(NeedsPerson, match=f"^reddit: .*{words}"):
        desk.reply()
    assert desk.sent() <= 1


@only("reddit")
@pytest.mark.parametrize(
    ("breather", "wait"),
    [
        ("9 minutes", 9 * MINUTE),
        ("1 minute", MINUTE),
        ("45 seconds", timedelta(seconds=45)),
        ("500 milliseconds", timedelta(milliseconds=500)),
        ("1 hour", HOUR),
        ("a while", None),
    ],
)
def test_reddit_wants_a_break(desk: Desk, clock: Any, breather: str, wait: timedelta | None) -> None:
    desk.server.breather = breather
    with pytest.raises(AskedToWait) as caught:
        desk.reply()
    assert caught.value.at == (clock.at + wait if wait else None)
    assert desk.sent() == 1


@only("reddit")
@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([["TOO_OLD", "that's a piece of history now", "parent"]], "too old"),
        ([["SOMETHING_NEW", "a sentence of Reddit's", None]], r"a sentence of Reddit's \(SOMETHING_NEW\)"),
    ],
)
def test_reddits_other_errors(desk: Desk, errors: Any, words: str) -> None:
    desk.fail(BrokenShape({"json": {"errors": errors}}))
    with pytest.raises(NeedsPerson, match=words):
        desk.reply()


@only("reddit")
def test_a_comment_is_answered_below_itself(desk: Desk, clock: Any) -> None:
    comment = desk.place.post("Me too", clock.at - MINUTE, "bob", desk.post.ref)
    desk.post = replace(desk.post, ref=comment)
    desk.reply()
    assert [heard.answers for heard in desk.public()] == [comment]


# Bluesky


@only("bluesky")
def test_a_reply_on_bluesky_names_both_ends_of_its_thread(desk: Desk, clock: Any) -> None:
    below = desk.place.post("Me too", clock.at - MINUTE, "bob", desk.post.ref)
    desk.post, root = replace(desk.post, ref=below), desk.post.ref
    desk.reply("José, see https://stbrigid.example/help. Or call.")
    record = desk.server.seen(says)[-1].body["record"]
    assert record["reply"]["root"]["uri"] == root
    assert record["reply"]["root"]["cid"] == desk.server.posts[root].cid
    assert record["reply"]["parent"]["uri"] == below
    (facet,) = record["facets"]
    found = record["text"].encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
    assert found == facet["features"][0]["uri"] == "https://stbrigid.example/help"


@only("bluesky")
@pytest.mark.parametrize(
    "text", ["No link", "http://", "https:// ", "(see https://a.example/b)", "https://a.example?q='x'"]
)
def test_links_end_where_they_end(name: str, text: str) -> None:
    links = bluesky._links(text)
    assert [link["features"][0]["uri"] for link in links] == re.findall(r"https://a\.example[/?][^)]*[\wx]", text)


@only("bluesky")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 301) at $.record.text",
            "300 characters",
        ),
        ("Invalid app.bsky.feed.post record: Record/text must not be longer than 300 graphemes", "300 characters"),
        ("Something that is new", r"InvalidRequest: Something that is new; open the post and answer it by hand"),
    ],
)
def test_why_bluesky_refuses_a_reply(desk: Desk, said: str, words: str) -> None:
    desk.fail(Status(400, {"error": "InvalidRequest", "message": said}))
    with pytest.raises(NeedsPerson, match=words):
        desk.reply()


@only("bluesky")
def test_a_conversation_on_bluesky_that_is_closed(desk: Desk) -> None:
    desk.server.posts[desk.post.ref].closed = True
    with pytest.raises(NeedsPerson, match="only some people"):
        desk.reply()
    assert desk.sent() == 0


@only("bluesky")
def test_a_login_of_bluesky_that_has_ended(desk: Desk, clock: Any) -> None:
    """Refused is not done: it logs in anew and sends once more; but not twice within ten minutes."""
    desk.reply("One")
    desk.server.end_sessions()
    clock.at += 11 * MINUTE
    desk.reply("Two")
    desk.server.end_sessions()
    with pytest.raises(NeedsPerson, match=r"refuses the login.*set BLUESKY_REPLY_PASSWORD"):
        desk.reply("Three")
    texts = [post.record["text"] for post in desk.server.posts.values()]
    assert [texts.count(text) for text in ("One", "Two", "Three")] == [1, 1, 0]


# Mastodon


@pytest.mark.parametrize(
    ("author", "text", "shown"),
    [
        ("ann@town.example", "Thank you", "@ann@town.example Thank you"),
        ("ann@town.example", "@ann@town.example Thank you", "@ann@town.example Thank you"),
        ("ann@town.example", "Thank you, @Ann@Town.Example.", "Thank you, @Ann@Town.Example."),
        ("ann@town.example", "Not @anna@town.example", "@ann@town.example Not @anna@town.example"),
        ("ann@town.example", "Not @ann@town.example.org", "@ann@town.example Not @ann@town.example.org"),
        (None, "Thank you", "Thank you"),
    ],
)
@only("mastodon")
def test_who_is_answered_on_mastodon_is_named(name: str, author: str | None, text: str, shown: str) -> None:
    assert collect.preview("mastodon", Answerable("mastodon", "1@a", author=author), text) == shown


@only("mastodon")
def test_mastodon_says_nothing_twice(desk: Desk) -> None:
    """Somebody sends again without a look: within an hour the instance gives the same post."""
    desk.fail(DropAfter())
    with pytest.raises(OutcomeUnknown):
        desk.reply()
    desk.server.heal()
    again = desk.reply()
    assert [post.ref for post in desk.public()] == [again.ref]


@only("mastodon")
def test_why_mastodon_refuses_a_reply(desk: Desk) -> None:
    desk.server.scopes = {"read"}
    with pytest.raises(NeedsPerson, match="scopes read and write:statuses"):
        desk.reply()
    desk.post = replace(desk.post, ref="1@elsewhere.example")
    with pytest.raises(NeedsPerson, match=r"through elsewhere\.example, not through social\.stbrigid\.example"):
        desk.reply()


@only("mastodon")
def test_a_reply_on_mastodon_is_public(desk: Desk) -> None:
    desk.reply()
    (request,) = desk.server.seen(says)
    assert request.body["visibility"] == "public"


# Google


@only("google_reviews")
@pytest.mark.parametrize(
    ("state", "sent"), [("APPROVED", False), ("PENDING", False), (None, False), ("REJECTED", True)]
)
def test_a_reply_on_google_replaces_none(desk: Desk, clock: Any, state: str | None, sent: bool) -> None:
    desk.server.reply(f"accounts/101/{desk.post.ref}", "We are sorry to hear this.", clock.at, state)
    if sent:
        desk.reply()
        assert len(desk.public()) == 1
        return
    with pytest.raises(NeedsPerson, match="has a reply already"):
        desk.reply()
    assert desk.sent() == 0


@only("google_reviews")
def test_google_looks_at_a_reply_first(desk: Desk) -> None:
    desk.server.decides = "PENDING"
    replied = desk.reply()
    assert desk.public() == []
    assert desk.find() == replied


@only("google_reviews")
def test_locations_that_are_not_ours(desk: Desk) -> None:
    desk.post = replace(desk.post, ref="locations/999/reviews/AbFv")
    with pytest.raises(NeedsPerson, match=r"location that is not in listening\.toml"):
        desk.reply()
    desk.server.fail_next(Status(403), times=None, on="/v4/")
    desk.post = replace(desk.post, ref="locations/202/reviews/AbFv")
    with pytest.raises(NeedsPerson, match=r"its manager"):
        desk.reply()
