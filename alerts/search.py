"""What was said about something: the mentions in which it stands, the best match first. A look; it writes nothing.

Only redacted words are looked through, those of the reading in force, so nobody is found by name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import get_args

from rapidfuzz.distance import OSA
from sqlmodel import Session, col, select

from alerts import fulltext
from alerts.case import Case, State
from alerts.message import NAMES, PLACES, place, visible
from alerts.query import Query, Term, understood
from alerts.section import Table
from alerts.topic import title_of, titles_of
from alerts.verdict import Verdict
from config.schema import Config
from listener.errors import NeedsPerson
from listener.mention import Mention
from nlp.reading import URGENCIES, Reading
from nlp.wordforms import WORD, fold

RANKED = 5_000  # the newest so many that fit are put in order
_COUNTED = RANKED + 1  # one more, which says that there are more
KINDS = ("complaint", "question", "praise", "comment", "news", "promo", "other")  # of a patient, and what is none
_NOT_FOR_US = ("promo", "other")
STATES: tuple[State, ...] = get_args(State)

_EXCERPT = 200  # characters
_BEFORE = 50  # of them before the first word that was found
_NEAR = 5  # ways out where nothing was found
_WITHOUT = "without --"
_ONE_MISTAKE, _TWO_MISTAKES = 4, 8  # letters from which on a word may have so many


@dataclass(frozen=True)
class Filters:
    """What narrows a search; None: whatever there is. Categories and sites also by their titles."""

    category: str | None = None
    urgency: str | None = None
    site: str | None = None
    source: str | None = None
    kind: str | None = None  # one of KINDS
    state: str | None = None  # of the case that the mention belongs to
    since: datetime | None = None  # when it was written


@dataclass(frozen=True)
class Hit:
    """A mention that was found."""

    mention_id: int
    written_at: datetime
    source: str
    urgency: str
    kind: str  # one of KINDS; "ours" where the hospital wrote it
    categories: tuple[str, ...]
    site: str | None
    case_id: int | None
    case_state: str | None
    excerpt: str  # redacted, in one line
    marks: tuple[tuple[int, int], ...]  # where in the excerpt the words stand that were looked for: from, to
    url: str | None
    score: float  # the more the better; of one search alone


@dataclass(frozen=True)
class Near:
    """What would be found with another question."""

    what: str
    total: int  # as in Found

    @property
    def leaves_out(self) -> str | None:
        """The filter that it is without; None where `what` is another query: none of those begins so."""
        return self.what.removeprefix(_WITHOUT) if self.what.startswith(_WITHOUT) else None


@dataclass(frozen=True)
class Found:
    """What a search came to."""

    hits: tuple[Hit, ...]
    total: int  # that fit; RANKED + 1 where there are more than RANKED
    looked_for: str  # the query as it was understood
    mended: tuple[tuple[str, str], ...] = ()  # words that stand nowhere, and what was looked for instead
    unknown: tuple[str, ...] = ()  # words that stand nowhere and are like no other
    near: tuple[Near, ...] = ()  # where nothing was found


def table(hits: Sequence[Hit], config: Config) -> Table:
    """What was found, for a spreadsheet: without links, which name the author at some places."""
    called = titles_of(config)
    rows = [
        (
            f"{hit.written_at.astimezone(config.hospital.zone):%Y-%m-%d %H:%M}",
            place(hit.source),
            hit.kind,
            NAMES.get(hit.urgency, hit.urgency),
            ", ".join(title_of(name, called) for name in hit.categories),
            hit.site,
            str(hit.case_id) if hit.case_id else None,  # its name, no amount
            hit.case_state,
            hit.excerpt,
        )
        for hit in hits
    ]
    header = ("Written", "On", "Kind", "Urgency", "Topics", "Site", "Case", "State", "In short")
    return Table("search", header, rows)


def how_many(total: int) -> str:
    """A total in words."""
    return f"more than {RANKED:,}" if total > RANKED else f"{total:,}"


def search(session: Session, config: Config, text: str, filters: Filters, limit: int = 20) -> Found:
    """Look for a text among what was kept; without one, the newest that fit the filters.

    Raises NeedsPerson for a filter with a value that there is not, and names those that there are.
    """
    query, filters = understood(text), _known(session, config, filters)
    if query.is_wordless:
        return Found((), 0, "")
    found = _look(session, query, filters, limit)
    if found.total:
        return found
    mended, unknown = _mistakes(session, query)
    if mended:
        query = _mend(query, mended)
        found = _look(session, query, filters, limit)
    near = () if found.total else tuple(_near(session, query, filters, unknown))
    return replace(found, mended=tuple(mended.items()), unknown=unknown, near=near)


def _look(session: Session, query: Query, filters: Filters, limit: int) -> Found:
    if query.wanted:
        scores = dict(fulltext.matches(session, query, *_narrowed(filters)))
        ordered = _ordered(session, query, filters, scores)
    else:
        ordered = fulltext.newest(session, query, *_narrowed(filters))
        scores = dict.fromkeys(ordered, 0.0)
    return Found(_hits(session, query, ordered[:limit], scores), len(scores), str(query))


def _ordered(session: Session, query: Query, filters: Filters, scores: Mapping[int, float]) -> list[int]:
    """The best first. Advertisements and jokes are last: whatever they say, what patients say comes before it."""
    facets, most, *_ = _narrowed(filters)
    oldest = min(scores, default=0)

    def among(stricter: Query, **more: str) -> set[int]:
        return set(fulltext.since_number(session, stricter, facets | more, oldest, most))

    aside = set().union(*(among(query, kind=kind) for kind in _NOT_FOR_US if filters.kind is None))
    better = [among(stricter) for stricter in _better(query)]
    # Of two that fit as well the newer stays first, as they came.
    return sorted(scores, key=lambda id_: (id_ in aside, *(id_ not in ids for ids in better), scores[id_]))


def _better(query: Query) -> Iterable[Query]:
    """Stricter queries, whose matches come first: all the words side by side, then each as it was typed."""
    single = [group[0] for group in query.wanted if len(group) == 1]
    if len(single) == len(query.wanted) > 1:
        yield replace(query, wanted=((Term(tuple(word for term in single for word in term.words), exact=True),),))
    typed = tuple(tuple(replace(term, exact=True) for term in group) for group in query.wanted)
    if typed != query.wanted:
        yield replace(query, wanted=typed)


def _narrowed(filters: Filters) -> tuple[dict[str, str], int, datetime | None, tuple[State, ...] | None]:
    facets = {name: value for name in fulltext.FACETS if (value := getattr(filters, name)) is not None}
    return facets, _COUNTED, filters.since, tuple(state for state in STATES if state == filters.state) or None


# ---------------------------------------------------------------- what is shown of it


def _hits(session: Session, query: Query, ids: Sequence[int], scores: dict[int, float]) -> tuple[Hit, ...]:
    mentions = select(Mention).where(col(Mention.id).in_(ids))
    kept = {mention.id: mention for mention in session.exec(mentions)}
    readings = select(Reading).where(col(Reading.mention_id).in_(ids)).order_by(col(Reading.id))
    newest = {reading.mention_id: reading for reading in session.exec(readings)}
    cases = _cases(session, ids)
    return tuple(_hit(query, kept[id_], newest[id_], cases.get(id_), -scores[id_]) for id_ in ids)


def _hit(query: Query, mention: Mention, reading: Reading, case: Case | None, score: float) -> Hit:
    assert mention.id is not None
    excerpt, marks = excerpt_of(reading.redacted_text, query)
    return Hit(
        mention_id=mention.id,
        written_at=mention.written_at,
        source=mention.source,
        urgency=reading.urgency,
        kind="ours" if mention.own else reading.kind or reading.voice,
        categories=tuple(category["id"] for category in reading.categories),
        site=reading.site,
        case_id=case.id if case else None,
        case_state=case.state if case else None,
        excerpt=excerpt,
        marks=marks,
        url=mention.url,
        score=round(score, 3),
    )


def _cases(session: Session, ids: Sequence[int]) -> dict[int, Case]:
    """The case of each mention that has one; of several the newest."""
    theirs = select(Verdict.mention_id, Case).where(Verdict.case_id == Case.id, col(Verdict.mention_id).in_(ids))
    return dict(session.exec(theirs.order_by(col(Verdict.id))).all())


def excerpt_of(text: str, query: Query) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The part of a text where most of what is looked for stands, in one line, and where in it each of it stands."""
    line = " ".join(visible(text).split())
    marks = _marks(line, query)
    if len(line) <= _EXCERPT:
        return line, marks
    first = max((start for start, _ in marks), key=lambda start: (_distinct(line, marks, start), -start), default=0)
    # Between words, where words are parted by spaces.
    start = max(line.rfind(" ", 0, first - _BEFORE + 1) + 1, first - 2 * _BEFORE) if first > _BEFORE else 0
    end = min(start + _EXCERPT, len(line))
    if end < len(line) and (space := line.rfind(" ", start + _EXCERPT // 2, end)) > 0:
        end = space
    head, tail = "… " if start else "", " …" if end < len(line) else ""
    shift = len(head) - start
    inside = tuple((a + shift, b + shift) for a, b in marks if a >= start and b <= end)
    return head + line[start:end] + tail, inside


def _distinct(line: str, marks: Sequence[tuple[int, int]], start: int) -> int:
    reach = start + _EXCERPT - 2 * _BEFORE
    return len({fold(line[a:b]) for a, b in marks if start <= a and b <= reach})


def _marks(line: str, query: Query) -> tuple[tuple[int, int], ...]:
    """From and to of every word and phrase in a line that is looked for."""
    found = [(match.start(), match.end(), fold(match[0])) for match in WORD.finditer(line)]
    words = [word for _, _, word in found]
    marks: set[tuple[int, int]] = set()
    for term in (term for group in query.wanted for term in group):
        if single := term.forms:
            marks |= {(start, end) for start, end, word in found if word in single}
            continue
        size = len(term.words)
        for at in range(len(words) - size + 1):
            if tuple(words[at : at + size]) == term.words:
                marks.add((found[at][0], found[at + size - 1][1]))
    return tuple(sorted(marks))


# ---------------------------------------------------------------- where nothing is found


def _mistakes(session: Session, query: Query) -> tuple[dict[str, str], tuple[str, ...]]:
    """Words that stand nowhere: those that are like another, with it, and the rest."""
    mended: dict[str, str] = {}
    unknown: list[str] = []
    for term in (term for group in query.wanted for term in group):
        for word in dict.fromkeys(term.words):
            if word in mended or fulltext.says(session, Term((word,), term.exact or len(term.words) > 1)):
                continue
            if (instead := _nearest(session, word)) is not None:
                mended[word] = instead
            else:
                unknown.append(word)
    return mended, tuple(dict.fromkeys(unknown))


def _nearest(session: Session, word: str) -> str | None:
    """The word of the posts that most likely was meant: the fewest mistakes, then the most posts."""
    if len(word) < _ONE_MISTAKE or not word.isalpha():
        return None
    allowed = 2 if len(word) >= _TWO_MISTAKES else 1
    near = (
        (mistakes, -posts, other)
        for other, posts in fulltext.like(session, word)
        if (mistakes := OSA.distance(word, other, score_cutoff=allowed)) <= allowed
    )
    return min(near, default=(0, 0, None))[2]


def _mend(query: Query, mended: dict[str, str]) -> Query:
    def other(term: Term) -> Term:
        return replace(term, words=tuple(mended.get(word, word) for word in term.words))

    return replace(query, wanted=tuple(tuple(other(term) for term in group) for group in query.wanted))


def _near(session: Session, query: Query, filters: Filters, unknown: Sequence[str]) -> Iterable[Near]:
    """The same with one condition less, as far as anything is found then."""
    others = [
        (f"{_WITHOUT}{field.name}", query, replace(filters, **{field.name: None}))
        for field in fields(filters)
        if getattr(filters, field.name) is not None
    ]
    others += [(str(less), less, filters) for less in _with_less(query, unknown)]
    counted = (Near(what, len(fulltext.newest(session, less, *_narrowed(some)))) for what, less, some in others)
    return [near for near in counted if near.total][:_NEAR]


def _with_less(query: Query, unknown: Sequence[str]) -> Iterable[Query]:
    """The query without the words that stand nowhere; where there are none, without one of its terms."""
    groups = query.wanted
    known = tuple(group for group in groups if not any(word in unknown for term in group for word in term.words))
    one_less = [groups[:number] + groups[number + 1 :] for number in range(len(groups))]
    fewer = [known] if known != groups else one_less
    yield from (replace(query, wanted=less) for less in fewer if less)
    if query.unwanted:
        yield replace(query, unwanted=())


# ---------------------------------------------------------------- filters


def _known(session: Session, config: Config, filters: Filters) -> Filters:
    """The filters with their values as they are kept."""
    typed = {field.name: getattr(filters, field.name) for field in fields(filters) if field.name != "since"}
    values = {name: _value(session, config, name, value) for name, value in typed.items() if value is not None}
    return Filters(**values, since=filters.since)


def _value(session: Session, config: Config, name: str, typed: str) -> str:
    """A value of a filter from what somebody typed: itself or its title, or what only one of them has in it."""
    titles = _titles(config, name)
    there = {typed_so.casefold(): value for value, several in titles.items() for typed_so in (value, *several)}
    if typed.casefold() not in there and name in fulltext.FACETS:  # config may have known more once
        kept = fulltext.values(session, name)
        there |= {value.casefold(): value for value in kept}
        if name == "category":
            there |= {title_of(value, titles_of(config)).casefold(): value for value in kept}
    alike = {value for title, value in there.items() if typed.casefold() in title}
    if typed.casefold() not in there and (len(alike) != 1 or not typed.strip()):
        known = ", ".join(dict.fromkeys(there.values())) or "none yet"
        raise NeedsPerson(f"--{name}: there is no {typed!r}; there are {known}")
    return there.get(typed.casefold()) or alike.pop()


def _titles(config: Config, name: str) -> Mapping[str, Sequence[str]]:
    """Every value that a filter may have by what we know, and what people call it."""
    titles: dict[str, Mapping[str, Sequence[str]]] = {
        "category": {topic: (title,) for topic, title in titles_of(config).items()},
        "urgency": {urgency: (NAMES[urgency],) for urgency in URGENCIES if urgency != "none"} | {"none": ()},
        "site": {site.name: site.aliases for site in config.hospital.sites},
        "source": {source: (title,) for source, title in PLACES.items()},
        "kind": dict.fromkeys(KINDS, ()),
        "state": dict.fromkeys(STATES, ()),
    }
    return titles[name]
