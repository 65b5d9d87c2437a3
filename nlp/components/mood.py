"""Mood: how friendly or angry the post sounds, -1 to 1, shown as a face. It orders nothing.

A small list of words with negation and sarcasm, for what people write about care: VADER gets the sign of six
in ten such sentences wrong, because "died" and "cancer" are not complaints.
"""

import re
from collections.abc import Iterable

from spacy.language import Language
from spacy.tokens import Doc

from nlp.heads import MOOD
from nlp.tokenizer import text_of, words_of


def any_of(alternatives: Iterable[str]) -> re.Pattern[str]:
    """Any of these; a list is easier to read and to mend than one long expression."""
    return re.compile("|".join(alternatives))


Doc.set_extension("mood", default=0.0, force=True)
Doc.set_extension("good", default=(), force=True)  # words of praise that count
Doc.set_extension("bad", default=(), force=True)  # words of complaint that count

_GOOD = words_of(
    "great good excellent amazing wonderful awesome fantastic kind kindest caring compassionate thank thanks ",
    "thankful grateful blessed angel angels best love loved loves lovely friendly professional helpful gentle ",
    "sweet perfect smooth quick quickly fast easy comfortable attentive knowledgeable incredible outstanding ",
    "superb phenomenal impressed recommend appreciate appreciated saved alive calm reassuring warm welcoming ",
    "clean spotless courteous respectful brilliant beautiful happy pleased stellar heroes hero gem rockstar ",
    "rockstars rock rocks proud shoutout kudos props commend exceptional thorough efficient nice painless ",
    "delicious tasty yum fixed resolved finally star gracias excelente amable amables maravilloso maravillosa ",
    "maravillosos bueno buena buenos angeles encantada encantado increible agradecida agradecido mejor limpio ",
    "rapido bendiga bendiciones",
)
_BAD = words_of(
    "bad worst worse terrible awful horrible horrid rude nasty unprofessional disgusting filthy dirty gross ",
    "unacceptable ridiculous disgrace disgraceful shame shameful pathetic useless incompetent ignored ignore ",
    "ignoring ignores dismissed dismissive careless cold lost wrong broken crashed crash crashes crashing ",
    "down late delayed delay slow slowest confusing confused frustrating frustrated furious angry ",
    "disappointed disappointing disappointment upset hate hated hates joke nightmare chaos mess disaster ",
    "overcharged scam ripoff robbery expensive outrageous insane absurd cancelled canceled unhelpful ",
    "understaffed overcrowded stuck crying sobbing humiliated humiliating embarrassing scared terrified pain ",
    "painful hurts hurting suffering neglected abandoned forgotten forgot yelled screamed snapped mocked ",
    "laughed racist condescending patronizing lazy unsafe dangerous denied refused refuse lied lying liars ",
    "fail failed failing fails failure error errors glitch unable cant wont nobody noone never missing stolen ",
    "infected misdiagnosed botched fell dropped ruined wasted waste stank stinks smells smelled smelly moldy ",
    "freezing lukewarm inedible stale soggy raw mush burnt towed ticketed blocked closed full circling ",
    "unanswered unreachable disconnected duplicate twice collections debt breach exposed leaked spinning ",
    "spins frozen froze bill kicked garbage trash criminal inexcusable appalling sucks suck crap crappy wtf ",
    "ugh smh pesimo pesima terribles horror horribles mal malo mala peor grosera grosero groseros sucio sucia ",
    "vergüenza verguenza esperando nadie caro injusto maltrato ignoran ignoraron tardan lento abandonados ",
    "horas cerrado caido caida",
)
_PHRASES_BAD = any_of(
    [
        *(r"no one", r"not one (?:person|nurse|doctor)", r"hung up", r"gave up", r"give up"),
        *(r"still (?:waiting|no|not|havent|hasnt|sitting|on hold)", r"never again", r"do better"),
        *(r"get it together", r"how hard (?:is|can)", r"what is going on", r"whats going on", r"wake up"),
        *(r"not okay", r"not ok", r"not acceptable", r"who thought"),
        r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) (?:hours?|hrs?|weeks|months)",
        *(r"hour (?:\d+|two|three|four|five|six)", r"(?:[3-9]\d|1\d\d) ?min\w*", r"ran out", r"run out"),
        *(r"run around", r"runaround", r"passed around", r"waste of", r"couldnt care less", r"could care less"),
        *(r"fell asleep", r"rolled (?:her|his|their) eyes", r"doesnt work", r"didnt work", r"not working"),
        *(r"isnt working", r"wont load", r"wont let"),
        r"cant (?:log|get|see|access|reach|find|even|pay|refill|book)",
        *(r"keeps? (?:saying|spinning|crashing|logging|telling|kicking)", r"out of order", r"no sign", r"no signs"),
        *(r"no notice", r"without (?:notice|warning|telling)", r"no warning", r"no explanation", r"nowhere to"),
        *(r"no place to", r"no spots", r"had to (?:walk|wait|park|call|beg|ask|pay|drive|find|miss|carry|push)"),
        *(r"missed (?:my|our|his|her|the)", r"late (?:for|to)", r"cost me", r"costs? (?:more|too)"),
        *(r"charged (?:me|us|for|twice)", r"billed (?:me|us|for|twice)"),
        *(r"too (?:long|loud|expensive|few|much|cold|hot)", r"so (?:rude|cold|loud|slow|dirty)", r"not enough"),
        *(r"only one", r"sent (?:us|me|him|her) (?:home|away)"),
        r"(?:wouldnt|didnt|wont|dont|doesnt|never|nobody|not) (?:listen|care|answer\w*|explain\w*|call\w*|tell|told|come|came|help\w*|show\w*|bother\w*|respond\w*|reply|replied|believe\w*|look\w*|check\w*|speak|ask\w*)",
        *(r"as if", r"excuse for", r"zero stars", r"one star", r"1 star", r"0 stars", r"avoid this", r"stay away"),
        *(r"go (?:somewhere|anywhere) else", r"anywhere else", r"should be ashamed", r"fix (?:it|this|your|the)"),
        r"figure it out",
        r"no (?:chairs|beds|blanket|pillow|doctor|nurse|answer|reply|response|update|updates|results|apology|interpreter|ramp|spaces|parking|shuttle|elevator)",
        *(r"supposed to", r"wrong (?:room|patient|name|meds|dose|leg|side)", r"someone elses", r"another patients"),
        *(r"in tears", r"for nothing", r"so much for", r"must be nice", r"thanks a lot", r"slow clap", r"no me"),
        *(r"sin (?:respuesta|avisar|explicacion)", r"se cayo", r"no funciona", r"no contesta\w*", r"no puedo"),
        *(r"no hay", r"ate my (?:card|money|\$)", r"rang and rang", r"trapped", r"the death of me", r"killing me"),
        *(r"just gone", r"does not have (?:the|my|any)", r"passed away", r"none (?:get|of us)"),
        *(r"should not (?:take|have)", r"(?:error|says) \d{3}", r"\b50[0234]\b"),
        *(r"no (?:therapy|ride|meds|lift|instructions|discharge|list|soap|towels)", r"nobody stopped", r"flooded"),
        *(r"shivering", r"in the dark", r"talked to my \w+ instead", r"instead of me", r"(?:facility|no show) fee"),
        *(r"do not use", r"one (?:doctor|nurse|person|aide) for"),
        *(r"only (?:one|1) (?:doctor|nurse|person|aide|chair|window)", r"hung up", r"nothing back"),
        *(r"went nowhere", r"goes nowhere", r"then nothing", r"not working", r"not workin", r"line out"),
        *(r"dejan? esperando", r"cierran", r"multa", r"no me (?:abre|dicen|atienden)", r"nadie"),
        *(r"maltrat\w+", r"pain was", r"pressed the (?:button|bell)"),
    ]
)  # fmt: skip
_PHRASES_GOOD = any_of(
    [
        *(r"above and beyond", r"(?:so|very|was|were|and) patient", r"patient with"),
        *(r"took (?:such )?(?:good|great|amazing) care", r"shout ?out", r"hats off", r"thank you"),
        *(r"couldnt (?:ask for|be happier|have asked)", r"could not (?:ask for|be happier|have asked)"),
        *(r"can ?not say enough", r"cant say enough", r"made (?:my|our|his|her) day", r"restored my faith"),
        *(r"in good hands", r"best (?:care|nurses?|doctors?|staff|team|er)", r"five stars", r"5 stars", r"10/10"),
        *(r"no complaints", r"nothing but (?:praise|good|kindness)", r"blown away", r"in and out", r"held my hand"),
        *(r"sat with", r"felt (?:safe|heard|cared|seen|human)", r"made (?:me|us|him|her) (?:feel|laugh|smile)"),
        *(r"like family", r"for the win", r"well done", r"keep it up", r"works again", r"working again"),
        *(r"back up", r"much better", r"pleasantly surprised", r"god bless", r"dios", r"muchas gracias"),
        *(r"mil gracias", r"se porto", r"se portaron", r"un angel", r"killed it", r"nailed it", r"never forget"),
        *(r"fought so hard", r"remembered (?:my|our|his|her)", r"sang to"),
        *(r"stayed (?:after|past|late|an hour|with)", r"because of (?:you|her|him|them|this)"),
        *(r"held (?:my|our|his|her|their)", r"should run the", r"found my", r"legend", r"compliment"),
        *(r"(?:to|would) die for", r"cried with", r"no judgment"),
        *(r"taught (?:me|us) how", r"knew my name", r"love you", r"trataron a mi \w+ como (?:reina|rey|familia)"),
        *(r"muy (?:limpio|atent[ao]s?|amables?|buen[ao]s?)", r"credit where"),
        *(r"got (?:me|him|her|them|us) through", r"(?:is|was|doing) (?:fine|well|great) now"),
        *(r"didnt feel a thing", r"on (?:his|her|their) own time"),
    ]
)  # fmt: skip
_NEGATORS = words_of(
    "not no never hardly barely isnt wasnt arent werent dont didnt doesnt cant couldnt wouldnt wont nothing ",
    "without aint neither nor sin nunca tampoco",
)
_SARCASM = any_of(
    [
        *(r"great", r"awesome", r"wonderful", r"fantastic", r"love", r"lovely", r"nice", r"perfect", r"brilliant"),
        *(r"amazing", r"excellent", r"cool", r"fun", r"bravo", r"congrat\w*", r"kudos", r"props", r"thanks"),
        *(r"thank you", r"outstanding", r"impressive", r"stellar", r"fabulous", r"genius", r"best part"),
        *(r"so glad", r"oh good", r"super", r"classy", r"world class", r"shoutout", r"shout out", r"hats off"),
        *(r"a\+", r"gold star", r"10/10", r"five stars", r"5 stars", r"well done", r"impeccable", r"masterpiece"),
        *(r"thoughtful", r"how lovely"),
    ]
)  # fmt: skip
_SARCASM_AFTER = any_of(
    [
        *(r"another \d* ?\w* ?(?:hour|wait|bill|outage|delay)", r"love it\b.*(?:wait|hour|bill|again)"),
        r"(?:wait|hours?|bill|again|outage|hold)\b.*(?:love it|love that|so fun|living the dream)",
        r"for (?:making|nothing|losing|charging|ignoring|the \w+ (?:hour|minute|bill)|canceling|cancelling|leaving|closing)",
        *(r"as always", r"as usual", r"oh wait", r"said no one", r"/s\b", r"\U0001f644", r"slow clap"),
        *(r"must be nice", r"way to go", r"nice work", r"great job", r"good job", r"who needs", r"because who"),
        *(r"what a treat", r"just what (?:i|we)"),
        r"only (?:\d+|two|three|four|five|six|seven|eight|nine|ten) (?:hours|calls|weeks|months|transfers|tries|people)",
        *(r"(?:\d+|two|three|four|five|six|seven|eight) hours", r"new record", r"personal best", r"truly"),
        *(r"really (?:outdid|knocked)", r"highlight of", r"enjoy\w*", r"spa day", r"vacation", r"luxury"),
        *(r"five star", r"concierge", r"valet.* lol", r"brilliant (?:idea|plan|timing)"),
        r"love (?:how|when|that|being|paying|waiting|walking|sitting|the new|a good)",
        *(r"so (?:helpful|relaxing)", r"nothing says", r"quality time", r"charming", r"gourmet", r"free cardio"),
        *(r"bonus", r"complimentary", r"exercise", r"no notes", r"for the \d+ ?a", r"for my free"),
        *(r"free (?:\w+ )?hour", r"impeccable timing", r"so thoughtful"),
        *(r"sin avisar", r"cinco estrellas"),
    ]
)  # fmt: skip
_MOURNS = re.compile(
    r"\blost (?:my|our|his|her) (?:mom|dad|mother|father|grand\w+|son|daughter|husband|wife|baby|brother|sister)"
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


@Language.component("mood", requires=["doc.sents", "doc._.scores"], assigns=["doc._.mood", "doc._.good", "doc._.bad"])
def mood(doc: Doc) -> Doc:
    """Set the mood and, where reading is by rules alone, the words behind it."""
    if doc._.scores is not None:
        likely = doc._.scores.one(MOOD)
        doc._.mood = round(likely["happy"] - likely["unhappy"], 2)
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
        elif norm in _BAD and norm not in _NEGATORS and not (norm == "lost" and _MOURNS.search(text)):
            if turned:
                good += [f"not {norm}"] if norm in ("rude", "bad", "late", "wrong") else []
            else:
                bad.append(norm)
    return good, bad
