"""A text as the words a reader would see in it, whatever it is made of: nobody may slip a word past a check by its letters.

Full-width and look-alike letters, digits for letters, letters apart, invisible characters, HTML entities and slips of one
letter all become the plain word, and each keeps its place in the text as it was written.
"""

import html
import json
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from nlp.encoder import FOLDER

EMAIL, LINK, PHONE, HANDLE, NUMBER, FOREIGN = "<email>", "<link>", "<phone>", "<handle>", "<number>", "<foreign>"
_SHORTEST_SLIP = 4  # letters of a word whose slip is still recognised
_LONGEST_SLIP = 60  # of two glued ones together; looking for them takes the square of a word's length

_LOOK_ALIKES = str.maketrans(
    "авсеһіјкмнорѕтухѵԁԛԝѡгαβεικνορτυχηωγıɩɑɡʟɴʀꜱʏᴀʙᴄᴅᴇɢʜɪᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢøłđħŧ’‘`´ʼ＇′‛",
    "abcehijkmhopstyxvdqwwrabeiknoptuxnwyiiaglnrsyabcdeghijkmoptuvwzoldht''''''''",
)
_LEET = str.maketrans("0134578@$!|€", "oleastbasile")
_LEET_I = str.maketrans("0134578@$!|€", "oieastbasiie")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});?", re.IGNORECASE)
_CHUNK = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[$€£]?\d[\d.,:/]*\d|[$€£]?\d|[^\W\d_]")
_SPECIAL = (
    (EMAIL, re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (LINK, re.compile(r"https?://\S+|(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|edu|gov|example)(?:/\S*)?")),
    (HANDLE, re.compile(r"@\w[\w.-]*(?:@[\w.-]+)?|u/\w[\w-]+")),
)
_PHONE = re.compile(
    r"(?<![\w$])(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])?\d{3}[-. ]\d{4}(?!\w)|(?<![\w$])(?:911|988)(?!\w)"
)
_STOPS, _CLOSING = tuple(".!?…;"), "\"')]"
_PAUSES = re.compile(r"[\"')\]]*(?:[,:]|\s*[-–—]\s)")
_ABBREVIATED = re.compile(r"^(?:dr|mr|mrs|ms|st|prof|sr|sra|no|ext|vs|e\.g|i\.e|a\.m|p\.m|[a-z])\.$")
_MAY_END = re.compile(r"^(?:a\.m|p\.m|[a-z])\.$")
# What goes on after "9 a.m."; before anything else its stop is the sentence's too.
_GOES_ON = ("to", "and", "or", "until", "through", "till", "daily", "weekdays", "weekends", "except", "hasta")
_DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_REGULAR = ("s", "es", "ed", "ing", "er", "ers", "ly")  # endings of a word that is no slip
_WITH_NUMBER = r"\d+(?:am|pm|st|nd|rd|th|h|hrs?|hours?|mins?|minutes?|days?|weeks?|months?|years?|yrs?)"
_LONG = re.compile(r"(.)\1{2,}")

_UNSEEN = frozenset(("Cf", "Mn", "Me", "Cn", "Co"))
_SIGNS = frozenset(("So", "Sk", "Zs", "Zl", "Zp", "Cc", "Cs"))
_FILLERS = "\u3164\u115f\u1160\u17b4\u17b5\uffa0"  # letters of Hangul and Khmer that nobody sees
_SPOKEN = {
    "'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "'d": "would",
    "n't": "not", "'s": "'s", "'all": "all",
}  # fmt: skip
_WRITTEN = {
    "u": "you", "ya": "you", "yall": "you all", "y'all": "you all", "ur": "your", "yr": "your", "youre": "you are",
    "youve": "you have", "youll": "you will", "youd": "you would", "weve": "we have", "were": "were", "ill": "ill",
    "dont": "do not", "doesnt": "does not", "didnt": "did not", "cant": "can not", "cannot": "can not", "won't": "will not",
    "wont": "will not", "isnt": "is not", "arent": "are not", "wasnt": "was not", "werent": "were not", "hasnt": "has not",
    "havent": "have not", "hadnt": "had not", "couldnt": "could not", "shouldnt": "should not", "wouldnt": "would not",
    "thats": "that is", "im": "i am", "ive": "i have", "hes": "he is", "shes": "she is", "theyre": "they are",
    "gonna": "going to", "wanna": "want to", "can't": "can not", "shan't": "shall not", "ain't": "is not", "it's": "it is",
    "that's": "that is", "there's": "there is", "what's": "what is", "here's": "here is", "let's": "let us", "who's": "who is",
    "he's": "he is", "she's": "she is", "x-ray": "xray", "x-rays": "xrays", "thx": "thanks", "ty": "thank you", "pls": "please",
    "plz": "please", "er's": "er 's", "y": "y", "where's": "where is", "how's": "how is", "everyone's": "everyone 's",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is read, and where it stands in the text as it was written."""

    text: str  # small letters without accents, or one of the kinds in <>
    start: int  # character
    end: int
    said: str  # the same with accents: Spanish tells tenses apart by them; of a number its digits
    ends: bool = False  # a sentence ends behind it
    pauses: bool = False  # a comma, colon or dash stands behind it
    may_end: bool = False  # as "p.m." may


def words(text: str, decisive: frozenset[str], common: frozenset[str]) -> list[Word]:
    """The words of a text in order. `decisive` words are also recognised when they are disguised; `common` are never."""
    plain = _Plain.of(text)
    found = [word for chunk in plain.chunks() for word in _of_chunk(plain, *chunk, decisive)]
    found = list(_apart(_ended(found), decisive, common))
    return [known for word in found for known in _recognised(word, decisive, common)]


@dataclass(frozen=True)
class _Plain:
    """The text in small plain letters, and for each of them where it was written."""

    text: str
    accented: str
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> "_Plain":
        plain: list[str] = []
        accented: list[str] = []
        places: list[tuple[int, int]] = []
        for written, start, end in _written(text):
            for letter, with_accent in _plain_letter(written):
                plain.append(letter)
                accented.append(with_accent)
                places.append((start, end))
        return cls("".join(plain), "".join(accented), tuple(places))

    def chunks(self) -> Iterator[tuple[int, int]]:
        """What stands between spaces; a phone number is one chunk, with its spaces."""
        phones = deque(found.span() for found in _PHONE.finditer(self.text))
        for found in _CHUNK.finditer(self.text):
            start, end = found.span()
            while phones and phones[0][0] < end:
                first, last = phones[0]
                if start < last:
                    if start < first:
                        yield start, first
                    if first >= start:
                        yield first, last
                    start = last
                if last > end:  # it goes on in the next chunk
                    break
                phones.popleft()
            if start < end:
                yield start, end

    def word(self, text: str, start: int, end: int, ends: bool = False) -> Word:
        pauses = _PAUSES.match(self.text, end) is not None
        may_end = _MAY_END.match(self.text[start : end + 1]) is not None
        return Word(
            text, self.places[start][0], self.places[end - 1][1], self.accented[start:end], ends, pauses, may_end
        )


def _written(text: str) -> Iterator[tuple[str, int, int]]:
    """Each character with its place; an HTML entity is the character that it stands for."""
    at = 0
    for found in [*_ENTITY.finditer(text), None]:
        until = found.start() if found else len(text)
        # An accent that is a character of its own belongs to the letter before it.
        while at < until:
            end = at + 1
            while end < until and unicodedata.combining(text[end]):
                end += 1
            yield text[at:end], at, end
            at = end
        if found:
            yield html.unescape(html.unescape(found[0])), found.start(), found.end()
            at = found.end()


@lru_cache(8192)
def _plain_letter(written: str) -> tuple[tuple[str, str], ...]:
    """Small letters without and with their accents; a space for a sign, nothing for what is not seen."""
    out = []
    for letter in map(_in_a_box, unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written).casefold())):
        kind = unicodedata.category(letter)
        if kind in _UNSEEN or letter in _FILLERS:
            continue
        if kind in _SIGNS and letter not in "`´":
            out.append((" ", " "))
            continue
        bare = unicodedata.normalize("NFD", letter)[:1] if letter.isalpha() else letter
        out.append((bare.translate(_LOOK_ALIKES), letter.translate(_LOOK_ALIKES)))
    return tuple(out)


def _in_a_box(letter: str) -> str:
    """The plain letter of a flag's or a box's."""
    number = ord(letter)
    if 0x1F1E6 <= number <= 0x1F1FF:
        return chr(number - 0x1F1E6 + ord("a"))
    for first in (0x1F150, 0x1F170):
        if first <= number < first + 26:
            return chr(number - first + ord("a"))
    return letter


def _of_chunk(plain: _Plain, start: int, end: int, decisive: frozenset[str]) -> Iterator[Word]:
    chunk = plain.text[start:end]
    ends = chunk.rstrip(_CLOSING).endswith(_STOPS) and not _ABBREVIATED.match(chunk)
    core = chunk.strip("\"'()[]{}<>*_~.,;:!?…-–—«»“”¡¿")
    if not core:
        if ends:
            yield plain.word("", start, end, True)
        return
    first = start + chunk.index(core)
    if _PHONE.fullmatch(chunk.rstrip(".,;:!?")):
        yield plain.word(PHONE, start, first + len(core), ends)
        return
    for kind, pattern in _SPECIAL:
        if pattern.fullmatch(core):
            yield plain.word(kind, first, first + len(core), ends)
            return
    if _DOTTED.fullmatch(core):
        yield plain.word(core.replace(".", ""), first, first + len(core), ends)
        return
    if _LETTERS.fullmatch(core):
        yield plain.word(core, first, first + len(core), ends)
        return
    whole = _undisguised(chunk, core, decisive)
    if whole:
        yield plain.word(whole, first, first + len(core), ends)
        return
    pieces = [(first + piece.start(), first + piece.end()) for piece in _PIECE.finditer(core)]
    for number, (piece_start, piece_end) in enumerate(pieces, 1):
        piece = plain.text[piece_start:piece_end]
        last = ends and number == len(pieces)
        # "Thank you.Your stay": a stop between letters ends a sentence too.
        stops = number < len(pieces) and re.search(r"[.!?…;]", plain.text[piece_end : pieces[number][0]]) is not None
        text = NUMBER if piece[-1].isdigit() else piece
        yield plain.word(text, piece_start, piece_end, last or (stops and len(piece) > 1 and text != NUMBER))


def _undisguised(chunk: str, core: str, decisive: frozenset[str]) -> str | None:
    """The decisive word that is written with digits and signs among its letters, if it is one."""
    if core.isdigit() or not re.search(r"[^\W\d_]", chunk):
        return None
    for way in (_LEET, _LEET_I):
        for shape in (core.translate(way), re.sub(r"[\W\d_]+", "", core), re.sub(r"[\W_]+", "", core.translate(way))):
            if shape in decisive and not re.fullmatch(_WITH_NUMBER, core):
                return shape
    return None


def _ended(found: list[Word]) -> list[Word]:
    """With the stops of abbreviations that end a sentence: of "p.m." and of a letter such as "Garage B."."""
    follows = [word.text for word in found[1:]] + ["", ""]
    return [
        replace(word, ends=True) if word.may_end and not _goes_on(word.text, *follows[at : at + 2]) else word
        for at, word in enumerate(found)
    ]


def _goes_on(text: str, then: str, after: str) -> bool:
    """ "v. i. s. i. t" is one word, "Garage B. A bus" are two sentences."""
    if len(then) == 1:  # "de 8 a.m. a 5 p.m."
        return len(after) < 2 if len(text) == 1 else after == NUMBER
    return len(text) > 1 and (then in _GOES_ON or then == NUMBER)


def _apart(found: list[Word], decisive: frozenset[str], common: frozenset[str]) -> Iterator[Word]:
    """Letters and parts of a decisive word that stand apart, put together."""
    at = 0
    while at < len(found):
        run = at
        while (
            run < len(found)
            and len(found[run].text) == 1
            and found[run].text.isalpha()
            and not (run > at and found[run - 1].ends)
        ):
            run += 1
        if run - at >= 3:
            joined = "".join(word.text for word in found[at:run])
            for start, end in _cut(joined, decisive, common):
                part = found[at + start : at + end]
                yield replace(part[-1], text=joined[start:end], start=part[0].start, said=joined[start:end])
            at = run
            continue
        for count in (3, 2):
            part = found[at : at + count]
            joined = "".join(word.text for word in part)
            if (
                len(part) == count
                and joined in decisive
                and len(joined) >= _SHORTEST_SLIP
                and any(word.text not in common for word in part)
                and not any(word.ends for word in part[:-1])
            ):
                yield replace(part[-1], text=joined, start=part[0].start, said=joined)
                at += count
                break
        else:
            yield found[at]
            at += 1


def _cut(letters: str, decisive: frozenset[str], common: frozenset[str]) -> list[tuple[int, int]]:
    """Letters cut into the fewest known words; what is between them stays as it is."""
    best: list[tuple[int, int, int]] = [(0, 0, 0)]  # unknown letters, words, where the last one starts
    for end in range(1, len(letters) + 1):
        ways = [(best[end - 1][0] + 1, best[end - 1][1] + 1, end - 1)]
        for start in range(max(0, end - 16), end):
            if letters[start:end] in decisive or letters[start:end] in common:
                ways.append((best[start][0], best[start][1] + 1, start))
        best.append(min(ways))
    cuts, end = [], len(letters)
    while end:
        cuts.append((best[end][2], end))
        end = best[end][2]
    return cuts[::-1]


def _recognised(word: Word, decisive: frozenset[str], common: frozenset[str]) -> Iterator[Word]:
    """The word as a dictionary has it; two for "you're" and for "yourstay"."""
    text = word.text
    if text.startswith("<") or not text:
        yield word
        return
    if not text.isascii():
        yield replace(word, text=FOREIGN)
        return
    parts: Sequence[str] | None = _spoken(text)
    if parts is None and not (text in common or text in decisive or _is_written_so(text)):
        parts = _meant(text, decisive, common)
    parts = list(parts or [text])
    for number, part in enumerate(parts, 1):
        said, last = word.said if [text] == parts else part, number == len(parts)
        yield replace(word, text=part, said=said, ends=word.ends and last, pauses=word.pauses and last)


def _spoken(text: str) -> list[str] | None:
    if text in _WRITTEN:
        return _WRITTEN[text].split()
    for ending, full in _SPOKEN.items():
        if text.endswith(ending) and len(text) > len(ending):
            stem = text[: -len(ending)]
            return [*_WRITTEN.get(stem, stem).split(), full]
    return [text.replace("'", "")] if "'" in text else None


@lru_cache(8192)
def _meant(text: str, decisive: frozenset[str], common: frozenset[str]) -> tuple[str, ...]:
    """What an unknown word stands for: decisive words, or itself."""
    return tuple(_near(text, decisive) or _glued(text, decisive, common) or [text])


def _near(text: str, decisive: frozenset[str]) -> list[str] | None:
    """The decisive word that this is a slip of: one letter more, less, other or in another place."""
    short = _LONG.sub(r"\1", text)
    for form in (short, _LONG.sub(r"\1\1", text)):
        if form in decisive:
            return [form]
    if not _SHORTEST_SLIP <= len(short) <= _LONGEST_SLIP:
        return None
    slips = _slips(decisive)
    for form in (short, *_without_one(short)):
        for meant in slips.get(form, ()):
            if _one_slip(short, meant):
                return [meant]
    return None


def _glued(text: str, decisive: frozenset[str], common: frozenset[str]) -> list[str] | None:
    if len(text) > _LONGEST_SLIP:
        return None
    for cut in range(3, len(text) - 1):
        left, right = text[:cut], text[cut:]
        if (left in decisive and (right in decisive or right in common)) or (right in decisive and left in common):
            return [left, right]
    return None


def _without_one(text: str) -> Iterator[str]:
    return (text[:at] + text[at + 1 :] for at in range(len(text)))


@cache
def _slips(decisive: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Each decisive word by itself and by what is left when one letter is taken out."""
    slips: dict[str, list[str]] = {}
    for word in sorted(decisive):
        if len(word) >= _SHORTEST_SLIP:
            for form in {word, *_without_one(word)}:
                slips.setdefault(form, []).append(word)
    return {form: tuple(meant) for form, meant in slips.items()}


def _one_slip(typed: str, meant: str) -> bool:
    if abs(len(typed) - len(meant)) > 1:
        return False
    if len(typed) != len(meant):
        long, short = sorted((typed, meant), key=len, reverse=True)
        return short in _without_one(long)
    other = [at for at, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
    if len(other) == 2 and other[1] == other[0] + 1:
        return typed[other[0]] == meant[other[1]] and typed[other[1]] == meant[other[0]]
    return len(other) == 1


def _is_written_so(text: str) -> bool:
    stems = (text, *(text.removesuffix(ending) for ending in _REGULAR if text.endswith(ending)))
    return any(stem in dictionary() or (stem != text and f"{stem}e" in dictionary()) for stem in stems)


@cache
def dictionary() -> frozenset[str]:
    """The words that the encoder's vocabulary holds whole: what is among them is no slip of another."""
    vocabulary: Iterable[str] = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return frozenset(word for word in vocabulary if word.isalpha() and word.isascii())
