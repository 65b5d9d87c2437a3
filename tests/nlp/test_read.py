"""Stage 3: every mention is read once for each pipeline version."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from config.schema import Config
from listener.deletions import came_round
from listener.keep import DELETED, forget, keep
from listener.post import Page, Post
from nlp import read as read_stage
from nlp.pipeline import Reader, Text
from nlp.read import read
from nlp.reading import Reading, ReadWith


def post(ref: str, text: str, now: datetime, thread: str | None = None) -> Post:
    return Post(source="x", ref=ref, text=text, written_at=now - timedelta(minutes=5), author="jo", thread=thread)


def kept(session: Session, config: Config, now: datetime, *posts: Post) -> None:
    keep(session, "x", Page(posts, {"newest": len(posts)}), config.hospital, now)


def test_reads_what_is_unread_once(session: Session, config: Config, reader: Reader, now: datetime) -> None:
    kept(session, config, now, post("1", "St. Brigid's ER was kind to me", now), post("2", "a lovely day", now))
    assert read(session, reader, now) == 2
    assert read(session, reader, now) == 0
    assert len(session.exec(select(Reading)).all()) == 2


def test_reads_no_more_than_asked(session: Session, config: Config, reader: Reader, now: datetime) -> None:
    kept(session, config, now, *(post(str(number), "St. Brigid's", now) for number in range(5)))
    assert [read(session, reader, now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_an_answer_in_a_thread_about_us_is_about_us(
    session: Session, config: Config, reader: Reader, now: datetime
) -> None:
    kept(
        session,
        config,
        now,
        post("1", "my father is unconscious on the floor at St. Brigid's, no one is coming", now, thread="1"),
        post("2", "he's breathing but he won't answer me", now, thread="1"),
    )
    read(session, reader, now)
    assert [reading.urgency for reading in session.exec(select(Reading))] == ["danger", "danger"]


def test_a_fragment_is_read_with_what_came_before(
    session: Session, config: Config, reader: Reader, now: datetime
) -> None:
    parts = ("My mom at St. Brigid's is not", "breathing right")
    posts = [
        Post(source="x", ref=f"{n}", text=text, written_at=now - timedelta(minutes=9 - n), author="jo", thread="0")
        for n, text in enumerate(parts)
    ]
    kept(session, config, now, *posts)
    read(session, reader, now)
    last = session.exec(select(Reading).where(Reading.mention_id == 2)).one()
    assert next(iter(reader.read([Text(parts[1], about_us=True)])))["urgency"] != "danger"
    assert (last.urgency, last.danger_of) == ("danger", "emergency")
    assert last.redacted_text == parts[1], "each card shows its own words"
    assert last.reasons[0] == "read with what the same person said just before"


@pytest.mark.parametrize(
    "changes",
    [{"author": "bob"}, {"thread": "9"}, {"source": "bluesky"}, {"written_at": timedelta(hours=3)}, {"author": None}],
    ids=str,
)
def test_what_is_not_one_story(
    session: Session, config: Config, reader: Reader, now: datetime, changes: dict[str, object]
) -> None:
    first = post("1", "My mom at St. Brigid's is not", now, thread="1")
    usual = {"source": "x", "ref": "2", "author": "jo", "thread": "1", "about_us": True, "text": "breathing right"}
    fields = {**usual, "written_at": timedelta(minutes=1), **changes}
    span = fields["written_at"]
    assert isinstance(span, timedelta)
    kept(session, config, now, first, Post.model_validate({**fields, "written_at": first.written_at + span}))
    read(session, reader, now)
    assert session.exec(select(Reading).where(Reading.mention_id == 2)).one().urgency != "danger"


def test_the_beginning_heard_late_is_read_with_what_follows(
    session: Session, config: Config, reader: Reader, now: datetime
) -> None:
    """X gives the newest page first: the end of a thread is kept before its beginning."""
    second = Post(
        source="x", ref="2", text="he's breathing but he won't answer me", thread="1", author="jo",
        written_at=now - timedelta(minutes=2),
    )  # fmt: skip
    kept(session, config, now, second)
    read(session, reader, now)
    assert [reading.urgency for reading in session.exec(select(Reading))] == ["none"]
    kept(
        session, config, now, post("1", "my father is unconscious on the floor at St. Brigid's, no one is coming", now)
    )
    read(session, reader, now)
    newest = session.exec(select(Reading).where(Reading.mention_id == 1).order_by(col(Reading.id).desc())).first()
    assert newest is not None
    assert newest.urgency == "danger"


@pytest.mark.parametrize("stopped", [timedelta(minutes=1), timedelta(days=30)])
def test_no_word_of_what_is_gone_stays(
    session: Session, config: Config, reader: Reader, now: datetime, stopped: timedelta
) -> None:
    kept(session, config, now, post("1", "four hours of waiting in the ER at St. Brigid's, the nurse was rude", now))
    read(session, reader, now)
    came_round(session, now)
    forget(session, [1], DELETED, now)
    assert [read_stage.forget(session, now + stopped) for _ in range(2)] == [1, 0]
    reading = session.exec(select(Reading)).one()
    assert (reading.redacted_text, reading.reasons, reading.mentions_us) == ("", [], [])
    assert reading.categories
    assert all(category["words"] == [] for category in reading.categories)
    assert (reading.kind, reading.urgency != "none") == ("complaint", True), "what was counted stays counted"


def test_no_name_and_no_sign_of_what_is_gone_stays(
    session: Session, config: Config, reader: Reader, now: datetime
) -> None:
    praise = post("1", "Thank you nurse Amy at St. Brigid's, you were wonderful to us", now)
    kept(session, config, now, praise, post("2", "St. Brigid's ER was rude, my lawyer will call", now))
    read(session, reader, now)
    before = session.exec(select(Reading).order_by(col(Reading.mention_id))).all()
    assert [(reading.staff, reading.signs) for reading in before] == [(["nurse Amy"], []), ([], ["legal"])]
    forget(session, [1, 2], DELETED, now)
    read_stage.forget(session, now + timedelta(minutes=1))
    session.expire_all()
    assert [(reading.staff, reading.signs) for reading in session.exec(select(Reading))] == [([], []), ([], [])]


def test_a_post_that_breaks_the_reader_goes_to_people_and_holds_up_nobody(
    session: Session, config: Config, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(config)
    doc_of = reader.language.make_doc

    def breaks(text: str) -> object:
        if "poison" in text:
            raise IndexError(text)
        return doc_of(text)

    monkeypatch.setattr(reader.language, "make_doc", breaks)
    kept(session, config, now, post("1", "a poison post", now), post("2", "St. Brigid's ER was rude", now))
    assert read(session, reader, now) == 2
    bad, good = session.exec(select(Reading).order_by(col(Reading.mention_id))).all()
    assert (bad.readable, bad.redacted_text, bad.voice) == (False, "", "patient")
    assert "poison" not in str(bad.reasons)
    assert (good.readable, good.kind) == (True, "complaint")


def test_another_copy_has_read_it_meanwhile(
    session: Session, config: Config, rules: Reader, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While this one thought, as reading takes time; nothing is there twice and nothing is raised."""
    kept(session, config, now, post("1", "waited for hours", now))
    real, others = read_stage.say, []

    def slowly(*given: Any) -> Any:
        if not others:
            others.append(1)
            session.commit()  # as it does before it thinks
            with Session(session.get_bind()) as other:
                others.append(read(other, rules, now))
        return real(*given)

    monkeypatch.setattr("nlp.read.say", slowly)
    assert read(session, rules, now) == 0
    assert others == [1, 1]
    assert len(session.exec(select(Reading)).all()) == 1
    assert read(session, rules, now) == 0


