"""What a post says that asks for steps of its own, whatever it is about: a lawyer, a reporter, or what an admin adds.

By the phrases of [signs] in keywords.toml, meant as they stand, in a post about us by one of the voices that count there.
"""

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.mentions import is_about_us

Doc.set_extension("signs", default=(), force=True)  # the names of what was found


@Language.factory("signs", requires=["doc.spans", "span._.meant", "doc._.voice", "doc._.kind"], assigns=["doc._.signs"])
class Signs:
    """Sets doc._.signs."""

    def __init__(self, nlp: Language, name: str, voices: dict[str, list[str]]) -> None:
        """`voices`: whose posts count, for each sign."""
        self._voices = voices

    def __call__(self, doc: Doc) -> Doc:
        """Set the signs, in the order in which they are said; praise has none: "I will tell the news how good you are"."""
        if is_about_us(doc) and not doc._.own and doc._.kind != "praise":
            said = [span.label_.removeprefix("sign:") for span in spoken(doc, "sign:") if span._.meant == "now"]
            doc._.signs = tuple(sign for sign in dict.fromkeys(said) if doc._.voice in self._voices[sign])
        return doc


def voices_of(keywords: Any) -> dict[str, list[str]]:
    """The settings of this component (config.schema.Keywords)."""
    return {name: list(sign.voices) for name, sign in keywords.signs.items()}
