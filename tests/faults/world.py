"""One hospital for one cell of the matrix: the product, the place that it listens to, its Slack, pager and hooks.

`works()` is one beat of the service; `restart()` a new process on the same database. What people were told and what was
logged is kept, to be looked at afterwards.
"""

import gc
import importlib
import logging
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from conftest import NOW
from fakes.hook_receiver import SECRET, HookReceiver
from fakes.pager import FakePager
from fakes.server import Answer, Request
from fakes.slack import CARE_CHANNELS, FakeSlack
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select
from standardwebhooks import Webhook

from alerts.deliver import write
from alerts.delivery import Delivery
from alerts.figures import STUCK_AFTER, heard_between
from alerts.hooks import Hooks
from alerts.ledger import ledger
from alerts.pager import Pager
from alerts.press import Press, press
from alerts.slack import Slack
from alerts.verdict import Verdict
from config.schema import Config, Hook
from listener import tombstones, x_door
from listener.collect import known_collectors
from listener.collectors import bluesky, google_reviews, reddit
from listener.errors import CallLightError
from listener.mention import Mention
from listener.post import Page, Post, Ref
from listener.service import InForce, Passed, Service
from nlp.pipeline import Reader
from nlp.reading import Reading

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAITED = "@StBrigidCares waited six hours at St. Brigid's and nobody told us anything"
COLLAPSED = "@StBrigidCares my dad collapsed in the waiting room at St. Brigid's and nobody comes"
LONGEST = 20  # beats in which everything has to come to rest


class _Clock:
    """The world's time as the fakes of places want it."""

    def __init__(self, world: "World") -> None:
        self._world = world

    @property
    def at(self) -> datetime:
        return self._world.at

    def __call__(self) -> float:
        return self._world.clock()


class Receiver(HookReceiver):
    """Another system, in the world's time: the library that checks a signature looks at the machine's clock."""

    def answer(self, request: Request) -> Answer:
        """204, or 401 for what is not signed as it should be."""
        key, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        at = datetime.fromtimestamp(int(stamp), UTC)
        if Webhook(self.secret).sign(key, at, request.raw.decode()) != request.headers["webhook-signature"]:
            return self.status_answer(401)
        self.events.setdefault(key, request.body)
        return Answer(204, "")


