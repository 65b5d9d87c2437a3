"""A Monday at the care desk: sixty posts, two agents in Slack, one danger, one portal that is down, a shift change."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_limits import problems
from fakes.slack_people import Person
from fakes.x import FakeX
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts import report
from alerts.case import Case, CaseEvent
from alerts.figures import figures, heard_between
from alerts.ledger import ledger
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import SocketLine
from alerts.span import days
from alerts.spikes import TopicHour
from config.schema import Config, Shift
from listener.collect import known_collectors
from listener.mention import Mention
from listener.service import Service
from nlp.pipeline import Reader

CHICAGO = ZoneInfo("America/Chicago")
MINUTE = timedelta(minutes=1)
CARE, DANGER, BILLING, OPS, KIND = (
    "social-care",
    "social-care-danger",
    "billing-social",
    "operations-social",
    "kind-words",
)
PRIVACY = "privacy-office-social"
HOSPITAL = "StBrigidCares"

COMPLAINTS = """\
waited five hours in the ER at St. Brigid's today and nobody told us anything
the lobby bathroom at St. Brigid's was filthy this morning, no soap, no paper
the food at St. Brigid's is cold again, my tray sat in the hall for an hour
St. Brigid's front desk was so rude to my mother just now
tried calling St. Brigid's for an appointment six times, nobody picks up the phone
parking garage at St. Brigid's: forty minutes to get out and they charge me twelve dollars
Is the St. Brigid's pharmacy open on Thanksgiving?
no one at St. Brigid's explained the discharge papers to us, we have no idea what to do
third reschedule of my MRI at St. Brigid's, each time by a voicemail at night
St. Brigid's lost my referral, the specialist has nothing and I took a day off for this
why does nobody at Brigid Lakeside answer the pediatrics line on a Monday?
the elevators at Brigid Harbor have been broken for a week, my grandmother cannot do stairs
my name was shouted across the whole waiting room at St. Brigid's, so much for dignity
the vending machines at St. Brigid's ate my ten dollars and the cafeteria closes at two
how do I get my records from St. Brigid's sent to another doctor?
I drove an hour to St. Brigid's and my appointment was cancelled without a word
my dad's room at St. Brigid's was never cleaned yesterday, the bin is overflowing
a receptionist at St. Brigid's rolled her eyes when I asked for an interpreter
St. Brigid's imaging sent me home because the machine is down, no call beforehand
does St. Brigid's take walk-ins for flu shots this week?
two hours on hold with St. Brigid's scheduling, then it hung up on me
the blanket I got at St. Brigid's had stains on it, honestly disgusting
St. Brigid's dermatology gave my slot away because I was four minutes late
St. Brigid's lost the form I filled in twice, and nobody knows who has it
they promised a call back from St. Brigid's on Friday. It is Monday. Nothing.
the new pharmacy at St. Brigid's filled half of my order and sent me away
where do visitors park at Brigid Lakeside during the construction?
our doctor at St. Brigid's talked to the computer the whole visit, never looked up once
St. Brigid's labor and delivery has one nurse for five rooms today, this is not okay
I have been to St. Brigid's billing desk, the front desk and back twice for one form
heating is off in the St. Brigid's waiting area, people sit in coats
what are the visiting hours of the ICU at St. Brigid's?""".splitlines()
PORTAL = """\
the St. Brigid's portal is down again, this is useless, I need my results
MyBrigid app keeps logging me out every minute, what is going on?
anyone else unable to log in to the St. Brigid's patient portal?
St. Brigid's website shows me an error page since noon, cannot book anything
my St. Brigid's password is right and the portal says it is wrong, four times now
is the MyBrigid app broken for everyone or is it me?
cannot open a single message from my doctor on the St. Brigid's portal, it just spins
the portal of St. Brigid's ate my refill request, blank page after I press send
why is the St. Brigid's online check-in not working, I am standing in the lobby with my phone
St. Brigid's portal: "service unavailable". Great. My test results came in today.
tried three browsers, the St. Brigid's login does not load in any of them
MyBrigid will not let me cancel tomorrow's appointment, it freezes each time
how am I supposed to pay online at St. Brigid's when the website is dead?
whoever runs the St. Brigid's app, please fix the login, it has failed all afternoon""".splitlines()
NOISE = """\
HIRING: RN at St. Brigid's, night shift, apply now at https://jobs.example/1
St. Brigid's softball league won 7 to 2 on Saturday
Join our team: St. Brigid's is looking for a lab tech, sign-on bonus, https://jobs.example/2
the bells of St. Brigid's Church ring at six, lovely evening
Flu shot clinic special at St. Brigid's gift shop, 20% off this week only https://ads.example/3
St. Brigid's parish hall has bingo on Thursday, doors at seven""".splitlines()
PRAISE = """\
Thank you nurse Amy at St. Brigid's, you were so kind to my mom all night
nurse Amy in the ER at St. Brigid's is an angel, she held my hand the whole time
shout-out to nurse Amy, St. Brigid's is lucky to have her, she explained everything twice
thanks to nurse Amy at St. Brigid's for being so gentle with my little boy
St. Brigid's: nurse Amy stayed after her shift to find my father's glasses. Thank you!
so grateful for nurse Amy at St. Brigid's, calm and funny and patient with us""".splitlines()


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 16, hour, minute, tzinfo=CHICAGO)


