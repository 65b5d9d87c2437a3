"""X: what mentions the hospital's account, and what that account answers, read as the account itself.

X bills an account's own mentions at a fifth of what a search costs. It gives the newest 800 of them: a pass that meets
as many without reaching what was heard before reports the rest as unheard.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, StrictBool

from config.schema import CollectorSettings, Duration, Hospital
from listener.collectors.x import Reach
from listener.post import Asking, Page, Post
from listener.x_door import ANSWERED, USER_KEYS, Door, Listing, door_to_x, look_up, read

SECRETS = tuple(USER_KEYS.values())

_TIMEOUT = 15.0  # seconds for a whole answer


class Settings(CollectorSettings):
    """X, read as your own account: what mentions it, and what it answered, at a fifth of the price of a search."""

    every: Duration = timedelta(seconds=60)
    quiet_after: Duration = timedelta(hours=72)
    keep_for: Duration = timedelta(days=30)
    price_per_read: Annotated[float, Field(ge=0, le=100)] = 0.001
    price_per_lookup: Annotated[float, Field(ge=0, le=100)] = 0.005
    """What X bills to look whether a kept post is still there, in US dollars, such as 0.005."""
    own_replies: StrictBool = True
    """Whether to read the account's own replies, which stop the reply clock."""
    first_reach: Reach = timedelta(hours=24)
    """How far back the first pass reads, at most "7d"."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """Posts that mention the account. Cursor: {"account": {"id", "handle"}, "place": see listener/x_door.py, read}."""
    with _door(settings, asking) as door:
        account = _account(door, cursor, asking.hospital)
        mentions = Listing(account["id"], "get_users_mentions", f"@{account['handle']}", "pagination_token", 5, 800)
        for page in _pages(door, mentions, account, settings, cursor, asking):
            yield replace(page, posts=tuple(_with_owner(post, account["handle"]) for post in page.posts))


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What the account answered. Cursor as in fetch."""
    if not settings.own_replies:
        return
    with _door(settings, asking) as door:
        account = _account(door, cursor, asking.hospital)
        without = {"exclude": "retweets"}
        posted = Listing(account["id"], "get_users_tweets", None, "pagination_token", 5, 3200, ANSWERED, without)
        for page in _pages(door, posted, account, settings, cursor, asking):
            answers = (post for post in page.posts if post.answers)
            yield replace(page, posts=tuple(_with_owner(post, account["handle"]) for post in answers))


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """What these posts are now, and which are gone."""
    with _door(settings, asking) as door:
        return look_up(door, refs, settings.price_per_lookup)


def _door(settings: Settings, asking: Asking) -> AbstractContextManager[Door]:
    return door_to_x("x_mentions", settings.base_url, _TIMEOUT, USER_KEYS, asking, as_user=True)


def _account(door: Door, cursor: Mapping[str, Any], hospital: Hospital) -> dict[str, str]:
    """The account whose tokens these are; asked for once. Raises NeedsPerson if it is not the hospital's."""
    known, ours = cursor.get("account"), hospital.accounts.x
    if known and ours.casefold() in ("", known["handle"].casefold()):
        return dict(known)
    return door.owner(ours)


def _pages(
    door: Door, listing: Listing, account: dict[str, str], settings: Settings, cursor: Mapping[str, Any], asking: Asking
) -> Iterator[Page]:
    place = cursor.get("place", {}) if cursor.get("account") == account else {}
    first, price = asking.now - settings.first_reach, settings.price_per_read
    for page, reached in read(door, listing, dict(place), first, asking.now, asking.reads_left, price):
        yield replace(page, cursor={"account": account, "place": reached})


def _with_owner(post: Post, handle: str) -> Post:
    """X itself says which posts are the account's, also where hospital.toml does not name it."""
    return post.model_copy(update={"own": (post.author or "").casefold() == handle.casefold()})
