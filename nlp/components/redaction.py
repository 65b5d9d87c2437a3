"""The post without what names a person: HIPAA Safe Harbor (45 CFR 164.514(b)(2)) as far as rules reach.

Goes: names of people, phones, e-mails, links and handles, record, insurance and social-security numbers, dates with
day and month, addresses, room numbers, ages over 89. Stays: our own names and departments, titles, weekdays, months and
years alone, doses, times, prices.
"""

import re
from functools import cache
from pathlib import Path

from spacy.attrs import NORM
from spacy.language import Language
from spacy.strings import StringStore
from spacy.tokens import Doc

from nlp.tokenizer import fold, text_of

Doc.set_extension("redacted", default="", force=True)
Doc.set_extension("found_personal", default=(), force=True)  # kinds, never the values

_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_STREET = r"(?:st(?:reet)?|ave(?:nue)?|r(?:oa)?d|blvd|boulevard|lane|ln|drive|dr|court|ct|circle|cir|terrace|way|place|pl|parkway|pkwy|highway|hwy|quay)"

# In this order: a longer kind before one that would take a part of it.
_PATTERNS = (
    ("e-mail", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("link", r"(?:https?://|www\.)\S+"),
    ("number", r"\b\d{3}-\d{2}-\d{4}\b"),
    (
        "number",
        r"\b(?:mrn|medical record(?: number| no\.?| #)?|record (?:number|no\.?|#)|patient (?:id|number|no\.?)|account (?:number|no\.?|#)|acct\.?|member (?:id|number)|policy (?:number|no\.?)|insurance (?:id|number|no\.?)|medicare(?: id| number)?|medicaid(?: id| number)?|ssn|social security(?: number)?|claim (?:number|no\.?)|case (?:number|no\.?)|id)\s*(?:is|was|:|#|no\.?)*\s*#?(?=[\w-]*\d)[A-Z0-9][A-Z0-9-]{3,}\b",
    ),
    ("number", r"\b[1-9][A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d{2}\b"),
    (
        "date",
        rf"\b(?:dob|d\.o\.b\.?|date of birth|born(?: on)?|birth ?day|birthdate)\s*(?:is|was|:|on)*\s*(?:\d{{1,4}}[/.-]\d{{1,2}}(?:[/.-]\d{{2,4}})?|{_MONTH}\.?\s+{_DAY}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?)",
    ),
    ("date", r"\b(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])\b"),
    ("date", r"\b(?:0?[1-9]|1[0-2]|[12]\d|3[01])[/.-](?:0?[1-9]|[12]\d|3[01])[/.-](?:(?:19|20)\d\d|\d\d)\b"),
    (
        "date",
        rf"\b{_MONTH}\.?\s+{_DAY}(?:st|nd|rd|th)?\b(?:,?\s+(?:19|20)\d\d)?(?!\s*(?:mg|ml|am|pm|hours?|%|people|days|weeks))",
    ),
    ("date", rf"\b{_DAY}(?:st|nd|rd|th)?\s+(?:of\s+|de\s+)?{_MONTH}\b\.?(?:,?\s+(?:de\s+)?(?:19|20)\d\d)?"),
    ("phone", r"(?<![\w-])(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])?\d{3}[-. ]\d{4}(?![\w-])"),
    ("phone", r"(?<![\w$.,-])\+?\d{10,13}(?![\w-])"),
    (
        "address",
        rf"\b\d{{1,5}}\s+(?:[NSEW]\.?\s+)?(?:[A-Z][\w'’-]+\s+){{1,3}}{_STREET}\b\.?(?:,?\s*(?:apt|apartment|unit|suite|ste|#)\.?\s*\w+)?",
    ),
    (
        "room",
        r"\b(?:room|rm|bed|bay|suite|apt|unit|habitaci[oó]n|cuarto|cama)\.?\s*(?:number|no\.?|#)?\s*#?\d{1,4}[A-Za-z]?\b",
    ),
    (
        "age",
        r"\b(?:9\d|1[01]\d)(?=[\s-]*(?:years?|yrs?|yr|y/?o|a[nñ]os)\b)|(?<=\baged )(?:9\d|1[01]\d)\b|(?<=\bis )(?:9\d|1[01]\d)(?=\s+and\b)|(?<=\bage )(?:9\d|1[01]\d)\b",
    ),
    ("handle", r"(?<![\w@])@\w{2,}|(?<![\w/])u/[\w-]{3,}"),
)
_SIGNED = ("e-mail", "link", "handle")  # the others hold a digit
_COMPILED = tuple(
    (
        hint,
        [
            (kind, re.compile(pattern, 0 if kind == "address" else re.IGNORECASE))
            for kind, pattern in _PATTERNS
            if (kind in _SIGNED) == signed
        ],
    )
    for hint, signed in ((re.compile(r"@|/|www"), True), (re.compile(r"\d"), False))
)

_RELATIVES = frozenset(
    [
        "mom",
        "mum",
        "mother",
        "dad",
        "father",
        "husband",
        "wife",
        "son",
        "daughter",
        "grandma",
        "grandpa",
        "grandmother",
        "grandfather",
        "nana",
        "sister",
        "brother",
        "aunt",
        "uncle",
        "niece",
        "nephew",
        "baby",
        "boy",
        "girl",
        "kid",
        "child",
        "friend",
        "neighbor",
        "neighbour",
        "cousin",
        "roommate",
        "partner",
        "fiance",
        "fiancee",
        "mama",
        "papa",
        "hijo",
        "hija",
        "abuela",
        "abuelo",
        "esposo",
        "esposa",
        "hermano",
        "hermana",
        "tia",
        "tio",
    ]
)
_STAFF = frozenset(
    [
        "dr",
        "doctor",
        "doc",
        "nurse",
        "rn",
        "lpn",
        "cna",
        "tech",
        "technician",
        "therapist",
        "surgeon",
        "midwife",
        "receptionist",
        "volunteer",
        "chaplain",
        "aide",
        "doula",
        "phlebotomist",
        "pa",
        "np",
        "enfermera",
        "enfermero",
        "doctora",
        "mr",
        "mrs",
        "ms",
        "miss",
        "sr",
        "sra",
        "named",
        "name",
        "names",
        "called",
    ]
)
# First names that are also words, months or places: names only beside a title, a relative or a surname.
_AMBIGUOUS = frozenset(
    [
        "will",
        "mark",
        "grace",
        "hope",
        "faith",
        "joy",
        "may",
        "june",
        "april",
        "august",
        "rose",
        "summer",
        "angel",
        "art",
        "bill",
        "rob",
        "pat",
        "sue",
        "drew",
        "chase",
        "frank",
        "jack",
        "grant",
        "dawn",
        "penny",
        "iris",
        "ivy",
        "lily",
        "daisy",
        "violet",
        "ruby",
        "pearl",
        "amber",
        "crystal",
        "dean",
        "earl",
        "duke",
        "miles",
        "page",
        "paige",
        "precious",
        "star",
        "sky",
        "melody",
        "harmony",
        "destiny",
        "charity",
        "mercy",
        "christian",
        "guy",
        "ray",
        "rich",
        "dick",
        "bob",
        "carol",
        "holly",
        "heather",
        "olive",
        "sage",
        "reed",
        "cliff",
        "glen",
        "dale",
        "forest",
        "wade",
        "ken",
        "max",
        "victor",
        "gene",
        "jean",
        "robin",
        "jay",
        "bo",
        "rusty",
        "sandy",
        "misty",
        "stormy",
        "sunny",
        "lance",
        "chance",
        "ace",
        "major",
        "judge",
        "chris",
        "mason",
        "hunter",
        "cooper",
        "carter",
        "porter",
        "taylor",
        "parker",
        "tanner",
        "sterling",
        "clay",
        "stone",
        "jordan",
        "austin",
        "dallas",
        "sydney",
        "paris",
        "london",
        "brooklyn",
        "chelsea",
        "savannah",
        "georgia",
        "virginia",
        "carolina",
        "florence",
        "charlotte",
        "madison",
        "lincoln",
        "jackson",
    ]
)
_NOT_SURNAMES = frozenset(
    [
        "and",
        "or",
        "the",
        "at",
        "in",
        "on",
        "was",
        "is",
        "has",
        "had",
        "who",
        "said",
        "from",
        "for",
        "to",
        "of",
        "a",
        "i",
        "he",
        "she",
        "they",
        "we",
        "you",
        "but",
        "so",
        "because",
        "with",
        "when",
        "after",
        "er",
        "icu",
        "nicu",
        "ed",
        "unit",
        "staff",
        "nurse",
        "team",
        "please",
    ]
)


@Language.component(
    "redaction", requires=["doc.spans", "doc._.mentions_us"], assigns=["doc._.redacted", "doc._.found_personal"]
)
def redaction(doc: Doc) -> Doc:
    """Set doc._.redacted."""
    text = text_of(doc)
    kept = [(span.start_char, span.end_char) for span in doc.spans["mentions"]]
    found: list[tuple[int, int, str]] = []
    for hint, patterns in _COMPILED:
        if hint.search(text):
            for kind, pattern in patterns:
                found += [(match.start(), match.end(), kind) for match in pattern.finditer(text)]
    if _may_name(doc):
        found += _names(doc)
    if not found:
        doc._.redacted = text
        return doc
    out, last, kinds = [], 0, []
    # At one place the longest wins; whatever overlaps it goes with it, so that no half of a value stays.
    for start, end, kind in _merged(found):
        if any(start < stop and begin < end for begin, stop in kept) and kind in ("name", "handle"):
            continue
        out += [text[last:start], f"[{kind}]"]
        last = end
        kinds.append(kind)
    doc._.redacted = "".join([*out, text[last:]])
    doc._.found_personal = tuple(dict.fromkeys(kinds))
    return doc


def _merged(found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    merged: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(found, key=lambda f: (f[0], -f[1])):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), before[2])
        else:
            merged.append((start, end, kind))
    return merged


