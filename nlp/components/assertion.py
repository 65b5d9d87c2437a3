"""How an urgent phrase is meant: now, in the past, only as "if", denied, or as a figure of speech.

After the ConText algorithm (Harkema et al. 2009): cue words before or around a phrase change what it asserts.
"""

import re
from typing import Literal

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.keywords import spoken

Meant = Literal["now", "past", "hypothetical", "denied", "figure"]

Span.set_extension("meant", default="now", force=True)

_DENIED = re.compile(
    r"\b(?:no one was|nobody was|isnt|is not|wasnt|was not|not a|never|no longer|without a|nobody died|didnt|did not|wont let|denies|thankfully not|arent|are not|no)\W+(?:\w+\W+){0,2}$"
)
# Danger that itself begins with a denial ("nobody comes", "not breathing") is not denied by it.
_HYPOTHETICAL = re.compile(
    r"\b(?:if|what if|could have|couldve|would have|wouldve|might have|imagine|in case|should (?:i|he|she|they|we|you)|unless|worried (?:about|that)|afraid of|used to|prevent\w*|training|drill|awareness|simulat\w+|movie|episode|book|novel|song|lyrics|character)\b"
)
_PAST = re.compile(
    r"\b(?:last (?:week|month|year|night|spring|summer|fall|autumn|winter|time|monday|tuesday|wednesday|thursday|friday|saturday|sunday)|yesterday|\w+ (?:years?|months?|weeks?|days?) (?:ago|back|later|after)|years? ago|"
    r"(?:back )?in (?:19|20)\d\d|in (?:january|february|march|april|june|july|august|september|october|november|december)|when i was|when he was|when she was|once|the other day|previously|was treated|were treated|had been|saved|survived|recover\w+|recuper\w+|thanks to|thank you|thankful|grateful|brought (?:him|her|me) back|ayer|la semana pasada|el ano pasado|hace \w+ (?:dias|meses|anos|semanas)|gracias)\b"
)
_STILL = re.compile(
    r"\b(?:now|right now|still|currently|as we speak|please|help|hurry|this minute|happening|tonight|today|ahora|todavia|ayuda|auxilio|sigue|esta|anymore)\b"
)
_LAUGHING = re.compile(
    r"\b(?:lol|lmao|lmfao|rofl|haha\w*|jaja\w*|hilarious|laugh\w*|joke|joking|jk|kidding)\b|[\U0001f602\U0001f923\U0001f639]"
)
_TRIVIAL = re.compile(
    r"\b(?:parking|garage|bill|bills|price|prices|lasagna|coffee|cafeteria|food|homework|exam|exams|finals|traffic|game|season|match|quarterback|team|tacos?|chocolate|cute|adorable|concert|show|playlist|boredom|bored|curiosity|embarrass\w*|jealous\w*|of laughter|shoes|dress|wifi|hold music|elevator music|stairs|workout|gym|leg day|monday|mondays|deadline|meme|memes|tiktok|album|series|jello|pudding)\b"
)
# These are said as jokes; "nobody comes" or "a man with a knife" are not.
_JOKED = re.compile(
    r"\b(?:die|dying|dead|kill\w*|breathe|heart attack|stroke|passed? out|fainted|seizure|overdos\w*|muero|morir|muere|collapsed|blow|burn|shoot\w*|unconscious)\b"
)
_SPORT = re.compile(
    r"\b(?:game|season|quarterback|coach|playoffs?|touchdown|softball|league|score[ds]?|inning|halftime|tournament|fantasy|raid boss|controller|xbox|playstation)\b"
)


@Language.component("assertion", requires=["doc.spans", "doc.sents"], assigns=["span._.meant"])
def assertion(doc: Doc) -> Doc:
    """Set span._.meant of every urgency span."""
    spans = spoken(doc, "urgency:")
    if spans:
        whole = " ".join(token.norm_ for token in doc[:2000])
        for span in spans:
            span._.meant = _meant(span, whole)
    return doc


def _meant(span: Span, whole: str) -> Meant:
    sentence = span.sent if span.doc.has_annotation("SENT_START") else span.doc[:]
    around = " ".join(token.norm_ for token in sentence)
    before = " ".join(token.norm_ for token in span.doc[sentence.start : span.start]) + " "
    said = " ".join(token.norm_ for token in span)
    if span.label_ == "urgency:danger":
        if _JOKED.search(said) and (_LAUGHING.search(whole) or _TRIVIAL.search(around)):
            return "figure"
        if _SPORT.search(whole) and not re.search(r"\b(?:knife|gun|myself)\b", said):
            return "figure"
        if _HYPOTHETICAL.search(before):
            return "hypothetical"
        if _DENIED.search(before):
            return "denied"
        # Self-harm and threats are present whatever their tense; an emergency told as past is past.
        if (
            not re.search(
                r"myself|suicid|my life|to die|alive|be here|dead|hurt|kill|shoot|bomb|burn|matarme|morir|vivir", said
            )
            and _PAST.search(around)
            and not _STILL.search(around)
        ):
            return "past"
        return "now"
    if span.label_ == "urgency:here_now" and (_PAST.search(around) and not _STILL.search(around)):
        return "past"
    if span.label_ == "urgency:serious" and (_DENIED.search(before) or _HYPOTHETICAL.search(before)):
        return "denied"
    return "now"
