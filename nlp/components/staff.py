"""Whom of the staff a post of praise names, so that the thanks reach them. Never patients, relatives, authors.

Redaction finds the names. One counts only where a role of those who work here stands beside it, and nothing near says that
it may be somebody else's: a missed name is a pity, a patient's name is a breach.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spacy.language import Language
from spacy.tokens import Doc

from nlp.components.redaction import first_names
from nlp.labelled import Mark
from nlp.tokenizer import fold, text_of, words_of

Doc.set_extension("staff", default=(), force=True)  # names as written, with the role that stands beside them

_MOST = 5
_LOOKED_AT = 50  # names of one post
_NEAR = 80  # characters on each side of a name that are looked at
_MOST_WORDS = 3  # of one name

# What stands with a capital behind a role and is no name of ours: "what a nurse Thank you", "Dr. Pepper".
_NO_NAMES = words_of(
    "mr mrs ms miss dr thank thanks god bless best great good love gracias pepper phil who google seuss"
)
_DOCTOR = r"(?:doctora?|dra?\.?|doc)"
_ROLE = (
    r"(?:nurse[ -](?:practitioner|midwife|manager|educator)|(?:registered|charge|night|triage|student|scrub) nurse|nurse|midwife|doula"
    r"|(?:physicians?|medical|nursing|nurse['’]?s) (?:assistant|aide)|(?:(?:patient )?care|lab|x-?ray|mri|ct|er|surgical|ultrasound|pharmacy|ekg) tech"
    r"|tech(?:nician|nologist)?|aide|(?:(?:physical|occupational|respiratory|speech|massage) )?therapist|physio(?:therapist)?|phlebotomist|sonographer"
    r"|radiographer|radiologist|ana?esthe(?:siologist|tist)|surgeon|physician|cardiologist|oncologist|pediatrician|neurologist|hospitalist|pharmacist"
    r"|paramedic|dietitian|dietician|nutritionist|social worker|case manager|care coordinator|(?:patient )?(?:navigator|advocate)|interpreter|chaplain"
    r"|receptionist|scheduler|registrar|(?:unit|ward|billing|registration) clerk|clerk|unit secretary|volunteer|porter|transporter|orderly"
    r"|housekeeper|janitor|custodian|cleaner|(?:security )guard|security officer|(?:shuttle|van|bus) driver|valet|greeter|lactation consultant"
    r"|enfermer[oa]|partera|matrona|recepcionista|camiller[oa]|t[eé]cnic[oa]|voluntari[oa]|guardia|terapeuta|capell[aá]n|cirujan[oa]|pediatra"
    r"|fisioterapeuta|int[eé]rprete|trabajadora? social|anestesi[oó]log[oa]|farmac[eé]utic[oa])"
)
_SHORT = r"(?-i:RN|LPN|LVN|CNA|NP|FNP|CRNA)"  # small they are other words: "rn" is right now
_BEHIND = r"(?-i:RN|BSN|LPN|LVN|CNA|NP|FNP|PA-C|CRNA|MD|M\.D\.)"
_ALL = rf"(?:{_DOCTOR}|{_ROLE}|{_SHORT})"
_MANY = rf"(?:(?:drs\.?|doctors|doctor[ae]s)|{_ROLE}e?s)"
_OURS = r"(?:my|our|his|her|their|your|the|mi|nuestr[oa]|la|el|su|\w+['’]s)"
# Where nobody is treated: who is told of as from there works there.
_PLACE = (
    r"(?:(?:the )?(?:(?:front|check[- ]?in|registration|information|info|reception) desk|business office|gift shop|call center|help ?desk)"
    r"|billing|accounts|registration|reception|scheduling|admitting|admissions|(?:medical )?records|housekeeping|environmental services|evs"
    r"|transport(?:ation)?|patient (?:relations|experience|advocacy|services)|security|dietary|food services|facilities|maintenance|valet"
    r"|guest services|phlebotomy|nights|days|(?:the )?(?:night|day) shift|recepci[oó]n|facturaci[oó]n|admisiones|(?:la )?limpieza|archivo)"
)
_PEOPLE = (
    r"(?:mom|mum|mam|mommy|mother|dad|daddy|father|parents?|husband|wife|spouse|son|daughter|child|kid|baby|newborn|toddler|infant|twins?|grand\w+|nana|nan|gran"
    r"|sister|brother|siblings?|aunt|auntie|uncle|niece|nephew|cousin|partner|fianc[eé]e?|boyfriend|girlfriend|friend|neighbou?r|roommate|co-?worker"
    r"|colleague|boss|in-law|mil|fil|bestie|buddy|patient|resident|client|visitor|guy|man|woman|lady|girl|boy|stepmom|stepdad|teacher|pastor"
    r"|mam[aá]|pap[aá]|madre|padre|hij[oa]|beb[eé]|espos[oa]|abuel[oa]|herman[oa]|t[ií][oa]|prim[oa]|sobrin[oa]|niet[oa]|amig[oa]|vecin[oa]|paciente|suegr[oa]|nuera|yerno|marido|mujer)"
)


def _read_so(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Before a name, up to it.
_TITLED = _read_so(rf"(?<![\w-])(?P<role>{_ALL})(?:(?<=\.) ?| )$")
_POLITE = _read_so(r"(?<![\w-])(?:mr|mrs|ms|miss|sr|sra|srta|don|do[nñ]a)\.? $")
_LISTED = _read_so(rf"(?<![\w-])(?P<role>{_MANY}) $")
_CALLED = (
    _read_so(rf"\b{_OURS} (?:\w+ ){{0,2}}{_ALL}(?: today| tonight| yesterday| last night| that night| that day)? (?:was|is|fue|era|es|se llama(?:ba)?) (?:named |called )?$"),
    _read_so(rf"\b(?:{_ALL}['’]?s name|name of (?:my|our|the|his|her) (?:\w+ )?{_ALL}) (?:was|is) $"),
    _read_so(rf"\b{_ALL} (?:named|by the name of|de nombre|llamad[oa]|que se llama(?:ba)?) $"),
    # "the nurse called Rosa": who called whom? Behind these words it can only be her name.
    _read_so(rf"\b(?:to|by|from|with|of|had|got|met|is|was|there['’]s|thanks?|bless) (?:an?|the|this|that|one) (?:\w+ ){{0,2}}{_ALL} called $"),
)  # fmt: skip
_APPOSED = _read_so(rf"\b{_OURS} (?:\w+ ){{0,2}}{_ROLE}, $")  # "our nurse, Maria, "
# Behind a name, from it.
_WORKS = (
    _read_so(rf",? {_BEHIND}(?![\w-])"),
    _read_so(rf" \((?:the |our |my |an? |la |el )?(?:\w+ )?(?:{_ROLE}|{_BEHIND})\)"),
    _read_so(rf" (?:the|la|el) (?:\w+ )?{_ROLE}\b(?!['’])"),
    _read_so(rf", (?:the|our|my|la|el|mi|nuestr[oa]) (?:\w+ )?{_ROLE}(?=\s?[.!;:)]|,(?! ?(?:and|&|y|e|plus|the|a|an|our|my|his|her|la|el|mi)\b)|\s*$| who\b(?!.{{0,40}}\byou)| que me\b| que nos\b)"),
    _read_so(rf" (?:in|at|from|on|de|en) (?:la )?{_PLACE}\b(?! (?:waiting|while|until|line|crying|alone|bathroom|for (?:an hour|hours|\d)))"),
)  # fmt: skip
_WAS = _read_so(rf" (?:was|is|fue|era|es) {_OURS} (?:\w+ ){{0,2}}{_ROLE}\b(?!['’]| (?:friend|(?-i:[A-Z])))")

# What makes anybody of it: "my mother, Dr. Reed", "I'm nurse Amy", "unlike Dr. Ruiz", "caring for Rosa the nurse".
_ANYBODY_BEFORE = _read_so(
    rf"(?:\b{_PEOPLE}s?[ ,(]+(?:(?:the|an?|named|called|is|was|like|la|el) )*"
    r"|\b(?:i['’]?m|i am|am|this is|it['’]s|me|myself|soy|signed|sincerely|regards|love|atentamente|unlike|than|instead of|not|never|fire|like|named after)[ ,:]+(?:(?:the|an?|la|el|una?) )?"
    r"|\b(?:saving|saved|helping|helped|treating|treated|(?:caring|cared) for|care of|looking after|looked after|operat\w+ on|visit(?:ing|ed)?|deliver(?:ing|ed)"
    r"|brought|bringing|bring|took|taking|left|leaving|drop(?:ping|ped)(?: off)?|check(?:ed|ing)? in|pray(?:ing|ers)? for|lost|miss|hold(?:ing)?"
    r"|(?:was|were|sat|sitting|wait\w*|stood|came|arrived|went|stay\w*|here|be|being) with|attended to|attending|salvar|salvaron|cuidar|cuidaron) (?:a |to )?)$"
)
_ANYBODY_BEHIND = _read_so(
    r"(?:,? (?:who )?(?:is|was|were|are|has|had|got|gets|being|has been|had been) (?:\w+ly )?(?:\w+ )?(?:home|doing|recover\w+|fine|better|alive|safe|healthy|healing|well|walking|eating"
    r"|stable|resting|breathing|improving|feeling|born|admitted|hospitali[sz]ed|discharged|treated|operated|diagnosed|rushed|brought|cared|sick|ill|dying|surgery|stroke"
    rf"|transplant|seizure|operation|procedure|in (?:the )?(?:icu|nicu|er|recovery|hospice|pain|labor)|(?:my|an?|our|your|the) (?:\w+ )?{_PEOPLE})\b"
    rf"| (?:passed away|died|back|through)\b| here\b(?! (?:at|in|is|was))|['’]s (?:is|was) (?:my|our)\b"
    rf"| ?[,(] ?(?:who(?:['’]s| is| was) )?(?:my|our|his|her|their|mi|nuestr[oa]|an?) (?:\w+ ){{0,2}}{_PEOPLE}(?: herself| himself)?\s?(?:[,).!;]|$)"
    r"|(?: |-)(?:family|familia|household|jr\b|and family|y familia))"
)
# "the doctor Leo saw": a role with "the" before it and a name may be two people.
_ONE_OF_MANY = _read_so(
    r"\b(?:the|an?|every|each|any|another|one|this|that|no|which|what|best|first|only|favou?rite) (?:\w+ ){0,2}$"
)
_GOES_ON = _read_so(
    r"\s?[,.!;:)\n]|\s*$| (?:who|for|at|in|on|from|y|que|por)\b| and (?!i\b|my|we)| (?:was|is) (?!with|given|assigned|seeing|waiting)"
)
_POSSESSED = _read_so(r"['’]s?\b| and (?:\w+['’]s|i\b)")
_ENDED = _read_so(r"[,.!;:)](?=\s*\w)| who\b")  # with nothing behind it, it may be who signs
_SIGNS = _read_so(r"(?:[.!?…\n]|[-–—~]|\W[❤♥\U0001f300-\U0001faff]\ufe0f?)\s*$")
_REST = re.compile(r"(?:(?<=-)|-)\w+")  # of a name with a hyphen of which half was found
_AND = words_of("and y e or & +")
_JOINED = _read_so(r" (?:and|&|y|e) ")


@Language.component("staff", requires=["doc._.kind", "doc._.personal"], assigns=["doc._.staff"])
def staff(doc: Doc) -> Doc:
    """Set doc._.staff of praise."""
    if doc._.kind == "praise":
        names = [mark for mark in doc._.personal if mark.kind == "name"][:_LOOKED_AT]
        found = (_member(text_of(doc), names[at : at + 2]) for at in range(len(names)))
        # "Dr. Chen" and "dr chen" are one.
        once = {fold(words): words for words in reversed(list(found)) if words}
        doc._.staff = tuple(reversed(once.values()))[:_MOST]
    return doc


def _member(text: str, names: Sequence[Mark]) -> str | None:
    """The words that name a member of staff by the first of these names, and by the next one in "nurses Amy and Joy"; None
    where it may be anyone else's."""
    name = _Words(text, names[0].start, _end(text, names[0]))
    if fold(name.shown) in _NO_NAMES:
        return None
    whole = replace(name, end=_end(text, names[0], whole=True))
    found = _titled(name) or _listed(name, names[1:]) or _told(name) or _working(whole)
    return found.shown if found and not _may_be_anyone(found) else None


