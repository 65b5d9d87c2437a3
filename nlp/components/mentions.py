"""Is the post about us, and where: our names, sites and accounts; departments once it is about us.

A longer name of somebody else ("St. Brigid's Church") takes the shorter alias inside it away.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from spacy.attrs import NORM
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlp.phrase_language import Name
from nlp.phrases import Phrases
from nlp.tokenizer import fold, text_of, words_of

Doc.set_extension("about_us", default=False, force=True)  # the place it comes from says that it is about us
Doc.set_extension("own", default=False, force=True)  # the hospital itself wrote it
Doc.set_extension("mentions_us", default=(), force=True)  # the names that matched
Doc.set_extension("site", default=None, force=True)
Doc.set_extension("departments", default=(), force=True)
Doc.set_extension("place", default=None, force=True)  # where in the hospital, as its author chose it
# Whether the rest of the pipeline reads the post: it is about us, or it may tell of danger where care is given.
Doc.set_extension("in_question", default=False, force=True)
_NOT_US = "not us"
# Danger that does not name us counts where care is given: nobody in a waiting room types the hospital's full name.
_CARE_WORDS = words_of(
    "er ed triage waiting nurse nurses hospital icu nicu ward emergency labor psych call charge exam sala urgencias ",
    "enfermera enfermeras",
)


@Language.factory(
    "mentions", assigns=["doc._.mentions_us", "doc._.site", "doc._.departments", "doc._.in_question", "doc.spans"]
)
class Mentions:
    """Finds the hospital's names."""

    def __init__(
        self,
        nlp: Language,
        name: str,
        names: dict[str, list[str]],
        not_us: list[str],
        departments: dict[str, list[str]],
    ) -> None:
        """`names`: what a match is reported as -> how it is written; "site:NAME" for a site."""
        self._names = Phrases(
            nlp, {**{label: spellings(forms) for label, forms in names.items()}, _NOT_US: spellings(not_us)}
        )
        self._care = frozenset(nlp.vocab.strings.add(word) for word in _CARE_WORDS)
        self._departments = Phrases(nlp, {label: spellings(forms) for label, forms in departments.items()})

    def __call__(self, doc: Doc) -> Doc:
        """Set what the post says of us."""
        spans = self._names(doc)
        about_us = doc._.about_us
        if not any(
            unicodedata.category(character)[0] in "LNS" for character in text_of(doc)
        ):  # a review of stars alone
            doc.spans["mentions"] = []
            return doc
        if not spans and not about_us:
            doc.spans["mentions"] = []
            doc._.in_question = not self._care.isdisjoint(doc.to_array(NORM).tolist())
            return doc
        # The longest name wins: "St. Brigid's School" takes the "St. Brigid's" inside it away.
        ours = [span for span in filter_spans(spans) if span.label_ != _NOT_US]
        doc.spans["mentions"] = ours
        doc._.mentions_us = tuple(dict.fromkeys(span.text for span in ours))
        doc._.site = next((s.label_.removeprefix("site:") for s in ours if s.label_.startswith("site:")), None)
        doc._.in_question = True
        if ours or about_us:
            doc._.departments = tuple(dict.fromkeys(span.label_ for span in self._departments(doc)))
        return doc


def is_about_us(doc: Doc) -> bool:
    """Whether the post names us, or comes from where every post is about us."""
    return bool(doc._.mentions_us or doc._.about_us)


def spellings(names: Iterable[str]) -> list[Name]:
    """A name as written, with 's, and in one piece as in a hashtag; no sign means anything here."""
    out: list[str] = []
    for name in names:
        plain = re.sub(r"[|*]|\.\.\.", " ", name).strip()
        squashed = re.sub(r"[\W_]", "", fold(plain))
        out += [plain, f"{plain}'s", *([squashed] if " " in plain and len(squashed) >= 6 else ())]
    return list(map(Name, out))


def names_of(hospital: Any) -> dict[str, Any]:
    """The settings of this component for a hospital (config.schema.Hospital)."""
    accounts = [account for account in hospital.accounts.model_dump().values() if account]
    handles = [form for account in accounts for form in (f"@{account}", f"u/{account}", account)]
    names = {hospital.name: [hospital.name, *hospital.aliases, *handles]}
    names |= {f"site:{site.name}": list(site.aliases) for site in hospital.sites}
    every = {name for site in hospital.sites for name in site.departments}
    departments = {name: [name, *hospital.department_words.get(name, ())] for name in sorted(every)}
    # "St. Brigid ER": the name without its 's is ours beside one of our departments.
    bare = [alias[:-2] for alias in hospital.aliases if alias.endswith(("'s", "’s"))]
    names[hospital.name] += [f"{alias} {word}" for alias in bare for words in departments.values() for word in words]
    return {"names": names, "not_us": list(hospital.not_us), "departments": departments}


def spans_of_us(doc: Doc) -> list[Span]:
    """The words that name us."""
    return list(doc.spans["mentions"])
