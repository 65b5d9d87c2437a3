"""How urgent: the worst statement in the post decides, not the average."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.kind import likely_kinds
from nlp.components.language import READ
from nlp.components.mentions import is_about_us
from nlp.components.scores import read_so
from nlp.encoder import Scores
from nlp.heads import URGENT

Doc.set_extension("urgency", default="none", force=True)
Doc.set_extension("urgency_why", default=(), force=True)

_LESSER = ("here_now", "serious")
_SHOWN = {"here_now": "here now", "serious": "serious"}
_ASKING = ("complaint", "question")  # kinds that want an answer


@Language.component(
    "urgency",
    requires=["doc.spans", "span._.meant", "doc._.scores", "doc._.danger", "doc._.kind", "doc._.voice"],
    assigns=["doc._.urgency", "doc._.urgency_why"],
)
def urgency(doc: Doc) -> Doc:
    """Set doc._.urgency and why."""
    doc._.urgency, doc._.urgency_why = _urgency(doc)
    return doc


def _urgency(doc: Doc) -> tuple[str, tuple[str, ...]]:
    if doc._.own:
        return "none", ()
    if doc._.danger and (is_about_us(doc) or doc._.voice == "patient"):
        return "danger", doc._.danger
    if doc._.voice != "patient":
        return "none", ()
    if doc._.language not in READ:
        return "routine", (f"language {doc._.language} cannot be read",)
    for level in _LESSER:
        if said := _said(doc, level):
            return level, tuple(dict.fromkeys(f"{_SHOWN[level]}: {words!r}" for words in said))
    return _read(doc) or (("routine" if doc._.kind in _ASKING else "low"), ())


def _said(doc: Doc, level: str) -> list[str]:
    """The phrases that make a post so urgent."""
    if doc._.kind == "praise" and (level == "serious" or doc._.scores is None):
        return []
    said = [span.text for span in spoken(doc, f"urgency:{level}") if span._.meant == "now"]
    if level == "serious":
        said += [span.text for span in spoken(doc, "urgency:danger") if span._.meant == "past"]
    return said


def _read(doc: Doc) -> tuple[str, tuple[str, ...]] | None:
    """Here and now, or serious, where the encoder finds that likelier than anything less."""
    scores: Scores | None = doc._.scores
    if scores is None:
        return None
    answers, kinds = scores.any(URGENT), likely_kinds(scores)
    here, serious = answers["here_now"].likely, answers["serious"].likely
    asks = sum(kinds[kind] for kind in _ASKING)
    likely = {
        "here_now": here,
        "serious": (1 - here) * serious * (doc._.kind != "praise"),
        "less": (1 - here) * (1 - serious) * max(asks, 1 - asks),
    }
    best = max(likely, key=likely.__getitem__)
    if best == "less":
        return None
    return best, (f"{_SHOWN[best]}: {read_so(doc, URGENT, best, answers[best].likely, answers[best].sentence)}",)