def _may_name(doc: Doc) -> bool:
    """Whether a word of the post is a first name, or stands where a name follows."""
    return not _hints(doc.vocab.strings).isdisjoint(doc.to_array(NORM).tolist())


@cache
def _hints(strings: StringStore) -> frozenset[int]:
    return frozenset(strings.add(word) for word in (*_first_names(), *_RELATIVES, *_STAFF))


def _names(doc: Doc) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    names = _first_names()
    index = 0
    while index < len(doc):
        token = doc[index]
        if (
            token.text[:1].isupper()
            and token.is_alpha | ("'" in token.text) | ("’" in token.text)
            and len(token.text) > 1
        ):
            end = _name_end(doc, index, names)
            if end:
                last = doc[end - 1]
                trimmed = re.sub(r"['’]s?$", "", last.text)
                found.append((token.idx, last.idx + len(trimmed), "name"))
                index = end
                continue
        index += 1
    return found


def _name_end(doc: Doc, index: int, names: frozenset[str]) -> int | None:
    """Where the name that starts at `index` ends; None when it is no name."""
    token = doc[index]
    word = _singular(token.text)
    before = doc[index - 1].norm_ if index else ""
    titled = before in _STAFF or (before in ("is", ",") and index > 1 and doc[index - 2].norm_ in ("name", *_RELATIVES))
    related = before in _RELATIVES
    known = word in names
    follows = _surname_follows(doc, index + 1)
    if not token.text.isupper() or len(token.text) < 3 or titled or related:
        if (titled or related) and word not in _NOT_SURNAMES and not _is_common(word, known):
            return index + 1 + follows
        if known and (word not in _AMBIGUOUS or (follows and not token.is_sent_start)):
            return index + 1 + follows
    elif known and word not in _AMBIGUOUS:
        return index + 1
    return None


