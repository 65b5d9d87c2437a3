"""Somebody is forgotten: by their wish, by their own deleting, by time. Then their words are looked for in every byte that is kept."""

import base64
import html
import json
import logging
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from conftest import PROJECT
from fakes.hook_receiver import SECRET, HookReceiver
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.x import FakeX
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from stories.test_listening import Clock

from alerts.act import act
from alerts.case import Case
from alerts.figures import heard_between
from alerts.hooks import Hooks
from alerts.ledger import ledger
from alerts.proposals import Proposal
from alerts.slack import Slack
from alerts.spikes import Spike, know
from config.schema import Config, Hook
from listener import versions
from listener.backup import DATABASE, back_up
from listener.cli_privacy import forget_everywhere
from listener.collect import known_collectors
from listener.forget import by_handle, by_url
from listener.service import Service
from nlp.pipeline import Reader

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HANDLE, NAME, WORD = "kim_zorb9", "Quilliam", "zorblattic"
OTHERS = ("lee", "sam", "ana", "pat", "max", "joe")
DANGER = f"my {WORD} dad collapsed in the waiting room at St. Brigid's and nobody comes"
SAID = (
    DANGER,
    f"Waited six hours in the {WORD} ER at St. Brigid's today, nobody told us anything",
    f"thank you so much to the {WORD} nurses in cardiology at St. Brigid's, you were wonderful to us",
    f"great new garden at St. Brigid's, looks {WORD}",
    f"St. Brigid's {WORD.title()} Rovers won again on Saturday, what a game",
)
PORTAL = "the patient portal of St. Brigid's is down again, cannot log in, {}"


class House:
    """The whole product, with a folder of its own, Slack, a hook that is told words, and what it logs."""

    def __init__(self, service: Service, x: FakeX, slack: FakeSlack, crm: HookReceiver, clock: Clock, log: Any) -> None:
        self.service, self.x, self.slack, self.crm, self.clock, self.log = service, x, slack, crm, clock, log
        assert service.reports is not None
        self.data = service.reports.parent
        self.ids: list[str] = []

    def week(self, others_name_them: bool) -> None:
        """A week in which they post, people act, others pass it on, and the summary goes out."""
        self.x.user(HANDLE, name=NAME, followers=77123)
        self.service.tick()
        self.clock.at += HOUR
        for text in SAID:
            self.ids.append(self.x.post(text, HANDLE, at=self.clock.at - 2 * MINUTE))
        for n, author in enumerate(OTHERS[:5]):
            self.x.post(PORTAL.format("since " + str(n)), author, at=self.clock.at - 2 * MINUTE)
        self.ids.append(self.x.post(PORTAL.format(f"so {WORD}"), HANDLE, at=self.clock.at - 2 * MINUTE))
        if others_name_them:
            text = f"@{HANDLE} that is awful, and St. Brigid's parking garage took forty minutes to get out too"
            self.x.post(text, "bob", at=self.clock.at - MINUTE, in_reply_to=self.ids[1])
        self.service.tick()
        self.people_act(others_name_them)
        self.clock.at += 2 * HOUR
        self.service.tick()  # digests
        self.clock.at += 7 * DAY  # past the hour of the weekly summary
        self.service.tick()
        self.clock.at += 2 * HOUR
        self.service.tick()

    def people_act(self, others_name_them: bool) -> None:
        texts = self.texts()
        with Session(self.service.engine) as session:
            cases = {case.mention_id: case.id for case in session.exec(select(Case).order_by(col(Case.id)))}
            for mention_id, case_id in cases.items():
                if "six hours" in texts[mention_id]:
                    why = f"wait for @{HANDLE}" if others_name_them else "wait"
                    self.act(session, "snooze", case_id or 0, span="2h", why=why)
            spike = session.exec(select(Spike)).first()
            if spike is not None:
                know(session, spike.id or 0, "The portal is back at noon.", "ana", self.clock.at)
                session.commit()

    def act(self, session: Session, name: str, case_id: int, **answers: Any) -> None:
        config, now = self.service.config, self.clock.at
        act(session, config, name, case_id, "ana", now, answers, self.service.secrets)

    def proposes(self) -> None:
        """A line for the config is learned from what they said, and told in Slack."""
        with Session(self.service.engine) as session:
            case = session.exec(select(Case).where(Case.urgency == "danger")).one()
            line = {
                "list": "not_us",
                "phrase": f"St. Brigid's {WORD.title()} Rovers",
                "why": "it would have left out 1 post",
            }
            session.add(Proposal(**line, case_id=case.id or 0, made_at=self.clock.at))
            session.commit()
        self.service.tick()

    def texts(self) -> dict[int, str]:
        from listener.mention import Mention

        with Session(self.service.engine) as session:
            return dict(session.exec(select(Mention.id, Mention.text)).all())  # type: ignore[arg-type]

    def settle(self) -> None:
        """Messages that are edited once an hour, and a hook that is told again, have had their time."""
        for _ in range(3):
            self.clock.at += 2 * HOUR
            self.service.tick()

    def kept(self) -> Iterator[tuple[str, bytes]]:
        """Everything that is kept anywhere, by where: as it stands, unpacked where it is packed."""
        shelf = Path(tempfile.mkdtemp(dir=self.data.parent))
        made = back_up(self.data, PROJECT / "config", shelf, self.clock.at, reports=True)
        with tarfile.open(made.path) as tar:
            for entry in tar:
                yield f"backup/{entry.name}", tar.extractfile(entry).read()  # type: ignore[union-attr]
        for folder in (self.data, shelf):
            for path in folder.rglob("*"):
                if path.is_file() and path != made.path:
                    yield str(path.relative_to(self.data.parent)), path.read_bytes()
        with Session(self.service.engine) as session:
            for version in versions.every(session):
                yield f"config version {version.number}", json.dumps(version.texts, ensure_ascii=False).encode()
        for channel in self.service.config.care.slack.channels.values():
            yield channel, json.dumps(self.slack.messages(channel), ensure_ascii=False).encode()
        for file in self.slack.files():
            yield f"file in Slack: {file.name}", (file.content or b"") + file.title.encode() + file.alt.encode()
        newest: dict[int, Any] = {}
        for event in self.crm.events.values():
            newest[event["data"]["case_id"]] = event
        yield "hook, the newest of each case", json.dumps(newest, ensure_ascii=False).encode()
        yield "log", self.log.text.encode()


