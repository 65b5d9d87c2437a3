"""Missed posts that people found by hand: why each was no card, and what would have made it one. Nothing of them is kept."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rapidfuzz.distance import JaroWinkler

from alerts.case import RANK
from alerts.decide import judge
from alerts.proposals import empty_words, phrases_in
from alerts.suggestion import HOSPITAL, KEYWORDS, Change, Suggestion
from config.schema import Config, Hospital
from listener.errors import NeedsPerson
from listener.post import storable
from nlp.pipeline import Reader, Text
from nlp.reading import Reading
from nlp.tokenizer import fold, visible, words_of
from nlp.tuning import Seeker

_LEVELS = ("danger", "here_now", "serious")  # those with phrases of their own
_TRIED = 12  # phrases of one post that are counted
# From there on a word is one of ours, misspelt (Jaro-Winkler): "bridget" is to "brigid" 0.85, "britain" 0.82.
_LIKE_OURS, _ALMOST = 0.84, 0.92
_WORDS = 5  # of a name
_ABBREVIATED = 3  # letters at most
_WORD = re.compile(r"#?[^\W_][\w&'’.-]*[\w'’]|[^\W_]")
_REDACTED = re.compile(r"\[[^\]\n]{0,40}\]|\S*(?:@|://|www\.)\S*")
# Every hospital's name has these: what is left tells them apart.
_EVERYBODYS = words_of(
    "st saint santa san hospital hospitals medical medicine center centre clinic clinica health healthcare",
    "campus pavilion care er ed icu emergency room",
)
_SMALL = words_of("the of at in a an and to for from is on with")


@dataclass(frozen=True)
class Missed:
    """A post that should have been a card."""

    line: int
    text: str
    category: str | None = None
    urgency: str | None = None


@dataclass(frozen=True)
class Why:
    """Why it was none, as a sentence; and what could be changed, the likeliest first."""

    line: int
    shown: str  # redacted
    why: str
    suggestions: tuple[Suggestion, ...] = ()


def missed_posts(lines: Iterable[str], config: Config) -> list[Missed]:
    """One post a line, or JSON Lines of {"text", "category"?, "urgency"?}. Raises NeedsPerson that names the line."""
    posts = [_post(number, line.strip(), config) for number, line in enumerate(lines, 1) if line.strip()]
    if not posts:
        raise NeedsPerson("the file of missed posts is empty: one post a line")
    return posts


def _post(number: int, line: str, config: Config) -> Missed:
    if not line.startswith("{"):
        return Missed(number, storable(line))
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise NeedsPerson(f'missed posts, line {number}: not JSON; write the post alone, or {{"text": "…"}}') from None
    text, category, urgency = (record.get(key) for key in ("text", "category", "urgency"))
    if not isinstance(text, str) or not text.strip():
        raise NeedsPerson(f'missed posts, line {number}: no "text"')
    for key, value, choices in (("category", category, config.keywords.categories), ("urgency", urgency, RANK)):
        if value is not None and (not isinstance(value, str) or value not in choices):
            raise NeedsPerson(f"missed posts, line {number}: {key} {value!r} is none of {', '.join(choices)}")
    return Missed(number, storable(text), category, urgency)


def reasons(posts: Sequence[Missed], config: Config, reader: Reader) -> list[Why]:
    """Why each was missed. What is suggested is not counted yet."""
    found = reader.read(Text(post.text) for post in posts)
    about_us = reader.read(Text(post.text, about_us=True) for post in posts)
    return [_why(post, said, if_ours, config) for post, said, if_ours in zip(posts, found, about_us, strict=True)]


def _why(post: Missed, said: dict[str, Any], if_ours: dict[str, Any], config: Config) -> Why:
    shown = said["redacted_text"]
    if not said["mentions_us"] and said["urgency"] != "danger":
        why, changes = _unnamed(shown, config.hospital)
        # Once it is named, it is read as one of ours.
        more = _unsaid(post, if_ours, shown, config)
        return Why(post.line, shown, why, _suggested(post, why, [*changes, *(change for _, change in more)]))
    if said["voice"] != "patient" and said["urgency"] != "danger":
        why, changes = _another_voice(shown, said, config)
        return Why(post.line, shown, why, _suggested(post, why, changes))
    unsaid = _unsaid(post, said, shown, config)
    if unsaid or _is_less(post, said):
        whys = list(dict.fromkeys(why for why, _ in unsaid)) or [_less(post, said)]
        return Why(post.line, shown, "; ".join(whys), _suggested(post, whys[0], [change for _, change in unsaid]))
    return Why(post.line, shown, _decided(said, config))


def _suggested(post: Missed, why: str, changes: Iterable[Change]) -> tuple[Suggestion, ...]:
    because = f"the missed post in line {post.line} says it"
    return tuple(Suggestion(change, because, missed=(post.line,)) for change in changes)


# ---------------------------------------------------------------- it does not name us


def _unnamed(text: str, hospital: Hospital) -> tuple[str, list[Change]]:
    finds = Seeker({name: [re.sub(r"[|*]", " ", name)] for name in hospital.not_us})
    if others := sorted(finds(text)):
        return f"it names {others[0]!r}, which not_us in hospital.toml says is somebody else", []
    name = name_like_ours(text, hospital)
    if name is None:
        return "it does not name us, and no words in it are near to one of our names", []
    change = Change(HOSPITAL, ("aliases",), "add", name)
    return f'it calls us "{name}", which is none of the names in hospital.toml', [change]


def name_like_ours(text: str, hospital: Hospital) -> str | None:
    """The words of a post that are nearest to one of our names, as they are written there; None where none are near. Pure."""
    names = [hospital.name, *hospital.aliases, *(alias for site in hospital.sites for alias in site.aliases)]
    ours = {tuple(_own(name.split())): " " not in name for name in names}
    best: tuple[float, int, str] | None = None
    for words, written in _runs(text):
        near = max((_near(words, other, is_one) for other, is_one in ours.items()), default=0.0)
        if near and (best is None or (near, -len(written)) > best[:2]):
            best = near, -len(written), written
    return best[2] if best else None


def _own(words: Sequence[str]) -> list[str]:
    """The words of a name that not every hospital has, folded and without 's."""
    folded = [fold(word.lstrip("#")) for word in words]
    return [re.sub(r"(?<=\w{4})s$", "", word) for word in folded if word not in _EVERYBODYS | _SMALL]


