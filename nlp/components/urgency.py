"""How urgent: the worst statement in the post decides, not the average."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.language import READ
from nlp.components.mentions import is_about_us
from nlp.components.scores import quoted
from nlp.heads import URGENT

Doc.set_extension("urgency", default="none", force=True)
Doc.set_extension("urgency_why", default=(), force=True)


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
    for level, shown in (("here_now", "here now"), ("serious", "serious")):
        if why := _because(doc, level, shown):
            return level, why
    return ("routine" if doc._.kind in ("complaint", "question") else "low"), ()


def _because(doc: Doc, level: str, shown: str) -> tuple[str, ...]:
    """What makes a post so urgent; nothing when it is not."""
    if level == "serious" and doc._.kind == "praise":
        return ()
    said = [span.text for span in spoken(doc, f"urgency:{level}") if span._.meant == "now"]
    if level == "serious":
        said += [span.text for span in spoken(doc, "urgency:danger") if span._.meant == "past"]
    if doc._.scores is None:
        said = [] if doc._.kind == "praise" else said
        return tuple(dict.fromkeys(f"{shown}: {words!r}" for words in said))
    if said:
        return tuple(dict.fromkeys(f"{shown}: {words!r}" for words in said))
    answer = doc._.scores.any(URGENT)[level]
    if answer.likely >= doc._.scores.thresholds[URGENT.name][level]:
        return (f"{shown}: read so in {quoted(doc, URGENT, level, answer.sentence)} ({answer.likely:.2f})",)
    return ()