@dataclass
class Day:
    """The clock of the day, and what is posted when."""

    now: datetime = datetime(2026, 11, 16, 8, 59, tzinfo=CHICAGO)
    posts: dict[datetime, list[tuple[str, str]]] = field(default_factory=dict)  # minute -> author and words

    def __call__(self) -> float:
        return self.now.timestamp()

    def time(self) -> datetime:
        return self.now

    def plan(self, minute: datetime, text: str, author: str) -> None:
        self.posts.setdefault(minute, []).append((author, text))


@dataclass
class Monday:
    """The product, the places it listens to, and the people."""

    day: Day
    service: Service
    slack: FakeSlack
    x: FakeX
    ana: Person
    ben: Person
    answers: dict[int, datetime] = field(default_factory=dict)  # case -> when the hospital answered

    def passes(self, until: datetime) -> None:
        """Minute by minute: people post, the product hears, reads and tells, the agents work."""
        while self.day.now < until:
            self.day.now += MINUTE
            for author, text in self.day.posts.get(self.day.now, ()):
                self.x.post(text, author=author, at=self.day.now)
            self.service.collect("x")
            self.service.flow()
            if self.work():
                self.service.flow()

    def work(self) -> bool:
        """Each agent claims what is new in their channels, and answers on X what they claimed three minutes ago; whether
        anybody had anything to do."""
        is_busy = False
        for channel, person in ((CARE, self.ana), (BILLING, self.ben), (PRIVACY, self.ben)):
            for card in self.slack.messages(channel):
                if self.is_new(card):
                    person.press(channel, card["ts"], "do:claim")
                    is_busy = True
        with self.session() as session:
            claimed = session.exec(
                select(Case, Mention).where(Case.state == "claimed", Case.mention_id == Mention.id)
            ).all()
            due = [(case.id, mention.ref) for case, mention in claimed if self.day.now - case.claimed_at == 3 * MINUTE]
        for number, ref in due:
            assert number is not None
            if number not in self.answers:
                self.answers[number] = self.day.now
                self.x.post(
                    "Please call Patient Relations at 555-0100", author=HOSPITAL, at=self.day.now, in_reply_to=ref
                )
        return is_busy or bool(due)

    @staticmethod
    def is_new(card: dict[str, Any]) -> bool:
        return any(
            element.get("action_id") == "do:claim"
            for block in card.get("blocks", ())
            if block["type"] == "actions" and block["block_id"].startswith("case:")
            for element in block["elements"]
        )

    def session(self) -> Session:
        return Session(self.service.engine)

    def kinds(self, channel: str) -> Counter[str]:
        return Counter(message["metadata"]["event_type"] for message in self.slack.messages(channel))