def _near(words: Sequence[str], other: Sequence[str], is_one: bool) -> float:
    """How near these words are to a name of ours, 0 to 1, by those that not every hospital has; 0 for what is none.

    A name of one word (`is_one`) must be nearly the same; of another one only beside "St.", "Hospital" or the like.
    """
    if _SMALL & {fold(words[0]), fold(words[-1])}:
        return 0.0
    own = _own(words)
    is_named = len(own) < len(words)
    if words[0].startswith("#") and len(words) == 1:
        bare = re.sub(r"^(?:saint|st)|(?:er|ed|hospital|medical)$", "", own[0] if own else "")
        own, is_named = _own([bare]), True
    if not own or len(own) != len(other):
        return 0.0
    near = min(JaroWinkler.similarity(one, two) for one, two in zip(own, other, strict=True))
    return near if near >= (_LIKE_OURS if is_named else _ALMOST if is_one else 2) else 0.0


def _runs(text: str) -> Iterator[tuple[list[str], str]]:
    """Up to five words in a row with nothing but blanks between them, or the stop of "St."; and as they are written."""
    text = _REDACTED.sub(" . ", visible(text))
    words = list(_WORD.finditer(text))
    joined = [
        not (between := text[one.end() : other.start()]).strip()
        or (between == ". " and len(one.group()) <= _ABBREVIATED)
        for one, other in pairwise(words)
    ]
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + _WORDS) + 1):
            if end - start > 1 and not joined[end - 2]:
                break
            written = text[words[start].start() : words[end - 1].end()]
            yield [word.group() for word in words[start:end]], " ".join(written.split()).lstrip("#")


# ---------------------------------------------------------------- it is taken for somebody else's


