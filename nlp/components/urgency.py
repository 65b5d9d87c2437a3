"""How urgent: the worst statement in the post decides, not the average."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.language import READ
from nlp.components.mentions import is_about_us

Doc.set_extension("urgency", default="none", force=True)
Doc.set_extension("urgency_why", default=(), force=True)


@Language.component(
    "urgency",
    requires=["doc.spans", "span._.meant", "doc._.kind", "doc._.voice"],
    assigns=["doc._.urgency", "doc._.urgency_why"],
)
def urgency(doc: Doc) -> Doc:
    """Set doc._.urgency and why."""
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
    if now["danger"] and (is_about_us(doc) or doc._.voice == "patient"):
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
