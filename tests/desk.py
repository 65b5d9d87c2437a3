"""A desk: posts arrive on it that are already read, and time is what a test says it is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from sqlmodel import Session, col, select

from alerts.act import Done, act
from alerts.case import Case, CaseEvent
from alerts.decide import decide
from alerts.deliver import Delivered, deliver
from alerts.delivery import Delivery
from alerts.door import Door
from alerts.verdict import Verdict
from config.schema import Config
from listener.mention import Mention
from nlp.reading import Reading

READ_AS: dict[str, Any] = {
    "pipeline_version": "1",
    "mentions_us": ["St. Brigid's"],
    "departments": [],
    "voice": "patient",
    "kind": "complaint",
    "categories": [],
    "mood": -0.5,
    "urgency": "routine",
    "reasons": [],
    "language": "en",
    "readable": True,
}


class Desk:
    """What the stages before have left, and what the later ones make of it."""

    def __init__(self, session: Session, config: Config) -> None:
        self.session, self.config, self.heard = session, config, 0

    def hear(self, text: str = "waited for hours", *, read: bool = True, **said: Any) -> int:
        """A post, read unless told otherwise; fields of Mention and Reading by name. Its id."""
        self.heard += 1
        post = {name: said.pop(name) for name in list(said) if name in Mention.model_fields}
        at = post.pop("written_at", NOW - timedelta(minutes=1))
        defaults = {"collector": "x", "source": "x", "ref": f"r{self.heard}", "author": f"author{self.heard}"}
        defaults |= {"heard_at": at, "url": f"https://x.example/{self.heard}"}
        fields = {**defaults, **post}
        mention = Mention(**{"looked_at": fields["heard_at"], **fields}, text=text, written_at=at)
        self.session.add(mention)
        self.session.flush()
        assert mention.id is not None
        if read:
            self.read(mention.id, **said)
        self.session.commit()
        return mention.id

    def read(self, mention_id: int, **said: Any) -> None:
        """A reading of a post as it now is."""
        mention = self.session.get_one(Mention, mention_id)
        fields = {"redacted_text": mention.text, "revision": mention.revision, "read_at": mention.heard_at, **READ_AS}
        self.session.add(Reading(mention_id=mention_id, **{**fields, **said}))
        self.session.commit()

    def edit(self, mention_id: int, text: str, at: datetime, **said: Any) -> None:
        """The author changes a post, and it is read again."""
        mention = self.session.get_one(Mention, mention_id)
        mention.text, mention.edited_at, mention.revised_at = text, at, at
        mention.revision += 1
        self.session.add(mention)
        self.read(mention_id, **said)

    def decide(self, now: datetime = NOW, limit: int = 500) -> int:
        return decide(self.session, self.config, now, limit)

    def alert(self, text: str = "waited for hours", now: datetime = NOW, **said: Any) -> int:
        """A post that is decided on at once; the id of its case."""
        mention_id = self.hear(text, **said)
        self.decide(now)
        case_id = self.verdict(mention_id).case_id
        assert case_id is not None
        self.session.commit()  # a transaction that stays open keeps others from writing
        return case_id

    def act(self, name: str, who: str = "ana", now: datetime = NOW, case_id: int = 1, **answers: Any) -> Done:
        """Somebody does something with a case."""
        return act(self.session, self.config, name, case_id, who, now, answers)

    def deliver(self, door: Door, now: datetime = NOW, stop: Callable[[], bool] = lambda: False) -> Delivered:
        return deliver(self.session, self.config, door, now, stop)

    def verdict(self, mention_id: int) -> Verdict:
        """The verdict in force."""
        rows = select(Verdict).where(Verdict.mention_id == mention_id).order_by(col(Verdict.id).desc())
        return self.session.exec(rows).first() or pytest.fail("no verdict")

    def case(self, case_id: int = 1) -> Case:
        return self.session.get_one(Case, case_id, populate_existing=True)

    def case_now(self, case_id: int = 1) -> Case:
        """As the database has it now; no transaction stays open, which would keep others from writing."""
        with Session(self.session.get_bind()) as session:
            case = session.get_one(Case, case_id)
            session.expunge(case)
            return case

    def events_now(self, case_id: int = 1) -> list[str]:
        found = self.events(case_id)
        self.session.rollback()
        return found

    def cases(self) -> list[Case]:
        return list(self.session.exec(select(Case).order_by(col(Case.id))))

    def events(self, case_id: int = 1) -> list[str]:
        rows = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id))
        return [event.what for event in self.session.exec(rows)]

    def rows(self) -> list[Delivery]:
        return list(self.session.exec(select(Delivery).order_by(col(Delivery.id))))


class Clock:
    """A time that moves when told to; FakeSlack asks for it in seconds, the rest as a datetime."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        return self.at

    def passes(self, span: timedelta) -> datetime:
        self.at += span
        return self.at
