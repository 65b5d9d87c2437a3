"""Post: what a collector hands over. Plain data, checked, never changed, no database."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from config.schema import Hospital
from listener.errors import SkipPost

# What no database can store: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST_ADDRESS = 2000
_LARGEST_COUNT = 2**31 - 1  # what an integer column of every database holds


def storable(value: Any) -> Any:
    """Text without NUL and lone surrogates, so that every database takes it; other values as they are."""
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _web_address(value: str | None) -> str | None:
    """Only http(s): a link of any other kind must not become clickable in a card."""
    if not value or len(value) > _LONGEST_ADDRESS or not re.fullmatch(r"https?://\S+", value, re.IGNORECASE):
        return None
    # These would end the link early in a card, or act in a terminal, and no address needs them as they are.
    return re.sub('[<>"|\x01-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', lambda found: quote(found[0]), value)


def _in_utc(value: datetime) -> datetime:
    """The same moment in UTC; one at the edge of the calendar has none."""
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("no moment that a calendar has in every zone") from None


Words = Annotated[str, BeforeValidator(storable), StringConstraints(strict=True)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Key = Annotated[str, BeforeValidator(storable), StringConstraints(strict=True, min_length=1, max_length=200)]


class Post(BaseModel):
    """One public post. `source` + `ref` name it for ever; times are aware."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Key  # the place: "x", "reddit", "google_reviews"
    ref: Key  # the place's own name for the post
    text: Words
    written_at: Moment
    edited_at: Moment | None = None
    url: Annotated[str | None, BeforeValidator(storable), AfterValidator(_web_address)] = None
    author: Key | None = None  # the handle, without "@"
    author_name: Words | None = None
    thread: Key | None = None  # ref of the post that began the conversation
    answers: Key | None = None  # ref of the post that this one answers
    quotes: Key | None = None  # ref of the post that this one shows within itself
    place: Words | None = None  # where in the hospital, as its author chose it from our list
    rating: Annotated[float, Field(ge=0, le=5)] | None = None  # stars
    reach: Annotated[int, Field(ge=0, le=_LARGEST_COUNT)] | None = None  # followers
    about_us: bool = False  # the place itself says that the post is about us, as a review of us does
    own: bool = False  # the place itself says that the hospital wrote it, as it does of an owner's reply to a review


def read_post(where: str, **fields: Any) -> Post:
    """A checked Post. Raises SkipPost, naming `where` and each field that is wrong, never its content."""
    try:
        return Post(**fields)
    except ValidationError as error:
        why = "; ".join(f"{_dotted(e['loc'])}: {e['msg'].lower()}" for e in error.errors(include_input=False))
        raise SkipPost(where, why) from None


def _dotted(path: tuple[int | str, ...]) -> str:
    return ".".join(map(str, path)) or "post"


@dataclass(frozen=True)
class Unheard:
    """A stretch of time that a collector could not hear, and why. People are told."""

    since: datetime
    until: datetime
    why: str


class Ref(NamedTuple):
    """What names a post for ever."""

    source: str
    ref: str


@dataclass(frozen=True)
class Page:
    """What one request brought: posts, and the cursor that is right once they are kept."""

    posts: tuple[Post, ...]
    cursor: Mapping[str, Any]
    reads: int = 0  # posts that the place bills
    cost: float = 0.0  # what they cost, in US dollars
    unheard: tuple[Unheard, ...] = ()
    skipped: tuple[SkipPost, ...] = ()
    deleted: tuple[Ref, ...] = ()  # posts that the place says are gone
    matched: Mapping[str, int] = field(default_factory=dict)  # each search, tag or feed -> posts it brought


@dataclass(frozen=True)
class Asking:
    """What a collector may know when it asks."""

    hospital: Hospital
    now: datetime
    secrets: Mapping[str, str] = field(default_factory=dict)  # from the environment, only those it named
    reads_left: int | None = None  # None: no budget
    # A collector of a live source stays and listens while `stays`, until `stopped()`; else it ends when it has caught up.
    stays: bool = False
    stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Answerable:
    """A kept post, as much of it as answering it in public needs."""

    source: str
    ref: str
    url: str | None = None
    author: str | None = None  # the handle, without "@"
    mentions_account: bool = False  # it names the hospital's account at its place, or quotes a post of that


@dataclass(frozen=True)
class Replied:
    """A reply of ours that is public, or will be once its place has looked at it; own_replies() hears it by this ref."""

    ref: str
    url: str | None = None


def names_account(text: str, account: str) -> bool:
    """Whether a text names this account, given without "@", as places take it: as a whole, in capitals or not."""
    ends = r"(?![\w@])" + (r"(?![.-]\w)" if "." in account else "")
    return bool(account) and re.search(rf"(?<![\w@])@{re.escape(account)}{ends}", text, re.IGNORECASE) is not None


def same_words(text: str, shown: str) -> bool:
    """Whether a place shows this text: it may put a handle before it, shorten its links, and change its blanks."""
    return _words_of(text) == _words_of(shown)


def _words_of(text: str) -> list[str]:
    return [word for word in text.split() if not re.search(r"^@\w|\w[.@/]\w|://", word)]