@pytest.fixture
def monday(config: Config, reader: Reader, engine: Engine, tmp_path: Path) -> Iterator[Monday]:
    day = Day()
    with FakeX(now=day, own_handle=HOSPITAL, lag=0) as x, FakeSlack(now=day) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        shifts = (
            Shift(name="Day", hours="07:00-19:00", people=("<@U0ANA1>",)),
            Shift(name="Night", hours="19:00-07:00", people=("<@U0BEN1>",)),
        )
        care = config.care.model_copy(update={"shifts": shifts})
        settings = known_collectors()["x"].Settings(on=True, base_url=x.base_url, queries=("brigid", "mybrigid"))
        config = config.model_copy(update={"care": care, "collectors": {"x": settings}})
        door = Slack(slack.token, slack.base_url, care.slack.channels, day.time)
        service = Service(config, engine, door, {"X_BEARER_TOKEN": "test-bearer"}, day.time, tmp_path)
        service.in_force.reader = reader
        line = SocketLine(
            SlackApp(lambda: config, engine, door, {}, day.time).bolt,
            slack.app_token,
            door.client,
            ping=1,
            now=day.time,
        )
        line.look()
        slack.socket().wait_for(links=1)
        _listened_for_two_weeks(engine, day.now)
        yield Monday(day, service, slack, x, Person(slack, "U0ANA1", "ana"), Person(slack, "U0BEN1", "ben"))
        slack.socket().drop()
        line._handler.client.closed = True
        line._handler.client.enqueue_message("{}")
        with contextlib.suppress(Exception):
            line.close()


def _listened_for_two_weeks(engine: Engine, now: datetime) -> None:
    """So that the product knows what is usual: someone waits every hour, the portal is named twice a day."""
    with Session(engine) as session:
        for hours in range(1, 14 * 24):
            hour = (now - timedelta(hours=hours)).astimezone(UTC).replace(minute=0)
            session.add(TopicHour(topic="waiting", hour=hour, posts=1))
            if hours % 12 == 0:
                session.add(TopicHour(topic="digital", hour=hour, posts=1))
        session.commit()


def planned(day: Day) -> int:
    """Sixty posts; how many."""
    for number, text in enumerate(COMPLAINTS):
        day.plan(at(9, 5) + number * 17 * MINUTE, text, f"patient{number}")
    for number, (praise, noise) in enumerate(zip(PRAISE, NOISE, strict=True)):
        day.plan(at(10, 3) + number * 61 * MINUTE, praise, f"thankful{number}")
        day.plan(at(9, 31) + number * 67 * MINUTE, noise, f"somebody{number}")
    for number, text in enumerate(PORTAL):
        day.plan(at(13, 1) + number * MINUTE, text, f"locked{number}")
    day.plan(at(10, 12), "my dad collapsed in the waiting room at St. Brigid's and nobody comes", "kim")
    day.plan(at(11, 20), "St. Brigid's billed me twice for the same bill, 900 dollars, nobody corrects it", "lee")
    return sum(map(len, day.posts.values()))


@pytest.mark.slow
def test_a_monday(monday: Monday) -> None:
    assert planned(monday.day) == 60
    _danger_is_told_until_somebody_has_it(monday)
    _the_portal_is_down(monday)
    _the_shift_changes(monday)
    _the_day_adds_up(monday)


def _danger_is_told_until_somebody_has_it(monday: Monday) -> None:
    monday.passes(at(10, 12))
    (card,) = monday.slack.messages(DANGER)
    assert card["text"].startswith("<!here> 🚨 DANGER")
    assert "Call the nurse in charge" in str(card["blocks"]) or "call the nurse in charge" in str(card["blocks"])
    monday.passes(at(10, 17))
    told = monday.kinds(DANGER)
    assert told == {"call_light_card": 1, "call_light_reminder": 2}, "again every two minutes"
    monday.ben.press(DANGER, card["ts"], "do:claim")
    monday.passes(at(10, 25))
    assert monday.kinds(DANGER) == told, "and no more once somebody has it"
    with monday.session() as session:
        claimed = session.exec(select(CaseEvent).where(CaseEvent.kind == "claimed", CaseEvent.who == "U0BEN1")).first()
        assert claimed is not None
        assert claimed.at - at(10, 12) == 5 * MINUTE, "the time to a person is in the record"