def _surname_follows(doc: Doc, index: int) -> int:
    """1 when the next word is written like a surname, 2 with an initial between."""
    for skipped in (0, 1):
        if index + skipped < len(doc):
            token = doc[index + skipped]
            if len(token.text.rstrip(".")) == 1 and token.text[0].isupper() and skipped == 0 and token.text != "I":
                continue
            is_surname = (
                token.text[:1].isupper()
                and len(token.text) > 2
                and token.text[1:2].islower()
                and not token.is_sent_start
            )
            if (
                is_surname
                and _singular(token.text) not in _NOT_SURNAMES
                and not _is_common(_singular(token.text), False)
            ):
                return skipped + 1
        break
    return 0


def _singular(word: str) -> str:
    return fold(re.sub(r"['’]s$", "", word))


def _is_common(word: str, known: bool) -> bool:
    """Words that stand after "nurse" or "my dad" with a capital and are no names."""
    return not known and word in _COMMON


_COMMON = frozenset(
    [
        "er",
        "icu",
        "nicu",
        "ed",
        "hospital",
        "medical",
        "center",
        "saint",
        "brigid",
        "brigids",
        "harbor",
        "lakeside",
        "campus",
        "pavilion",
        "emergency",
        "department",
        "clinic",
        "unit",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "room",
        "floor",
        "street",
        "church",
        "school",
        "i",
        "you",
        "he",
        "she",
        "they",
        "we",
        "it",
        "the",
        "a",
        "an",
        "and",
        "or",
        "but",
        "so",
        "was",
        "is",
        "are",
        "has",
        "had",
        "who",
        "what",
        "when",
        "where",
        "why",
        "how",
        "not",
        "no",
        "never",
        "always",
        "practitioner",
        "station",
        "line",
        "manager",
        "call",
        "button",
        "desk",
        "staff",
        "team",
        "says",
        "said",
        "told",
        "just",
        "also",
        "still",
        "now",
        "got",
        "came",
        "comes",
        "went",
        "care",
        "day",
        "week",
        "night",
        "shift",
        "educator",
        "recruiter",
        "jobs",
        "job",
        "openings",
        "hiring",
        "wanted",
        "strike",
        "union",
    ]
)


@cache
def _first_names() -> frozenset[str]:
    path = Path(__file__).with_name("first_names.txt")
    return frozenset(fold(name) for name in path.read_text(encoding="utf-8").split())
