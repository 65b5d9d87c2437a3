"""What kept posts say under two configurations, and which of them had to be read again for it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.changed import BILL, DAY, FINE, GOWN, changed, heard
from sqlalchemy import Engine, delete, update
from sqlmodel import Session, col, select

from alerts.case import Case, CaseEvent
from alerts.replay import Replayed, before_span, replay
from alerts.verdict import Verdict
from config.schema import Config
from listener.database import reading
from listener.mention import Mention
from listener.post import Post
from nlp.pipeline import Reader
from nlp.read import read
from nlp.reading import Reading, ReadWith


@pytest.fixture(scope="session")
def before(config: Config) -> Config:
    return changed(config)


@pytest.fixture(scope="session")
def old_reader(before: Config) -> Reader:
    return Reader(before)


def replayed(
    engine: Engine, before: Config, after: Config, now: datetime, days: int = 30
) -> tuple[list[Replayed], int]:
    with reading(engine) as session:
        return replay(session, before, after, now - days * DAY, now, lambda done, of: None)


def test_only_what_a_change_touches_is_read_again(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    heard(session, before, old_reader, now, GOWN, BILL, FINE)
    steps: list[tuple[int, int]] = []
    after = changed(before, phrases=(*before.keywords.categories["billing"].phrases, "gown*"))
    with reading(engine) as looking:
        found, again = replay(looking, before, after, now - DAY, now, lambda done, of: steps.append((done, of)))
    assert (len(found), again) == (3, 1)
    assert [one.post.text for one in found] == [GOWN, BILL, FINE]
    assert [one.phrases for one in found] == [("+ gown* (categories.billing)",), (), ()]
    assert [sorted(one.after.topics - one.before.topics) for one in found] == [["billing"], [], []]
    assert (steps[0], steps[-1]) == ((3, 4), (4, 4))


def test_nothing_is_written(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    heard(session, before, old_reader, now, GOWN, BILL)

    def rows() -> list[Any]:
        session.expire_all()
        return [
            row.model_dump()
            for table in (Mention, Reading, ReadWith, Case)
            for row in session.exec(select(table)).all()
        ]

    kept = rows()
    assert replayed(engine, before, changed(before, phrases=("gown*",)), now)[1] == 2
    assert rows() == kept


@pytest.mark.parametrize(
    "stored", ["as before", "with other phrases", "nobody knows with what", "not at all", "older words"]
)
def test_what_is_kept_counts_where_it_says_the_same(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime, stored: str
) -> None:
    heard(session, before, old_reader, now, GOWN, BILL, FINE)
    if stored == "with other phrases":
        while read(session, Reader(changed(before, phrases=("gown*",))), now):
            pass
    elif stored == "nobody knows with what":
        session.execute(update(ReadWith).values(lines=None))
    elif stored == "not at all":
        session.execute(delete(Verdict))
        session.execute(delete(CaseEvent))
        session.execute(delete(Case))
        session.execute(delete(Reading))
    elif stored == "older words":
        session.execute(
            update(Mention)
            .where(col(Mention.id) == 2)
            .values(revision=2, text="the parking at St. Brigid's is terrible")
        )
    session.commit()
    found, again = replayed(engine, before, before, now)
    assert again == {"as before": 0, "with other phrases": 2, "older words": 1}.get(stored, 3)
    assert all(one.before == one.after for one in found)
    topics = [sorted(one.before.topics) for one in found]
    assert topics == [[], ["parking"] if stored == "older words" else ["billing"], []]


def test_danger_that_a_phrase_found_no_more(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    danger = before.keywords.urgency.danger.phrases
    lost = "nobody|noone comes|helps"
    assert any(lost in phrase for phrase in danger)
    heard(session, before, old_reader, now, "I am bleeding in the ER at St. Brigid's and nobody comes", FINE)
    after = changed(before, danger=tuple(phrase for phrase in danger if phrase != lost))
    (first, second), again = replayed(engine, before, after, now)
    assert (first.held_danger, first.phrases, again) == (True, (f"− {lost} (urgency.danger)",), 1)
    assert (second.held_danger, second.phrases) == (False, ())


def test_whose_word_it_is_by_each_file(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    """An account that is named in hospital.toml only now."""
    texts = [Post(source="x", ref="1", text=BILL, written_at=now, author="SBBilling")]
    heard(session, before, old_reader, now, *texts)
    accounts = before.hospital.accounts.model_copy(update={"x": "SBBilling"})
    (one,), again = replayed(engine, before, changed(before, hospital={"accounts": accounts}), now)
    assert (one.own_before, one.own_after, again) == (False, True, 1)
    assert (one.before.voice, one.after.voice) == ("patient", "other")
    (one,), _ = replayed(engine, changed(before, hospital={"accounts": accounts}), before, now)
    assert (one.own_before, one.own_after) == (True, False)


def test_a_name_in_a_thread_is_for_all_of_it(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    texts = ("Mercy General is the worst", "the nurse was so rude", "waited four hours there, rude nurse")
    posts = [
        Post(source="x", ref=f"{n}", text=text, written_at=now + n * timedelta(seconds=1), author=f"a{n}", thread="0")
        for n, text in enumerate(texts)
    ]
    # The name comes last: an answer makes what was read before it about us too.
    for order in (
        posts,
        [posts[0].model_copy(update={"text": "hi"}), *posts[1:], posts[0].model_copy(update={"ref": "9"})],
    ):
        session.execute(update(Mention).values(deleted_at=now))
        made = [
            post.model_copy(update={"ref": f"{post.ref}{len(order)}", "thread": f"0{len(order)}"}) for post in order
        ]
        heard(session, before, old_reader, now, *made)
        found, _ = replayed(engine, before, changed(before, hospital={"aliases": ("Mercy General",)}), now)
        rude = [one for one in found if "rude" in one.post.text]
        assert [(one.before.voice, one.after.voice) for one in rude] == [("other", "patient")] * 2


def test_a_name_in_an_older_post_of_the_thread(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    first = Post(source="x", ref="1", text="St. Brigid's is the worst", written_at=now - 40 * DAY, thread="1")
    heard(session, before, old_reader, now - 40 * DAY, first)
    later = Post(
        source="x", ref="2", text="the nurse was so rude about my gown", written_at=now, thread="1", author="jo"
    )
    heard(session, before, old_reader, now, later)
    (one,), again = replayed(engine, before, changed(before, phrases=("gown*",)), now)
    assert (one.before.voice, one.after.voice, again) == ("patient", "patient", 1)


def test_what_is_gone_and_what_is_older_is_not_replayed(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    heard(session, before, old_reader, now, GOWN, BILL, FINE)
    session.execute(update(Mention).where(col(Mention.id) == 1).values(deleted_at=now))
    session.execute(update(Mention).where(col(Mention.id) == 2).values(heard_at=now - 31 * DAY))
    session.commit()
    assert [one.post.text for one in replayed(engine, before, before, now)[0]] == [FINE]


def test_posts_of_cases_before_a_span(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    heard(session, before, old_reader, now - DAY, BILL, FINE)
    with reading(engine) as looking:
        assert [(post.text, post.case_id) for post in before_span(looking, now - 2 * DAY, now)] == [(BILL, 1)]
        assert before_span(looking, now, now + DAY) == []


def test_what_was_learned_of_a_thread_since_is_no_effect_of_the_change(
    engine: Engine, session: Session, before: Config, old_reader: Reader, now: datetime
) -> None:
    """An answer was read before its thread was known to be about us; the change touches it, but that is not what it did."""
    answers = {"source": "x", "thread": "0", "answers": "0", "written_at": now}
    heard(
        session,
        before,
        old_reader,
        now,
        Post(ref="1", text="the nurse was so rude about my gown", author="jo", **answers),
    )
    heard(session, before, old_reader, now, Post(ref="2", text="this was at St. Brigid's", author="al", **answers))
    assert session.exec(select(Reading.voice).where(Reading.mention_id == 1)).all() == ["other"]
    found, _ = replayed(engine, before, changed(before, phrases=("gown*",)), now)
    assert (found[0].before.voice, found[0].after.voice) == ("patient", "patient")
