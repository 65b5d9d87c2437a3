"""Suggestions for the config files, from what people did with cases: each with its evidence and what it would do.

They said "not for us", gave a case other topics, made it more urgent. Nothing is written here, nothing is suggested that
takes danger away or makes anything less urgent, and no phrase holds a name of a person or a number.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from alerts.case import RANK, US, Case, CaseEvent
from alerts.proposals import LATELY, Proposal, empty_words, fate, phrases_in
from alerts.suggestion import HOSPITAL, KEYWORDS, Change, Effect, Suggestion
from alerts.verdict import Verdict
from config.schema import Config, Hospital
from listener.mention import Mention
from nlp.pipeline import Reader, Text
from nlp.reading import Reading, reading_in_force
from nlp.tokenizer import fold
from nlp.tuning import Seeker, phrases_of

Progress = Callable[[int, int], None]  # how many posts were looked at, of how many
MOST = 10  # suggestions at once
_TRIED = 24  # phrases of one list that are counted
_WRITTEN_LEVELS = ("danger", "here_now", "serious")  # those with phrases of their own
_AGAIN = 3  # stories that share a single word, or that lost a topic by one phrase, before anything is suggested
_SHARE = 100  # a phrase that more than one post in so many holds, beside those it is for, says too little
_ONE_WORD = 5  # letters of a phrase that is a single word
_LENGTHS = {2: 0, 3: 1, 4: 2, 1: 3}  # how many words are liked best: few, but more than one
_LISTS = {"not_us": (HOSPITAL, ("not_us",)), "exclude": (KEYWORDS, ("exclude", "phrases"))}  # of proposals
_BATCH = 1000


@dataclass(frozen=True)
class Told:
    """A case as people left it, beside how it was read."""

    case_id: int
    texts: tuple[str, ...]  # redacted
    read_topics: frozenset[str]
    read_urgency: str
    topics: frozenset[str] | None = None  # as a person corrected them
    made: str | None = None  # how urgent, by a person
    said: str = ""  # why it was not for us
    fate: str = ""
    who: str = ""  # tells authors apart; never shown
    story: int = 0


# ---------------------------------------------------------------- what people did; pure


def into_topics(cases: Sequence[Told], config: Config) -> Iterator[Suggestion]:
    """Phrases that the cases share which people moved into a topic."""
    for topic, category in config.keywords.categories.items():
        moved = [case for case in cases if case.topics is not None and topic in case.topics - case.read_topics]
        change = Change(KEYWORDS, ("categories", topic, "phrases"), "add", "")
        yield from _shared(moved, change, category.phrases, category.no_match, config.hospital, "were moved into it")


def more_urgent(cases: Sequence[Told], config: Config) -> Iterator[Suggestion]:
    """Phrases that the cases share which people made more urgent than they were read."""
    for level in _WRITTEN_LEVELS:
        raised = [case for case in cases if case.made == level and RANK[case.read_urgency] > RANK[level]]
        table = getattr(config.keywords.urgency, level)
        change = Change(KEYWORDS, ("urgency", level, "phrases"), "add", "")
        yield from _shared(raised, change, table.phrases, table.no_match, config.hospital, "were made so urgent")


def _shared(
    cases: Sequence[Told], change: Change, known: Sequence[str], never: Sequence[str], hospital: Hospital, what: str
) -> Iterator[Suggestion]:
    """What two stories of different people have in common that no phrase of the list finds yet."""
    if _stories(cases) < 2:
        return
    finds = Seeker({"known": known})
    new = [case for case in cases if not any(finds(text) for text in case.texts)]
    empty = empty_words(hospital)
    held: dict[str, list[Told]] = defaultdict(list)
    for case in new:
        for phrase in {phrase for text in case.texts for phrase in phrases_in(text, empty, empty, 1)}:
            held[phrase].append(case)
    # A single word must be a word for certain, many must say it, and it says too little to make anything urgent.
    small = {
        fold(word) for case in new for text in case.texts for word in re.findall(r"[^\W\d_]+", text) if word.islower()
    }
    long = [one for one in held if " " in one or (change.topic and len(one) >= _ONE_WORD and one in small)]
    stories = {one: _stories(held[one]) for one in long}
    found = sorted((-stories[one], _liked(one), one) for one in long if stories[one] >= (2 if " " in one else _AGAIN))[
        :_TRIED
    ]
    refused = _held_by(never, [phrase for _, _, phrase in found])
    for _, _, phrase in found:
        if phrase not in refused:
            numbers = tuple(sorted(case.case_id for case in held[phrase]))
            why = f"{_cases(numbers)} {what} and say it"
            yield Suggestion(replace(change, phrase=phrase), why, numbers, stories=stories[phrase])


def _held_by(texts: Iterable[str], phrases: Iterable[str]) -> set[str]:
    """Which of the phrases stand in one of the texts."""
    finds = Seeker({phrase: [phrase] for phrase in phrases})
    return set().union(*map(finds, texts))


def _stories(cases: Collection[Told]) -> int:
    """How many different people told how many different stories, whichever is less."""
    return min(len({case.who for case in cases}), len({case.story for case in cases}))


def _liked(phrase: str) -> int:
    return _LENGTHS.get(len(phrase.split()), len(_LENGTHS))


def out_of_topics(
    cases: Sequence[Told], config: Config, read: Callable[[Config, Sequence[str]], list[set[str]]]
) -> Iterator[Suggestion]:
    """Phrases that alone gave posts a topic which people took away, three times or more, and more often than not.

    `read` gives the topics of texts under a configuration.
    """
    doubted: list[tuple[str, str, list[Told], list[Told]]] = []
    for topic, category in config.keywords.categories.items():
        lost = [case for case in cases if case.topics is not None and topic in case.read_topics - case.topics]
        if len(lost) < _AGAIN:
            continue
        finds = Seeker({phrase: [phrase] for phrase in category.phrases})
        stayed = [
            case
            for case in cases
            if topic in case.read_topics and case.fate == "answered" and (case.topics is None or topic in case.topics)
        ]
        taken, left = _by_one_phrase(lost, finds), _by_one_phrase(stayed, finds)
        doubted += [(topic, phrase, taken[phrase], left.get(phrase, [])) for phrase in sorted(taken)]
    doubted = [one for one in doubted if len(one[2]) >= _AGAIN]
    if not doubted:
        return
    without = _without(config, {(topic, phrase) for topic, phrase, _, _ in doubted})
    for topic, phrase, *both in doubted:
        lost, stayed = (_no_longer(cases, topic, without, read) for cases in both)
        if _stories(lost) >= _AGAIN and len(lost) > len(stayed):
            yield _narrowed_or_out(topic, phrase, lost, stayed, config.hospital)


def _by_one_phrase(cases: Iterable[Told], finds: Seeker) -> dict[str, list[Told]]:
    """The cases in which one phrase alone is found, by that phrase."""
    found: dict[str, list[Told]] = defaultdict(list)
    for case in cases:
        phrases = set().union(*(finds(text) for text in case.texts))
        if len(phrases) == 1:
            found[phrases.pop()].append(case)
    return found


def _no_longer(
    cases: Sequence[Told], topic: str, without: Config, read: Callable[[Config, Sequence[str]], list[set[str]]]
) -> list[Told]:
    """The cases that would not be read as about the topic: the phrase was the only reason."""
    texts = [(case, text) for case in cases for text in case.texts]
    found = read(without, [text for _, text in texts])
    still = {case.case_id for (case, _), topics in zip(texts, found, strict=True) if topic in topics}
    return [case for case in cases if case.case_id not in still]


def _without(config: Config, phrases: Collection[tuple[str, str]]) -> Config:
    categories = {
        name: table.model_copy(update={"phrases": tuple(one for one in table.phrases if (name, one) not in phrases)})
        for name, table in config.keywords.categories.items()
    }
    return config.model_copy(update={"keywords": config.keywords.model_copy(update={"categories": categories})})


def _narrowed_or_out(
    topic: str, phrase: str, taken: Sequence[Told], left: Sequence[Told], hospital: Hospital
) -> Suggestion:
    """The longer phrase that tells those that people left from the others, where there is one; else the phrase goes."""
    numbers = tuple(sorted(case.case_id for case in taken))
    why = f"people took the topic away from {_cases(numbers)}, which hold nothing else of it"
    change = Change(KEYWORDS, ("categories", topic, "phrases"), "take out", phrase)
    empty = empty_words(hospital)
    longer = [
        {one for text in case.texts for one in phrases_in(text, empty, empty) if f" {fold(phrase)} " in f" {one} "}
        for case in left
    ]
    shared = sorted(set.intersection(*longer), key=lambda one: (len(one.split()), one)) if len(left) > 1 else []
    wrong = _held_by((text for case in taken for text in case.texts), shared)
    if right := next((one for one in shared if one not in wrong), None):
        change = replace(change, do="narrow", instead=right)
        why = f"{why}; {_cases([case.case_id for case in left])} kept it"
    return Suggestion(change, why, numbers, stories=_stories(taken))


def not_for_us(
    rows: Sequence[Proposal], cases: Sequence[Told], hospital: Hospital, known: Collection[str]
) -> Iterator[Suggestion]:
    """What was proposed when people said "not for us", as far as the files do not have it."""
    changes = {row.id: Change(*_LISTS[row.list], "add", row.phrase) for row in rows if row.list in _LISTS}
    new = {number: change for number, change in changes.items() if fold(change.phrase) not in known}
    finds = seeker_of(new.values())
    held = [(case, set().union(*map(finds, case.texts))) for case in cases if case.said] if new else []
    for row in rows:
        if row.list == "accounts" and not getattr(hospital.accounts, row.phrase, "?"):
            change = Change(HOSPITAL, ("accounts",), "by hand", row.phrase)
            yield Suggestion(change, f"case {row.case_id} was not for us: by our own staff", (row.case_id,))
        elif row.id in new:
            theirs = [case for case, phrases in held if row.phrase in phrases]
            said = ", ".join(dict.fromkeys(case.said for case in theirs))
            numbers = tuple(sorted({row.case_id, *(case.case_id for case in theirs)}))
            why = f"people said that {_cases(numbers)} {'are' if len(numbers) > 1 else 'is'} not for us"
            why += f" ({said})" if said else ""
            yield Suggestion(new[row.id], why, numbers, stories=max(1, _stories(theirs)))


def _cases(numbers: Sequence[int]) -> str:
    """ "case 3", "cases 3 and 4", "cases 3, 4 and 5"; of many the first."""
    shown = [str(number) for number in sorted(numbers)[:6]]
    more = len(numbers) - len(shown)
    last = f"{more} more" if more else shown.pop() if len(shown) > 1 else ""
    return f"case{'s' * (len(numbers) > 1)} {', '.join(shown)}{f' and {last}' if last else ''}"


# ---------------------------------------------------------------- which of them are worth it; pure


def chosen(found: Iterable[Suggestion], posts: int, names_somebody: Callable[[Change], bool]) -> list[Suggestion]:
    """The ten strongest of those that would do more good than harm, each about other cases than the ones before it.

    `posts`: how many were heard in the last 30 days.
    """
    fair = [one for one in found if _is_fair(one, posts)]
    fair.sort(key=lambda one: (_order(one), one.effect.others, one.change.file, one.change.path, one.change.phrase))
    taken: list[Suggestion] = []
    for one in fair:
        same = [other for other in taken if other.change.path == one.change.path and other.change.do == one.change.do]
        spoken = {number for other in same for number in (*other.cases, *other.missed)}
        is_new = not same or not spoken.issuperset((*one.cases, *one.missed))
        if is_new and not (one.change.do == "add" and names_somebody(one.change)):
            taken.append(one)
        if len(taken) == MOST:
            break
    return taken


def _order(one: Suggestion) -> tuple[bool, int, int]:
    """Danger first, then by how many people speak for it; what only a person can write comes after what can be done."""
    return one.change.level != "danger", -one.stories + 100 * (one.change.do == "by hand"), _liked(one.change.phrase)


def _is_fair(one: Suggestion, posts: int) -> bool:
    change, effect = one.change, one.effect
    if change.path in (("exclude", "phrases"), ("not_us",)) and change.do == "add":
        return not effect.danger and effect.answered <= max(effect.not_for_us, len(one.cases))
    if change.do != "add":
        return True
    if change.path == ("aliases",):
        return effect.not_for_us <= one.stories
    most = one.stories if " " not in change.phrase else max(one.stories, posts // _SHARE)
    return effect.others <= min(most, 10 * one.stories) and effect.against < one.stories


# ---------------------------------------------------------------- what is kept


def suggest(
    session: Session,
    config: Config,
    since: datetime,
    now: datetime,
    more: Sequence[Suggestion] = (),
    progress: Progress = lambda done, of: None,
) -> list[Suggestion]:
    """What the files could say better, the strongest first; `more` are those from missed posts. Only looks."""
    cases = _told(session, since)
    rows = session.exec(
        select(Proposal).where(Proposal.made_at > since, Proposal.why != "").order_by(col(Proposal.id))
    ).all()
    known = {fold(one) for one in (*config.keywords.exclude.phrases, *config.hospital.not_us)}
    found = [
        *not_for_us(rows, cases, config.hospital, known),
        *into_topics(cases, config),
        *more_urgent(cases, config),
        *out_of_topics(cases, config, _topics_read),
        *more,
    ]
    if not found:
        return []
    counted, posts = _counted(session, found, now, progress)
    return chosen(counted, posts, _names_somebody(config))


def with_cards(
    found: Iterable[Suggestion], after: Callable[[Change], Config], rehearse: Callable[[Config], tuple[int, int]]
) -> list[Suggestion]:
    """The same with the cards that each would add and drop. `after`: the configuration with a change in it."""
    return [
        one
        if one.change.do == "by hand"
        else replace(one, effect=replace(one.effect, cards=rehearse(after(one.change))))
        for one in found
    ]


def _told(session: Session, since: datetime) -> list[Told]:
    """Every case since then that people dealt with, or said something of, with its posts."""
    changed: dict[int, dict[str, str]] = defaultdict(dict)
    kinds = ("topics", "urgency", "dismissed")
    events = select(CaseEvent).where(CaseEvent.at > since, col(CaseEvent.kind).in_(kinds), CaseEvent.who != US)
    for event in session.exec(events.order_by(col(CaseEvent.id))):
        changed[event.case_id][event.kind] = event.what
    in_force = reading_in_force()
    wanted: tuple[Any, ...] = (
        *(
            col(Case.id).label("case_id"),
            Case.topics,
            Case.state,
            col(Mention.id).label("mention_id"),
            Mention.author,
            Mention.source,
            Mention.story,
        ),
        *(Reading.redacted_text, Reading.urgency, Reading.categories),
    )
    dealt = or_(Case.opened_at > since, col(Case.id).in_(changed)) if len(changed) < _BATCH else Case.opened_at > since
    posts = (
        select(*wanted)
        .join(Mention, col(Mention.id) == Reading.mention_id)
        .join(Verdict, col(Verdict.reading_id) == Reading.id)
    )
    posts = posts.join(Case, col(Case.id) == Verdict.case_id)
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(
        posts.where(in_force, dealt, col(Mention.deleted_at).is_(None)).order_by(col(Mention.id))
    ):
        rows[row.case_id].append(row)
    return [_case_told(theirs, changed[case_id]) for case_id, theirs in sorted(rows.items())]


def _case_told(rows: Sequence[Any], said: Mapping[str, str]) -> Told:
    first, foremost = rows[0], min(rows, key=lambda row: RANK[row.urgency])
    made = re.match(r"now (\w+), was ", said.get("urgency", ""))
    return Told(
        first.case_id,
        tuple(row.redacted_text for row in rows),
        frozenset(category["id"] for category in foremost.categories),
        foremost.urgency,
        frozenset(first.topics) if first.topics is not None and "topics" in said else None,
        made[1] if made else None,
        said.get("dismissed", "").removeprefix("not for us: ") if first.state == "dismissed" else "",
        fate(first.state),
        f"{first.source}/{first.author}" if first.author else f"post {first.mention_id}",
        first.story or first.mention_id,
    )


def seeker_of(changes: Iterable[Change]) -> Seeker:
    """Looks for the phrases of changes; a phrase is its own label."""
    sought = {}
    for change in changes:
        where = ("hospital", *change.path) if change.file == HOSPITAL else change.path
        sought[change.phrase] = phrases_of(where, [change.phrase])
    return Seeker(sought)


def _counted(
    session: Session, found: Sequence[Suggestion], now: datetime, progress: Progress
) -> tuple[list[Suggestion], int]:
    """The suggestions with what became of the posts of the last 30 days that hold them, and how many posts there were."""
    finds = seeker_of(one.change for one in found if one.change.do != "by hand")
    counts: list[dict[str, int]] = [defaultdict(int) for _ in found]
    by_phrase: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        by_phrase[one.change.phrase].append(at)
    rows = _lately(session, now)
    for done, post in enumerate(rows, 1):
        if done % _BATCH == 0 or done == len(rows):
            progress(done, len(rows))
        if finds.may_hold(post.redacted_text):
            for phrase in finds(post.redacted_text):
                for at in by_phrase[phrase]:
                    _count(counts[at], found[at], post)
    danger = _dangers(session, finds)
    effects = [
        Effect(
            posts=count["posts"],
            already=count["already"],
            answered=count["answered"],
            not_for_us=count["not_for_us"],
            others=count["others"],
            against=count["against"],
            danger=danger.get(one.change.phrase, 0),
        )
        for count, one in zip(counts, found, strict=True)
    ]
    return [replace(one, effect=effect) for one, effect in zip(found, effects, strict=True)], len(rows)


def _lately(session: Session, now: datetime) -> Sequence[Any]:
    in_force = reading_in_force()
    wanted: tuple[Any, ...] = (
        *(Reading.redacted_text, Reading.voice, Reading.urgency, Reading.categories, Reading.mentions_us),
        *(Case.state, col(Case.id).label("case_id")),
    )
    posts = select(*wanted).join(Mention, col(Mention.id) == Reading.mention_id)
    posts = posts.join(Case, col(Case.mention_id) == Mention.id, isouter=True)
    heard = (Mention.heard_at > now - LATELY, col(Mention.deleted_at).is_(None), col(Mention.own).is_(False))
    return session.execute(posts.where(in_force, *heard)).all()


def _count(count: dict[str, int], one: Suggestion, post: Any) -> None:
    """A post that holds the phrase of a suggestion."""
    already, outcome = _is_already(one.change, post), fate(post.state or "")
    count["posts"] += 1
    count["already"] += already
    count["answered"] += outcome == "answered"
    count["not_for_us"] += outcome == "not for us"
    if post.voice == "patient" and not already and post.case_id not in one.cases:
        count["others"] += 1
        count["against"] += outcome == "answered"


def _is_already(change: Change, post: Any) -> bool:
    if change.topic:
        return any(category["id"] == change.topic for category in post.categories)
    if change.level:
        return bool(RANK[post.urgency] <= RANK[change.level])
    if change.path == ("aliases",):
        return bool(post.mentions_us)
    return bool(post.voice != "patient")


def _dangers(session: Session, finds: Seeker) -> dict[str, int]:
    """How many posts of any time that were danger hold each phrase."""
    in_force = reading_in_force()
    counts: dict[str, int] = defaultdict(int)
    for (text,) in session.execute(select(Reading.redacted_text).where(in_force, Reading.urgency == "danger")):
        for phrase in finds(text) if finds.may_hold(text) else ():
            counts[phrase] += 1
    return counts


def _topics_read(config: Config, texts: Sequence[str]) -> list[set[str]]:
    found = Reader(config).read(Text(text, about_us=True) for text in texts)
    return [{category["id"] for category in said["categories"]} for said in found]


def _names_somebody(config: Config) -> Callable[[Change], bool]:
    """Whether a phrase is taken for personal by itself, also when it is written as a name is."""
    alone = config.keywords.reader.model_copy(update={"model": False})
    reader = Reader(config.model_copy(update={"keywords": config.keywords.model_copy(update={"reader": alone})}))

    def names(change: Change) -> bool:
        forms = [change.phrase] if change.file == HOSPITAL else [change.phrase, change.phrase.title()]
        return any(
            said["redacted_text"] != form for form, said in zip(forms, reader.read(map(Text, forms)), strict=True)
        )

    return names
