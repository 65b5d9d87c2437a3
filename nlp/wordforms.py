"""The forms of a word that mean the same to who looks for it: bill, bills, billed, billing. English, some Spanish. Pure.

A stemmer takes more for one word than people do: organ and organization, new and news, community and communication,
hospital and hospitality. Here only endings of number, time and gender are taken off and put on; what comes of it need
not be a word, since what nobody writes is not found.
"""

import re
import unicodedata

_MARKS = "\u0300-\u036f"  # accents that stand by themselves: SQLite leaves them out
WORD = re.compile(f"(?:[^\\W_][{_MARKS}]*)+")

# Their ending is none.
_WHOLE = frozenset(
    (
        *(
            "during",
            "evening",
            "morning",
            "news",
            "series",
            "species",
            "something",
            "anything",
            "nothing",
            "everything",
        ),
        *("being", "ceiling", "building", "wedding", "meeting", "hundred", "indeed", "naked", "always", "perhaps"),
        *("sometimes", "besides", "lens", "diabetes", "herpes", "rabies", "sepsis"),
    )
)
_TOGETHER = tuple(
    frozenset(group.split())
    for group in (
        "child children", "woman women", "man men", "foot feet", "tooth teeth", "pay pays paid paying",
        "fall falls fell fallen falling", "break breaks broke broken breaking", "forget forgets forgot forgotten forgetting",
        "lose loses lost losing", "tell tells told telling", "say says said saying", "send sends sent sending",
        "hear hears heard hearing", "die dies died dying", "lie lies lied lying", "steal steals stole stolen stealing",
    )
)  # fmt: skip
_SHORT = re.compile("[^aeiou]*[aeiou][^aeiouwxy]")  # stop, car: with an ending stopped, but cared is of care
_GENDER = re.compile("(.{2,}(?:er|ad|id|ic|os))[oa](s?)")  # enfermero, enfermera
_DOUBLED = ("bb", "dd", "gg", "mm", "nn", "pp", "rr", "tt")  # before an ending: stopped. Not in missed, billed
_DOUBLES = re.compile(
    "(?:^|qu|[^aeiou])[aeiou][bdgmnprt]$|..[aeiou]l$"
)  # that may double its end: admitted, cancelled; tel, not telling, and never after two vowels: waited
_HISSING = ("s", "x", "z", "ch", "sh")  # their plural is in -es
_SPANISH, _LONG = "lrndz", 5  # so is that of Spanish words which end so; in short ones it would be English: tim-es


def fold(text: str) -> str:
    """Small letters without accents, as they are in the index: "Señal" is "senal"."""
    return unicodedata.normalize("NFC", re.sub(f"[{_MARKS}]", "", unicodedata.normalize("NFD", text.lower())))


def forms(word: str) -> frozenset[str]:
    """A folded word and its other forms."""
    for group in _TOGETHER:
        if word in group:
            return group
    if len(word) < 3 or not word.isalpha() or not word.isascii():
        return frozenset({word})
    for whole in (word, word.removesuffix("s")):
        if whole in _WHOLE:
            return frozenset({whole, whole + "s"})
    found = {word}
    for base in _bases(word) or {word}:
        found |= {base, *_with_endings(base)}
    if gender := _GENDER.fullmatch(word):
        found |= {gender[1] + vowel + plural for vowel in "oa" for plural in ("", "s")}
    return frozenset(found - _WHOLE)


def _bases(word: str) -> set[str]:
    """What the word may be without its ending; nothing where it has none."""
    found = set()
    if word.endswith(("ies", "ied")) and len(word) > 4:
        found.add(word[:-3] + "y")
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        found.add(word[:-1])
        if word.endswith("es") and (word[:-2].endswith(_HISSING) or (len(word) > _LONG and word[-3] in _SPANISH)):
            found.add(word[:-2])
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem == word or not re.search("[aeiouy]", stem) or word.endswith("eed"):
            continue
        found.add(stem + "e")
        if not _SHORT.fullmatch(stem):
            found.add(stem)
        if stem[-2:] in _DOUBLED or (stem.endswith("ll") and len(stem) > _LONG):  # cancelled
            found.add(stem[:-1])
    return {base for base in found if len(base) > 2}


def _with_endings(base: str) -> set[str]:
    """A base with each ending."""
    if base.endswith("y") and base[-2] not in "aeiou":
        return {base[:-1] + "ies", base[:-1] + "ied", base + "ing"}
    stems = {base.removesuffix("e")}
    if _DOUBLES.search(base):
        stems = {base + base[-1]} | (set() if _SHORT.fullmatch(base) else stems)
    found = {base + "s"}
    for stem in stems:
        if re.search("[aeiouy]", stem):  # else "the" would be one with "thing"
            found |= {stem + "ed", stem + "ing"}
    if base.endswith(_HISSING) or (len(base) >= _LONG and base[-1] in _SPANISH):
        found.add(base + "es")
    return found
