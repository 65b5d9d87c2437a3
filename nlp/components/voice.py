"""Who speaks: a patient (relative, visitor), the news, an advert, or someone else."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.keywords import spoken
from nlp.components.language import READ
from nlp.components.mentions import is_about_us
from nlp.tokenizer import text_of

Doc.set_extension("voice", default="other", force=True)
Doc.set_extension("voice_why", default="names nothing of ours", force=True)

_OWN = frozenset(
    [
        "i",
        "im",
        "ive",
        "id",
        "ill",
        "me",
        "my",
        "mine",
        "we",
        "were",
        "weve",
        "us",
        "our",
        "ours",
        "myself",
        "mom",
        "moms",
        "mum",
        "mother",
        "mothers",
        "dad",
        "dads",
        "father",
        "husband",
        "wife",
        "son",
        "daughter",
        "kid",
        "kids",
        "baby",
        "grandma",
        "grandpa",
        "grandmother",
        "grandfather",
        "nana",
        "sister",
        "brother",
        "aunt",
        "uncle",
        "mil",
        "fil",
        "toddler",
        "niece",
        "nephew",
        "yo",
        "me",
        "mi",
        "mis",
        "nos",
        "nuestra",
        "nuestro",
        "estoy",
        "estamos",
        "mama",
        "papa",
        "hijo",
        "hija",
        "abuela",
        "abuelo",
        "esposo",
        "esposa",
        "llevo",
        "llevamos",
    ]
)
_TO_US = frozenset(["you", "your", "yall", "youre", "ur", "yours", "u", "ustedes", "usted", "su"])
_LINK = re.compile(r"https?://|www\.|\bbit\.ly\b")
_HEADLINE = re.compile(r"^(?:[A-Z][\w'’&.-]+\s+){5,}|^\s*(?:BREAKING|JUST IN|UPDATE|LIVE|WATCH|NEWS)\b")
_RELAYED = re.compile(r"^\s*RT @")


@Language.component(
    "voice", requires=["doc.spans", "doc._.language", "doc._.good"], assigns=["doc._.voice", "doc._.voice_why"]
)
def voice(doc: Doc) -> Doc:
    """Set doc._.voice and why."""
    if is_about_us(doc) or doc.spans["keywords"]:
        doc._.voice, doc._.voice_why = _voice(doc)
    return doc


def _voice(doc: Doc) -> tuple[str, str]:
    if doc._.own:
        return "other", "the hospital's own account"
    danger = [span for span in spoken(doc, "urgency:danger") if span._.meant == "now"]
    if not is_about_us(doc) and not danger:
        return "other", "names nothing of ours"
    if doc._.language not in READ:
        return "patient", f"language {doc._.language} cannot be read: a person must"
    if not any(token.is_alpha for token in doc):
        return "other", "no words"
    excluded = spoken(doc, "exclude")
    if excluded:
        return "other", f"left out by {excluded[0].text!r}"
    norms = {token.norm_ for token in doc}
    own, to_us = norms & _OWN, norms & _TO_US
    promo, news = spoken(doc, "voice:promo"), spoken(doc, "voice:news")
    topics, urgent = spoken(doc, "category:"), spoken(doc, "urgency:")
    felt = doc._.good or doc._.bad
    if _RELAYED.match(text_of(doc)):
        return "other", "a copy of another's post"
    if promo and (len(promo) > 1 or not own or _LINK.search(text_of(doc))) and not danger:
        return "promo", f"speaks like an advert: {promo[0].text!r}"
    if news and not own and not danger:
        return "news", f"speaks like the news: {news[0].text!r}"
    if _HEADLINE.search(text_of(doc)) and _LINK.search(text_of(doc)) and not own:
        return "news", "a headline with a link"
    if doc._.about_us:
        return "patient", "written to us"
    if own and (topics or urgent or felt):
        return "patient", f"tells of an own experience: {min(own)!r} with {(topics or urgent or [doc[0:1]])[0].text!r}"
    if topics and felt:
        return "patient", f"says how something is: {topics[0].text!r} with {felt[0]!r}"
    if danger or (urgent and topics):
        return "patient", f"says {(danger or urgent)[0].text!r}"
    if "?" in text_of(doc) and (topics or to_us or own) and not _LINK.search(text_of(doc)):
        return "patient", "asks"
    if felt and (to_us or len(doc._.good) + len(doc._.bad) > 1):
        return "patient", f"says how it is: {felt[0]!r}"
    return "other", "tells of no experience here"
