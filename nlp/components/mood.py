"""Mood: how friendly or angry the post sounds, -1 to 1, shown as a face. It orders nothing.

A small list of words with negation and sarcasm, for what people write about care: VADER gets the sign of six
in ten such sentences wrong, because "died" and "cancer" are not complaints.
"""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.tokenizer import text_of

Doc.set_extension("mood", default=0.0, force=True)
Doc.set_extension("good", default=(), force=True)  # words of praise that count
Doc.set_extension("bad", default=(), force=True)  # words of complaint that count

_GOOD = frozenset(
    [
        "great",
        "good",
        "excellent",
        "amazing",
        "wonderful",
        "awesome",
        "fantastic",
        "kind",
        "kindest",
        "caring",
        "compassionate",
        "thank",
        "thanks",
        "thankful",
        "grateful",
        "blessed",
        "angel",
        "angels",
        "best",
        "love",
        "loved",
        "loves",
        "lovely",
        "friendly",
        "professional",
        "helpful",
        "gentle",
        "sweet",
        "perfect",
        "smooth",
        "quick",
        "quickly",
        "fast",
        "easy",
        "comfortable",
        "attentive",
        "patient",
        "knowledgeable",
        "incredible",
        "outstanding",
        "superb",
        "phenomenal",
        "impressed",
        "recommend",
        "appreciate",
        "appreciated",
        "saved",
        "alive",
        "calm",
        "reassuring",
        "warm",
        "welcoming",
        "clean",
        "spotless",
        "courteous",
        "respectful",
        "brilliant",
        "beautiful",
        "happy",
        "pleased",
        "stellar",
        "heroes",
        "hero",
        "gem",
        "rockstar",
        "rockstars",
        "rock",
        "rocks",
        "proud",
        "shoutout",
        "kudos",
        "props",
        "commend",
        "exceptional",
        "thorough",
        "efficient",
        "nice",
        "painless",
        "delicious",
        "tasty",
        "yum",
        "fixed",
        "resolved",
        "finally",
        "star",
        "gracias",
        "excelente",
        "amable",
        "amables",
        "maravilloso",
        "maravillosa",
        "maravillosos",
        "bueno",
        "buena",
        "buenos",
        "angeles",
        "encantada",
        "encantado",
        "increible",
        "agradecida",
        "agradecido",
        "mejor",
        "limpio",
        "rapido",
        "bendiga",
        "bendiciones",
    ]
)
_BAD = frozenset(
    [
        "bad",
        "worst",
        "worse",
        "terrible",
        "awful",
        "horrible",
        "horrid",
        "rude",
        "nasty",
        "unprofessional",
        "disgusting",
        "filthy",
        "dirty",
        "gross",
        "unacceptable",
        "ridiculous",
        "disgrace",
        "disgraceful",
        "shame",
        "shameful",
        "pathetic",
        "useless",
        "incompetent",
        "ignored",
        "ignore",
        "ignoring",
        "ignores",
        "dismissed",
        "dismissive",
        "careless",
        "cold",
        "lost",
        "wrong",
        "broken",
        "crashed",
        "crash",
        "crashes",
        "crashing",
        "down",
        "late",
        "delayed",
        "delay",
        "slow",
        "slowest",
        "confusing",
        "confused",
        "frustrating",
        "frustrated",
        "furious",
        "angry",
        "disappointed",
        "disappointing",
        "disappointment",
        "upset",
        "hate",
        "hated",
        "hates",
        "joke",
        "nightmare",
        "chaos",
        "mess",
        "disaster",
        "overcharged",
        "scam",
        "ripoff",
        "robbery",
        "expensive",
        "outrageous",
        "insane",
        "absurd",
        "cancelled",
        "canceled",
        "unhelpful",
        "understaffed",
        "overcrowded",
        "stuck",
        "crying",
        "sobbing",
        "humiliated",
        "humiliating",
        "embarrassing",
        "scared",
        "terrified",
        "pain",
        "painful",
        "hurts",
        "hurting",
        "suffering",
        "neglected",
        "abandoned",
        "forgotten",
        "forgot",
        "yelled",
        "screamed",
        "snapped",
        "mocked",
        "laughed",
        "racist",
        "condescending",
        "patronizing",
        "lazy",
        "unsafe",
        "dangerous",
        "denied",
        "refused",
        "refuse",
        "lied",
        "lying",
        "liars",
        "fail",
        "failed",
        "failing",
        "fails",
        "failure",
        "error",
        "errors",
        "glitch",
        "unable",
        "cant",
        "wont",
        "nobody",
        "noone",
        "never",
        "missing",
        "stolen",
        "infected",
        "misdiagnosed",
        "botched",
        "fell",
        "dropped",
        "ruined",
        "wasted",
        "waste",
        "stank",
        "stinks",
        "smells",
        "smelled",
        "smelly",
        "moldy",
        "freezing",
        "lukewarm",
        "inedible",
        "stale",
        "soggy",
        "raw",
        "mush",
        "burnt",
        "towed",
        "ticketed",
        "blocked",
        "closed",
        "full",
        "circling",
        "unanswered",
        "unreachable",
        "disconnected",
        "duplicate",
        "twice",
        "collections",
        "debt",
        "breach",
        "exposed",
        "leaked",
        "spinning",
        "spins",
        "frozen",
        "froze",
        "bill",
        "kicked",
        "garbage",
        "trash",
        "criminal",
        "inexcusable",
        "appalling",
        "sucks",
        "suck",
        "crap",
        "crappy",
        "wtf",
        "ugh",
        "smh",
        "pesimo",
        "pesima",
        "terribles",
        "horror",
        "horribles",
        "mal",
        "malo",
        "mala",
        "peor",
        "grosera",
        "grosero",
        "groseros",
        "sucio",
        "sucia",
        "vergüenza",
        "verguenza",
        "esperando",
        "nadie",
        "caro",
        "injusto",
        "maltrato",
        "ignoran",
        "ignoraron",
        "tardan",
        "lento",
        "abandonados",
        "horas",
        "cerrado",
        "caido",
        "caida",
    ]
)
_PHRASES_BAD = re.compile(
    r"no one|not one (?:person|nurse|doctor)|hung up|gave up|give up|still (?:waiting|no|not|havent|hasnt|sitting|on hold)|never again|do better|get it together|how hard (?:is|can)|what is going on|whats going on|wake up|not okay|not ok|not acceptable|who thought|"
    r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (?:hours?|hrs?|weeks|months)|hour (?:\d+|two|three|four|five|six)|(?:[3-9]\d|1\d\d) ?min\w*|ran out|run out|run around|runaround|passed around|waste of|couldnt care less|could care less|fell asleep|rolled (?:her|his|their) eyes|"
    r"doesnt work|didnt work|not working|isnt working|wont load|wont let|cant (?:log|get|see|access|reach|find|even|pay|refill|book)|keeps? (?:saying|spinning|crashing|logging|telling|kicking)|out of order|no sign|no signs|no notice|without (?:notice|warning|telling)|no warning|no explanation|nowhere to|no place to|no spots|"
    r"had to (?:walk|wait|park|call|beg|ask|pay|drive|find|miss|carry|push)|missed (?:my|our|his|her|the)|late (?:for|to)|cost me|costs? (?:more|too)|charged (?:me|us|for|twice)|billed (?:me|us|for|twice)|too (?:long|loud|expensive|few|much|cold|hot)|so (?:rude|cold|loud|slow|dirty)|not enough|only one|sent (?:us|me|him|her) (?:home|away)|"
    r"(?:wouldnt|didnt|wont|dont|doesnt|never|nobody|not) (?:listen|care|answer\w*|explain\w*|call\w*|tell|told|come|came|help\w*|show\w*|bother\w*|respond\w*|reply|replied|believe\w*|look\w*|check\w*|speak|ask\w*)|as if|excuse for|zero stars|one star|1 star|0 stars|avoid this|stay away|go (?:somewhere|anywhere) else|anywhere else|should be ashamed|fix (?:it|this|your|the)|figure it out|"
    r"no (?:chairs|beds|blanket|pillow|doctor|nurse|answer|reply|response|update|updates|results|apology|interpreter|ramp|spaces|parking|shuttle|elevator)|supposed to|\?\?|wrong (?:room|patient|name|meds|dose|leg|side)|someone elses|another patients|in tears|for nothing|so much for|must be nice|thanks a lot|slow clap|no me|sin (?:respuesta|avisar|explicacion)|se cayo|no funciona|no contesta\w*|no puedo|no hay"
)
_PHRASES_GOOD = re.compile(
    r"above and beyond|took (?:such )?(?:good|great|amazing) care|shout ?out|hats off|thank you|couldnt (?:ask for|be happier|have asked)|could not (?:ask for|be happier|have asked)|can ?not say enough|cant say enough|made (?:my|our|his|her) day|restored my faith|in good hands|best (?:care|nurses?|doctors?|staff|team|er)|five stars|5 stars|10/10|no complaints|nothing but (?:praise|good|kindness)|blown away|"
    r"in and out|held my hand|sat with|felt (?:safe|heard|cared|seen|human)|made (?:me|us|him|her) (?:feel|laugh|smile)|like family|for the win|well done|keep it up|works again|working again|back up|much better|pleasantly surprised|god bless|dios|muchas gracias|mil gracias|se porto|se portaron|un angel"
)
_NEGATORS = frozenset(
    [
        "not",
        "no",
        "never",
        "hardly",
        "barely",
        "isnt",
        "wasnt",
        "arent",
        "werent",
        "dont",
        "didnt",
        "doesnt",
        "cant",
        "couldnt",
        "wouldnt",
        "wont",
        "nothing",
        "without",
        "aint",
        "neither",
        "nor",
        "sin",
        "nunca",
        "tampoco",
    ]
)
_SARCASM = re.compile(
    r"(?:great|awesome|wonderful|fantastic|love|lovely|nice|perfect|brilliant|amazing|excellent|cool|fun|bravo|congrat\w*|kudos|props|thanks|thank you|outstanding|impressive|stellar|fabulous|genius|best part|so glad|oh good|super|classy|world class|shoutout|shout out|hats off|a\+|gold star|10/10|five stars|5 stars|well done)"
)
_SARCASM_AFTER = re.compile(
    r"another \d* ?\w* ?(?:hour|wait|bill|outage|delay)|love it\b.*(?:wait|hour|bill|again)|(?:wait|hours?|bill|again|outage|hold)\b.*(?:love it|love that|so fun|living the dream)|for (?:making|nothing|losing|charging|ignoring|the \w+ (?:hour|minute|bill)|canceling|cancelling|leaving|closing)|as always|as usual|oh wait|said no one|/s\b|\U0001f644|slow clap|must be nice|way to go|nice work|great job|good job|who needs|because who|what a treat|just what (?:i|we)|"
    r"only (?:\d+|two|three|four|five|six|seven|eight|nine|ten) (?:hours|calls|weeks|months|transfers|tries|people)|(?:\d+|two|three|four|five|six|seven|eight) hours|new record|personal best|truly|really (?:outdid|knocked)|highlight of|enjoy\w*|spa day|vacation|luxury|five star|concierge|valet.* lol|brilliant (?:idea|plan|timing)|love (?:how|when|that|being|paying|waiting|walking|sitting|the new|a good)|so (?:helpful|relaxing)|nothing says|quality time|charming|gourmet|free cardio|bonus|complimentary|exercise"
)
_FACES = {
    "\U0001f621": -1.0,
    "\U0001f620": -1.0,
    "\U0001f92c": -1.0,
    "\U0001f624": -0.7,
    "\U0001f622": -0.5,
    "\U0001f62d": -0.4,
    "\U0001f644": -0.7,
    "\U0001f926": -0.7,
    "\U0001f44e": -0.8,
    "\U0001f937": -0.2,
}
_FACES |= {
    "\u2764": 0.8,
    "\U0001f60d": 0.8,
    "\U0001f64f": 0.4,
    "\U0001f44f": 0.6,
    "\U0001f44d": 0.6,
    "\U0001f970": 0.8,
    "\U0001f495": 0.8,
    "\U0001f499": 0.8,
    "\U0001f60a": 0.6,
    "\U0001f389": 0.6,
    "\U0001f49c": 0.8,
}


