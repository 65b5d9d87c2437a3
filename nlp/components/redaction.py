"""The post without what names a person: HIPAA Safe Harbor (45 CFR 164.514(b)(2)) as far as rules reach.

Goes: names of people, phones, e-mails, links and handles, record, insurance and social-security numbers, dates with
day and month, addresses, room numbers, ages over 89. Stays: our own names and departments, titles, weekdays, months and
years alone, doses, blood pressures, times, prices.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from spacy.attrs import IDX, NORM, ORTH
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc, Span

from nlp.heads import PERSONAL
from nlp.labelled import Mark
from nlp.tokenizer import fold, text_of, words_of

Doc.set_extension("redacted", default="", force=True)
Doc.set_extension("personal", default=(), force=True)  # nlp.labelled.Mark: where, of which kind; never the values

_SHOWN = {"email": "e-mail", "url": "link"}
_SURE_ENOUGH = 0.3  # a name that stays is worse than a word that goes

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
)
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_YEAR = r"(?:,?\s+(?:de\s+|of\s+)?(?:19|20)\d\d)"
_MONTH_DAY = rf"{_MONTH}\.?\s+{_DAY}(?:st|nd|rd|th)?\b(?:\s?[-–]\s?{_DAY}\b)?{_YEAR}?"
_DAY_MONTH = rf"(?:{_DAY}(?:st|nd|rd|th)?\s?(?:-|–|to|and|al?|y)\s?)?{_DAY}(?:st|nd|rd|th)?\s+(?:of\s+|de\s+)?{_MONTH}\b\.?{_YEAR}?"
_NUMERIC = r"(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|[12]\d|3[01])"
_BORN = r"\b(?:dob|d\.o\.b\.?|date of birth|born(?: on)?|birth ?day|birth ?date|naci[oó] el|nacid[oa] el)\b"
# "120 mg", "may 2 people": a number that counts something is no day of a month.
_COUNTED = r"(?!\s*(?:mg|ml|am|pm|hours?|%|people|days|weeks|nurses?|times|of (?:us|them)))"

# What stands before a number that belongs to one person.
_NUMBERED = (
    r"mrn|medical record|patient|record|chart|account|acct|member|policy|insurance|group|medicare|medicaid|claim|case|invoice"
    r"|reference|confirmation|passport|licen[cs]e|plate|npi|dea|iban|ssn|social security|social|expediente|seguro"
    r"|ref|order|ticket|complaint|appeal|conf|visit|incident|report|docket|form|file|tracking|pcn|folio|cuenta|credencial|membership"
    r"|guarantor|badge|rx|uhid|mr|inv|hospital no|ni|referral|tag"
)
# Such a number cut into groups: "HMP 5521 09 884", "24/1191". Six digits at least, or it is an amount.
_GROUPED = r"(?=(?:[A-Z/ -]{0,6}\d){6})(?-i:[A-Z]{1,4}[ -])?\d[\dA-Z]*(?:[ /-](?-i:\d[\dA-Z]*))+(?-i: [A-Z]{1,2}\b)?"
_STREET = r"(?:county (?:rd|road) \d+|alley|bend|brow|cottages|green|loke|loop|parade|path|reach|track|trail|wharf|wynd|yard|close|row|bank|hill|gardens|grove|crescent|mews|walk|square|sq|rise|view|towers?|heights|gate|croft|street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|circle|cir|terrace|way|place|pl|parkway|pkwy|highway|hwy|quay)"
_FLAT = r"(?:apt|apto|apartment|flat|unit|suite|ste|lot|trailer|bldg|#)\.?\s*#?\w+"
_APART = rf"(?:\s(?-i:[NS]?[EW]|[NS])\b)?(?:,?\s*{_FLAT}){{0,2}}"
_POSTCODE = r"(?-i:(?:[A-Z]{2,3},?\s+)?\d{4,5}(?:-\d{4})?\b|[A-Z]\d[\dW]\s[A-Z\d]{4}\b|[A-Z]{1,2}\d{1,2}(?!\s?\d)\b|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b|[A-Z]\d[A-Z]\s?\d[A-Z]\d\b)"
_PLACE = r"(?-i:[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)?)"
_TOWN = rf"(?:(?:,\s*{_PLACE}){{0,2}},?\s*{_POSTCODE}|,\s{_PLACE})?"
_SURELY = r"(?:street|avenue|ave|road|boulevard|blvd|lane)"  # words that are a street also without capitals
_OLD = (
    r"(?:9\d|1[01]\d|ninety(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?|(?:a|one) hundred(?: and (?:one|two|three|four|five))?"
    r"|noventa(?: y (?:uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve))?)"
)
_WHO_IS = (
    r"(?:(?:he|she|who|i|mom|mum|mam|ma|mama|mother|dad|papa|father|nan|nana|gran|granny|grandma|grandpa|grandad|grandmother|grandfather"
    r"|aunt|auntie|uncle|wife|husband|patient|lady|man|woman)(?:['’]s|['’]m| is| am| was)|(?:he|she|who|mom|mum|dad|nan|gran|grandma|grandpa)s|im)"
)
_ROOM = (
    r"\b(?:(?:ED|ER|A&E|ICU|resus|trauma|side|exam|private|delivery|operating|birthing|hall|isolation|obs|day unit) )?"
    r"(?:room|rm|bed|bay|suite|apt|unit|cubicle|pod|curtain|habitaci[oó]n|hab|cuarto|cama)\.?\s*(?:number|no\.?|#)?\s*#?"
    r"(?:(?-i:[A-H])?-?\d{1,4}(?:-(?:\d{1,3}|[A-Za-z]))?[A-Za-z]?|(?-i:[A-H])|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
    r"(?!\s*(?:min\w*|hours?|hrs?|days?|nights?|weeks?|people|patients)\b|:\d)"
)
# "95 minutes" is no age.
_NO_UNIT = r"(?!\s*(?:min\w*|hours?|hrs?|days?|weeks?|months?|percent|beds?|people|patients|degrees|dollars|pages|miles|mg|ml|pounds|lbs?|bucks|calls|times|steps|of|on the)\b|[\d%:/.,]\d|%)"

_EXTENSION = r"(?:,?\s*(?:ext|extension|x)\.?\s*\d{1,5}\b)?"

# What a text must hold, and what is then looked for. Few texts hold anything, so most patterns are tried on few.
_PATTERNS: tuple[tuple[str | tuple[str, ...], tuple[tuple[str, str], ...]], ...] = (
    # A sign
    (r"\w@\w", (
        ("email", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"),
    )),
    (r"\.[a-z]{2,}/", (
        ("url", r"(?<![\w@./-])(?:[\w-]{1,40}\.){1,4}[a-z]{2,12}/(?=\S*[\d?=@.]\w)\S*[^\s.,;:!?)]"),
    )),
    (r"@\w|u/", (
        ("handle", r"(?<![\w@])@\w{2,}(?:[.-](?-i:[a-z0-9_])\w*)*|(?<![\w/])u/[\w-]{3,}"),
    )),
    # A high age
    (r"9\d|1[01]\d|ninety|hundred|noventa", (
        ("age", rf"\b{_OLD}(?=[\s-]*(?:(?:years?|yrs?|yr)\b(?! (?:ago|later|back|from|experience|of|history|anniversary|reunion|tradition))|y/?o\b|a[nñ]os\b))"),
        ("age", rf"\b(?:aged?|turn(?:ed|s|ing)|{_WHO_IS}) (?:almost |nearly |only )?(?P<value>{_OLD}){_NO_UNIT}"),
        ("age", rf"\bat (?P<value>{_OLD})(?=,? (?:he|she|i|you|we|they|do|does|what|one|and a (?:half|week))\b)"),
        ("age", rf"\b(?:lady|gentleman|man|woman) of (?P<value>{_OLD}){_NO_UNIT}|\b(?:9\d|1[01]\d)(?=th birthday|nd birthday|st birthday|rd birthday)"),
        ("age", rf"\b(?:(?:bis)?abuel\w+|suegr[oa]|mam[aá]|pap[aá]|t[ií][oa]|señora?) (?:de |tiene |\()(?P<value>{_OLD}){_NO_UNIT}"),
        ("age", rf"(?<!\bin )\bninety-(?:one|two|three|four|five|six|seven|eight|nine)\b{_NO_UNIT}"),
        ("age", r"(?:(?<=[a-z], )|^)(?P<value>9\d|1[01]\d)(?=[,.]\s|,?$)|(?<=\()(?:9\d|1[01]\d)(?=[,)])"),
    )),
    # A room
    (("room", "rm", "bed", "bay", "suite", "apt", "unit", "cubicle", "pod", "curtain", "trauma", "resus", "exam", "hab", "cuarto", "cama"), (
        ("room", rf"{_ROOM}(?:,?\s+{_ROOM})*|\b(?:trauma|resus|exam) \d\b{_NO_UNIT}"),
    )),
    # Three digits, or digits beside letters
    (r"\d{3}|-\d|[a-z]\d|\d[a-z]", (
        ("number", r"\b\d{3}-\d{2}-\d{4}\b"),
        ("number", rf"\b(?:{_NUMBERED})(?:\s?(?:number|num|no\.?|id|#))?(?:\s|is|was|:|#|\(){{0,6}}(?=[\w-]*\d)[A-Z0-9][A-Z0-9-]{{3,}}\b(?:\s\d{{4}})*"),
        ("number", rf"\b(?:{_NUMBERED})s?(?:\s?(?:number|num|no\.?|id|#))?(?:\s|is|was|:|#|\(){{0,6}}{_GROUPED}"),
        ("number", r"(?-i:\b(?!CPT|ICD|HCPCS|COVID|SARS)[A-Z]{1,5}[-/]?\d{4,}[A-Z]{0,2}\b)"),
        ("number", r"(?-i:\b(?!CPT|ICD)[A-Z]{1,5}\d?(?=(?:[-/]?\d){4})(?:[-/]\d+){1,3}[A-Z]?\b)"),
        ("number", r"(?<![\d/$.-])(?!(?:19|20)\d\d-(?:19|20)?\d\d(?!-))(?!(?:\d{3}-)?\d{3}-\d{4}(?!\d))(?=(?:-?\d){7})\d{2,}-\d{3,}(?:-\d+)?(?![\d/-])"),
        ("number", r"\b(?:member |patient )?id(?:\s|is|was|:|#|\(){1,6}(?=[\w-]*\d)[A-Z0-9][A-Z0-9-]{3,}\b"),
        ("number", r"\b[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}\b"),
        ("phone", rf"(?<![\w-])(?:\+?1[-. ]?)?(?:\(\d{{3}}\)\s?|\d{{3}}[-. ])?\d{{3}}[-. ]\d{{4}}(?![\w-]){_EXTENSION}"),
        ("phone", rf"(?<![\w-])(?:\+\d{{2,3}}\s?(?:\(0\)\s?)?\d{{1,4}}|\(0\d{{2,4}}\)|0\d{{2,4}})[-. ]?\d{{3,4}}(?:[-. ]?\d{{3,4}})?(?![\w-]){_EXTENSION}"),
        ("phone", r"(?<![\w$.,-])\+?\d{10,13}(?![\w-])"),
        ("phone", r"(?<![\w$.,-])(?:\(0\d\)|\d{2})\s\d{4}\s\d{4}(?![\w-])|(?<![\w$.,-])\d{3}\s\d{2}\s\d{2}\s\d{2}(?![\w-])"),
        ("phone", r"(?<![\w$.,-])(?:\+\d{2}[ -]?)?[6-9]\d{4}[ -]\d{5}(?![\w-])|\bext(?:ension)?\.? ?\d{3,5}\b"),
        ("address", r"\b(?-i:[A-Z]{2}) \d{5}(?:-\d{4})?\b|\b(?:zip|post)(?: ?code)?:? \d{5}\b"),
        ("address", r"\b(?-i:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[\dW] (?=[A-Z]*\d)[A-Z\d]{4})\b"),
    )),
    # A bed by its floor, wing and number, or a room by its number alone
    (r"\d[nsew]-?\d|\d-\d|\bin \d{3}|\ben (?:la|el) \d{3}", (
        ("room", r"(?-i:\b\d{1,2}[NSEWH]-?\d{2}[A-Z]?\b)|\b(?:in|from) (?P<value>\d{1,2}-\d{3})\b"),
        ("room", r"\b(?:in|en la|en el) (?P<value>\d{3}[A-Za-z]?)(?=[.:;!?]|,\s|$|\s(?:by|with|w|who|is|has|had|he|she)\b)(?!\.\d)"),
    )),
    # Digits cut by a sign
    (r"\d[/.-]\d", (
        ("date", r"\b(?:19|20)\d\d[-/](?:0?[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01])\b"),
        ("date", rf"\b{_NUMERIC}[/.-](?:(?:19|20)\d\d|\d\d)\b"),
        ("date", r"(?<![\w/.$-])(?!24/7)(?:(?:0?[1-9]|1[0-2])/(?:1[3-9]|2\d|3[01])|(?:1[3-9]|2\d|3[01])/(?:0?[1-9]|1[12]))(?![\w/%]|[.-]\d)"),
        ("date", rf"\b(?:on|since|until|by|from|dated|before|after|sent|admitted|discharged|out|seen|came|given|paid|billed|faxed|emailed|first|service|due|appt|appointment|booked|surgery|moved to|el) (?P<value>(?:0?[1-9]|1[0-2])/{_DAY}|{_DAY}/(?:0?[1-9]|1[0-2]))\b(?![/\d])"),
    )),
    # A month
    (("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "ene", "abr", "ago", "dic"), (
        ("date", rf"\b{_MONTH_DAY}{_COUNTED}"),
        ("date", rf"\b{_DAY_MONTH}"),
    )),
    # A birth
    (("born", "dob", "birth", "d.o.b", "nac"), (
        ("date", rf"{_BORN}(?:\s|is|was|:|on|the){{0,6}}(?:{_NUMERIC}(?:[/.-]\d{{2,4}})?|{_MONTH_DAY}|{_DAY_MONTH}|(?:19|20)\d\d-\d\d-\d\d)"),
    )),
    # A number before a word
    (r"\d\w?\s+[a-z]", (
        ("address", rf"\b(?:{_FLAT},?\s+)?\d{{1,5}}[A-Za-z]?\s+(?-i:(?:(?:[NS]?[EW]|[NS])\.?\s+)?(?:\d{{1,3}}(?:st|nd|rd|th)\s+|(?:[A-Z][\w'’-]*\s+){{1,3}})){_STREET}\b(?!\.?\s+[A-Z][a-z]+['’]s)\.?{_APART}{_TOWN}"),
        ("address", rf"\b\d{{1,5}}\s+(?!(?:min|hour|hr|day|block|mile|year)\w*\s)[a-z]+\s+{_SURELY}\b\.?{_APART}{_TOWN}"),
        ("address", rf"\b(?:live[sd]? (?:at|on)|living at|come by|delivered to|address(?: is|:)?|home at|sent to|post to|shipped to|mailed to|write to) (?P<value>\d{{1,5}}[A-Za-z]? (?!North|South|East|West|Tower|Main|[NP]?ICU|Floor|Ward|Peds)(?-i:[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)?){_APART}{_TOWN})"),
        ("address", rf"\b\d{{2,5}}\s+(?-i:(?:[NS][EW]|[NSEW])\.?\s+(?:[A-Z][\w'’-]+)(?:\s[A-Z][\w'’-]+)?){_APART}{_TOWN}"),
    )),
    # A street before its number
    (("calle", "avenida", "av.", "camino", "carrera"), (
        ("address", rf"\b(?:calle|avenida|av\.|camino|carrera)\s+(?:(?:de|del|la|los|las)\s+){{0,2}}(?-i:(?:[A-ZÁÉÍÓÚÑ]\w+\s+){{1,3}})\d{{1,5}}\b{_APART}"),
    )),
    # A box at a post office
    (("box",), (
        ("address", rf"\b(?:p\.?\s?o\.?|(?:rr|rural route)\s?\d+,?)\s?box\s+\d+[A-Z]?{_TOWN}"),
    )),
)  # fmt: skip
_WITHOUT_DIGITS = 5  # of these may find something in a text that has none
# What the encoder takes for personal must hold this: it goes by the words around, and numbers stand in like places.
_LOOKS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "email": r"@|\bat\b.+\bdot\b",
        "url": r"[./]\w",
        "handle": r"@\w|[_\d]|u/",
        "date": rf"\d.*\b{_MONTH}|\b{_MONTH}.*\d|\b{_NUMERIC}\b",
        "age": rf"^{_OLD}$",
        "phone": r"(?:\d\D*){7}",
        "number": r"^(?=(?:.*\d){6}|.*[^\W\d]|.*-)(?!\d{2,3}/\d{2,3}$)(?:.*\d){3}",  # 171/112 is a blood pressure
        "room": r"\d|\b[a-h]\b",
        "address": r"\d\S*\s.*[a-z]|[a-z]{3,} [a-z]{3,}",
    }.items()
}
_NO_ROOM_AFTER = re.compile(r"(?:\b(?:ward|floor|level|stage|gate|ticket|hour|day|of)\s|[/:.-]|\d)$", re.IGNORECASE)
_NO_ROOM_BEFORE = re.compile(r"\s(?:north|south|east|west)\b|[/:.%-]\d", re.IGNORECASE)
# "at 0600" is a time, "CPT 99285" what was done, to anyone; "2/4 I brought my card" is a part of a thread.
_CLOCK = re.compile(r"\b(?:at|by|until|till|since|around|from|to) [012]\d[0-5]\d$", re.IGNORECASE)
_CODE = re.compile(r"\b(?:CPT|ICD|HCPCS|DRG)(?:-\d+)?(?: code)?[ :#]*[A-Z]?\d[\d.]*$", re.IGNORECASE)
_PART = re.compile(r"(\d)/(\d)$")
_LINK = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)\]\"'”]", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_COMPILED = [
    (
        re.compile(gate) if isinstance(gate, str) else gate,
        [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in patterns],
    )
    for gate, patterns in _PATTERNS
]

_RELATIVES = words_of(
    "mom mum mother dad father husband wife son daughter grandma grandpa grandmother grandfather nana sister ",
    "brother aunt uncle niece nephew baby boy girl kid child friend neighbor neighbour cousin roommate ",
    "partner fiance fiancee mama papa hijo hija abuela abuelo esposo esposa hermano hermana tia tio moms dads ",
    "stepdad stepmom grandson granddaughter boyfriend girlfriend coworker",
)
_STAFF = words_of(
    "dr doctor doc nurse rn lpn cna tech technician therapist surgeon midwife receptionist volunteer chaplain ",
    "aide doula phlebotomist pa np enfermera enfermero doctora mr mrs ms miss sr sra named name names called ",
    "practitioner resident physician specialist pharmacist paramedic prof professor sister fr rev don dona ",
    "srta doctores medico",
)
# After these a word is a name also without a capital: "dr patel".
_TITLES = frozenset(["dr", "doctor", "mr", "mrs", "ms", "miss", "sra", "doctora", "prof"])
# Behind these stands a name, however it is written.
_SURELY_NAMES = _TITLES | words_of("name names named called")
# First names that are also words, months or places: names only beside a title, a relative, a surname or a deed.
_AMBIGUOUS = words_of(
    "will mark grace hope faith joy may june april august rose summer angel art bill rob pat sue drew chase ",
    "frank jack grant dawn penny iris ivy lily daisy violet ruby pearl amber crystal dean earl duke miles ",
    "page paige precious star sky melody harmony destiny charity mercy christian guy ray rich dick bob carol ",
    "holly heather olive sage reed cliff glen dale forest wade ken max victor gene jean robin jay bo rusty ",
    "sandy misty stormy sunny lance chance ace major judge chris mason hunter cooper carter porter taylor ",
    "parker tanner sterling clay stone jordan austin dallas sydney paris london brooklyn chelsea savannah ",
    "georgia virginia carolina florence charlotte madison lincoln jackson",
)
# Of those, the ones that start sentences as words: "Bill was wrong", "Will they call?".
_WORDS_FIRST = words_of(
    "will may june april august summer bill chase page art hope angel chance major judge precious mark"
)
_DEEDS = words_of("said says helped told came stayed held took called explained sat gave and who at from in")
# Words that stand after "nurse" or "my dad" with a capital and are no names.
_NO_NAMES = words_of(
    "and or the at in on was is has had who said from for to of a i he she they we you but so because with ",
    "when after er icu nicu ed unit staff nurse team please hospital medical center saint brigid brigids ",
    "harbor lakeside campus pavilion emergency department clinic monday tuesday wednesday thursday friday ",
    "saturday sunday january february march april may june july august september october november december ",
    "room floor street church school it an are what where why how not no never always practitioner station ",
    "line manager call button desk says told just also still now got came comes went care day week night ",
    "shift educator recruiter jobs job openings hiring wanted strike union appointment appointments office ",
    "visit orders order note notes ordered gave gives will would can could did does do my your our his her ",
    "their any this that these those there here appt calls called yes ok very really walked looked asked ",
    "ed er ada dob gp hca rn cath ortho physio physios porter porters anaesthetist anesthetist midwife matron cubicle resus drs "
    "im ive gran granny mam nan sister mate fella live first bonjour cannula ketamine angio next whoever ",
    "stopped checked listened helped notas again today tomorrow tonight yesterday then than too if as by up ",
    "out off all one two three shopping google strange feelgood love phil visits changed finally",
)
# How the names of medicines end; nobody lists them all.
_MEDICINE = re.compile(
    r"\w{3}(?:azole|cillin|m[iy]cin|thoprim|statin|opril|sartan|olol|azepam|azolam|[ui]mab|tinib|clovir|tamivir|caine|oxacin"
    r"|cycline|profen|tidine|oxetine|triptan|gliptin|glutide|xaparin|codone|morphone|barbital|setron|dipine|semide|thiazide|formin)$"
)
_SAINTS = words_of("st saint santa san")
# What is called after a person: with these behind it a name is no person's. The others only with a capital.
_CALLED_SMALL = words_of("wing building pavilion disease syndrome body palsy chorea lymphoma mri")
_CALLED = _CALLED_SMALL | words_of(
    "tower centre center clinic hospital general regional royal memorial house street school beach park primary institute foundation"
)
_STOPS = frozenset(".!?…:\n")
_BEFORE = _TITLES | _STAFF | _RELATIVES
_PARTICLES = words_of("van der den de la del von di da st")


@Language.component(
    "redaction",
    requires=["doc.spans", "doc._.mentions_us", "doc._.scores"],
    assigns=["doc._.redacted", "doc._.personal"],
)
def redaction(doc: Doc) -> Doc:
    """Set doc._.redacted and where what is left out stood."""
    text = text_of(doc)
    found = _numbers(text)
    if _may_name(doc):
        found += _names(doc)
    read = _read(doc) if doc._.scores is not None else []
    if not found and not read:
        doc._.redacted = text
        return doc
    ours = [(span.start_char, span.end_char) for span in doc.spans["mentions"]]
    shops = [match.span() for match in _called_so().finditer(text)]
    found = [one for one in found if one[2] not in ("name", "handle") or not _touches(one, ours)]
    read = [one for one in read if not _touches(one, ours)]
    marks = [Mark(*one) for one in _merged(_without(found, shops), _without(read, shops))]
    out, last = [], 0
    for mark in marks:
        out += [text[last : mark.start], f"[{_SHOWN.get(mark.kind, mark.kind)}]"]
        last = mark.end
    doc._.redacted = "".join([*out, text[last:]])
    doc._.personal = tuple(marks)
    return doc


def _read(doc: Doc) -> list[tuple[int, int, str]]:
    """What the encoder takes for personal, in whole words: no half of a value may stay. It must look like what it is taken for."""
    text = text_of(doc)
    spans = set()  # a long word may hold many pieces: it is looked at once
    for start, end, kind, _ in doc._.scores.spans(PERSONAL, _SURE_ENOUGH):
        span = doc.char_span(start, end, alignment_mode="expand")
        if span is not None and kind == "name":
            span = _name_alone(span)
        if span:
            spans.add((span.start_char, span.end_char, kind))
    return [
        (start, start + len(_without_s(text[start:end])), kind)
        for start, end, kind in sorted(spans)
        if _looks_like(kind, text[start:end], text[max(0, start - 12) : start], text[end : end + 16])
    ]


def _name_alone(span: Span) -> Span:
    """A name without the title before it and, where it has capitals, without the small words at its ends."""
    capitals = any(token.text[0].isupper() and token.norm_ not in _BEFORE for token in span)
    while len(span) and (span[0].norm_ in _BEFORE or (capitals and span[0].text.islower())):
        span = span[1:]
    while len(span) and capitals and span[-1].text.islower():
        span = span[:-1]
    return span


def _looks_like(kind: str, words: str, before: str, after: str) -> bool:
    if kind == "name":
        return _is_a_persons(words, before, after)
    if kind == "room" and (_NO_ROOM_AFTER.search(before) or _NO_ROOM_BEFORE.match(after)):
        return False
    if (kind == "room" and _CLOCK.search(before + words)) or (kind == "number" and _CODE.search(before + words)):
        return False
    if kind == "date" and not before and (part := _PART.match(words)) and part[1] <= part[2]:
        return False
    return _LOOKS[kind].search(words) is not None


def _is_a_persons(name: str, before: str, after: str) -> bool:
    """Whether a name is a person's, and no building's, medicine's or shop's."""
    parts = [_singular(word) for word in re.split(r"[\s/-]+", name) if word]
    follows = after.split()[0].strip(".,;:!?") if after[:1].isspace() and after.strip() else ""
    return (
        any(map(str.isalpha, name))
        and fold(name) not in _NO_NAMES
        and not all(part in _not_names() or _MEDICINE.search(part) for part in parts)
        and not _is_called_after(parts[-1] if parts else "", follows)
        and _SAINTS.isdisjoint(fold(word) for word in before.split()[-1:])
    )


def _is_called_after(last: str, follows: str) -> bool:
    """Whether something is called after a name, by its last word (folded) and the word behind it as it is written."""
    return last in _CALLED or fold(follows) in (_CALLED if follows[:1].isupper() else _CALLED_SMALL)


def _touches(one: tuple[int, int, str], places: list[tuple[int, int]]) -> bool:
    return any(one[0] < stop and begin < one[1] for begin, stop in places)


def _without(found: list[tuple[int, int, str]], shops: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """What is found, but for names that are part of a shop's; a longer name or an address around it goes."""
    return [
        one for one in found if one[2] != "name" or not any(begin <= one[0] and one[1] <= stop for begin, stop in shops)
    ]