def found(kept: Iterator[tuple[str, bytes]], *words: str) -> list[str]:
    """Where any of these words stands, in whatever way it may be written."""
    hits = []
    for where, content in kept:
        small = content.lower()
        hits += [f"{where}: {word} as {how}" for word in words for how, form in ways(word).items() if form in small]
    return sorted(hits)


def ways(word: str) -> Mapping[str, bytes]:
    """A word as it may stand in bytes; letters small, as what is looked through is."""
    said = word.lower().encode()
    forms = {"text": said, "hex": said.hex().encode(), "backwards": said[::-1]}
    forms |= {"utf-16": word.lower().encode("utf-16-le"), "utf-16be": word.lower().encode("utf-16-be")}
    forms |= {"url": quote(word, safe="").lower().encode(), "html": html.escape(word).lower().encode()}
    forms["json"] = json.dumps(word)[1:-1].lower().encode()
    for shift in range(3):  # of base64 the middle is the same wherever it stands in a longer text
        whole = base64.b64encode(b"\0" * shift + word.encode())
        forms[f"base64 {shift}"] = whole[4 if shift else 0 : len(whole) // 4 * 4 - 4].lower()
    return {how: form for how, form in forms.items() if len(form) >= 6}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[FakeX]:
    with FakeX(now=clock, own_handle="StBrigidCares", lag=0) as x:
        yield x


@pytest.fixture
def slack(clock: Clock) -> Iterator[FakeSlack]:
    with FakeSlack(now=clock) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield slack


@pytest.fixture
def house(
    x: FakeX,
    slack: FakeSlack,
    config: Config,
    reader: Reader,
    engine: Engine,
    clock: Clock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[House]:
    caplog.set_level(logging.DEBUG)
    ears = {"x": known_collectors()["x"].Settings(on=True, base_url=x.base_url, queries=["brigid"], keep_for="30d")}
    with HookReceiver() as crm:
        hooks = (Hook(name="crm", url=f"{crm.base_url}/hook", text=True),)
        care = config.care.model_copy(update={"hooks": hooks})
        only = config.model_copy(update={"collectors": ears, "care": care})
        secrets = {"X_BEARER_TOKEN": "test-bearer", "CALL_LIGHT_HOOK_SECRET_CRM": SECRET}
        door = Slack("xoxb-test-token", slack.base_url, care.slack.channels, clock.now)
        doors = {"hooks": Hooks(hooks, secrets)}
        service = Service(only, engine, door, secrets, clock.now, tmp_path / "data" / "reports", doors)
        service.in_force.reader = reader
        with Session(engine) as session:
            versions.write_down(session, {"care.toml": (PROJECT / "config" / "care.toml").read_text()}, "ana", clock.at)
        yield House(service, x, slack, crm, clock, caplog)


def by_their_wish(house: House) -> None:
    with Session(house.service.engine) as session:
        asked = by_handle(session, f"@{HANDLE.upper()}")
    done = forget_everywhere(house.service, asked)
    assert done["forgotten"] == len(house.ids)
    assert done["masked"] >= 2, "a post of another, and a reason that staff typed"
    assert done["messages"] > 0
    assert any(sentence.startswith("case 1 (danger) still waits") for sentence in done["to_do"]), done["to_do"]
    assert any("hook crm was told the words" in sentence for sentence in done["to_do"])


def by_the_link_of_one_post(house: House) -> None:
    with Session(house.service.engine) as session:
        asked = by_url(session, f"https://twitter.com/{HANDLE}/status/{house.ids[0]}?s=20", and_author=True)
    assert forget_everywhere(house.service, asked)["forgotten"] == len(house.ids)


def by_deleting(house: House) -> None:
    for ref in house.ids:
        house.x.delete(ref)
    house.clock.at += DAY
    house.service.tick()


def by_time(house: House) -> None:
    house.clock.at += 31 * DAY
    house.service.tick()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("goes", "others_name_them"),
    [(by_their_wish, True), (by_the_link_of_one_post, True), (by_deleting, False), (by_time, False)],
)
def test_nothing_is_left(house: House, goes: Callable[[House], None], others_name_them: bool) -> None:
    house.week(others_name_them)
    if goes is not by_time:  # a proposed line outlives the time of its post, as docs/privacy.md says
        house.proposes()
    before = found(house.kept(), WORD, HANDLE, NAME)
    places = {hit.partition(":")[0] for hit in before}
    assert {f"backup/{DATABASE}", "#social-care", "#social-care-danger", "#kind-words"} <= places, places
    assert places & {f"data/{DATABASE}", f"data/{DATABASE}-wal"}
    assert any(place.startswith("hook") for place in places)
    assert not any(place.startswith("log") for place in places)
    for where, content in house.kept():
        if where.startswith(("#", "file", "hook")):
            seen = content.lower().replace(f"x.com/{HANDLE}/status".encode(), b"")
            assert not [word for word in (HANDLE, NAME, "77123") if word.lower().encode() in seen], (
                f"{where}: only a link"
            )
    goes(house)
    house.settle()
    left = found(house.kept(), WORD, HANDLE, NAME)
    if goes is by_time:  # what is learned from a post outlives its time: docs/privacy.md
        left = [hit for hit in left if WORD not in hit or ("data/" not in hit and "backup/" not in hit)]
    assert left == []
    with Session(house.service.engine) as session:
        assert ledger(heard_between(session, None, house.clock.at), house.clock.at).adds_up
    new = len(house.texts())
    house.service.tick()
    assert len(house.texts()) == new, "and it does not come back"


@pytest.mark.slow
def test_only_they_are_forgotten(house: House) -> None:
    """The posts of others stay word by word, but for the name in them."""
    house.week(others_name_them=True)
    before = house.texts()
    by_their_wish(house)
    house.settle()
    after = house.texts()
    changed = {before[id_]: after[id_] for id_ in before if before[id_] != after[id_]}
    theirs = [text for text, now in changed.items() if now == ""]
    assert len(theirs) == len(house.ids)
    ((was, now),) = [(was, now) for was, now in changed.items() if now]
    assert now == was.replace(HANDLE, "[forgotten]")
