"""X: recent search through tweepy.

One search for each query; what is longer than X takes is divided (listener/x_query.py). Pages come newest first;
`since_id` moves only when the oldest page is kept, and until then the cursor carries the page token, so a rate limit
half-way is resumed there (X bills every post it returns). X searches seven days back and refuses an older `since_id`:
what was not asked for longer is reported as unheard.

X is read as an app, and answered as the hospital's account: another set of keys, and other rules.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StringConstraints, ValidationInfo, WithJsonSchema

from config.schema import CollectorSettings, Duration, duration_schema
from listener import x_query
from listener.collect import sending
from listener.errors import NeedsPerson
from listener.post import Answerable, Asking, Page, Replied, Unheard, same_words
from listener.x_door import ANSWERED, MARGIN, USER_KEYS, WINDOW, Door, Listing, WrongListing, door_to_x, look_up, read

SECRETS = ("X_BEARER_TOKEN",)
REPLY_SECRETS = tuple(USER_KEYS.values())

_TIMEOUT = 15.0  # seconds for a whole answer; tweepy sets none and would wait for ever
_PRICE_OF_REPLY, _PRICE_OF_POST, _PRICE_WITH_LINK = 0.010, 0.015, 0.200  # US dollars
_LOOKED_BACK = timedelta(days=1)  # for a reply that may be there
_FROM_HOSPITAL = "the names in hospital.toml"


def _can_be_asked(query: str, info: ValidationInfo) -> str:
    x_query.split(query, info.data.get("longest_query", 512))
    return query


def _within_a_week(reach: timedelta) -> timedelta:
    if reach > WINDOW:
        raise ValueError('a time of at most "7d"')
    return reach


Query = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(_can_be_asked),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 20_000, "pattern": r"\S"}),
]
Reach = Annotated[Duration, AfterValidator(_within_a_week), WithJsonSchema(duration_schema(WINDOW))]


class Settings(CollectorSettings):
    """X: a search for what people write about you. X bills each post that it returns."""

    every: Duration = timedelta(seconds=60)
    keep_for: Duration = timedelta(days=30)
    price_per_read: Annotated[float, Field(ge=0, le=100)] = 0.005
    longest_query: Annotated[StrictInt, Field(ge=64, le=4096)] = 512
    """How many characters X takes in one search: 512, on Enterprise 4096. A longer query is divided."""
    queries: tuple[Query, ...] = ()
    """Searches as on X; left out, they are made from the names in hospital.toml."""
    mentions: StrictBool = True
    """Whether to hear what mentions or answers the hospital's account too. false when x_mentions is on."""
    own_replies: StrictBool = True
    """Whether to search for your own replies, which stop the reply clock. false when x_mentions is on."""
    first_reach: Reach = timedelta(hours=24)
    """How far back the first pass reads, at most "7d"."""
    answer_anyone: StrictBool = False
    """true only with an Enterprise contract: X lets its apps answer posts that do not mention the account."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """Posts that match each query, from its cursor on. Cursor: {search: its place}.

    A query that X refuses is told at the end: the others are read first.
    """
    queries = {_label(number, query): query for number, query in enumerate(settings.queries, 1)}
    queries = queries or {_FROM_HOSPITAL: x_query.about(asking.hospital, settings.mentions)}
    searches = []
    for label, query in queries.items():
        try:
            searches += [Listing(part, label=label) for part in x_query.split(query, settings.longest_query)]
        except ValueError as error:  # of what listening.toml says, config check has told it
            raise NeedsPerson(f"x: a search for {label} needs {error}; write queries in listening.toml") from None
    yield from _search(searches, settings, cursor, asking)


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What the hospital's own account answered. Cursor as in fetch."""
    account = asking.hospital.accounts.x
    if settings.own_replies and account:
        # Only the post that is answered knows that it is a later version of another.
        search = Listing(f"from:{account} is:reply", expansions=ANSWERED)
        for page in _search([search], settings, cursor, asking):
            yield replace(page, unheard=())  # what nobody asked for, fetch has told


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """What these posts are now, and which are gone."""
    with _door(settings, asking) as door:
        return look_up(door, refs, settings.price_per_read)


def reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Answer a post whose author mentioned or quoted the account. X bills it by price()."""
    if not (post.mentions_account or settings.answer_anyone):
        raise NeedsPerson(
            f"x: X lets a program answer only who mentioned or quoted @{asking.hospital.accounts.x} (since February "
            "2026), and this post does neither; open it on X and answer it by hand"
        )
    with _own_door(settings, asking) as door:
        handle = door.owner(asking.hospital.accounts.x)["handle"]
        with sending("x"):
            ref = door.answer(post.ref, text)
    return Replied(ref, _address(handle, ref))


def find_reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The reply among the account's newest 100 posts of the last day; X bills $0.001 for each that it lists."""
    with _own_door(settings, asking) as door:
        owner = door.owner(asking.hospital.accounts.x)
        posted = Listing(owner["id"], "get_users_tweets", fewest=5)
        first = asking.now - _LOOKED_BACK
        page, _ = next(read(door, posted, {}, first, asking.now, None, 0))
    for found in page.posts:
        if found.answers == post.ref and same_words(text, found.text):
            return Replied(found.ref, _address(owner["handle"], found.ref))
    return None


def by_hand(post: Answerable, text: str) -> str:
    """X's own form, with the words in it."""
    # As X writes them: a plus would be shown as one by some of its apps.
    return f"https://x.com/intent/tweet?{urlencode({'in_reply_to': post.ref, 'text': text}, quote_via=quote)}"


def price(post: Answerable, text: str) -> float:
    """As X lists it in August 2026; a reply to who called for none costs what any post does."""
    if re.search(r"https?://\S", text, re.IGNORECASE):
        return _PRICE_WITH_LINK
    return _PRICE_OF_REPLY if post.mentions_account else _PRICE_OF_POST


def _address(handle: str, ref: str) -> str:
    return f"https://x.com/{handle}/status/{ref}"


def _own_door(settings: Settings, asking: Asking) -> AbstractContextManager[Door]:
    return door_to_x("x", settings.base_url, _TIMEOUT, USER_KEYS, asking, as_user=True)


def _door(settings: Settings, asking: Asking) -> AbstractContextManager[Door]:
    return door_to_x("x", settings.base_url, _TIMEOUT, {"bearer_token": "X_BEARER_TOKEN"}, asking)


def _label(number: int, query: str) -> str:
    return query if len(query) <= 80 else f"{query[:60]}… (query {number})"


def _search(
    searches: Sequence[Listing], settings: Settings, cursor: Mapping[str, Any], asking: Asking
) -> Iterator[Page]:
    places = {search.of: dict(cursor.get(search.of, {})) for search in searches}
    # A search that was put in while nothing was asked begins where the others stopped.
    stopped = [datetime.fromisoformat(place["until"]) for place in cursor.values() if "until" in place]
    first = min([asking.now - min(settings.first_reach, WINDOW - MARGIN), *stopped])
    left, wrong, told = asking.reads_left, list[str](), set[Unheard]()
    with _door(settings, asking) as door:
        for search in searches:
            try:
                for page, place in read(
                    door, search, places[search.of], first, asking.now, left, settings.price_per_read
                ):
                    places[search.of] = place
                    left = None if left is None else left - page.reads
                    unheard = tuple(gap for gap in page.unheard if gap not in told)  # the same for every search
                    told.update(unheard)
                    yield replace(page, unheard=unheard, cursor={of: dict(place) for of, place in places.items()})
            except WrongListing as error:
                wrong.append(str(error))
    if wrong:
        raise NeedsPerson("; ".join(wrong))
