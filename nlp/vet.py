"""What is odd about the phrases and names of the config files: nothing that is wrong, but what nobody can have meant. Pure.

Each phrase is put to the test that posts put it to: a text is made of its own words, and the matcher looks what it finds
there. So whatever the phrase language can say, the answer is the reader's own.
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH
from spacy.language import Language
from spacy.tokens import Doc, Span

from config.places import Path_
from config.schema import Config, Hospital
from nlp.components.mentions import Mentions, names_of
from nlp.encoder import FOLDER
from nlp.heads import TOPICS
from nlp.listed import FILE, Entry, Kept, Listed
from nlp.phrase_language import Part, Phrase, folded, parse, sites_of
from nlp.sayings import sayings
from nlp.tokenizer import fold, visible

Kind = Literal[
    "never", "excluded", "twice", "covered", "characters", "capitals", "broad", "owners", "name", "empty"
]  # fmt: skip

_TENTH = 0.1
_FEW = 300  # posts that most phrases are looked for in
_ENOUGH = 50  # posts of which a tenth tells something
_TOLD, _SHARE_TOLD = 5, 0.01  # posts that hold a phrase of two owners: fewer do no harm
_EXACTLY = 5  # posts that hold an exact phrase's words in other letters, and none as written
_OFTEN = 12_000  # words of the model's vocabulary, the commonest first, that are everyday words
_OF_PATIENTS = ("category:", "urgency:")
_AWAY_LABELS = ("exclude", "voice:")
_AWAY = {"exclude": "leaves out", "voices": "takes for adverts or news, unless a patient plainly speaks"}
_QUOTES = re.compile("[“”„«»‘’]")
_SEPARATE = re.compile(r"[\t\r\n\v\f\u2028\u2029]")
_HOSPITAL = "hospital.toml"


@dataclass(frozen=True)
class Oddity:
    """One thing that is odd: where, and the sentence that people read."""

    file: str
    path: Path_
    kind: Kind
    phrase: str  # or name
    says: str
    posts: int | None = None  # newest kept posts about us that hold it; None where there are none to look at
    of: int | None = None
    is_small: bool = False  # shown only to who asks for everything


def oddities(config: Config, listed: Listed, kept: Sequence[Kept]) -> list[Oddity]:
    """Everything that is odd. `kept`: the newest posts about us, none where there is no database."""
    found = [*_names(config.hospital, listed.language), *_without_words(config), *_of_phrases(config, listed, kept)]
    return sorted(found, key=lambda one: one.file)


# ---------------------------------------------------------------- phrases


def _of_phrases(config: Config, listed: Listed, kept: Sequence[Kept]) -> Iterator[Oddity]:
    said = [parse(entry.phrase) for entry in listed.entries]
    found = list(_without_posts(config, listed, said))
    counts, more = _with_posts(listed, said, {number for number, _, _ in found}, kept)
    for number, kind, says in sorted([*found, *more], key=lambda one: one[0]):
        entry, posts = listed.entries[number], counts[number]
        is_small = kind == "covered" or (kind == "owners" and posts < max(_TOLD, len(kept) * _SHARE_TOLD))
        words = f"{entry.phrase!r} {says}"
        shown, of = (posts, len(kept)) if kept else (None, None)
        yield Oddity(FILE, entry.path, kind, entry.phrase, words, shown, of, is_small)


def _without_posts(config: Config, listed: Listed, said: Sequence[Phrase]) -> Iterator[tuple[int, Kind, str]]:
    same, looked = _same(said), _Looked(config, listed, said)
    for number, entry in enumerate(listed.entries):
        for kind, says in (
            *_characters(entry.phrase),
            *_said_twice(number, same[number], listed.entries),
            *looked(number, same[number]),
            *_two_owners(config, number, same[number], listed.entries),
        ):
            yield number, kind, says


def _with_posts(
    listed: Listed, said: Sequence[Phrase], odd: set[int], kept: Sequence[Kept]
) -> tuple[Counter[int], list[tuple[int, Kind, str]]]:
    """How many posts hold the odd phrases, and what only posts tell. A phrase in less than a twentieth of a few hundred
    posts is in no tenth of all, so most phrases are looked for in these alone."""
    docs = [listed.doc(post) for post in kept]
    few = docs[:: -(-len(docs) // _FEW) or 1]
    sample: Counter[int] = Counter()
    for doc in few:
        sample.update(listed.numbers(doc))
    often = {number for number, posts in sample.items() if posts >= len(few) * _TENTH / 2}
    exact = {number for number, one in enumerate(said) if kept and not one.is_narrowed and _is_exact(one)}
    phrases = {number: listed.entries[number].phrase for number in odd | often | exact}
    counts = listed.counts(phrases, docs)
    folded = listed.counts({number: phrases[number].replace('"', "") for number in exact}, docs)
    found: list[tuple[int, Kind, str]] = []
    for number in sorted(phrases):
        found += ((number, *one) for one in _capitals(counts[number], folded[number]))
        found += ((number, *one) for one in _broad(counts[number], len(docs)))
    return counts, found


def _is_exact(phrase: Phrase) -> bool:
    return any(word.kind == "exact" for part in phrase.parts for word in part)


def _same(said: Sequence[Phrase]) -> list[list[int]]:
    """The numbers of the phrases that are the same as each after folding, itself among them."""
    numbers: defaultdict[object, list[int]] = defaultdict(list)
    keys = [_key(one) for one in said]
    for number, key in enumerate(keys):
        numbers[key].append(number)
    return [numbers[key] for key in keys]


def _key(said: Phrase) -> object:
    """The same for phrases that find the same."""
    sides, without = (
        tuple(tuple(tuple(map(_ways, piece)) for piece in side) for side in found)
        for found in (said.sides, said.without)
    )
    return sides, without, said.within, said.site and folded(said.site), said.language


def _ways(part: Part) -> frozenset[tuple[str, str]]:
    return frozenset((word.text if word.kind == "exact" else fold(word.text), word.kind) for word in part)


def _said_twice(number: int, same: Sequence[int], entries: Sequence[Entry]) -> Iterator[tuple[Kind, str]]:
    mine = entries[number]
    first = next((entries[other] for other in same if other < number and entries[other].label == mine.label), None)
    if first is not None:
        written = "" if first.phrase == mine.phrase else f", as {first.phrase!r}"
        yield "twice", f"stands in this list already{written}: one of the two can go, it changes nothing"


class _Looked:
    """What the matcher finds in texts made of a phrase's own words."""

    def __init__(self, config: Config, listed: Listed, said: Sequence[Phrase]) -> None:
        self._listed, self._said = listed, said
        self._labels = [entry.label for entry in listed.entries]
        self._sites = sites_of({site.name: site.aliases for site in config.hospital.sites})

    def __call__(self, number: int, same: Sequence[int]) -> Iterator[tuple[Kind, str]]:
        """`same`: the phrases that are the same: of these another warning tells."""
        said, label = self._said[number], self._labels[number]
        is_found, covers, excludes = False, None, None
        told = sayings(said)
        for text in told.texts:
            doc = self._doc(text, said)
            spans = list(self._listed(doc))
            found = {other for other, _ in spans}
            is_found = is_found or number in found
            out = {other for other in found if self._takes_away(other, label)}
            excludes = out if excludes is None else excludes & out
            over = self._over(label, spans, doc).difference(same) if told.is_all else set()
            covers = over if covers is None else covers & over
            if is_found and not covers and not excludes:
                return  # every other way to say it can only say the same
        if not is_found:
            yield "never", "can never match: it is not found in its own words. Is there a stray sign in it?"
        elif excludes:
            other = self._listed.entries[max(excludes)]  # [exclude] comes last
            yield (
                "excluded",
                f"is found only in posts that {other.phrase!r} of [{other.table}] {_AWAY[str(other.path[0])]}",
            )
        elif covers:
            other = self._listed.entries[min(covers)]
            yield "covered", f"finds nothing that {other.phrase!r} of the same list does not find"

    def _takes_away(self, other: int, label: str) -> bool:
        """Whether a phrase takes posts away from those that are sorted by phrases of this label. Danger is never left out."""
        is_ours = label.startswith(_OF_PATIENTS) and label != "urgency:danger"
        return is_ours and self._labels[other].startswith(_AWAY_LABELS) and not self._said[other].is_narrowed

    def _over(self, label: str, spans: Sequence[tuple[int, Span]], doc: Doc) -> set[int]:
        """Other phrases of the list that find this text, too. Words around an urgent phrase or a sign decide what it means:
        there only one that finds the very same words is as good."""
        whole = label.startswith(("urgency:", "sign:"))
        return {
            other
            for other, span in spans
            if self._labels[other] == label
            and not self._said[other].is_narrowed
            and (not whole or len(span) == len(doc))
        }

    def _doc(self, text: str, said: Phrase) -> Doc:
        site = self._sites[folded(said.site)] if said.site else None
        return self._listed.doc(Kept(text, site, said.language or "en"))


