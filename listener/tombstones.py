"""Tombstones: the marks that stay of posts and people that were forgotten, so that they are neither heard nor restored again.

A mark is a keyed hash (HMAC-SHA-256). Nobody can read back from it whom it is about, and who has not the key cannot even try
names; the key stands in the database and its backups alone. The row of Watch called "forgotten" holds the key, the marks of
people, and the folders in which backups lie: beside these the marks are listed, and a restore goes by that list.
"""

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from listener.mention import Mention
from listener.post import Post
from listener.watch import Watch

ROW = "forgotten"  # the Watch that holds key, people and folders
INSTEAD = "[forgotten]"  # stands where a forgotten person was named
_POST, _PERSON = "gone:", "who:"  # how marks begin
_AT_ONCE = 500  # values in one question: databases limit the number of parameters
# Words as they may name somebody: "alice_9", "alice.bsky.social", "alice@mastodon.social"; Reddit may write "alice\\_9".
_WORD = r"(?:[\w\u0300-\u036f]|\\(?=_))+"
_NAMES = re.compile(rf"{_WORD}(?:[.-]{_WORD})*(?:@{_WORD}(?:[.-]{_WORD})*)?")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # comes along when a handle is copied
_SAID = re.compile(r"[@＠/]$")  # what stands before a handle
_ADDRESSED = re.compile(r"[@＠]$|(?<!\w)u/$", re.IGNORECASE)  # the same, where no path of a link is meant
_ODD = re.compile(r"[\d_.-]")  # a handle with such a sign is no word of a language: it counts without an @ too