@Language.component(
    "mood", requires=["doc.sents", "doc._.mentions_us"], assigns=["doc._.mood", "doc._.good", "doc._.bad"]
)
def mood(doc: Doc) -> Doc:
    """Set the mood and the words behind it."""
    if not doc.spans["keywords"] and not doc._.mentions_us and not doc._.about_us:
        return doc
    good: list[str] = []
    bad: list[str] = []
    score = sum(weight * min(text_of(doc).count(face), 2) for face, weight in _FACES.items())
    if score > 0.5:
        good.append("(face)")
    elif score < -0.5:
        bad.append("(face)")
    for sentence in doc.sents:
        norms = [token.norm_ for token in sentence if not token.is_space]
        text = " ".join(norms)
        here_good, here_bad = _words(norms, text)
        if (
            here_good
            and _SARCASM.search(text)
            and (_SARCASM_AFTER.search(text) or _SARCASM_AFTER.search(text_of(doc).casefold()))
        ):
            here_bad, here_good = [*here_bad, *here_good], []
        good += here_good
        bad += here_bad
    score += len(good) - len(bad)
    doc._.good, doc._.bad = tuple(dict.fromkeys(good)), tuple(dict.fromkeys(bad))
    doc._.mood = round(score / (abs(score) + 2), 2)
    return doc


def _words(norms: list[str], text: str) -> tuple[list[str], list[str]]:
    """The words of praise and of complaint of one sentence; a negator before turns a word round."""
    good = [match.group() for match in _PHRASES_GOOD.finditer(text)]
    bad = [match.group() for match in _PHRASES_BAD.finditer(text)]
    for index, norm in enumerate(norms):
        turned = not _NEGATORS.isdisjoint(norms[max(0, index - 3) : index])
        if norm in _GOOD:
            (bad if turned else good).append(f"not {norm}" if turned else norm)
        elif norm in _BAD and norm not in _NEGATORS:
            if turned:
                good += [f"not {norm}"] if norm in ("rude", "bad", "late", "wrong") else []
            else:
                bad.append(norm)
    return good, bad