def _characters(phrase: str) -> Iterator[tuple[Kind, str]]:
    if quotes := _QUOTES.search(re.sub(r"(?<=\w)’(?=\w)", "", phrase)):
        yield "characters", f"holds a quotation mark as Word makes it ({quotes[0]}): write a straight one, or none"
    if _SEPARATE.search(phrase):
        yield "characters", "holds a tab or a line break: write one phrase in one line, with plain spaces"
    if visible(phrase) != phrase:
        hidden = [letter for letter in phrase if visible(letter) != letter]
        names = ", ".join(dict.fromkeys(unicodedata.name(letter, f"U+{ord(letter):04X}").lower() for letter in hidden))
        yield "characters", f"holds what cannot be seen ({names}), perhaps from a web page: type the phrase anew"


def _capitals(posts: int, folded: int) -> Iterator[tuple[Kind, str]]:
    if not posts and folded >= _EXACTLY:
        says = f"is in no post as it is written, and in {folded:,} with other capitals or accents: leave the quotes out"
        yield "capitals", says


def _broad(posts: int, of: int) -> Iterator[tuple[Kind, str]]:
    if of >= _ENOUGH and posts >= of * _TENTH:
        yield "broad", "is in more than a tenth of all posts about us, so it says little: add a word"


def _two_owners(
    config: Config, number: int, same: Sequence[int], entries: Sequence[Entry]
) -> Iterator[tuple[Kind, str]]:
    """Told once, at the second place."""
    categories = config.keywords.categories
    mine = str(entries[number].path[1])
    if entries[number].path[0] != "categories":
        return
    for other in same:
        theirs = str(entries[other].path[1])
        if other < number and entries[other].path[0] == "categories":
            owner, second = categories[theirs].owner, categories[mine].owner
            if owner != second:
                yield "owners", f"stands in {theirs} ({owner}) too, so both {owner} and {second} are asked to mend it"
                return