def _another_voice(text: str, said: dict[str, Any], config: Config) -> tuple[str, list[Change]]:
    why = next((reason for reason in said["reasons"] if reason.startswith("voice ")), said["voice"])
    lists: dict[str, tuple[tuple[str, ...], Sequence[str]]] = {
        "exclude": (("exclude", "phrases"), config.keywords.exclude.phrases)
    }
    lists |= {voice: (("voices", voice, "phrases"), table.phrases) for voice, table in config.keywords.voices}
    voice = "exclude" if "left out by" in why else said["voice"]
    path, phrases = lists.get(voice, ((), ()))
    found = sorted(Seeker({phrase: [phrase] for phrase in phrases})(text)) if "'" in why or '"' in why else []
    if not found or "read so" in why:
        return f"it names us, but it is taken for {_VOICES[said['voice']]}: {why.partition(': ')[2]}", []
    shown = ", ".join(f'"{phrase}"' for phrase in found)
    return f"it names us, but {shown} under [{'.'.join(path[:-1])}] speaks against it", [
        Change(KEYWORDS, path, "take out", phrase) for phrase in found
    ] if len(found) == 1 else []


_VOICES = {"news": "news", "promo": "an advert", "other": "somebody's who was not with us", "patient": "a patient's"}


# ---------------------------------------------------------------- it was read as something else


def _unsaid(post: Missed, said: dict[str, Any], text: str, config: Config) -> list[tuple[str, Change]]:
    """What it was not read as, and phrases of it that would say so."""
    found: list[tuple[str, Change]] = []
    if post.category and all(category["id"] != post.category for category in said["categories"]):
        title = config.keywords.categories[post.category].title
        path: tuple[str, ...] = ("categories", post.category, "phrases")
        found += [(f'it was not read as "{title}"', change) for change in _phrases(text, path, said, config)]
    if _is_less(post, said) and post.urgency in _LEVELS:
        path = ("urgency", post.urgency, "phrases")
        found += [(_less(post, said), change) for change in _phrases(text, path, said, config)]
    return found


def _is_less(post: Missed, said: dict[str, Any]) -> bool:
    return post.urgency is not None and RANK[said["urgency"]] > RANK[post.urgency]


def _less(post: Missed, said: dict[str, Any]) -> str:
    return f"it was read as {said['urgency']}, not as {post.urgency}"


def _phrases(text: str, path: tuple[str, ...], said: dict[str, Any], config: Config) -> list[Change]:
    """Phrases of two words and more, those first that hold the words by which the program read it at all."""
    empty = empty_words(config.hospital)
    told = {fold(word) for reason in said["reasons"] for word in re.findall(r"'([^']+)'", reason)}
    phrases = phrases_in(text, empty, empty)
    ranked = sorted(phrases, key=lambda one: (-len(told & set(one.split())), abs(len(one.split()) - 3), one))
    return [Change(KEYWORDS, path, "add", phrase) for phrase in ranked[:_TRIED]]


def _decided(said: dict[str, Any], config: Config) -> str:
    """What becomes of it today."""
    fields = {name: said[name] for name in Reading.model_fields if name in said}
    decision = judge(Reading(**fields), False, config.care)
    if decision.outcome == "alert":
        channel = config.care.slack.channels.get(decision.channel or "", decision.channel)
        return f"today it would be a card in {channel}: if it was public, look at where we listen (listening.toml)"
    what = "goes into a digest" if decision.outcome == "digest" else "is dismissed"
    return f"today it {what}, by {decision.reason} (care.toml)"


def together(found: Iterable[Why]) -> list[Suggestion]:
    """What the missed posts suggest; a change that several of them suggest once, with all of them as evidence."""
    by_change: dict[Change, list[int]] = {}
    for why in found:
        for one in why.suggestions:
            by_change.setdefault(one.change, []).extend(one.missed)
    return [
        Suggestion(change, _says(lines), missed=tuple(lines), stories=len(lines)) for change, lines in by_change.items()
    ]


def _says(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines))
    return f"the missed post{'s' * (len(lines) > 1)} in line{'s' * (len(lines) > 1)} {shown} {'say' if len(lines) > 1 else 'says'} it"
