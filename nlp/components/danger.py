"""Danger: whether someone may come to harm now, and of which kind. The one place where that is decided.

Phrases are certain: one that is meant now is danger. What no phrase tells, or what the rules of speech set aside as past
or as a figure of speech, is danger all the same where the encoder is sure enough: a miss costs more than fifty false alarms.
"""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.scores import read_so
from nlp.encoder import Answer
from nlp.heads import DANGER, URGENT
from nlp.tokenizer import fold

Doc.set_extension("danger", default=(), force=True)  # the reasons; empty when there is none
Doc.set_extension("danger_of", default=None, force=True)  # its kind, by which its runbook is found

_UNNAMED = 0.1  # below it no kind is likely, and the words of a phrase tell it
_COMMONEST = "emergency"
# The words by which a phrase tells its kind: the first that holds one. What none holds is the commonest.
_KINDS = {
    kind: re.compile(rf"\b(?:{words})")
    for kind, words in {
        "self_harm": r"myself|(?:him|her|them)sel(?:f|ves)|self harm|sui?cid|unalive|my (?:own )?life|end it|(?:be|was|were|rather) dead|wish i|wann?a (?:die|live)"
        r"|(?:want|ready|wants|rather) to (?:die|live|exist|be|wake)|alive|be here|living|to live|better off|goodbye|miss me|without me|jump"
        r"|here tomorrow|(?:this|go on|on) anymore|through the night|wrist|noose|a plan|ledge|if i died|matar(?:me|se)|mor[ií]r|vivir|cortarme|la vida",
        "missing": r"missing|wander|(?:not|isnt) in (?:her|his|their)|find (?!out)|locate|where (?:is|my|she|he)\b|seen|kidnap|abduct|took my|took (?:the )?baby|walked o|ran o|took off"
        r"|escap|left the (?:unit|ward|building)|no idea|dementia|alzheimer|desapare|aparece|encuentr|encontr|esta en su|perdio|vacia",
        "violence": r"guns?\b|gun(?:shot|fire)|kni[fv]e|weapon|machete|rifle|pistol|bomb|shoot|shots|stab|punch|kick|threat|(?<!heart )attack|assault|hostage|swing"
        r"|smash|throwing|fight|kill|hurt|regret|sorry|lesson|watch|snap|pay\b|coming (?:back|for)|burn|blow|dead m|a dead|deserve|know (?:when|what|where|which)"
        r"|follow|waiting (?:for )?(?:you|him|her|them)|hiding|barricad|berserk|with a|beat|choking (?:my|the|a|his|her)|powder|restraining|cuchillo|navaja"
        r"|arma|amenaz|disparos|balazos|tiroteo|quemar|golpear|matar|arrep|pagar|espalda|se (?:donde|a)\b|sabemos",
        "overdose_allergy": r"overdo|od'?d|pills|bottle|dose|insulin|morphine|fentanyl|heparin|allerg|anaphyl|swollen|swelling|swelled|swallowed|drank|bleach"
        r"|poison|narcan|wrong|sobredosis|pastillas|dosis|hincha",
        "unattended": r"nobody|noone|no ones?\b|alone|unattended|(?:call|pressed|tocando) |get up|floor|help|please|nadie|timbre|auxilio|socorro",
    }.items()
}  # fmt: skip
_PLAIN = ("self_harm", "violence", "missing")  # told in words that the encoder need not weigh: "kill that doctor"
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
            doc._.danger_of = _told_by(said)
        else:
            _with_scores(doc, said)
    return doc


def _with_scores(doc: Doc, said: tuple[str, ...]) -> None:
    scores = doc._.scores
    answer = scores.any(URGENT)["danger"]
    if not said and answer.likely < scores.thresholds[URGENT.name]["danger"]:
        return
    kind = doc._.danger_of = _kind(said, max(scores.any(DANGER).values(), key=lambda kind: kind.likely))
    if said:
        reasons = [f"danger ({kind}): {words!r}" for words in said]
        if answer.likely < _UNSEEN:
            reasons.append(f"danger by its phrase; the encoder does not see it ({answer.likely:.2f})")
    else:
        reasons = [f"danger ({kind}): {read_so(doc, URGENT, 'danger', answer.likely, answer.sentence)}"]
    doc._.danger = tuple(reasons)


def _kind(said: tuple[str, ...], read: Answer) -> str:
    """The kind by the phrases that were said and by what the encoder finds likeliest."""
    told = _told_by(said)
    if told in _PLAIN or read.likely < _UNNAMED:
        return told or _COMMONEST
    return read.label


def _told_by(said: tuple[str, ...]) -> str | None:
    """The kind that phrases tell by their words; None where there is no phrase."""
    words = [" ".join(map(fold, one.split())) for one in said]
    kinds = (kind for kind, pattern in _KINDS.items() if any(map(pattern.search, words)))
    return next(kinds, _COMMONEST) if said else None