def _without_words(config: Config) -> Iterator[Oddity]:
    for name, category in config.keywords.categories.items():
        if not category.phrases and not category.match and name not in TOPICS.labels:
            says = f"{name!r} has neither phrases nor example sentences, so it finds nothing: write some of either"
            yield Oddity(FILE, ("categories", name), "empty", name, says)


# ---------------------------------------------------------------- names


def _names(hospital: Hospital, language: Language) -> Iterator[Oddity]:
    """Names that find nothing, or too much."""
    holds, ours = _Names(hospital, [], language), _Names(hospital, list(hospital.not_us), language)
    for path, name in _written(hospital):
        found = list(_characters(name))
        if path[0] == "not_us" and not holds(name):
            found.append(("name", "changes nothing: it holds none of our names"))
        elif path[0] == "name" or path[-2] == "aliases":
            if not ours(name):
                found.append(("never", "can never match: a name of not_us takes it away"))
            elif _is_everyday(name):
                says = "is an everyday word, so posts about other things are taken for posts about us: add a word"
                found.append(("name", says))
        for kind, says in found:
            yield Oddity(_HOSPITAL, path, kind, name, f"{name!r} {says}")


def _written(hospital: Hospital) -> Iterator[tuple[Path_, str]]:
    yield ("name",), hospital.name
    yield from ((("aliases", number), name) for number, name in enumerate(hospital.aliases))
    yield from ((("not_us", number), name) for number, name in enumerate(hospital.not_us))
    for at, site in enumerate(hospital.sites):
        yield from ((("sites", at, "aliases", number), name) for number, name in enumerate(site.aliases))
        yield from ((("sites", at, "departments", number), name) for number, name in enumerate(site.departments))
    for name, words in hospital.department_words.items():
        yield from ((("department_words", name, number), word) for number, word in enumerate(words))


class _Names:
    """Whether a text holds one of our names, where these longer ones are somebody else's."""

    def __init__(self, hospital: Hospital, not_us: list[str], language: Language) -> None:
        self._language = language
        self._mentions = Mentions(language, "mentions", **{**names_of(hospital), "not_us": not_us})

    def __call__(self, text: str) -> bool:
        return bool(self._mentions(self._language.make_doc(visible(text)))._.mentions_us)


def _is_everyday(name: str) -> bool:
    word = fold(name)
    if " " in word or word in ENGLISH or word in SPANISH:
        return " " not in word
    return word.isalpha() and _common().get(word, _OFTEN) < _OFTEN


@cache
def _common() -> dict[str, int]:
    vocabulary: dict[str, int] = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return vocabulary