def _the_portal_is_down(monday: Monday) -> None:
    monday.passes(at(13, 12))
    spikes = [one for one in monday.slack.messages(OPS) if one["metadata"]["event_type"] == "call_light_spike"]
    assert len(spikes) == 1, "one card, not one a post"
    monday.ben.press(OPS, spikes[0]["ts"], "known")
    monday.ben.view()
    monday.ben.submit(known="The portal is down for everyone; we are working on it.")
    monday.passes(at(13, 20))
    (spike,) = [one for one in monday.slack.messages(OPS) if one["metadata"]["event_type"] == "call_light_spike"]
    assert "14" in spike["text"] + str(spike["blocks"][0])
    assert "The portal is down for everyone" in str(spike["blocks"])


def _the_shift_changes(monday: Monday) -> None:
    monday.day.plan(
        at(18, 59), "St. Brigid's kept me waiting four hours in the ER tonight and nobody said a word", "late"
    )
    monday.passes(at(19, 1))
    (note,) = [one for one in monday.slack.messages(CARE) if one["metadata"]["event_type"] == "call_light_handover"]
    assert note["blocks"][0]["text"]["text"] == "🤝 Hand-over · Day → Night"
    assert "<@U0BEN1>" in str(note["blocks"][1])
    assert "Still to do: 1" in str(note["blocks"])
    monday.passes(at(19, 10))


def _the_day_adds_up(monday: Monday) -> None:
    with monday.session() as session:
        heard = heard_between(session, None, at(19, 30))
        of_people = [one for one in heard if one.reason != "the hospital's own post"]
        sum_ = ledger(heard, at(19, 30))
        assert sum_.adds_up
        assert len(of_people) == 61
        cases = session.exec(select(Case).order_by(col(Case.id))).all()
        assert {case.state for case in cases} == {"answered"}
        for case in cases:
            mention = session.get_one(Mention, case.mention_id)
            assert case.clock_from == mention.written_at, "the clock starts when the author posts"
            assert case.answered_at == monday.answers[case.id or 0], "and stops with the hospital's own reply"
            assert case.answered_at - case.clock_from <= 9 * MINUTE
        span = days(at(0).date(), at(0).date() + timedelta(days=1), CHICAGO)
        numbers = figures(session, monday.service.config, span, at(19, 30))
        found = {name: section(numbers) for name, section in report.known_sections().items()}
        rows = found["reply_times"].tables[0].rows
        assert sum(row[2] for row in rows) == len(cases) == sum(row[3] for row in rows)
        assert "Once there were many more posts about one topic" in found["spikes"].sentences[0]
        (spike,) = found["spikes"].tables[0].rows
        assert (spike[3], spike[5], spike[7]) == (
            14,
            "14 of 14",
            "The portal is down for everyone; we are working on it.",
        )
        assert "It paged the people on call." in found["danger"].sentences[0]
        assert "were passed on to the recognition channel" in found["praise"].sentences[1]
        (recognised,) = [table.rows for table in found["praise"].tables if table.name == "recognised"]
        assert sum(count for name, count in recognised if "Amy" in name) == 6
    for channel in CARE_CHANNELS:
        for message in monday.slack.messages(channel):
            assert problems(message.get("blocks", [])) == []
    per_case = Counter(
        message["metadata"]["event_payload"].get("case_id")
        for channel in CARE_CHANNELS
        for message in monday.slack.messages(channel)
    )
    del per_case[None]
    assert set(per_case.values()) == {1}, "no case has two cards"
    named = [one for one in monday.slack.messages(KIND) if "Amy" in one["text"]]
    assert len(named) == 6, "praise reaches who earned it"