@dataclass(frozen=True)
class _Words:
    """Words of a post, and what stands near them."""

    text: str
    start: int
    end: int

    @property
    def shown(self) -> str:
        return self.text[self.start : self.end]

    @property
    def before(self) -> str:
        return self.text[max(0, self.start - _NEAR) : self.start]

    @property
    def behind(self) -> str:
        return self.text[self.end : self.end + _NEAR]


def _titled(name: _Words) -> _Words | None:
    """ "Dr. Chen", "nurse Maria"."""
    role = _TITLED.search(name.before)
    if role is None:
        return None
    if _ONE_OF_MANY.search(name.before[: role.start()]) and not _GOES_ON.match(name.behind):
        return None
    if role["role"].casefold().startswith("doctor") and name.shown.islower() and fold(name.shown) not in first_names():
        return None  # "the doctor said"
    return replace(name, start=name.start - len(name.before) + role.start())


def _listed(name: _Words, others: Sequence[Mark]) -> _Words | None:
    """ "nurses Amy and Joy". Of a longer list the first: what follows a comma may begin the next sentence."""
    roles = _LISTED.search(name.before)
    if roles is None:
        return None
    second = others and _JOINED.fullmatch(name.text[name.end : others[0].start])
    end = _end(name.text, others[0]) if second else name.end
    return replace(name, start=name.start - len(name.before) + roles.start(), end=end)


