"""How urgent: the worst statement in the post decides, not the average."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.language import READ
from nlp.components.mentions import is_about_us

Doc.set_extension("urgency", default="none", force=True)
Doc.set_extension("urgency_why", default=(), force=True)

# Danger that does not name us counts when it happens where care is given: nobody in a waiting
# room types the hospital's full name.
_CARE_PLACE = re.compile(
    r"\b(?:waiting room|emergency room|the er|your er|triage|nurses?|hospital|icu|nicu|labor and delivery|ward|call light|call button|sala de espera|urgencias|enfermera|psych unit|psych ward)\b"
)
_PRESENT_PEOPLE = re.compile(r"\b(?:my|our|im|i|we|me|mi|nos)\b")


@Language.component(
    "urgency",
    requires=["doc.spans", "span._.meant", "doc._.kind", "doc._.voice"],
    assigns=["doc._.urgency", "doc._.urgency_why"],
)
def urgency(doc: Doc) -> Doc:
    """Set doc._.urgency and why."""
    if is_about_us(doc) or doc.spans["keywords"]:
        doc._.urgency, doc._.urgency_why = _urgency(doc)
    return doc


def _urgency(doc: Doc) -> tuple[str, tuple[str, ...]]:
    now = {
        level: [span for span in spoken(doc, f"urgency:{level}") if span._.meant == "now"]
        for level in ("danger", "here_now", "serious")
    }
    past = [span for span in spoken(doc, "urgency:danger") if span._.meant == "past"]
    if doc._.own:
        return "none", ()
    if now["danger"] and not _is_praise(doc) and (is_about_us(doc) or _is_in_care(doc)):
        return "danger", tuple(dict.fromkeys(f"danger: {span.text!r}" for span in now["danger"]))
    if doc._.voice != "patient":
        return "none", ()
    if doc._.language not in READ:
        return "routine", (f"language {doc._.language} cannot be read",)
    if doc._.kind == "praise":
        return "low", ()
    if now["here_now"]:
        return "here_now", tuple(dict.fromkeys(f"here now: {span.text!r}" for span in now["here_now"]))
    if now["serious"] or past:
        return "serious", tuple(dict.fromkeys(f"serious: {span.text!r}" for span in (*now["serious"], *past)))
    return ("routine" if doc._.kind in ("complaint", "question") else "low"), ()


def _is_praise(doc: Doc) -> bool:
    return doc._.kind == "praise" and len(doc._.good) > 1


def _is_in_care(doc: Doc) -> bool:
    text = " ".join(token.norm_ for token in doc[:2000])
    return bool(_CARE_PLACE.search(text) and _PRESENT_PEOPLE.search(text)) and doc._.voice == "patient"