@dataclass(frozen=True)
class Tombstones:
    """The key, and the marks of people."""

    key: bytes
    people: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Tells the lists of different databases apart; says nothing of the key."""
        return hashlib.sha256(b"name" + self.key).hexdigest()[:8]

    def of_post(self, source: str, ref: str) -> str:
        """The mark of a post; a mark stays what it is."""
        return ref if is_mark(ref) else _POST + self._hash("post", source, ref)

    def of_person(self, source: str, handle: str) -> str:
        """The mark of somebody at a place."""
        return _PERSON + self._hash("person", source, bare(handle))

    def knows(self, handle: str, sources: Iterable[str]) -> bool:
        """Whether somebody of this name was forgotten at one of these places."""
        return any(self.of_person(source, handle) in self.people for source in sources)

    def masked(self, source: str, text: str) -> str:
        """A text without the names of people who were forgotten at its place."""
        if not self.people:
            return text
        return masked(text, lambda handle: self.of_person(source, handle) in self.people)

    def _hash(self, *parts: str) -> str:
        said = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()[:40]


def is_mark(ref: str | None) -> bool:
    """Whether the name of a post was replaced by its mark."""
    return ref is not None and ref.startswith(_POST)


def bare(handle: str) -> str:
    """A handle as it is compared: without "@" or "u/", in small letters, each in one spelling and none that is not seen."""
    seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", handle)).strip()
    named = re.sub(r"^(@+|/?u(ser)?/)\s*", "", seen, flags=re.IGNORECASE)
    return unicodedata.normalize("NFKC", named.casefold())


def masked(text: str, is_forgotten: Callable[[str], bool]) -> str:
    """A text with INSTEAD in the place of each handle that was forgotten: "@alice", "u/alice", ".../alice/status/1"."""
    parts: list[str] = []
    end = 0
    for found in _NAMES.finditer(text):
        before = _UNSEEN.sub("", text[max(0, found.start() - 6) : found.start()])
        for name in _read_as(found[0], bool(_ADDRESSED.search(before))):
            if (_SAID.search(before) or _ODD.search(name)) and is_forgotten(name.replace("\\", "")):
                parts += [text[end : found.start()], INSTEAD]
                end = found.start() + len(name)
                break
    return "".join([*parts, text[end:]]) if parts else text


def _read_as(words: str, is_addressed: bool) -> Iterator[str]:
    """Whom they may name, the longest first: "@alice.And then" is of a blank that was left out."""
    yield words
    name, at, _ = words.partition("@")
    if at:
        yield name
    while is_addressed and (end := max(name.rfind("."), name.rfind("-"))) > 0:
        name = name[:end]
        yield name


# ---------------------------------------------------------------- the row


def standing(session: Session) -> Tombstones | None:
    """What there is; None while nothing was ever marked."""
    row = session.get(Watch, ROW)
    return _read(row) if row is not None else None


def begun(session: Session) -> Tombstones:
    """The same, with a key from now on. The caller commits."""
    row = session.get(Watch, ROW, with_for_update=True)
    if row is None:
        row = Watch(name=ROW, cursor={"key": secrets.token_hex(32), "people": [], "folders": []})
        session.add(row)
        session.flush()
    return _read(row)


def bury(session: Session, marks: Iterable[str]) -> None:
    """Remember those of the marks that are of people. The caller commits."""
    begun(session)
    row, people = session.get_one(Watch, ROW), {mark for mark in marks if mark.startswith(_PERSON)}
    row.cursor = {**row.cursor, "people": sorted({*row.cursor["people"], *people})}
    session.add(row)
    session.flush()


def folders(session: Session) -> list[Path]:
    """Where backups were put."""
    row = session.get(Watch, ROW)
    return [Path(folder) for folder in row.cursor["folders"]] if row is not None else []


def lies_in(session: Session, folder: Path) -> None:
    """Remember that a backup lies in a folder. The caller commits."""
    begun(session)
    row, name = session.get_one(Watch, ROW), str(folder.resolve())
    if name not in row.cursor["folders"]:
        row.cursor = {**row.cursor, "folders": [*row.cursor["folders"], name]}
        session.add(row)
        session.flush()


def _read(row: Watch) -> Tombstones:
    return Tombstones(bytes.fromhex(row.cursor["key"]), frozenset(row.cursor["people"]))


# ---------------------------------------------------------------- the list beside backups


def every(session: Session, but: str) -> set[str]:
    """The marks of posts and people, without those of posts that are gone for the reason `but`."""
    stones = standing(session)
    if stones is None:
        return set()
    marked = select(Mention.ref).where(col(Mention.ref).startswith(_POST), col(Mention.deleted_why) != but)
    return {*stones.people, *session.exec(marked)}


def list_of(stones: Tombstones, folder: Path) -> Path:
    """Where the marks stand beside backups."""
    return folder / f"call-light-forgotten-{stones.name}.txt"


def write_list(stones: Tombstones, marks: Collection[str], folder: Path) -> Path:
    """Add marks to the list in a folder; it is replaced whole. Raises OSError."""
    path = list_of(stones, folder)
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    lines = sorted({*marks, *read_list(path)})
    try:
        part.unlink(missing_ok=True)  # and never through a link that somebody else has put there
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()
    return path


def read_list(path: Path) -> list[str]:
    """The marks of a list; none where there is no list."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in lines if re.fullmatch(rf"(?:{_POST}|{_PERSON})[0-9a-f]{{40}}", line)]


# ---------------------------------------------------------------- posts that are heard again


def as_kept(session: Session, posts: Sequence[Post]) -> list[Post]:
    """Posts as they would be kept: marks in the place of the names of posts that were forgotten, and no forgotten person named."""
    stones = standing(session)
    if stones is None or not posts:
        return list(posts)
    marks = {(post.source, ref): stones.of_post(post.source, ref) for post in posts for ref in _refs(post)}
    known: set[str] = set()
    for source in {post.source for post in posts}:
        for some in _in_parts(sorted({mark for (place, _), mark in marks.items() if place == source})):
            found = select(Mention.ref).where(Mention.source == source, col(Mention.ref).in_(some))
            known.update(session.exec(found))
    return [_as_kept(post, marks, known, stones) for post in posts]


def _as_kept(post: Post, marks: dict[tuple[str, str], str], known: set[str], stones: Tombstones) -> Post:
    changes: dict[str, str] = {}
    for name in ("ref", "thread", "answers", "quotes"):
        mark = marks.get((post.source, getattr(post, name) or ""))
        if mark in known and mark is not None:
            changes[name] = mark
    if (text := stones.masked(post.source, post.text)) != post.text:
        changes["text"] = text
    return post.model_copy(update=changes) if changes else post


def _refs(post: Post) -> Iterator[str]:
    yield from (ref for ref in (post.ref, post.thread, post.answers, post.quotes) if ref)


def _in_parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
