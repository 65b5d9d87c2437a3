"""Danger that no single phrase tells: an acute sign in one sentence, and in a near one that nobody acts on it.

"chest pain down his arm, gray in the face. told triage TWICE" is danger; each half alone is not.
"""

from itertools import product

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.keywords import DANGER
from nlp.components.mentions import is_about_us
from nlp.phrases import Phrases

_MOST = 40  # spans of each that are looked at
_NEAR = 40  # words between the two; a review of five hundred words is not one scene

_ACUTE = (
    *("chest pain*", "chest hurts", "pain in his|her|my chest", "chest is|feels tight", "chest tightness", "pressure in my|his|her chest"),
    *("short of breath", "shortness of breath", "wheezing", "breathing is|getting|so", "breathing ... fast|hard|weird"),
    *("gray|grey|white|pale in the face", "turning|turned|going|gone gray|grey|white|pale|yellow|purple", "lips are blue"),
    *("sweating", "sweaty", "clammy", "slurring", "slurred", "droop*", "going numb", "numb on", "is numb"),
    *("bleeding", "blood everywhere", "losing blood", "vomiting blood", "coughing up blood", "throwing up blood"),
    *("lips|tongue|throat|face|airway ... swelling|swollen|swelled", "hives all over", "epipen"),
    *("hard to swallow", "can't swallow", "hard to wake", "won't stay awake", "barely awake", "in and out of consciousness"),
    *("fever of 103|104|105|106", "103|104|105 fever", "limp", "not responding", "confused and", "shaking uncontrollably"),
    *("blood pressure is|dropping|crashing", "oxygen is|dropping|low|tank", "sats dropping", "heart rate is|dropping|racing"),
    *("water broke", "crowning", "contractions", "in labor", "baby is coming", "pushing already", "stopped moving", "baby hasn't moved"),
    *("on the floor", "fell out of bed", "choking", "seizure", "seizures", "head injury", "hit her|his head"),
    *("sangrando", "sangra", "dolor de pecho", "ahogando", "fiebre de 40|41", "temblando", "se puso morado|morada", "en el suelo"),
)  # fmt: skip
_UNANSWERED = (
    *("told triage", "told the nurse|desk|staff|receptionist", "told them", "told ... twice", "have a seat", "take a seat"),
    *("sit down and wait", "wait your|our|my|his|her turn", "wait like everyone", "keep|keeps telling us|me|him|her to wait"),
    *("nobody|noone is|has|will|comes|cares|helps|at|here", "no one is|has|will|comes|cares|helps|at|here|in"),
    *("nobody|noone checked|checking|answers|answering|looking|listening", "no one checked|checking|answers|answering|looking"),
    *("call button|light|bell", "pressed the|my button", "pressing|pushed|pushing|hit|hitting the|my button", "where are the nurses|doctors", "where is the nurse|doctor", "looked at me|him|her|us", "is busy", "walking by|past", "no nurse|doctor|staff|one in|yet|anywhere", "ringing|rang the bell", "buzzer"),
    *("ignoring us|me|him|her", "being ignored", "just ignored", "won't look|come|help|listen|see", "still waiting"),
    *("still in ... chair|waiting|hallway|lobby|line", "not been seen", "haven't been seen", "hasn't been seen", "no doctor"),
    *("they said someone will", "they keep walking past", "walk* right past", "where is everyone", "where is everybody"),
    *("please help", "someone help", "somebody help", "please somebody", "please someone", "send help", "need help", "call 911"),
    *("nadie viene", "nadie ayuda", "nadie atiende", "nadie nos|me|la|lo|le", "tocando el timbre", "ayuda por favor", "no nos atienden"),
)  # fmt: skip


@Language.factory("acute", requires=["doc.spans", "doc._.mentions_us"], assigns=["doc.spans", "doc._.in_question"])
class Acute:
    """Adds an urgency:danger span for each acute sign that nobody acts on."""

    def __init__(self, nlp: Language, name: str) -> None:
        self._phrases = Phrases(nlp, {"acute": _ACUTE, "unanswered": _UNANSWERED})

    def __call__(self, doc: Doc) -> Doc:
        """Extend doc.spans["keywords"]; a post that is not ours and without danger is in question no longer."""
        found = self._phrases(doc)
        if len(found) > 1:
            doc.spans["keywords"] = [*doc.spans["keywords"], *_unanswered(doc, found)]
        doc._.in_question = is_about_us(doc) or len(doc.spans["keywords"]) > 0
        return doc


def _unanswered(doc: Doc, found: list[Span]) -> list[Span]:
    acute = [span for span in found if span.label_ == "acute"][:_MOST]
    ignored = [span for span in found if span.label_ == "unanswered"][:_MOST]
    known = {span.start for span in doc.spans["keywords"] if span.label_ == DANGER}
    pairs = {a.start: a for a, b in product(acute, ignored) if a.start not in known and _near(a, b)}
    return [Span(doc, span.start, span.end, label=DANGER) for span in pairs.values()]


def _near(one: Span, other: Span) -> bool:
    return max(one.start, other.start) - min(one.end, other.end) <= _NEAR
