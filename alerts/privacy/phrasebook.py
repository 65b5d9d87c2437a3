"""Phrases over plain words, as the files *.toml write them.

<class>  any word of a class     a|b   either     stem*  any ending     ?a  may be missing
!a|b     any other word          ...   up to five words in between      $   the sentence ends here
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alerts.privacy.words import Word

_GAP = 5  # words that "..." stands for at most
_STEM = 3  # letters by which stems are looked up


@dataclass(frozen=True, slots=True)
class _Slot:
    """One place of a phrase."""

    words: frozenset[str]
    stems: tuple[str, ...] = ()
    optional: bool = False
    other: bool = False  # any word but these
    gap: bool = False
    end: bool = False

    def fits(self, text: str) -> bool:
        found = text in self.words or (bool(self.stems) and text.startswith(self.stems))
        return found != self.other


class Phrasebook:
    """Labelled phrases, found in a list of words."""

    def __init__(self, phrases: Mapping[str, Iterable[str]], classes: Mapping[str, frozenset[str]]) -> None:
        """`phrases`: label -> phrases as written. Raises ValueError for a phrase that names an unknown class."""
        self._by_word: dict[str, list[tuple[str, list[_Slot]]]] = defaultdict(list)
        self._by_stem: dict[str, list[tuple[str, list[_Slot]]]] = defaultdict(list)
        self.vocabulary: frozenset[str] = frozenset()
        for label, written in phrases.items():
            for phrase in written:
                slots = [_slot(part, classes) for part in phrase.split()]
                self.vocabulary = self.vocabulary.union(*(slot.words for slot in slots))
                for word in slots[0].words:
                    self._by_word[word].append((label, slots))
                for stem in slots[0].stems:
                    self._by_stem[stem[:_STEM]].append((label, slots))

    def found(self, words: Sequence[Word]) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The label of every phrase that occurs and the numbers of its words, without those that "..." stands for."""
        for start, word in enumerate(words):
            stems = self._by_stem.get(word.text[:_STEM], ())
            for label, slots in (*self._by_word.get(word.text, ()), *stems):
                places = _follow(slots, words, start)
                if places:
                    yield label, places


def _slot(part: str, classes: Mapping[str, frozenset[str]]) -> _Slot:
    if part in ("...", "$"):
        return _Slot(frozenset(), gap=part == "...", end=part == "$")
    other, optional = part.startswith("!"), part.startswith("?")
    words: set[str] = set()
    stems: list[str] = []
    for word in part.lstrip("!?").replace("|?", "|").split("|"):
        if word.startswith("<"):
            if word[1:-1] not in classes:
                raise ValueError(f"{part!r} names no class of words")
            words |= classes[word[1:-1]]
        elif word.endswith("*"):
            stems.append(word[:-1])
        else:
            words.add(word)
    return _Slot(frozenset(words), tuple(stems), optional, other)


def _follow(slots: Sequence[_Slot], words: Sequence[Word], start: int) -> tuple[int, ...] | None:
    """The numbers of the words that fill the slots from `start` on; the most of them where there is a choice."""
    if not slots:
        return ()
    slot, rest = slots[0], slots[1:]
    if slot.end:
        ended = start == len(words) or words[start - 1].ends
        return _follow(rest, words, start) if ended else None
    if slot.gap:
        for skipped in range(_GAP + 1):
            if any(word.ends for word in words[start - 1 : start + skipped]) or start + skipped >= len(words):
                return None
            found = _follow(rest, words, start + skipped)
            if found is not None:
                return found
        return None
    if start < len(words) and slot.fits(words[start].text):
        found = _follow(rest, words, start + 1)
        if found is not None:
            return (start, *found)
    return _follow(rest, words, start) if slot.optional else None
