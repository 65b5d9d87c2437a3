"""A phrase in plain words, for whoever writes it: what it finds, in which posts, and where it stands already. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import spacy

from config.places import Path_, places_of
from config.schema import Config
from nlp.phrase_language import GAP, Part, Phrase, Piece, Side, covers, folded, parse, plain_forms, sites_of
from nlp.tuning import phrases_of

_MOST_FORMS = 40  # that are listed; of more it is said how many


@dataclass(frozen=True)
class Standing:
    """A phrase of the files that finds every post that another does."""

    file: str
    line: int
    table: str  # as "categories.billing.phrases"
    phrase: str
    is_same: bool  # else it covers it


def explained(phrase: Phrase, config: Config) -> str:
    """What a phrase finds, and in which posts, in one sentence."""
    first, *others = phrase.sides
    said = [f"Finds {_side(first)}"]
    said += [
        f", and within {_count(near, 'word')} before or after, in the same sentence, {_side(side)}"
        for side, near in zip(others, phrase.within, strict=True)
    ]
    if phrase.without:
        said.append("; not in posts that also hold " + " or ".join(map(_side, phrase.without)))
    if phrase.site is not None:
        names = sites_of({site.name: site.aliases for site in config.hospital.sites})
        name = names.get(folded(phrase.site), phrase.site)
        said.append(f"; only in posts about {name}: they name it, or their author chose it")
    if phrase.language is not None:
        said.append(f"; only in posts in {_language(phrase.language)}")
    return "".join(said) + "."


def ways(phrase: Phrase) -> list[list[str]]:
    """For each side of a phrase every plain way to say it, sorted; none where it has other signs or far too many ways."""
    forms = (plain_forms(side) or set() for side in phrase.sides)
    return [sorted(found) if 1 < len(found) <= _MOST_FORMS else [] for found in forms]


def standing(phrase: str, config: Config, texts: Mapping[str, str]) -> list[Standing]:
    """Where a phrase, or one that covers it, stands in the files. `texts`: file name -> its text."""
    sought, found = parse(phrase), []
    places = {file: places_of(text) for file, text in texts.items()}
    for file, path, written in _every(config):
        there = parse(written)
        if covers(there, sought):
            line, _ = places.get(file, {}).get(path, (1, 1))
            table = ".".join(str(key) for key in path[:-1])
            found.append(Standing(file, line, table, written, covers(sought, there)))
    return sorted(found, key=lambda one: (not one.is_same, one.file, one.line))


def _every(config: Config) -> Iterator[tuple[str, Path_, str]]:
    """Every phrase and name of the files that posts are looked through for: file, keys, words."""
    for file, table in (("keywords.toml", config.keywords), ("hospital.toml", config.hospital)):
        for path, words in _lists(table.model_dump(exclude={"reader", "coverage", "accounts"}), ()):
            where = tuple(map(str, path if file == "keywords.toml" else ("hospital", *path)))
            for number, word in enumerate(words):
                yield from ((file, (*path, number), sought) for sought in phrases_of(where, [word]))


def _lists(value: object, path: Path_) -> Iterator[tuple[Path_, list[str]]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lists(inner, (*path, key))
    elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        yield path, list(value)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _lists(inner, (*path, number))


# ---------------------------------------------------------------- in plain words


def _side(side: Side) -> str:
    return f", then after up to {_count(GAP, 'other word')} ".join(map(_piece, side))


def _piece(piece: Piece) -> str:
    """Words in a row; those that can be said in one way stand in quotes together."""
    said: list[str] = []
    row: list[str] = []
    for part in piece:
        if len(part) == 1 and part[0].kind == "plain":
            row.append(part[0].text)
            continue
        if row:
            said.append(f"“{' '.join(row)}”")
            row = []
        said.append(_part(part))
    return " then directly ".join([*said, f"“{' '.join(row)}”"] if row else said)


def _part(part: Part) -> str:
    plain = list(dict.fromkeys(way for word in part if word.kind in ("plain", "forms") for way in word.written))
    said = [f"“{plain[0]}”"] if len(plain) == 1 else [f"one of {', '.join(plain)}"] if plain else []
    said += [f"any word that begins with “{word.text}”" for word in part if word.kind == "start"]
    said += [f"“{word.text}” written exactly so" for word in part if word.kind == "exact"]
    return ", or ".join(said)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _language(code: str) -> str:
    try:
        return spacy.util.get_lang_class(code).__name__
    except ImportError:
        return f"the language {code!r}"