class World:
    """A time that moves when told to, and everything that one installation meets."""

    def __init__(self, folder: Path, engine: Engine, config: Config, reader: Reader, caplog: Any) -> None:
        self.folder, self.engine, self.reader, self._config, self._caplog = folder, engine, reader, config, caplog
        self.at = NOW
        self.told: list[str] = []
        self.texts: list[str] = []
        self.refs: set[str] = set()
        self.first = self.said = ""  # the first post; what somebody read who pressed
        self.heard_all = False  # whether the fault changed nothing of what came
        self.old: set[str] = set()  # files of an earlier summary
        self.ana: Any = None
        self.ben: Any = None
        self.pressed: Any = None
        self.place: Any = None
        self.name = ""
        self.around = ExitStack()
        self._presses = 0
        self.slack = self.around.enter_context(FakeSlack(now=self.clock))
        for name in CARE_CHANNELS:
            self.slack.add_channel(name)
        self.pager = self.hook = None
        self.secrets: dict[str, str] = {}
        self.service: Service = None  # type: ignore[assignment]

    def clock(self) -> float:
        """For the fakes, in seconds."""
        return self.at.timestamp()

    def now(self) -> datetime:
        """For the product."""
        return self.at

    # what is there

    def listens_to(self, name: str, **more: Any) -> None:
        """One collector is on, and its place can be answered."""
        made = importlib.import_module(f"fakes.{name}").place(_Clock(self), self.folder)
        self.place = self.around.enter_context(made)
        answering = self.place.may_answer() if hasattr(self.place, "may_answer") else {}
        self.name, self.secrets = name, {**self.place.secrets, **answering}
        self.settings = {"on": True, **self.place.settings, **more}

    def pages(self) -> None:
        """Somebody is on call."""
        self.pager = self.around.enter_context(FakePager(now=self.clock))

    def hooks(self) -> None:
        """Another system is told of cases."""
        self.hook = self.around.enter_context(Receiver())

    def server(self, at: str) -> Any:
        """The fake that a call goes to."""
        if at == "place":
            return self.place.server or self.place.fake
        return {"slack": self.slack, "pager": self.pager, "hook": self.hook}[at]

    # the process

    def start(self, **addresses: str) -> Service:
        """The product as a new process has it; `addresses` that lead elsewhere than to the fakes, by the fake's name."""
        forget_everything()
        self.engine.dispose()
        settings: Any = {}
        if self.place is not None:
            given = {**self.settings, **({"base_url": addresses["place"]} if "place" in addresses else {})}
            settings = {self.name: known_collectors()[self.name].Settings(**given)}
        care = self._config.care
        if self.hook is not None:
            there = Hook.model_validate({"name": "crm", "url": addresses.get("hook", self.hook.base_url) + "/events"})
            care = care.model_copy(update={"hooks": (there,)})
        replies = care.replies.model_copy(update={"send": (self.name,)})
        care = care.model_copy(update={"replies": replies})
        config = self._config.model_copy(update={"collectors": settings, "care": care})
        slack = addresses.get("slack", self.slack.base_url)
        door = Slack(self.slack.token, slack, dict(care.slack.channels), self.now)
        others: dict[str, Any] = {}
        if self.pager is not None:
            there = self.pager.json()
            others["pager"] = Pager(addresses.get("pager", there), within=2.0)
        if self.hook is not None:
            others["hooks"] = Hooks(care.hooks, {"CALL_LIGHT_HOOK_SECRET": SECRET}, self.now)
        self.service = Service(config, self.engine, door, self.secrets, self.now, self.folder / "reports", others)
        self.service.in_force = InForce(config, self.service.in_force.doors, self.reader)
        return self.service

    def stops(self) -> None:
        """The end of the cell."""
        self.engine.dispose()
        forget_everything()
        self.around.close()

    # what happens

    def hears(self, text: str, ago: timedelta = MINUTE, author: str = "kim", **more: Any) -> str:
        """Somebody posts at the place."""
        ref: str = self.place.post(text, self.at - ago, author, **more)
        self.first = self.first or ref
        self.texts.append(text)
        self.refs.add(ref)
        return ref

    def brings(self, text: str) -> None:
        """A post of X is there, whoever heard it."""
        number = str(len(self.refs) + 1)
        post = Post(source="x", ref=number, text=text, author=f"author{number}", written_at=self.at - MINUTE)
        list(self.service.bring_in("x", [Page((post,), {})]))
        self.texts.append(text)
        self.refs.add(number)
        self.first = self.first or number

    def loses(self, ref: str) -> None:
        """A post is gone at its place."""
        list(self.service.bring_in("x", [Page((), {}, deleted=(Ref("x", ref),))]))

    def reports(self, **said: Any) -> None:
        """What the weekly summary has."""
        report = self._config.report.model_copy(update=said)
        self._config = self._config.model_copy(update={"report": report})

    def collects(self) -> Passed:
        """The place is asked, and what it gives is kept."""
        return self._noted(self.service.collect(self.name))

    def flows(self, passed: Passed | None = None) -> Passed:
        """What was kept is read, decided and told."""
        service, passed = self.service, passed or Passed()
        service.flow(passed, clocks=False)
        for through in service.in_force.doors:
            if through != "people":
                service.deliver(through, passed)
        return self._noted(passed)

    def works(self, look: bool = False) -> Passed:
        """One beat: what is due is heard, read, decided, told; with `look`, kept posts are looked for again before."""
        passed = Passed()
        if self.place is not None:
            self.service.collect(self.name, passed)
        if look:
            self.service.forget(passed)
        return self.flows(passed)

    def _noted(self, passed: Passed) -> Passed:
        self.told += [sentence for sentence in passed.trouble if sentence not in self.told]
        return passed

    def rests(self, look: bool = False) -> None:
        """Beats until nothing waits and nothing is wrong any more; then the place is asked once more, for doubles."""
        told = list(self.told)  # what is told from now on is not of the fault
        for _ in range(LONGEST):
            self.at += 20 * MINUTE  # longer than any place asked to wait
            passed = self.works(look)
            if not (passed.trouble or self.waiting() or len(self.mentions()) < len(self.refs)):
                break
        else:
            raise AssertionError(f"it never comes to rest: {passed}")
        if self.place is not None:
            self.at += 2 * MINUTE
            self.service.collect(self.name)
        self.told = told

    def presses(self, action: str, case_id: int = 1, **given: Any) -> str:
        """Somebody presses a button; the sentence that they read."""
        self.next_press()
        wanted = Press(action, case_id, "U0ANA1", "ana", f"press:{self._presses}", given)
        service = self.service
        try:
            done = press(self.engine, service.config, service.door, wanted, self.at, self.secrets, lambda: None)
        except CallLightError as error:
            self.told += [str(error)]
            return str(error)
        return done.sentence if done else ""

    def next_press(self) -> None:
        """Slack gives each press a name of its own."""
        self._presses += 1

    # what is there afterwards

    def session(self) -> Session:
        """A look at the database."""
        return Session(self.engine)

    def mentions(self) -> list[str]:
        """What was kept of what strangers wrote."""
        return [ref for ref, is_own, _ in self._kept() if not is_own]

    def own(self) -> list[str]:
        """What was kept of what the hospital wrote."""
        return [ref for ref, is_own, _ in self._kept() if is_own]

    def gone(self) -> set[str]:
        """Posts whose words were taken out."""
        return {ref for ref, _, is_gone in self._kept() if is_gone}

    def _kept(self) -> list[tuple[str, bool, bool]]:
        """The name of each post, whether it is the hospital's, and whether its words are gone; then a mark had its name."""
        with self.session() as session:
            rows = session.exec(select(Mention.source, Mention.ref, Mention.own, Mention.deleted_at)).all()
            stones = tombstones.standing(session)
        names = {stones.of_post(source, ref): ref for source, *_ in rows for ref in self.refs} if stones else {}
        return [(names.get(ref, ref), own, deleted is not None) for _, ref, own, deleted in rows]

    def waiting(self) -> int:
        """Messages that have not left."""
        with self.session() as session:
            unsent = select(func.count()).where(col(Delivery.state).in_(("pending", "sending")))
            return session.exec(unsent).one()

    def messages(self) -> list[dict[str, Any]]:
        """Everything that the product says in a channel."""
        return [one | {"in": name} for name in CARE_CHANNELS for one in self.slack.messages(name) if "metadata" in one]

    def cards(self) -> list[int]:
        """The case of each card in Slack."""
        kinds = [one["metadata"] for one in self.messages()]
        return [int(one["event_payload"]["case_id"]) for one in kinds if one["event_type"] == "call_light_card"]

    def is_true(self) -> bool:
        """Whether each card in Slack says what the database does."""
        there = {one["metadata"]["event_payload"]["delivery"]: one for one in self.messages()}
        with self.session() as session:
            rows = session.exec(select(Delivery).where(Delivery.kind == "card")).all()
            said = {row.key: write(session, self.service.config, row, self.at)[0] for row in rows}
        return all(
            key in there and (there[key]["text"], _bare(there[key]["blocks"])) == (one.text, _bare(one.blocks))
            for key, one in said.items()
        )

    def adds_up(self) -> None:
        """The rules that hold after every cell: kept once, read once, told once, and all accounted for."""
        with self.session() as session:
            assert Counter(self.mentions()) == Counter(self.refs), "every post is kept exactly once"
            for table in (Reading, Verdict):
                ids = session.exec(select(table.mention_id)).all()
                assert len(ids) == len(set(ids)), f"a post has two rows in {table.__name__}"
            cases = set(session.exec(select(Verdict.case_id).where(Verdict.outcome == "alert")).all())
            sum_ = ledger(heard_between(session, None, self.at), self.at + 2 * STUCK_AFTER)
        assert sum_.adds_up, sum_
        assert sum_.on_the_way == 0
        assert Counter(self.cards()) == Counter(cases), "every card is there exactly once"
        keys = Counter(one["metadata"]["event_payload"]["delivery"] for one in self.messages())
        assert not keys or max(keys.values()) == 1, "nothing is said twice"

    def says_nothing_else(self) -> None:
        """No post, no secret, no author and no traceback in the log; no secret in what people were told."""
        logged = "\n".join(map(_whole, self._caplog.records))
        private = [*self.secrets.values(), self.slack.token, self.slack.app_token, SECRET, "hunter2"]
        for word in (*private, *self.texts, "waiting room", "six hours", "Traceback"):
            assert word not in logged, "the log says too much"
        for sentence in self.told:
            assert "Traceback" not in sentence
            assert not any(word in sentence for word in (*private, *self.texts)), "people are told too much"