def _without_s(name: str) -> str:
    return re.sub(r"['’]s?$", "", name)


def _numbers(text: str) -> list[tuple[int, int, str]]:
    """Everything that a pattern finds. The digits of links are none of ours."""
    found = [(*match.span(), "url") for match in _LINK.finditer(text)]
    if found:
        text = _LINK.sub(lambda match: " " * len(match.group()), text)
    lowered = text.lower()
    for gate, patterns in _COMPILED if _DIGIT.search(text) else _COMPILED[:_WITHOUT_DIGITS]:
        if _holds(lowered, gate):
            found += [(*_value(match), kind) for kind, pattern in patterns for match in pattern.finditer(text)]
    return found


def _holds(lowered: str, gate: re.Pattern[str] | tuple[str, ...]) -> bool:
    if isinstance(gate, tuple):
        return any(part in lowered for part in gate)
    return gate.search(lowered) is not None


def _value(match: re.Match[str]) -> tuple[int, int]:
    """Where the value is: the named part of a pattern that also needs the words before it, else all of it."""
    named = match.re.groupindex and match["value"] is not None
    return match.span("value") if named else match.span()


def _merged(found: list[tuple[int, int, str]], read: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """What overlaps goes together, so that no half of a value stays; a pattern knows its kind better than the encoder."""
    merged: list[tuple[int, int, str, bool]] = []
    for start, end, kind, is_read in sorted(
        [(*one, False) for one in found] + [(*one, True) for one in read], key=lambda one: (one[0], -one[1], one[3])
    ):
        if merged and start < merged[-1][1]:
            first, last, before, was_read = merged[-1]
            merged[-1] = (first, max(last, end), kind if was_read and not is_read else before, was_read and is_read)
        else:
            merged.append((start, end, kind, is_read))
    return [(start, end, kind) for start, end, kind, _ in merged]


def _may_name(doc: Doc) -> bool:
    """Whether a word of the post is a first name, or stands where a name follows."""
    strings = doc.vocab.strings
    sure, unsure = _hints(strings)
    norms = doc.to_array(NORM).tolist()
    if not sure.isdisjoint(norms):
        return True
    if unsure.isdisjoint(norms):
        return False
    written = doc.to_array(ORTH).tolist()
    return any(norm in unsure and strings[word][0].isupper() for norm, word in zip(norms, written, strict=True))


@lru_cache(maxsize=4)  # no more: a pipeline that is no longer used would stay, words and all
def _hints(strings: StringStore) -> tuple[frozenset[int], frozenset[int]]:
    """The hashes of words that give a name away, and of those that do so only with a capital."""
    names = first_names() - _AMBIGUOUS
    sure = (*names, *(f"{name}s" for name in names), *_BEFORE)
    return frozenset(map(strings.add, sure)), frozenset(map(strings.add, _AMBIGUOUS))


@dataclass
class _Words:
    """The words of a Doc as lists: a Token for every word costs more than the rest of this."""

    texts: list[str]
    norms: list[str]
    places: list[int]
    starts: list[bool]  # whether it starts a sentence

    @classmethod
    def of(cls, doc: Doc) -> "_Words":
        """The words of `doc`."""
        string: Callable[[int], Any] = doc.vocab.strings.__getitem__
        rows = doc.to_array([ORTH, NORM, IDX])
        norms = list(map(string, rows[:, 1].tolist()))
        starts = [index == 0 or norms[index - 1] in _STOPS for index in range(len(norms))]
        return cls(list(map(string, rows[:, 0].tolist())), norms, rows[:, 2].tolist(), starts)

    def capital(self, index: int) -> bool:
        """Written like a name."""
        text = self.texts[index] if index < len(self.texts) else ""
        return text[:1].isupper() and len(text) > 1 and text.replace("'", "").replace("’", "").isalpha()


def _names(doc: Doc) -> list[tuple[int, int, str]]:
    words, known = _Words.of(doc), first_names()
    found: list[tuple[int, int, str]] = []
    index = 0
    while index < len(words.texts):
        # Most words are neither: the closer look is for few.
        looks_so = words.texts[index][0].isupper() or (index and words.norms[index - 1] in _BEFORE)
        end = _name_end(words, index, known) if looks_so else None
        if end:
            found.append((words.places[index], words.places[end - 1] + len(_without_s(words.texts[end - 1])), "name"))
        index = end or index + 1
    return found


def _name_end(words: _Words, index: int, known: frozenset[str]) -> int | None:
    """Where the name that starts at `index` ends; None when it is no name."""
    word = _singular(words.texts[index])
    before = words.norms[index - 1] if index else ""
    if before == "," and index > 1 and words.norms[index - 2] in _RELATIVES:
        before = words.norms[index - 2]
    if before == "is" and index > 1 and words.norms[index - 2] in ("name", "names"):
        before = "name"
    if before in _BEFORE:
        return _after_title(words, index, word, before, known)
    if word not in known or not words.capital(index) or before in _SAINTS or words.texts[index] == "ED":
        return None
    end = _with_surnames(words, index + 1, known)
    if _is_called_after(words.norms[end - 1], words.texts[end] if end < len(words.texts) else ""):
        return None
    if word not in _AMBIGUOUS:
        return end
    shouted = words.texts[index].isupper() and len(word) > 2
    follows = words.norms[index + 1] if index + 1 < len(words.norms) else ""
    does = follows in _DEEDS and word not in _WORDS_FIRST
    return end if not shouted and (does or (end > index + 1 and not words.starts[index])) else None


def _after_title(words: _Words, index: int, word: str, before: str, known: frozenset[str]) -> int | None:
    """The name after "nurse", "Dr." or "my dad"."""
    if word in _NO_NAMES and word not in known:
        return None
    text = words.texts[index]
    shouted = text.isupper() and len(text) > 1 and word not in known
    if shouted and (before in _RELATIVES or (before not in _SURELY_NAMES and not words.texts[index - 1].isupper())):
        return None  # "MY HUSBAND FOOT", "a nurse LMAO"
    initial = text.rstrip(".")
    if before in _TITLES and len(initial) == 1 and initial.isupper() and words.capital(index + 1):
        return _with_surnames(words, index + 2, known)
    if before in _TITLES and word in _PARTICLES:
        end = index
        while end < len(words.norms) and words.norms[end] in _PARTICLES:
            end += 1
        return end + 1 if words.capital(end) else None
    if words.capital(index) or (word in known and word not in _AMBIGUOUS):
        return _with_surnames(words, index + 1, known)
    return (
        index + 1
        if before in _TITLES - {"doctor", "doctora", "miss"}
        and text.isalpha()
        and len(text) > 2
        and word not in _NO_NAMES
        else None
    )


def _with_surnames(words: _Words, end: int, known: frozenset[str]) -> int:
    """Where a name ends whose first word ends at `end`: further names, an initial, a hyphen."""
    for _ in range(3):
        step = end
        if (
            step < len(words.texts)
            and len(words.texts[step].rstrip(".")) == 1
            and words.texts[step][0].isupper()
            and words.texts[step] != "I"
        ):
            step += 1
        elif step < len(words.texts) and words.texts[step] == "-" and words.capital(step + 1):
            end = step + 2
            continue
        if not _is_surname(words, step, known):
            break
        end = step + 1
    return end


def _is_surname(words: _Words, index: int, known: frozenset[str]) -> bool:
    if not words.capital(index) or words.starts[index] or words.texts[index][1:2].isupper():
        return False
    word = _singular(words.texts[index])
    return len(word) > 2 and (word in known or word not in _NO_NAMES)


def _singular(word: str) -> str:
    return fold(re.sub(r"['’]s$", "", word))


@cache
def _not_names() -> frozenset[str]:
    return frozenset(fold(word) for word in _listed("not_names.txt") if "-" not in word)


@cache
def _called_so() -> re.Pattern[str]:
    """Shops, dishes and devices whose names are people's names, of several words."""
    several = [word.replace("-", "[ -]").replace("'", "['’]?") for word in _listed("not_names.txt") if "-" in word]
    return re.compile(rf"\b(?:{'|'.join(several)})\b", re.IGNORECASE)


@cache
def first_names() -> frozenset[str]:
    """Common first names, folded; also those that are words too."""
    return _AMBIGUOUS | {fold(name) for name in _listed("first_names.txt")}


def _listed(file: str) -> list[str]:
    return Path(__file__).with_name(file).read_text(encoding="utf-8").split()