def _told(name: _Words) -> _Words | None:
    """ "my nurse was Maria", "a nurse named Joy", "our nurse, Maria, stayed"."""
    called = any(pattern.search(name.before) for pattern in _CALLED) and not _POSSESSED.match(name.behind)
    apposed = _APPOSED.search(name.before) and _ENDED.match(name.behind)
    return name if called or apposed else None


def _working(name: _Words) -> _Words | None:
    """ "Amy Lee, RN", "Joy the receptionist", "Maria in billing", "Maria was our nurse"."""
    if _WAS.match(name.behind):
        return name
    work = next(filter(None, (pattern.match(name.behind) for pattern in _WORKS)), None)
    polite = _POLITE.search(name.before)
    start = name.start - len(polite.group() if polite else "")
    return replace(name, start=start, end=name.end + work.end()) if work else None


def _end(text: str, name: Mark, *, whole: bool = False) -> int:
    """Where one person's name ends. A first name behind another word may be the next sentence's first word, unless a role
    stands behind the whole."""
    line = re.split(r"\s{2,}|[\n\t,;]", text[name.start : name.end], maxsplit=1)[0]
    end = 0
    for count, word in enumerate(re.finditer(r"\S+", line)):
        part = fold(word.group())
        if count and (count == _MOST_WORDS or part in _AND or (part in first_names() and not whole)):
            break
        end = word.end()
    rest = _REST.match(text, name.start + end)
    return rest.end() if rest else name.start + end


def _may_be_anyone(found: _Words) -> bool:
    """Whether what stands around says that it may be a patient, a relative, or who writes."""
    signed = _SIGNS.search(found.before) and not re.search(r"\w", found.text[found.end :])
    return bool(signed or _ANYBODY_BEFORE.search(found.before) or _ANYBODY_BEHIND.match(found.behind))