def test_what_no_other_copy_explains_is_raised(session: Session, config: Config, rules: Reader, now: datetime) -> None:
    """Else a post would never be read, and nobody would hear of it."""
    kept(session, config, now, post("1", "waited for hours", now))
    session.connection().exec_driver_sql(
        "CREATE TRIGGER refused BEFORE INSERT ON reading BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    session.commit()
    with pytest.raises(IntegrityError):
        read(session, rules, now)


def test_what_posts_are_read_with_is_written_down_when_it_changes(
    session: Session, config: Config, rules: Reader, now: datetime
) -> None:
    exclude = config.keywords.exclude.model_copy(update={"phrases": (*config.keywords.exclude.phrases, "bingo")})
    alone = config.keywords.reader.model_copy(update={"model": False})
    keywords = config.keywords.model_copy(update={"exclude": exclude, "reader": alone})
    other = Reader(config.model_copy(update={"keywords": keywords}))
    kept(session, config, now, post("1", "St. Brigid's", now), post("2", "a reply at St. Brigid's", now, thread="1"))
    for hours, reader in enumerate((rules, rules, other, rules)):
        at = now + timedelta(hours=hours)
        kept(session, config, at, post(f"a{hours}", "St. Brigid's", at))
        read(session, reader, at)
    rows = session.exec(select(ReadWith).order_by(col(ReadWith.id))).all()
    assert [(row.pipeline_version, row.since) for row in rows] == [
        (rules.version, now),
        (other.version, now + timedelta(hours=2)),
        (rules.version, now + timedelta(hours=3)),
    ]
    first, second, back = [row.lines for row in rows]
    assert [line for line in second or () if line not in (first or ())] == [["exclude", "phrases", "bingo"]]
    assert back is None, "they are kept already"


def test_nothing_read_is_nothing_to_write_down(session: Session, rules: Reader, now: datetime) -> None:
    read(session, rules, now)
    assert session.exec(select(ReadWith)).all() == []


# ---------------------------------------------------------------- after a change of the files


def with_phrase(config: Config, *phrases: str, **hospital: Any) -> Reader:
    """The reader without the model after a change: other phrases for billing, other names."""
    categories = dict(config.keywords.categories)
    categories["billing"] = categories["billing"].model_copy(update={"phrases": phrases})
    alone = config.keywords.reader.model_copy(update={"model": False})
    keywords = config.keywords.model_copy(update={"categories": categories, "reader": alone})
    names = config.hospital.model_copy(update=hospital)
    return Reader(config.model_copy(update={"keywords": keywords, "hospital": names}))


@pytest.fixture(scope="module")
def before(config: Config) -> Reader:
    return with_phrase(config, "a bill")


@pytest.fixture(scope="module")
def after(config: Config) -> Reader:
    return with_phrase(config, "a bill", "gown*")


GOWN, BILL = "they lost my gown at St. Brigid's", "a bill from St. Brigid's again"


def in_force(session: Session) -> dict[int, Reading]:
    """The newest reading of each mention."""
    session.expire_all()
    return {reading.mention_id: reading for reading in session.exec(select(Reading).order_by(col(Reading.id)))}


def said(reading: Reading) -> dict[str, Any]:
    return reading.model_dump(exclude={"id", "pipeline_version", "read_at"})


def read_all(session: Session, reader: Reader, now: datetime, limit: int = read_stage.BATCH) -> list[int]:
    """What each pass came to until there was nothing to do."""
    passes = []
    while count := read(session, reader, now, limit):
        passes.append(count)
    return passes


def test_only_what_a_change_touches_is_read_again(
    session: Session, config: Config, before: Reader, after: Reader, now: datetime
) -> None:
    kept(session, config, now, post("1", GOWN, now), post("2", BILL, now), post("3", "a lovely day", now))
    read(session, before, now)
    old = {number: (reading.id, said(reading)) for number, reading in in_force(session).items()}
    later = now + timedelta(hours=1)
    assert read_all(session, after, later) == [3]
    new = in_force(session)
    assert {reading.pipeline_version for reading in new.values()} == {after.version}
    assert {number: (reading.id, said(reading)) for number, reading in new.items() if number != 1} == {
        number: old[number] for number in (2, 3)
    }, "they are the rows from before"
    assert (new[1].read_at, [one["id"] for one in new[1].categories]) == (later, ["billing"])
    rows = session.exec(select(Reading.mention_id, Reading.pipeline_version).order_by(col(Reading.id))).all()
    assert rows == [(3, after.version), (2, after.version), (1, before.version), (1, after.version)]
    assert [row.pipeline_version for row in session.exec(select(ReadWith))] == [before.version, after.version]


def test_what_is_new_is_read_before_anything_is_taken_over(
    session: Session, config: Config, before: Reader, after: Reader, now: datetime
) -> None:
    kept(session, config, now, post("1", GOWN, now), post("2", BILL, now))
    read(session, before, now)
    kept(session, config, now, post("3", "nobody comes at St. Brigid's", now), post("1", GOWN + "!", now))
    assert read_all(session, after, now) == [2, 1]
    assert {reading.pipeline_version for reading in in_force(session).values()} == {after.version}
    assert in_force(session)[1].revision == 2


def test_a_stop_in_between_is_no_harm(
    session: Session, config: Config, before: Reader, after: Reader, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And neither is another change meanwhile: each post is compared with what it was read with."""
    monkeypatch.setattr(read_stage, "_AT_ONCE", 2)
    texts = (BILL, GOWN, "a lovely day", BILL, GOWN, BILL)
    kept(session, config, now, *(post(str(number), text, now) for number, text in enumerate(texts)))
    read(session, before, now)
    ids = {reading.id for reading in in_force(session).values()}
    assert read(session, after, now) == 2
    monkeypatch.setattr(read_stage, "_AT_ONCE", 4)
    third = with_phrase(config, "a bill", "gown*", "lovely")
    assert sum(read_all(session, third, now, limit=1)) == 6
    new = in_force(session)
    assert {reading.pipeline_version for reading in new.values()} == {third.version}
    assert {number for number, reading in new.items() if reading.id not in ids} == {2, 3, 5}
    fresh = list(third.read([Text(text) for text in texts]))
    assert [said(new[number])["categories"] for number in range(1, 7)] == [one["categories"] for one in fresh]


def test_what_is_taken_back_is_in_force_again(
    session: Session, config: Config, before: Reader, after: Reader, now: datetime
) -> None:
    kept(session, config, now, post("1", GOWN, now), post("2", BILL, now))
    for reader in (before, after):
        read_all(session, reader, now)
    assert in_force(session)[1].categories
    assert read_all(session, before, now) == [2]
    assert {number: bool(reading.categories) for number, reading in in_force(session).items()} == {1: False, 2: True}
    assert {reading.pipeline_version for reading in in_force(session).values()} == {before.version}
    assert read_all(session, after, now) == [2]
    assert in_force(session)[1].categories
    assert len(session.exec(select(Reading)).all()) == 5, "what was read in between is kept"


def test_where_only_what_was_touched_is_kept_it_is_taken_back_too(
    session: Session, config: Config, before: Reader, after: Reader, now: datetime
) -> None:
    kept(session, config, now, post("1", GOWN, now))
    for reader in (before, after, before):
        read_all(session, reader, now)
    assert in_force(session)[1].categories == []


def test_a_name_in_a_thread_touches_its_answers(
    session: Session, config: Config, before: Reader, now: datetime
) -> None:
    texts = ("Mercy General is the worst", "waited four hours, the nurse was rude", "and the food was cold")
    posts = [post(str(number), text, now, thread="0") for number, text in enumerate(texts)]
    kept(session, config, now, *posts, post("9", "waited four hours, the nurse was rude", now))
    read_all(session, before, now)
    assert [reading.voice for reading in in_force(session).values()] == ["other"] * 4
    read_all(session, with_phrase(config, "a bill", aliases=("Mercy General",)), now)
    assert [in_force(session)[number].voice for number in (2, 3, 4)] == ["patient", "patient", "other"]
    read_all(session, with_phrase(config, "a bill", aliases=("Somewhere else",)), now)
    assert [in_force(session)[number].voice for number in (2, 3, 4)] == ["other"] * 3, "it is no name of ours any more"


@pytest.mark.parametrize(
    "parts",
    [
        (("my mom at St. Brigid's is turning", 0), ("green in the hallway", 1)),
        # Two posts of one second: the third is read with the first, not with the second.
        (("my mom at St. Brigid's is turning", 0), ("I have no idea why", 1), ("green in the hallway", 1)),
    ],
    ids=["two posts", "two of one second"],
)
def test_a_phrase_over_two_posts_touches_the_last(
    session: Session, config: Config, now: datetime, before: Reader, parts: tuple[tuple[str, int], ...]
) -> None:
    posts = [
        Post(source="x", ref=f"{n}", text=text, written_at=now + timedelta(minutes=at - 9), author="jo", thread="0")
        for n, (text, at) in enumerate(parts)
    ]
    kept(session, config, now, *posts)
    read_all(session, before, now)
    assert in_force(session)[len(parts)].urgency != "danger"
    danger = config.keywords.urgency.danger.model_copy(update={"phrases": ("turning green",)})
    urgency = config.keywords.urgency.model_copy(update={"danger": danger})
    alone = config.keywords.reader.model_copy(update={"model": False})
    keywords = config.keywords.model_copy(update={"urgency": urgency, "reader": alone})
    read_all(session, Reader(config.model_copy(update={"keywords": keywords})), now)
    assert in_force(session)[len(parts)].urgency == "danger"


@pytest.mark.parametrize("lost", [False, True], ids=["another model", "nobody wrote down what with"])
def test_where_all_may_be_otherwise_all_is_read_again(
    session: Session, config: Config, before: Reader, reader: Reader, after: Reader, now: datetime, lost: bool
) -> None:
    kept(session, config, now, post("1", GOWN, now), post("2", BILL, now))
    read(session, before, now)
    if lost:
        session.execute(update(ReadWith).values(lines=None))
    assert read_all(session, after if lost else reader, now) == [2]
    assert len(session.exec(select(Reading)).all()) == 4


@pytest.mark.parametrize("is_change", [True, False], ids=["after a change", "after a silence"])
def test_what_begins_a_thread_is_read_before_its_answers(
    session: Session, config: Config, before: Reader, now: datetime, is_change: bool
) -> None:
    """Also where both do not fit into one pass: what its first post names makes the answers about us."""
    rude = "waited four hours, the nurse was rude"
    posts = [post("0", "Mercy General is the worst", now, thread="0")]
    posts += [post(f"o{number}", "Mercy General again", now) for number in range(4)]
    posts.append(post("1", rude, now, thread="0"))
    kept(session, config, now, *posts)
    mercy = with_phrase(config, "a bill", aliases=("Mercy General",))
    if is_change:
        read_all(session, before, now)
        assert in_force(session)[6].voice == "other"
    read_all(session, mercy, now, limit=2)
    assert in_force(session)[6].voice == "patient"
