"""The example sentences of keywords.toml, run as tests: what an admin meant, checked at every edit."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.schema import Config, Phrases
from nlp.components import keywords
from nlp.pipeline import Reader, Text

_LABELS = {"categories": "category", "urgency": "urgency", "voices": "voice", "signs": "sign"}


@dataclass(frozen=True)
class Failure:
    """An example that the phrases do not bear out."""

    table: str
    sentence: str
    expected: bool
    found: tuple[str, ...]

    def __str__(self) -> str:
        if self.expected:
            return (
                f"keywords.toml: {self.table}.match: no phrase finds {self.sentence!r}; add one or take the example out"
            )
        return f"keywords.toml: {self.table}.no_match: {self.sentence!r} is found by {', '.join(map(repr, self.found))}"


def failures(config: Config) -> Iterator[Failure]:
    """Every example sentence that fails."""
    reader = Reader(config)
    tables: dict[str, Phrases] = {f"categories.{name}": table for name, table in config.keywords.categories.items()}
    tables |= {
        f"urgency.{level}": getattr(config.keywords.urgency, level) for level in ("danger", "here_now", "serious")
    }
    tables |= {f"voices.{voice}": getattr(config.keywords.voices, voice) for voice in ("promo", "news")}
    tables |= {f"signs.{name}": table for name, table in config.keywords.signs.items()}
    for name, table in tables.items():
        table_of, _, own_name = name.partition(".")
        label = f"{_LABELS[table_of]}:{own_name}"
        # A category without phrases lives from its examples alone: they find themselves.
        for expected, sentences in ((True, table.match if table.phrases else ()), (False, table.no_match)):
            for sentence in sentences:
                found = _found(reader, sentence, label)
                if bool(found) != expected:
                    yield Failure(name, sentence, expected, found)


def _found(reader: Reader, sentence: str, label: str) -> tuple[str, ...]:
    doc = reader.doc(Text(sentence, about_us=True))
    spans = [span for span in keywords.spoken(doc, label) if span.label_ == label]
    # What is meant as a figure of speech or an "if" does not count as found.
    return tuple(span.text for span in spans if span._.meant in ("now", "past"))
