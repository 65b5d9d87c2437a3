"""What other files would make of the posts that are kept."""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import NOW
from fakes.changed import BILL, DAY, FINE, GOWN, changed, heard
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from alerts.act import act
from alerts.case import Case
from alerts.decide import Decision, decide
from alerts.rehearse import Card, Load, Precision, Rehearsal, Standing, cards, rehearse
from alerts.replay import Post
from config.schema import Config, Rule, When
from listener import post as posts
from listener import week
from listener.database import reading
from listener.keep import DELETED, forget
from nlp.pipeline import Reader
from nlp.read import read
from nlp.reading import Reading

RUDE = "the nurse at St. Brigid's ER was so rude to my mother"
PORTAL = "the portal of St. Brigid's is great, I love it"


@pytest.fixture(scope="session")
def before(config: Config) -> Config:
    return changed(config)


@pytest.fixture(scope="session")
def old_reader(before: Config) -> Reader:
    return Reader(before)


def rehearsed(engine: Engine, before: Config, after: Config, days: int = 30) -> Rehearsal:
    with reading(engine) as session:
        return rehearse(session, before, after, NOW - days * DAY, NOW, lambda done, of: None)


def excluding(config: Config, *phrases: str) -> Config:
    return changed(config, keywords={"exclude": {"phrases": phrases}})


# ---------------------------------------------------------------- cards; pure


def said(id_: int, urgency: str = "routine", outcome: Any = "alert", channel: str = "care", **more: Any) -> Any:
    """A post with what is decided of it."""
    fields: dict[str, Any] = {
        **{"case_id": None, "id": id_, "source": "x", "ref": f"r{id_}", "thread": None, "author": f"a{id_}"},
        **{"answers": None, "quotes": None, "story": None, "written_at": NOW, "heard_at": NOW, "text": ""},
        **{"about_us": False, "own": False, "place": None},
    }
    decision = Decision(outcome, None if outcome == "dismiss" else channel, "rule 'a': b")
    return Post(**{**fields, **more}), urgency, decision


@pytest.mark.parametrize(
    ("made", "ids"),
    [
        ([said(1), said(2)], [[1], [2]]),
        ([said(1), said(2, outcome="digest"), said(3, outcome="dismiss")], [[1]]),
        ([said(1, author="jo", thread="r1"), said(2, author="jo", thread="r1")], [[1, 2]]),
        ([said(1, author="jo"), said(2, author="jo", thread="r1")], [[1, 2]]),
        ([said(1, author="jo", thread="r1"), said(2, author="jo", thread="r2")], [[1], [2]]),
        ([said(1, author=None, thread="r1"), said(2, author=None, thread="r1")], [[1], [2]]),
        ([said(1, story=None), said(2, story=1), said(3, story=1)], [[1, 2, 3]]),
        ([said(1), said(2, answers="r1")], [[1, 2]]),
        ([said(1), said(2, quotes="r1")], [[1, 2]]),
        ([said(1), said(2, outcome="dismiss", answers="r1"), said(3, answers="r2")], [[1, 3]]),
        ([said(1), said(2, source="bluesky", answers="r1")], [[1], [2]]),
        ([said(1), said(2, "serious", answers="r1")], [[1], [2]]),  # more urgent: no part of another person's
        ([said(1, "danger"), said(2, "danger", answers="r1")], [[1], [2]]),
        ([said(1, case_id=7), said(2, case_id=7)], [[1, 2]]),  # as people merged them
        ([said(1, answers="r1")], [[1]]),  # it answers itself: no end is waited for
    ],
)
def test_posts_of_one_matter_are_one_card(made: Any, ids: list[list[int]]) -> None:
    assert [[post.id for post in card.posts] for card in cards(made)] == ids


def test_a_card_becomes_more_urgent_and_never_less() -> None:
    of_one = {"author": "jo", "thread": "t"}
    made = [said(1, **of_one), said(2, "danger", channel="danger", **of_one), said(3, "serious", **of_one)]
    (card,) = cards(made)
    assert (card.urgency, card.channel) == ("danger", "danger")


