"""The phrases of keywords.toml.

Danger is looked for in every post that can be ours; the rest only in posts that are about us or smell of danger.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.mentions import is_about_us
from nlp.phrase_language import sites_of
from nlp.phrases import Phrases, Sites

DANGER = "urgency:danger"
_MOST = 400  # spans; a text of one phrase a thousand times says no more than with it a hundred times


@Language.factory(
    "keywords", requires=["doc._.mentions_us", "doc._.site", "doc._.language", "doc.sents"], assigns=["doc.spans"]
)
class Keywords:
    """Finds phrases; each span's label says what it speaks for: "category:food", "urgency:danger", "sign:press"."""

    def __init__(
        self,
        nlp: Language,
        name: str,
        phrases: dict[str, list[str]],
        sites: dict[str, str],
        places: dict[str, str],
    ) -> None:
        """`sites` and `places` as in nlp.phrases.Sites."""
        known = Sites(sites, places)
        self._always = Phrases(nlp, {label: found for label, found in phrases.items() if label == DANGER}, known)
        self._closer = Phrases(nlp, {label: found for label, found in phrases.items() if label != DANGER}, known)

    def __call__(self, doc: Doc) -> Doc:
        """Set doc.spans["keywords"]."""
        spans = self._always(doc)
        if spans or is_about_us(doc):
            spans += self._closer(doc)
        doc.spans["keywords"] = spans[:_MOST]
        return doc


def spoken(doc: Doc, label: str | tuple[str, ...]) -> list[Span]:
    """The spans whose label begins with `label`, or with one of them."""
    return [span for span in doc.spans["keywords"] if span.label_.startswith(label)]


def phrases_of(keywords: Any) -> dict[str, list[str]]:
    """Every phrase of keywords.toml by label (config.schema.Keywords)."""
    labelled: dict[str, Iterable[str]] = {
        f"category:{name}": table.phrases for name, table in keywords.categories.items()
    }
    labelled |= {
        f"urgency:{level}": getattr(keywords.urgency, level).phrases for level in ("danger", "here_now", "serious")
    }
    labelled |= {f"voice:{voice}": getattr(keywords.voices, voice).phrases for voice in ("promo", "news")}
    labelled["exclude"] = keywords.exclude.phrases
    labelled |= {f"sign:{name}": sign.phrases for name, sign in keywords.signs.items()}
    grave = [phrase for sign in keywords.signs.values() if sign.serious for phrase in sign.phrases]
    labelled["urgency:serious"] = [*labelled["urgency:serious"], *grave]
    return {label: list(found) for label, found in labelled.items()}


def sites_known(hospital: Any) -> dict[str, dict[str, str]]:
    """What tells the site of a post (config.schema.Hospital): each spelling of a site, and each place that an author can choose."""
    times = Counter(name for site in hospital.sites for name in site.departments)
    places = {site.name: site.name for site in hospital.sites}
    for site in hospital.sites:  # a department of several sites is chosen with its site: see the listening post
        places |= {name if times[name] == 1 else f"{name} ({site.name})": site.name for name in site.departments}
    return {"sites": sites_of({site.name: site.aliases for site in hospital.sites}), "places": places}
