"""What a patient voice wants: complaint if it contains any, else question, else praise, else comment."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.scores import read_so
from nlp.encoder import Scores
from nlp.heads import SAYS

Doc.set_extension("kind", default=None, force=True)
Doc.set_extension("kind_why", default="", force=True)

_ASKS = re.compile(
    r"\?|^(?:does|do|is|are|can|could|who|what|when|where|how|which|anyone|anybody|has anyone|did|will|should|any)\b.*\b(?:know|recommend\w*|open|accept|take|have|tips|advice)\b|"
    r"\b(?:anyone know|does anyone|do you know|wondering (?:if|whether)|question for|recommendations|alguien sabe|saben si|a que hora|cuanto cuesta|donde)\b"
)
# Whether it is the writer's own phone: asked, not complained.
_DOUBTS = re.compile(r"\b(?:just me|is it me|anyone else|anybody else|or is it my|alguien mas|solo a mi)\b")
_SOFTENED = re.compile(
    r"thought id never say|never thought id say|i was (?:so )?(?:scared|terrified|nervous|worried)|was dreading|expected the worst|despite|even though|worth the wait|not a single complaint|no complaints|only downside"
)


@Language.component(
    "kind",
    requires=["doc._.voice", "doc._.good", "doc._.bad", "doc._.danger", "doc._.scores", "doc.spans"],
    assigns=["doc._.kind", "doc._.kind_why"],
)
def kind(doc: Doc) -> Doc:
    """Set doc._.kind, None unless the voice is a patient's."""
    if doc._.voice == "patient":
        doc._.kind, doc._.kind_why = _by_words(doc) if doc._.scores is None else _read(doc)
    return doc


def _read(doc: Doc) -> tuple[str, str]:
    """What the encoder reads."""
    likely = likely_kinds(doc._.scores)
    best = max(likely, key=likely.__getitem__)
    if best == "comment":
        return best, f"neither praise nor complaint nor question ({likely[best]:.2f})"
    answer = doc._.scores.any(SAYS)[best]
    return best, read_so(doc, SAYS, best, likely[best], answer.sentence)


def likely_kinds(scores: Scores) -> dict[str, float]:
    """How likely each kind is of a patient's post; they sum to 1. What a post also says does not count: a complaint that
    asks is a complaint."""
    found, rest = {}, 1.0
    for label, answer in scores.any(SAYS).items():
        found[label] = rest * answer.likely
        rest -= found[label]
    return {**found, "comment": rest}


def _by_words(doc: Doc) -> tuple[str, str]:
    good, bad = doc._.good, doc._.bad
    text = " ".join(token.norm_ for token in doc)
    harm = [*doc._.danger, *(repr(span.text) for span in spoken(doc, "urgency:serious") if span._.meant == "now")]
    grateful = len(good) > 1 and not bad
    if harm and not grateful:
        return "complaint", f"says {harm[0]}"
    if _DOUBTS.search(text) and len(bad) <= 2 and not good:
        return "question", "asks whether others have it too"
    if bad and _SOFTENED.search(text) and good:
        return "praise", f"ends well: {good[0]!r}"
    if bad and len(good) > 2 * len(bad):
        return "praise", f"mostly praise: {good[0]!r}"
    if bad and (not _only_asks(doc, text) or len(bad) > 1):
        return "complaint", f"says {bad[0]!r}"
    if _ASKS.search(text):
        return "question", "asks"
    if good:
        return "praise", f"says {good[0]!r}"
    here = [span for span in spoken(doc, "urgency:here_now") if span._.meant == "now"]
    if here:
        return "complaint", f"waits: {here[0].text!r}"
    return "comment", "neither praise nor complaint nor question"


def _only_asks(doc: Doc, text: str) -> bool:
    return bool(_ASKS.search(text)) and sum(1 for _ in doc.sents) <= 2
