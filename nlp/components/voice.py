"""Who speaks: a patient (relative, visitor), the news, an advert, or someone else."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.language import READ
from nlp.components.mentions import is_about_us
from nlp.heads import VOICE
from nlp.tokenizer import text_of, words_of

Doc.set_extension("voice", default="other", force=True)
Doc.set_extension("voice_why", default="names nothing of ours", force=True)

# A patient who is taken for somebody else gets no answer; somebody else who is taken for a patient costs a look.
_PERHAPS = 0.35
_SURELY = 0.5  # that a patient speaks, whatever the phrases of adverts and news say
_PLAINLY = 0.9  # that a patient speaks, though our name stands there as a landmark does
_UNLIKELY = 0.1  # that it is an advert or news, whatever its phrase says

_OWN = words_of(
    "i im ive me my mine we weve us our ours myself mom moms mum mother mothers dad dads father fathers",
    "husband wife son daughter kid kids baby grandma grandpa grandmother grandfather nana sister brother aunt",
    "uncle mil fil toddler niece nephew mi mis nos nuestra nuestro estoy estamos mama papa hijo hija abuela",
    "abuelo esposo esposa hermano hermana llevo llevamos",
)
# "we're", "I'd", "I'll" without their apostrophe are other words.
_OWN_CUT = re.compile(
    r"\b(?:we['’]re|i['’](?:d|ll))\b|\bwere (?:in|at|here|still|waiting|sitting|behind|stuck) ", re.IGNORECASE
)
_SOMEBODY = words_of("he she him her his they them hes shes theyre")
_TO_US = words_of("you your yall youre ur yours u ustedes usted su")
_LINK = re.compile(r"https?://|www\.|\bbit\.ly\b")
_HEADLINE = re.compile(
    r"^(?:[A-Z][\w'’&.-]+\s+){5,}|^\s*(?:BREAKING|JUST IN|LIVE|WATCH|NEWS|Report:|Opinion:|Tonight at)"
)
# Signs of an offer that stand for themselves: a rate of pay, a price for one, a discount, a ticker.
_OFFER = re.compile(
    r"\$[\d,.]+k?(?:-\$?[\d,.]+)?\s?/\s?(?:hr|hour|wk|week|hora)|\d+\s?% off|\$[A-Z]{3,}\b|\bfrom \$\d|\bsave \$\d|\b\d for \$?\d"
    r"|\$\d[\d,.]* (?:a|per) (?:head|card|plate|ticket|person)|\bearn up to \$|\bup to \$\d|\b\d+ ?wks\b|\b\d+x\b|\bDM [“\"]",
    re.IGNORECASE,
)
# The first verb after our name in a report about us.
_REPORTS = words_of(
    "says said names named announces announced spent will opens opened plans owes expands reaches closes abrira anuncia informo"
)
_SYMPATHY = re.compile(
    r"^(?:@\w+\s+)*(?:that'?s (?:awful|terrible|horrible)|i'?m (?:so )?sorry|so sorry|oh no|no idea|congrats|yep|same here|take the|don'?t)\b"
    r"|\b(?:rooting for|i believe you|furious for you|congrats)\b",
    re.IGNORECASE,
)
# Said before our name when nobody was there: "check me into", "drove past", "somebody call".
_FIGURE = re.compile(
    r"\b(?:(?:check|checks|admit|admitted|admitting|commit|wheel|drive|put|send) (?:\w+ ){0,5}(?:in|into|to|at)|(?:past|behind|in front of|outside|left at|faces|by|call"
    r"|born at|never (?:been )?(?:to|inside|in)|sunset from|sunrise over|view of) ?(?:\w+ ){0,3})(?: the)? ?$"
)
_WORKS_HERE = re.compile(
    r"\b(?:(?:night|day|shift) \d of \d|break room|my (?:unit|coworkers?|shift)|nursing residency|short again|management sent|our unit)\b"
)
# Danger that does not name us counts when it happens where care is given: nobody in a waiting
# room types the hospital's full name.
_CARE_PLACE = re.compile(
    r"\b(?:(?:waiting|triage|exam) (?:room|area)|triage|the er|your er|this er|er (?:waiting|lobby|hallway)|nurses? station|charge nurse"
    r"|call (?:light|button|bell)|labor and delivery|psych (?:unit|ward)|hospital (?:lobby|room|bed|hallway)|sala de espera|urgencias)\b"
)
_CARE_WORD = re.compile(r"\b(?:nurses?|hospital|icu|nicu|ward|emergency room|er|enfermeras?)\b")
_PRESENT_PEOPLE = re.compile(r"\b(?:my|our|im|i|we|me|mi|nos)\b")
_RELAYED = re.compile(r"^\s*RT @")
_COPY = "a copy of another's post"


@Language.component(
    "voice",
    requires=["doc.spans", "doc._.language", "doc._.good", "doc._.danger", "doc._.scores"],
    assigns=["doc._.voice", "doc._.voice_why"],
)
def voice(doc: Doc) -> Doc:
    """Set doc._.voice and why."""
    doc._.voice, doc._.voice_why = _voice(doc)
    return doc


def _voice(doc: Doc) -> tuple[str, str]:
    if doc._.own:
        return "other", "the hospital's own account"
    if not is_about_us(doc) and not (doc._.danger and _is_in_care(doc)):
        return "other", "names nothing of ours"
    if doc._.language not in READ:
        return "patient", f"language {doc._.language} cannot be read: a person must"
    excluded = () if doc._.danger else spoken(doc, "exclude")  # nothing that admins leave out hides danger
    if excluded:
        return "other", f"left out by {excluded[0].text!r}"
    if doc._.scores is not None:
        return _read(doc)
    own = _own(doc)
    return (
        (None if doc._.danger else _announces(doc, own)) or _tells(doc, own) or ("other", "tells of no experience here")
    )


def _read(doc: Doc) -> tuple[str, str]:
    """The voice that the encoder hears, unless a phrase of keywords.toml says that it is an advert or news, and that may
    be. A patient that the encoder is sure of stays one: nobody answers what is taken for an advert."""
    likely = doc._.scores.one(VOICE)
    best = "patient" if likely["patient"] >= _PERHAPS else max(likely, key=likely.__getitem__)
    said = [span for voice in ("promo", "news") for span in spoken(doc, f"voice:{voice}")]
    if doc._.danger:
        return best, f"read so ({likely[best]:.2f})"
    if best == "patient" and (why := _speaks_of_no_visit(doc)) and likely[best] < _PLAINLY:
        return "other", why
    if not said:
        return best, f"read so ({likely[best]:.2f})"
    named = said[0].label_.removeprefix("voice:")
    heard = likely[best] >= _SURELY if best == "patient" else likely[named] < _UNLIKELY
    if best != named and heard:
        return best, f"read so ({likely[best]:.2f}), though {said[0].text!r} speaks like {named}"
    return named, f"says {said[0].text!r}"


def _own(doc: Doc) -> set[str]:
    """The words by which the writer speaks of themselves or their own."""
    own = {token.norm_ for token in doc} & _OWN
    cut = _OWN_CUT.search(text_of(doc))
    return own | {cut.group().strip()} if cut else own


def _announces(doc: Doc, own: set[str]) -> tuple[str, str] | None:
    """The voices that speak to nobody in particular: adverts, the news, copies."""
    text = text_of(doc)
    promo, news = spoken(doc, "voice:promo"), spoken(doc, "voice:news")
    offers = [match.group() for match in _OFFER.finditer(text)] + [span.text for span in promo]
    if len(offers) > 1 or (offers and (not own or _LINK.search(text)) and not doc._.bad):
        return "promo", f"speaks like an advert: {offers[0]!r}"
    if news and not own - {"our", "us"}:
        return "news", f"speaks like the news: {news[0].text!r}"
    if not own and _reports_on_us(doc):
        return "news", "reports on us"
    if not own and _HEADLINE.search(text) and _LINK.search(text):
        return "news", "a headline with a link"
    if _RELAYED.match(text):
        return "other", _COPY
    if doc._.about_us and not doc._.mentions_us and _SYMPATHY.search(text):
        return "other", "a word to another writer"
    return None


def _reports_on_us(doc: Doc) -> bool:
    first = next(iter(doc.spans["mentions"]), None)
    return first is not None and first.start <= 6 and first.end < len(doc) and doc[first.end].norm_ in _REPORTS


def _tells(doc: Doc, own: set[str]) -> tuple[str, str] | None:
    """The voice of someone with an experience or a question."""
    topics, urgent = spoken(doc, "category:"), spoken(doc, "urgency:")
    felt, text = doc._.good or doc._.bad, text_of(doc)
    norms = {token.norm_ for token in doc}
    to_us = norms & _TO_US
    if doc._.danger:
        return "patient", f"says {doc._.danger[0]}"
    if _WORKS_HERE.search(text.casefold()):
        return "other", "works here"
    if doc._.about_us and (
        own or norms & _SOMEBODY or topics or urgent or felt or "?" in text or not any(token.is_alpha for token in doc)
    ):
        return "patient", "written to us"
    if not any(token.is_alpha for token in doc):
        return "other", "no words"
    if not urgent and (why := _speaks_of_no_visit(doc)):
        return "other", why
    if own and (topics or urgent or felt):
        return "patient", f"tells of an own experience: {min(own)!r} with {(topics or urgent or [doc[0:1]])[0].text!r}"
    if topics and felt:
        return "patient", f"says how something is: {topics[0].text!r} with {felt[0]!r}"
    if urgent:
        return "patient", f"says {urgent[0].text!r}"
    if "?" in text and (topics or to_us or own) and not _LINK.search(text):
        return "patient", "asks"
    if felt and (to_us or len(doc._.good) + len(doc._.bad) > 1):
        return "patient", f"says how it is: {felt[0]!r}"
    if topics and not _LINK.search(text) and len(topics) > 1:
        return "patient", f"speaks of {topics[0].text!r}"
    return None


def _speaks_of_no_visit(doc: Doc) -> str | None:
    """What shows that the writer was not with us: another's words, or our name as a figure or a landmark."""
    if _RELAYED.match(text_of(doc)):
        return _COPY
    for span in doc.spans["mentions"]:
        if _FIGURE.search(" ".join(token.norm_ for token in doc[max(0, span.start - 8) : span.start])):
            return "speaks of us as a figure"
    return None


def _is_in_care(doc: Doc) -> bool:
    text = " ".join(token.norm_ for token in doc[:2000])
    return bool(_CARE_PLACE.search(text) or (_CARE_WORD.search(text) and _PRESENT_PEOPLE.search(text)))