def test_a_card_from_before_the_span_takes_what_goes_on_with_it() -> None:
    old, *_ = said(1, author="jo", thread="t", case_id=3)
    (card,) = cards([said(2, author="jo", thread="t")], [(old, "serious", "care")])
    assert (card.is_earlier, card.urgency, [post.id for post in card.posts]) == (True, "serious", [1, 2])
    assert Card("a", "b").is_earlier is False


# ---------------------------------------------------------------- what differs


def test_nothing_differs_where_nothing_was_changed(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    heard(session, before, old_reader, NOW, BILL, FINE, RUDE)
    found = rehearsed(engine, before, before)
    assert not found.differs
    assert (found.posts, found.cards_before, found.cards_after, found.read_again) == (3, 2, 2, 0)


def test_a_card_is_dropped_and_says_why(engine: Engine, session: Session, before: Config, old_reader: Reader) -> None:
    heard(session, before, old_reader, NOW, BILL, RUDE)
    found = rehearsed(engine, before, excluding(before, "rude to my mother"))
    (dropped,) = found.dropped
    assert (dropped.text, dropped.case_id, dropped.why) == (RUDE, 2, ("+ rude to my mother (exclude)",))
    assert (dropped.before, dropped.after) == (Standing("routine", "care"), Standing("none", "nowhere"))
    assert (found.cards_before, found.cards_after, found.added, found.moved) == (2, 1, (), ())
    assert found.differs


def test_a_card_is_added_and_it_is_said_whether_saving_makes_it(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    without = excluding(before, "rude to my mother", "a bill")
    reader = Reader(without)
    old = posts.Post(source="x", ref="9", text=BILL, written_at=NOW - 2 * DAY, author="jo")
    heard(session, without, reader, NOW - 2 * DAY, old)
    heard(session, without, reader, NOW, RUDE)
    found = rehearsed(engine, without, before)
    assert [(one.text, one.case_id, one.is_young) for one in found.added] == [(RUDE, None, True), (BILL, None, False)]
    assert found.added[0].why == ("− rude to my mother (exclude)",)
    assert (found.cards_before, found.cards_after) == (0, 2)
    assert found.added[0].before == Standing("none", "nowhere")


def test_what_is_saved_comes_true(engine: Engine, session: Session, before: Config) -> None:
    """The new cards that are called young are made, and no other."""
    without = excluding(before, "rude to my mother", "a bill")
    old = posts.Post(source="x", ref="9", text=BILL, written_at=NOW - 2 * DAY, author="jo")
    heard(session, without, Reader(without), NOW, old, posts.Post(source="x", ref="1", text=RUDE, written_at=NOW))
    found = rehearsed(engine, without, before)
    assert {one.text: one.is_young for one in found.added} == {RUDE: True, BILL: False}
    reader = Reader(before)
    while read(session, reader, NOW) or decide(session, before, NOW):
        pass
    assert session.exec(select(Case.mention_id)).all() == [2]


def test_danger_that_is_lost_and_what_the_reader_finds_by_itself(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    lost = "nobody|noone comes|helps"
    texts = (
        "dad collapsed in the ER at St. Brigid's and nobody comes",
        "sitting in the ER at St. Brigid's, nobody comes",
    )
    heard(session, before, old_reader, NOW, *texts, FINE)
    phrases = tuple(phrase for phrase in before.keywords.urgency.danger.phrases if phrase != lost)
    found = rehearsed(engine, before, changed(before, danger=phrases))
    (change,) = found.danger_lost
    assert (change.text, change.before.urgency, change.why) == (texts[1], "danger", (f"− {lost} (urgency.danger)",))
    assert (found.held_danger, found.still_danger) == (2, 1)
    back = rehearsed(engine, changed(before, danger=phrases), before)
    assert [one.text for one in back.danger_gained] == [texts[1]]
    assert (back.danger_lost, back.held_danger) == ((), 0)


def test_a_card_that_goes_elsewhere_by_another_rule(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    heard(session, before, old_reader, NOW, BILL, RUDE, PORTAL)
    first = Rule(name="questions of manners", when=When(category=("attitude",)), do="alert", to="ops")
    praise = Rule(name="kind words too", when=When(kind=("praise",)), do="alert", to="praise")
    rules = (first, praise, *before.care.rules)
    phrases = (*before.keywords.categories["billing"].phrases, "portal")
    found = rehearsed(engine, before, changed(before, phrases=phrases, care={"rules": rules}))
    (moved,) = found.moved
    assert (moved.text, moved.before.goes_to, moved.after.goes_to) == (RUDE, "care", "ops")
    assert moved.why == ("rule questions of manners",)
    (added,) = found.added
    assert added.why == ("rule kind words too",), "the phrase that it holds too has no part in it"
    assert found.topics == (("billing", 1, 0),)
    assert found.topics_changed == 1


def test_a_card_by_a_phrase_and_a_rule_says_both(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    heard(session, before, old_reader, NOW, PORTAL)
    bills = Rule(name="bills", when=When(category=("billing",)), do="alert", to="ops")
    praise = Rule(name="kind words too", when=When(kind=("praise",)), do="alert", to="praise")
    phrases = (*before.keywords.categories["billing"].phrases, "portal")
    rules = (bills, praise, *before.care.rules)
    found = rehearsed(engine, before, changed(before, phrases=phrases, care={"rules": rules}))
    assert [one.why for one in found.added] == [("+ portal (categories.billing)", "rule bills")]


def test_a_post_that_leaves_the_digest_is_told(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    """It was on no card, but people read it."""
    heard(session, before, old_reader, NOW, PORTAL, BILL)
    found = rehearsed(engine, before, excluding(before, "portal"))
    (gone,) = found.digest
    assert (gone.text, gone.before.goes_to, gone.after.goes_to) == (PORTAL, "praise digest", "nowhere")
    assert gone.why == ("+ portal (exclude)",)
    assert found.differs
    (back,) = rehearsed(engine, excluding(before, "portal"), before).digest
    assert (back.before.goes_to, back.after.goes_to) == ("nowhere", "praise digest")
    assert rehearsed(engine, before, excluding(before, "bill")).digest == (), "that is a card"


def test_a_card_from_before_the_span_is_not_counted(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    mine = {"source": "x", "author": "jo", "thread": "1"}
    heard(session, before, old_reader, NOW - 3 * DAY, posts.Post(ref="1", text=RUDE, written_at=NOW - 3 * DAY, **mine))
    heard(session, before, old_reader, NOW, posts.Post(ref="2", text=RUDE + ", gowns", written_at=NOW, **mine))
    found = rehearsed(engine, before, excluding(before, "gowns"), days=1)
    assert (found.posts, found.cards_before, found.cards_after, found.loads) == (1, 0, 0, ())
    assert (found.dropped, found.fewer_posts) == ((), 1)


def test_posts_that_come_to_a_card_which_is_there(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    mine = {"source": "x", "author": "jo", "thread": "1", "written_at": NOW}
    two = [
        posts.Post(ref="1", text=RUDE, **mine),
        posts.Post(ref="2", text="St. Brigid's: an itemized thing, a bill", **mine),
    ]
    heard(session, before, old_reader, NOW, *two)
    found = rehearsed(engine, excluding(before, "itemized thing"), before)
    assert (found.more_posts, found.fewer_posts, found.added) == (1, 0, ())
    back = rehearsed(engine, before, excluding(before, "itemized thing"))
    assert (back.more_posts, back.fewer_posts, back.dropped) == (0, 1, ())
    assert found.differs
    assert back.differs


def test_the_load_of_each_channel(engine: Engine, session: Session, before: Config, old_reader: Reader) -> None:
    other = posts.Post(
        source="x", ref="9", text="my bill from St. Brigid's is wrong, overcharged", written_at=NOW - 2 * DAY
    )
    heard(session, before, old_reader, NOW - 2 * DAY, other)
    heard(session, before, old_reader, NOW, RUDE, "the ER doctor at St. Brigid's was rude and careless with us")
    found = rehearsed(engine, before, excluding(before, "rude to my mother"))
    assert found.loads == (Load("care", 2, 1, 2, 1), Load("billing", 1, 1, 1, 1))
    assert found.days == 2.0
    assert found.first == NOW - 2 * DAY


def test_precision_of_what_people_dealt_with(
    engine: Engine, session: Session, before: Config, old_reader: Reader
) -> None:
    words = ("rude to my mother", "rude to my brother", "rude to my aunt", "rude to my uncle", "rude to my cousin")
    heard(session, before, old_reader, NOW, *(f"the nurse at St. Brigid's ER was so {said}" for said in words))
    for case_id, name, answers in (
        (1, "not_for_us", {"reason": "joke"}),
        (2, "not_for_us", {"reason": "nothing_to_do"}),
        (3, "answered", {}),
        (4, "answered", {}),
    ):
        act(session, before, name, case_id, "ana", NOW, answers)
    found = rehearsed(engine, before, excluding(before, words[0], words[2], words[4]))
    assert (found.precision_before, found.precision_after) == (Precision(2, 1), Precision(1, 0))
    assert (found.lost_cases, found.spared_cases) == ((3,), (1,))


def test_what_is_gone_is_counted(engine: Engine, session: Session, before: Config, old_reader: Reader) -> None:
    heard(session, before, old_reader, NOW, BILL, GOWN)
    forget(session, [1], DELETED, NOW)
    session.commit()
    found = rehearsed(engine, before, before)
    assert (found.posts, found.gone) == (1, 1)


# ---------------------------------------------------------------- against the stages themselves


def played(engine: Engine, config: Config) -> tuple[int, int]:
    """The bundled week through the stages with this configuration, post by post: cases, and posts of danger."""
    reader = Reader(config)
    with Session(engine) as session:
        for one in sorted(week.posts(config.hospital.zone, NOW), key=lambda post: post.edited_at or post.written_at):
            heard(session, config, reader, one.edited_at or one.written_at, one)
        danger = select(func.count()).where(col(Reading.urgency) == "danger")
        newest = select(func.max(col(Reading.id))).group_by(col(Reading.mention_id))
        danger = danger.where(col(Reading.id).in_(newest))
        return session.exec(select(func.count(col(Case.id)))).one(), session.exec(danger).one()


@pytest.fixture(scope="module")
def week_before(
    new_database: Any, tmp_path_factory: pytest.TempPathFactory, before: Config
) -> Iterator[tuple[Engine, tuple[int, int]]]:
    """The week as it was kept, which a rehearsal only reads, and what came of it."""
    engine = new_database(tmp_path_factory.mktemp("week"))
    yield engine, played(engine, before)
    engine.dispose()


CHANGES: list[Any] = [
    lambda c: excluding(c, "parking", "portal", "er"),
    lambda c: changed(c, danger=("hours", "nobody comes"), hospital={"aliases": ("St. Brigid's", "SBMC")}),
    lambda c: changed(c, care={"rules": (Rule(name="all", when=When(voice=("patient",)), do="alert", to="care"),)}),
]


@pytest.mark.deep
@pytest.mark.parametrize("change", CHANGES)
def test_it_foretells_what_the_stages_make_of_the_week(
    engine: Engine, week_before: tuple[Engine, tuple[int, int]], before: Config, change: Any
) -> None:
    after = change(before)
    kept, old = week_before
    new = played(engine, after)
    found = rehearsed(kept, before, after)
    assert (found.cards_before, found.cards_after) == (old[0], new[0])
    assert found.cards_after - found.cards_before == len(found.added) - len(found.dropped)
    assert len(found.danger_gained) - len(found.danger_lost) == new[1] - old[1]
