"""Proposal: a line for the config files that would leave out posts like one that was "Not for us".

It is only proposed: a person reads it, adds it or not. What was danger, and what people answer, is never proposed to be
left out, and danger is read all the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, NamedTuple

from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH
from spacy.language import Language
from spacy.tokens import Doc, Span
from sqlmodel import Field, Session, SQLModel, UniqueConstraint, col, func, select

from alerts.case import Case, CaseEvent
from config.schema import Accounts, Config, Hospital
from listener.keep import DELETED, FORGOTTEN
from listener.logs import logger
from listener.mention import Mention
from listener.watch import Watch
from nlp.components.keywords import phrases_of
from nlp.components.mentions import Mentions, names_of
from nlp.components.redaction import first_names
from nlp.phrase_language import Name
from nlp.phrases import Phrases
from nlp.reading import Reading, reading_in_force
from nlp.tokenizer import blank, fold, visible, words_of

log = logger(__name__)

List = Literal["not_us", "exclude", "accounts"]
LATELY = timedelta(days=30)  # of which it is said what a line would have left out
_LEARNS = timedelta(days=90)  # so far back dismissed posts are compared
_MOST = 500  # of them
_LONGEST = 6  # words of a phrase
_NAME = 3  # words after our name that make it somebody else's
_PLACE = "proposals"  # the Watch that says how far the events of cases were looked at
_SAID = "not for us: "
_NOISE = ("news", "joke", "spam")
_OF_NOISE = ("exclude", "voice:")  # labels of the phrases by which noise is found
_REDACTED = re.compile(r"\[[^\]\n]{0,40}\]|\S*(?:@|://|www\.)\S*")
_BESIDE = words_of("in of at de en")  # stands between our name and a town
_NO_NAME = words_of(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august",
    "september october november december today tonight yesterday please thanks thank lol omg",
)
# Contractions as the tokenizer folds them.
_SMALL = words_of(
    "dont cant wont didnt doesnt isnt wasnt arent werent havent hasnt hadnt couldnt wouldnt shouldnt im ive id ill youre",
    "youve theyre weve hes shes its thats theres whats lets got get going gonna like just really",
)


class Proposal(SQLModel, table=True):
    """One line, proposed once."""

    __table_args__ = (UniqueConstraint("list", "phrase"),)

    id: int | None = Field(default=None, primary_key=True)
    list: str  # one of List: not_us and accounts of hospital.toml, exclude of keywords.toml
    phrase: str  # for accounts the place, "x": never who wrote there
    case_id: int = Field(foreign_key="case.id")  # the case that brought it up
    why: str  # what it would have done, for people; "": the post is gone, and its words with it
    made_at: datetime


class Seen(NamedTuple):
    """A post that people dealt with."""

    text: str  # redacted
    fate: str  # "not for us", "answered", or "" for neither yet
    danger: bool = False


@dataclass(frozen=True)
class Line:
    """What could be added, and to which list."""

    list: List
    phrase: str


# ---------------------------------------------------------------- what to propose; pure


def propose(text: str, reason: str, others: Sequence[str], kept: Sequence[Seen], config: Config) -> Line | None:
    """The line that would leave out posts like `text`, which was not for us for this reason.

    `others`: what else was news, a joke or spam. `kept`: every post that was danger, and what people dealt with lately;
    no line is proposed that stands in danger, or in more posts that were answered than in posts that were not for us.
    """
    if reason == "another place":
        lines = (Line("not_us", name) for name in _longer_names(text, config.hospital))
    elif reason in _NOISE:
        lines = (Line("exclude", phrase) for phrase in _shared(text, others, config))
    else:
        return None
    return next((line for line in lines if _may_be_left_out(line, kept)), None)


def holds(phrase: str, texts: Iterable[str]) -> list[bool]:
    """Whether each text holds the phrase, found as the reader finds it."""
    phrases = Phrases(_language(), {"it": [phrase]})
    return [bool(phrases(_doc(text))) for text in texts]


def _sought(line: Line) -> str:
    """The words of a line as it would be found: in a name no sign means anything."""
    return Name(line.phrase) if line.list == "not_us" else line.phrase


def _may_be_left_out(line: Line, kept: Sequence[Seen]) -> bool:
    in_each = holds(_sought(line), [seen.text for seen in kept])
    found = [seen for seen, is_in in zip(kept, in_each, strict=True) if is_in]
    fates = Counter(seen.fate for seen in found)
    return not any(seen.danger for seen in found) and fates["answered"] <= fates["not for us"]


def _longer_names(text: str, hospital: Hospital) -> Iterator[str]:
    """Our name with what makes it somebody else's: "St. Brigid's Rovers", "St. Brigid's, Cork". Only capitals tell how far
    a name goes."""
    if text.isupper():
        return
    doc = _doc(text)
    Mentions(_language(), "mentions", **names_of(hospital))(doc)
    ours = _of_ours(hospital)
    for span in doc.spans["mentions"]:
        name = _with_what_follows(doc, span, ours)
        if name is not None and name not in hospital.not_us:
            yield name


def _with_what_follows(doc: Doc, span: Span, ours: frozenset[str]) -> str | None:
    start = end = span.end
    if end < len(doc) and (doc[end].text == "," or doc[end].norm_ in _BESIDE):
        start = end = end + 1
    while end < min(len(doc), start + _NAME) and _is_of_a_name(doc[end].text, doc[end].norm_, ours):
        end += 1
    return " ".join(doc[span.start : end].text.split()) if end > start else None


def _is_of_a_name(word: str, norm: str, ours: frozenset[str]) -> bool:
    is_small = norm in ENGLISH or norm in SPANISH or norm in _SMALL or norm in _NO_NAME
    return word.isalpha() and word[0].isupper() and len(word) > 1 and not is_small and norm not in ours


def _shared(text: str, others: Sequence[str], config: Config) -> Iterator[str]:
    """Phrases that the text shares with others: those in most of them first, then the longest."""
    empty, common = empty_words(config.hospital), _vocabulary(config)
    counts: Counter[str] = Counter()
    mine = phrases_in(text, empty, common)
    for other in others:
        counts.update(mine & phrases_in(other, empty, common))
    for phrase, _ in sorted(counts.items(), key=lambda item: (-item[1], -len(item[0]), item[0])):
        if phrase not in config.keywords.exclude.phrases and all(holds(phrase, [text])):
            yield phrase


def phrases_in(text: str, empty: frozenset[str], common: frozenset[str], fewest: int = 2) -> set[str]:
    """The phrases of so many to six words in a row that begin and end with a word that says something, and of which one
    is not `common`, as those are by which patients are found; never a name of a person."""
    doc = _doc(_REDACTED.sub(" . ", text))
    people = first_names()
    names = [token.text[0].isupper() and token.norm_ in people for token in doc]
    words = [token.norm_ if token.text.isalpha() and token.norm_ not in people else "" for token in doc]
    for at in range(1, len(words)):
        if names[at - 1] and doc[at].text[0].isupper():  # a surname, if the reader has left one
            words[at], names[at] = "", True
    says = [len(word) > 2 and word not in empty for word in words]
    found = set()
    for start in range(len(words)):
        for end in range(start + fewest, min(len(words), start + _LONGEST) + 1):
            if not words[end - 1]:
                break
            if says[start] and says[end - 1] and not common.issuperset(words[start:end]):
                found.add(" ".join(words[start:end]))
    return found


def empty_words(hospital: Hospital) -> frozenset[str]:
    """Words that say nothing by themselves, and our own names."""
    return frozenset({fold(word) for word in ENGLISH | SPANISH} | _SMALL | _of_ours(hospital))


def _vocabulary(config: Config) -> frozenset[str]:
    """Words by which patients and what they complain of are found, and those that say nothing."""
    lists = phrases_of(config.keywords)
    spoken = [phrase for label, found in lists.items() if not label.startswith(_OF_NOISE) for phrase in found]
    words = {fold(word) for phrase in spoken for word in re.findall(r"[^\W\d_]+", phrase)}
    return empty_words(config.hospital) | words


def _of_ours(hospital: Hospital) -> frozenset[str]:
    """Words of our own names, places and departments."""
    names = [hospital.name, *hospital.aliases, hospital.town]
    for site in hospital.sites:
        names += [site.name, *site.aliases, *site.departments]
    names += [word for words in hospital.department_words.values() for word in words]
    return frozenset(fold(word) for name in names for word in re.findall(r"[^\W\d_]+", name))


def _doc(text: str) -> Doc:
    return _language().make_doc(visible(text))


@cache
def _language() -> Language:
    return blank()


# ---------------------------------------------------------------- the stage


def watch(session: Session, config: Config, now: datetime) -> int:
    """Propose a line for the next case that was dismissed since the last look, if there is one to propose: 1 or 0. Commits.

    One at a time, as it looks through every post that was danger, and meanwhile nobody else can write.
    """
    place = session.get(Watch, _PLACE, with_for_update=True) or Watch(name=_PLACE)
    seen, newest = place.cursor.get("event", 0), session.exec(select(func.max(CaseEvent.id))).one() or 0
    if newest <= seen:
        session.rollback()
        return 0
    dismissed = select(CaseEvent, Case, Mention.source).where(
        *(col(CaseEvent.id) > seen, CaseEvent.kind == "dismissed", col(CaseEvent.what).startswith(_SAID)),
        *(CaseEvent.case_id == Case.id, Case.state == "dismissed", Case.mention_id == Mention.id),
    )
    found = session.exec(dismissed.order_by(col(CaseEvent.id)).limit(1)).first()
    made = False
    if found is not None:
        event, case, source = found
        made = _propose(session, event.what.removeprefix(_SAID), case, source, config, now)
        newest = event.id or newest
    place.cursor = {"event": newest}
    session.add(place)
    session.commit()
    return int(made)


def forget(session: Session) -> int:
    """Take back lines whose post its author has deleted, or wants forgotten; how many. Commits."""
    theirs = select(Proposal).where(
        *(Proposal.why != "", Proposal.case_id == Case.id, Case.mention_id == Mention.id),
        col(Mention.deleted_why).in_((DELETED, FORGOTTEN)),
    )
    gone = session.exec(theirs).all()
    for proposal in gone:
        proposal.phrase, proposal.why = f"taken back {proposal.id}", ""
        session.add(proposal)
    session.commit()
    return len(gone)


def _propose(session: Session, reason: str, case: Case, source: str, config: Config, now: datetime) -> bool:
    assert case.id is not None
    if reason == "staff":
        line = Line("accounts", source) if source in Accounts.model_fields else None
        why = "a post of one of the staff was taken for a patient's"
    else:
        text = session.execute(_texts().where(Mention.id == case.mention_id)).first()
        line = propose(text[0], reason, _noise(session, case, now), _kept(session, now), config) if text else None
        why = _effect(session, _sought(line), now) if line else ""
    if line is None or _is_known(session, line):
        return False
    session.add(Proposal(list=line.list, phrase=line.phrase, case_id=case.id, why=why, made_at=now))
    session.flush()
    log.info("propose", case=case.id, list=line.list)
    return True


def _is_known(session: Session, line: Line) -> bool:
    same = select(Proposal.id).where(Proposal.list == line.list, Proposal.phrase == line.phrase)
    return session.exec(same).first() is not None


def _texts(*more: Any) -> Any:
    """The redacted words of mentions, by their reading in force, and what else is wanted."""
    in_force = reading_in_force()
    words: tuple[Any, ...] = (Reading.redacted_text, *more)
    of_post = select(*words).join(Mention, col(Mention.id) == Reading.mention_id)
    return of_post.where(in_force, col(Mention.deleted_at).is_(None))


def _noise(session: Session, case: Case, now: datetime) -> list[str]:
    """What else people said was news, a joke or spam."""
    said = [f"{_SAID}{reason}" for reason in _NOISE]
    dismissed = _texts().where(
        *(Case.mention_id == Mention.id, Case.state == "dismissed", Case.id != case.id, CaseEvent.case_id == Case.id),
        *(CaseEvent.kind == "dismissed", col(CaseEvent.what).in_(said), CaseEvent.at > now - _LEARNS),
    )
    return [text for (text,) in session.execute(dismissed.order_by(col(CaseEvent.id).desc()).limit(_MOST))]


def _kept(session: Session, now: datetime) -> list[Seen]:
    """Every post that was danger, and what people dealt with lately."""
    danger = session.execute(_texts().where(Reading.urgency == "danger"))
    lately = session.execute(_texts(Case.state).where(Case.mention_id == Mention.id, Case.opened_at > now - LATELY))
    return [
        *(Seen(text, "", danger=True) for (text,) in danger),
        *(Seen(text, fate(state)) for text, state in lately),
    ]


def fate(state: str) -> str:
    """What people made of a case in this state: see Seen."""
    return "not for us" if state == "dismissed" else "answered" if state in ("answered", "closed") else ""


def _effect(session: Session, phrase: str, now: datetime) -> str:
    """What the line would have done lately, for people."""
    rarest = max(re.findall(r"[^\W\d_]+", phrase), key=len)
    texts = _texts(Case.state).join(Case, col(Case.mention_id) == Mention.id, isouter=True)
    near = texts.where(Mention.heard_at > now - LATELY, col(Reading.redacted_text).icontains(rarest, autoescape=True))
    rows = session.execute(near).all()
    found = [state for (_, state), is_in in zip(rows, holds(phrase, [text for text, _ in rows]), strict=True) if is_in]
    fates = Counter(fate(state or "") for state in found)
    posts = "1 post" if len(found) == 1 else f"{len(found)} posts"
    return (
        f"it would have left out {posts} of the last {LATELY.days} days: {fates['not for us']} that were not for us, "
        f"{fates['answered']} that you answered"
    )