def _bare(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks without the names that Slack gives them."""
    return [{name: value for name, value in block.items() if name != "block_id"} for block in blocks]


def _whole(record: logging.LogRecord) -> str:
    """A line of the log with its traceback, if it has one."""
    return record.getMessage() + (" Traceback" if record.exc_info and record.exc_info[0] else "")


_OURS = ("listener", "alerts", "nlp", "config")


def forget_everything() -> None:
    """What a process keeps in mind between two passes: connections, logins, whose tokens these are."""
    reddit._connected.cache_clear()
    bluesky._account.cache_clear()
    google_reviews._credentials.cache_clear()
    x_door._owners.clear()
    with warnings.catch_warnings():  # the end of a process closes its connections without a word
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def fresh(engine: Engine, empty: Path) -> None:
    """A database as after installation, in place of the last cell's: to open one anew costs more than a cell."""
    engine.dispose()
    there = Path(engine.url.database or "")
    for old in there.parent.glob(f"{there.name}-*"):
        old.unlink()
    shutil.copy(empty, there)


@contextmanager
def world(folder: Path, engine: Engine, config: Config, reader: Reader, caplog: Any) -> Iterator[World]:
    """A new one, which ends with the block."""
    for name in _OURS:  # as the service writes it: of libraries only what is a warning (listener/logs.py)
        caplog.set_level(logging.DEBUG, logger=name)
    gc.freeze()  # nothing of a world is there by now: what is looked for is the garbage of this one alone
    made = World(folder, engine, config, reader, caplog)
    try:
        yield made
    finally:
        made.stops()
