"""How an urgent phrase or a sign is meant: now, past, reported, only as "if", denied, or as a figure of speech.

After the ConText algorithm (Harkema et al. 2009): cue words before or around a phrase change what it asserts.
Whatever no cue speaks against is meant now: a danger miss is worse than a false alarm.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.components.keywords import spoken

Meant = Literal["now", "past", "reported", "hypothetical", "denied", "figure"]
# How each but "now" is called in reasons.
SHOWN = {
    "past": "past",
    "reported": "what others report",
    "hypothetical": "an if",
    "denied": "denied",
    "figure": "a figure of speech",
}


def _place(span: Span) -> str:
    return f"meant {span.start} {span.end} {span.label}"


def _meaning(span: Span) -> Meant:
    meant: Meant = span.doc.user_data.get(_place(span), "now")
    return meant


def _set_meaning(span: Span, meant: Meant) -> None:
    span.doc.user_data[_place(span)] = meant


# spaCy keeps what it is told of a span by its place alone; the same words may be a danger that is past and a sign that is now.
Span.set_extension("meant", getter=_meaning, setter=_set_meaning, force=True)
MEANT = ("urgency:", "sign:")  # labels of phrases that may be meant otherwise

_LONGEST = 2_000  # words that are looked through for cues
_AROUND = 60  # words on each side of a phrase; sentences without a stop can be endless


def _any(cues: Iterable[str], around: str = r"\b(?:{})\b") -> re.Pattern[str]:
    return re.compile(around.replace("{}", "|".join(cues)))


_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
# "may" is a verb too
_MONTH = r"(?:january|february|march|april|june|july|august|september|october|november|december|jan|feb|mar|apr|aug|sept?|oct|nov|dec)"
_NUMBER = r"(?:\d+|a|an|one|two|three|four|five|six|seven|eight|nine|ten|few|couple(?: of)?|several|some|many)"

# "no", "not" and the like up to two words before. Danger that itself begins so ("nobody comes",
# "not breathing") is not denied by it, and a new subject starts a new statement.
_NOT_SO = (
    r"\b(?:no|not|never|isnt|wasnt|arent|werent|didnt|doesnt|dont|hasnt|havent|without|denies|(?:no one|nobody) (?:was|is|got|gets)|nunca|sin)"
    r" (?:(?!i\b|he\b|she\b|we\b|they\b|my\b|hes\b|shes\b|im\b|is\b|are\b|has\b|and\b|but\b|sure\b|ok\b|okay\b|know\b|one\b|care\b)\w+ )"
)
_DENIED = re.compile(_NOT_SO + "{0,2}$")
_DENIED_SIGN = re.compile(
    _NOT_SO + "{0,5}$"
)  # "I don't want to call a lawyer": nobody comes to harm where it was meant
_IF = _any(
    [
        *("if", "what if", "even if", "unless", "in case", "imagine", "suppose", "pretend", "as if", "until"),
        *("could have", "couldve", "would have", "wouldve", "might have", "mightve", "almost", "nearly", "fake"),
        *("worried (?:about|that)", "afraid (?:of|that)", "fear of", "risk of", "chance of", "in the event of"),
        *("used to", "prevent(?:s|ed|ing|ion)?", "avoid", "signs of", "symptoms of", "training", "(?<!not a )drills?", "awareness"),
        *("simulat(?:ed|ion|or)", "learn(?:ed|ing)? (?:about|how|what)", "should (?:i|he|she|they|we|you)", "can (?:i|we|you) visit", "(?:do|does) (?:you|your \\w+) (?:have|treat|offer|take)", "support group", "who lost", "lost \\w+ to", "si", "que pasa si"),
    ],
    r"\b(?:{})\b[^,;:.!?\n]{0,60}$",
)  # fmt: skip
# What stands before such words governs nothing behind them: "if nobody calls me I will get a lawyer".
_VOWED = re.compile(
    r".*\b(?:ill|well|youll|(?:i|we|you) will|(?:im|i am|were|we are) (?:going to|gonna)|i have to|(?<!no )(?:voy|vamos) a) "
)
_FICTION = _any(
    [
        *("movie", "film", "episode", "season finale", "(?:watching|rewatching) greys", "greys anatomy", "novel", "chapter", "character", "lyrics?"),
        *("fictional", "new (?:single|album|mixtape)", "mock (?:disaster|code|drill)", "(?<!no es un )simulacro"),
        *("netflix", "hbo", "rewatch\\w*", "plot twist", "spoilers?", "fanfic\\w*", "telenovela", "pelicula", "videogame"),
        *("rehears\\w+", "murder mystery", "halloween", "escape room", "haunted", "podcast", "documentary", "dreamed", "dreamt"),
    ]
)  # fmt: skip
_PAST = _any(
    [
        rf"last (?:week|month|year|night|spring|summer|fall|autumn|winter|time|{_WEEKDAY}|{_MONTH})",
        *("yesterday", "the other day", "previously", "back then", "when i was", "when (?:he|she) was", "years? later"),
        rf"(?:on|this was|was|since|by|until) {_WEEKDAY}",
        rf"{_NUMBER} (?:years?|months?|weeks?|days?) (?:ago|back|later|after|since|earlier)",
        *(r"(?:back )?in (?:19|20)\d\d", rf"(?:back )?in {_MONTH}", r"\d+ years", "in the (?:19)?\\d0s", "long ago"),
        *("was treated", "were treated", "had been", "was admitted", "rushed (?:him|her|me)", "came home", "is home now"),
        *("ayer", "anoche", "la semana pasada", "el (?:mes|ano) pasado", r"hace \w+ (?:dias?|mes(?:es)?|anos?|semanas?)"),
    ]
)  # fmt: skip
# "we've got a man here" is no past.
_PAST_VERB = re.compile(
    r"\b(?:had|was|were|(?<!ve )(?<!hes )(?<!has )got|went|suffered|felt|been|estaba|estuvo|tuvo) (?:\w+ ){0,2}$"
)
_LONG_AGO = re.compile(r"\b(?:years ago|a year ago|last year|back then|when i was|in (?:19|20)\d\d|hace \w+ anos)\b")
_ENDED_WELL = _any(
    [
        *("saved", "survived", "survivor", "recovered", "recovering", "recovery", "healthy now", "brought (?:him|her|me) back"),
        *("thanks? to (?!no ?(?:body|one))", "thank you", "thankful", "grateful", "gratitude", "blessed", "alive because", "alive today", "heroes?"),
        *("hes alive", "shes alive", "is alive", "doing great", "doing well", "doing fine", "gracias", "agradecid[ao]s?", "me salvaron"),
        *("is fine now", "ok now", "okay now", "better now", "safe now", "stable now", "false alarm", "all good", "good as new"),
        *(r"\d+ (?:days?|months?|years?) (?:clean|sober)", r"clean (?:for )?\d+ (?:days?|months?|years?)"),
        *("(?:has been|was|been|is|shes|hes|were) found", "found (?:him|her|them)", "were home", "im home", "sober", "aparecio"),
    ]
)  # fmt: skip
_FOUND = re.compile(r"^(?:update |edit )?\W*found\b")
_STILL = _any(
    [
        *("right now", "still", "currently", "as we speak", "please", "help(?! from| of)", "hurry", "this minute", "happening"),
        *("anymore", r"(?:\w+ )?minutes? ago", r"\d+ ?mins? ago", "someone come", "somebody come", "send someone", "call 911"),
        *("nobody (?:is|comes|has|will|helps|cares)", "(?:no ?one) (?:is|comes|has|will|helps|cares)", "isnt", "arent"),
        *("just (?:had|now|collapsed|fell|passed|fainted|stopped|slid|went|started)", "keeps?", "(?:he|she|they) (?:is|are)"),
        *("hes", "shes", "im", "getting", "ahora", "todavia", "ayuda", "auxilio", "sigue", "esta", "estoy", "nadie"),
    ]
)  # fmt: skip
_TODAY = re.compile(r"\b(?:now|rn|today|tonight|this (?:morning|afternoon|evening|minute)|currently|since|ahora|hoy)\b")
_REPORTED = _any(
    [
        *("police", "officials", "authorities", "investigators", "prosecutors", "sheriff\\w*", "deputies", "witnesses"),
        *("arrested", "detained", "in custody", "charged with", "sentenced", "convicted", "pleaded", "suspect", "indicted"),
        *("according to", "reports say", "reportedly", "allegedly", "breaking news", "policia", "detienen", "detenid[oa]s?"),
        *("segun (?:testigos|reportes)", "telemundo", "univision"),
    ]
)  # fmt: skip
# Nobody reports in these words: they cry for help.
_PLEA = re.compile(
    r"\b(?:(?:call|send|get|need|someone|somebody|please) (?:\w+ ){0,2}(?:police|cops|security|help)|theres|there is|right now|hurry|hay (?:un|una)|llam\w+|manden)\b"
)
# What ended well once may begin again.
_IMMINENT = re.compile(
    r"\b(?:about to|goodbye|right now|as we speak|just (?:took|swallowed|drank|injected) (?:all|the|a|my|half|every|\d+)|acabo de tomar\w*|me tome)\b"
)
_OWN = re.compile(r"\b(?:i|im|ive|me|my|we|were|us|our|mi|mis|yo|estoy|estamos|nos)\b")

_LAUGHING = re.compile(
    r"\b(?:lol|lmao\w*|lmfao|rofl|(?:ha|je|ja){2,}\w*|hilarious|laugh\w*|joke|joking|jk|kidding|funny|funniest)\b"
    "|[\U0001f602\U0001f923\U0001f639\U0001f480]"
)
_CAUSED = re.compile(
    r"\b(?:mak(?:e|es|ing)|made|gonna make|enough to make) (?:me|you|us|anyone|everyone|a person) (?:want to|wanna|wish|think)|(?:me dan|da|dan) ganas"
)
# What nobody dies of.
_TRIVIAL = _any(
    [
        *("bills?", "prices?", "invoice", "lasagna", "coffee", "food", "tacos?", "chocolate", "pudding", "jello", "pizza", "cake"),
        *("homework", "exams?", "finals", "traffic", "deadline", "meetings?", "zoom", "mondays", "memes?", "tiktok", "commute"),
        *("cute", "adorable", "cuteness", "concert", "playlist", "album", "song", "hold music", "elevator music", "wifi"),
        *("boredom", "bored", "curiosity", "embarrass\\w*", "jealous\\w*", "of laughter", "excitement", "happiness", "shame"),
        *("shoes", "dress", "workout", "gym", "leg day", "hike", "stairs", "parking", "spiders?", "printer", "hangover", "ternura"),
        *("risa", "hambre", "calor", "verguenza", "aburrimiento", "risas", "sueno"),
    ]
)  # fmt: skip
# A trifle as the cause: "a heart attack when I saw the bill", "the price nearly gave me a stroke".
_BLAMED = re.compile(
    r"^\W*(?:\w+\W+){0,3}(?:over|from|for|because|when|of|at the (?:bill|price|sight|cost)|opening|seeing|paying|waiting)\b.{0,25}"
    + _TRIVIAL.pattern
)
_TO_BLAME = re.compile(
    rf"^(?:my|the|this|that|your)?\W*{_TRIVIAL.pattern}\W*$|"
    + _TRIVIAL.pattern
    + r".*\b(?:is|are|was|were|has|had|have|got|gave|gives|give|mak\w+|made|will|be|gonna|so|nearly|almost|literally)\b\W*(?:\w+\W*){0,4}$"
)
_GAMES = _any(
    [
        *("game", "season", "quarterback", "coach", "playoffs?", "touchdown", "softball", "league", "score[ds]?", "inning"),
        *("halftime", "tournament", "fantasy", "boss fight", "raid", "controller", "xbox", "playstation", "fortnite", "goalie"),
        *("team", "defense", "bullpen", "striker", "offense", "trivia", "bowling", "partido", "gol", "lobby is dead", "respawn"),
    ]
)  # fmt: skip
_CARE = re.compile(
    r"\b(?:the er|your er|er|ed|triage|waiting room|nurses?|doctors?|lobby|hallway|icu|ward|ambulance|bed|floor|urgencias|sala)\b"
)
# Somebody else who suffers: then "dying" or "passed out" is no way to say "I".
_SUFFERER = _any(
    [
        r"(?:my|our) (?:\w+ )?(?:mom|mum|mother|dad|father|son|daughter|wife|husband|baby|child|kid|sister|brother|grand\w+|"
        r"nana|partner|friend|aunt|uncle|boyfriend|girlfriend|roommate|toddler|niece|nephew|cousin)",
        "(?:a|the|this|that|old|older|elderly|young) (?:man|woman|guy|lady|girl|boy|kid|person|patient|baby|gentleman)",
        *("mi (?:mama|papa|madre|padre|hij[oa]|espos[oa]|abuel[oa]|herman[oa]|bebe)", "un hombre", "una mujer", "un senor", "una senora"),
    ]
)  # fmt: skip
_SELF_HARM = _any(
    [
        *("myself", "suicid\\w+", "my (?:own )?life", "to die", "wanna die", "alive", "be here", "to live", "wanna live"),
        *("better off", "end it", "self harm\\w*", "(?:be|was|were|rather be) dead", "matarme", "quiero morir\\w*", "vivir", "la vida"),
    ]
)  # fmt: skip
_THREAT = _any(
    [
        *("shoot\\w*", "bomb\\w*", "burn", "blow", "kill (?:them|you|him|her|that|those|every\\w+)", "hurt (?:them|you|him|her|some\\w+)"),
        *("regret", "lesson", "back", "pay", "shift", "deserve", "gun", "knife", "coming", "find", "punch", "beat"),
    ]
)  # fmt: skip
# These are said as jokes; "nobody comes" or "a man with a knife" are not.
_JOKED = _any(
    [
        *("die", "dying", "dead", "kill\\w*", "breathe?", "heart attack", "stroke", "pass\\w* out", "faint\\w*", "seizure"),
        *("overdos\\w*", "muero", "morir\\w*", "muere", "collaps\\w*", "blow", "burn", "shoot\\w*", "unconscious", "on the floor"),
        *("myself", "suicid\\w*", "my life", "to live", "alive", "end it all", "choking", "bleeding", "matarme", "attack\\w*"),
    ]
)  # fmt: skip
# What follows and makes the words harmless: "teach them a lesson in kindness", "watch your back when you lift".
_HARMLESS_AFTER = re.compile(
    r"^(?:(?:in|about|on) (?:kindness|patience|compassion|humility|grace|manners|care|how)|(?:when|while|if) (?:you |u )?(?:lift|bend|turn|mov|reach)\w*|(?:test|drill|exercise|simulation|scenario|training|awareness|prevention|hotline|(?:loss )?survivor)s?"
    r"|into the sun|(?:choosing|picking|skipping|missing|not|going somewhere|it$)|(?:from|of) (?:laughing|laughter|cuteness|boredom|embarrassment|happiness|ternura|risa))\b"
)


@Language.component("assertion", requires=["doc.spans", "doc.sents"], assigns=["span._.meant"])
def assertion(doc: Doc) -> Doc:
    """Set span._.meant of every span of urgency and every sign."""
    spans = spoken(doc, MEANT)
    if spans:
        whole = _words(doc[:_LONGEST])
        for span in spans:
            span._.meant = _meant(span, whole)
    return doc


@lru_cache(maxsize=256)
def _says(cues: re.Pattern[str], text: str) -> bool:
    """Whether a whole post holds one of these cues; asked again for each of its phrases."""
    return cues.search(text) is not None


def _words(words: Iterable[object]) -> str:
    return " ".join(token.norm_ for token in words)  # type: ignore[attr-defined]


def _meant(span: Span, whole: str) -> Meant:
    sentence = span.sent
    around = _words(span.doc[max(sentence.start, span.start - _AROUND) : min(sentence.end, span.end + _AROUND)])
    start = max(sentence.start, span.start - 30)
    before = _words(span.doc[start : span.start]) + " "
    if span.label_ == "urgency:danger":
        after = _words(span.doc[span.end : min(sentence.end, span.end + 6)])
        return _danger(_words(span), before, after, around, whole)
    if span.label_ == "urgency:here_now":
        return "past" if _PAST.search(around) and not _TODAY.search(around) else "now"
    denied = _DENIED_SIGN if span.label_.startswith("sign:") else _DENIED
    vowed = _VOWED.match(before + _words(span))
    before = before[vowed.end() :] if vowed else before
    return "denied" if denied.search(before) or _IF.search(before) else "now"


def _danger(said: str, before: str, after: str, around: str, whole: str) -> Meant:
    if _is_figure(said, around, whole) or _HARMLESS_AFTER.search(after) or _says(_FICTION, whole):
        return "figure"
    if _IF.search(before) and not _THREAT.search(said):  # a threat with a condition is a threat
        return "hypothetical"
    if _DENIED.search(before) and not said.startswith("point"):  # "I don't see the point of living"
        return "denied"
    if _is_reported(whole) and not _says(_OWN, whole):
        return "reported"
    return "past" if _is_past(said, before, around, whole) else "now"


def _is_figure(said: str, around: str, whole: str) -> bool:
    if re.search(r"\b(?:knife|gun)\b", said):
        return False
    if _SELF_HARM.search(said):
        # Someone who means it may well name the bill, the garage or the team: only a laugh, or a trifle named as
        # the cause ("makes me want to"), makes it a way of speaking.
        trifle = _TRIVIAL.search(around) or _GAMES.search(around)
        return bool(trifle and (_says(_LAUGHING, whole) or _CAUSED.search(around)))
    if _says(_GAMES, whole) and not _says(_CARE, whole):
        return True
    if not _JOKED.search(said) or _SUFFERER.search(around):
        return False
    if _says(_LAUGHING, whole):
        return True
    # A trifle that only stands near ("collapsed in the parking garage") is the place, not the joke.
    return any(
        _BLAMED.search(around[start.end() :]) or _TO_BLAME.search(around[: start.start()])
        for start in _ends(said, around)
    )


def _ends(said: str, around: str) -> Iterable[re.Match[str]]:
    return re.finditer(re.escape(said), around)


def _is_reported(whole: str) -> bool:
    return _says(_REPORTED, whole) and not _says(_PLEA, whole)


def _is_past(said: str, before: str, around: str, whole: str) -> bool:
    """Told as over. A threat has no past, and words of self-harm only one that is named beside them."""
    if _THREAT.search(said):
        return _is_reported(whole)
    if _says(_IMMINENT, whole):
        return False
    over = bool(_PAST.search(around) or _PAST_VERB.search(before))
    if _SELF_HARM.search(said):
        return over and bool(_says(_ENDED_WELL, whole) or _PAST_VERB.search(before) or _LONG_AGO.search(around))
    if _says(_FOUND, whole) or (
        _says(_ENDED_WELL, whole) and not re.search(r"\bplease|nobody is|no one is|help\b", whole)
    ):
        return True
    return over and not _STILL.search(around)
