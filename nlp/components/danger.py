"""Danger: whether someone may come to harm now, and of which kind. The one place where that is decided.

Phrases are certain: one that is meant now is danger. What no phrase tells, or what the rules of speech set aside as past
or as a figure of speech, is danger all the same where the encoder is sure enough: a miss costs more than fifty false alarms.
"""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.scores import read_so
from nlp.heads import DANGER, URGENT

Doc.set_extension("danger", default=(), force=True)  # the reasons; empty when there is none
Doc.set_extension("danger_of", default=None, force=True)  # its kind, by which its runbook is found

_UNNAMED = 0.1  # below it no kind is likely, and the danger is handled as the commonest
_COMMONEST = "emergency"
_UNSEEN = 0.05  # below it the encoder does not see what a phrase tells, and the reasons say so


@Language.component(
    "danger",
    requires=["doc.spans", "span._.meant", "doc._.scores"],
    assigns=["doc._.danger", "doc._.danger_of"],
)
def danger(doc: Doc) -> Doc:
    """Set doc._.danger and its kind."""
    if not doc._.own:
        said = tuple(dict.fromkeys(span.text for span in spoken(doc, "urgency:danger") if span._.meant == "now"))
        if doc._.scores is None:
            doc._.danger = tuple(f"danger: {words!r}" for words in said)
        else:
            _with_scores(doc, said)
    return doc


def _with_scores(doc: Doc, said: tuple[str, ...]) -> None:
    scores = doc._.scores
    answer = scores.any(URGENT)["danger"]
    if not said and answer.likely < scores.thresholds[URGENT.name]["danger"]:
        return
    kinds = scores.any(DANGER)
    best = max(kinds.values(), key=lambda kind: kind.likely)
    kind = doc._.danger_of = best.label if best.likely >= _UNNAMED else _COMMONEST
    if said:
        reasons = [f"danger ({kind}): {words!r}" for words in said]
        if answer.likely < _UNSEEN:
            reasons.append(f"danger by its phrase; the encoder does not see it ({answer.likely:.2f})")
    else:
        reasons = [f"danger ({kind}): {read_so(doc, URGENT, 'danger', answer.likely, answer.sentence)}"]
    doc._.danger = tuple(reasons)
