"""A thousand posts within a minute, and fifty clicks a second: how soon danger is before people, and what Slack gets.

    python -m benchmarks.burst [--posts 1000] [--seconds 60] [--dangers 8]
    python -m benchmarks.burst --clicks [--rate 50] [--seconds 10]

The service runs as it does in a hospital, with its clock, its doors and Slack on loopback, which takes one message a second
in a channel and three at once. Beside it stands the queue-less form: the same cards sent one after the other as they come,
waiting where Slack says to wait. --clicks lets people press Claim by Socket Mode, and looks when the card shows it; there the
service has a process of its own, as it has in a hospital.
"""

import argparse
import multiprocessing
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the fakes

from fakes.slack import CARE_CHANNELS, FakeSlack
from fakes.slack_people import Person

from alerts import deliver
from alerts.case import Case
from alerts.delivery import Fold
from alerts.known import load_config
from alerts.slack import Slack
from config.schema import Config
from listener.database import open_database
from listener.post import Page, Post
from listener.service import Service

_CONFIG = Path(__file__).parent.parent / "config"
_SAID = (
    "Waited {n} hours in the ER at St. Brigid's and nobody told us anything",
    "The St. Brigid's portal is down again, error {n}, I cannot see my results",
    "St. Brigid's billed me twice, invoice of {n} dollars",
    "Is the St. Brigid's pharmacy open on day {n}?",
    "St. Brigid's parking garage took {n} minutes to get out of",
)
_DANGER = "my dad collapsed in the waiting room at St. Brigid's and nobody comes, please somebody, number {n}"
_PARALLEL = 10  # people who press at once


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--posts", type=int, default=1000)
    arguments.add_argument("--seconds", type=int, default=None)
    arguments.add_argument("--dangers", type=int, default=8)
    arguments.add_argument("--clicks", action="store_true")
    arguments.add_argument("--rate", type=int, default=50)
    given = arguments.parse_args()
    if given.clicks:
        clicks(given.rate, given.seconds or 10)
    else:
        burst(given.posts, given.seconds or 60, given.dangers)


def burst(count: int, seconds: int, dangers: int) -> None:
    """Posts come evenly over the span, the dangers at random among them."""
    random.seed(1)
    among = set(random.sample(range(count), dangers))
    texts = [(_DANGER if n in among else _SAID[n % len(_SAID)]).format(n=n) for n in range(count)]
    with _running() as (service, slack):
        kept = _feed(service, texts, seconds)
        ended = _wait_until_told(service, timeout=240)
        came = {n: at for n, at in kept.items() if n in among}
        with Session(service.engine) as session:
            cases = {case.mention_id - 1: case for case in session.exec(select(Case))}
            folded = len(session.exec(select(Fold)).all())
        arrived = _arrivals(slack)
        waits = sorted(arrived[cases[n].id] - at for n, at in came.items() if n in cases and cases[n].id in arrived)
        posted = [request for request in slack.seen("chat.postMessage") if request.status == 200]
        refused = sum(request.status == 429 for request in slack.seen("chat.postMessage"))
        shown = set(arrived) | _folded(service)
        lost = [case.id for case in cases.values() if case.id not in shown]
    print(
        f"{count:,} posts in {seconds} s, {dangers} of them danger; all was told {ended - max(kept.values()):.1f} s after the last"
    )
    print(f"first danger card    {waits[0]:6.1f} s after its post was kept; the slowest {waits[-1]:.1f} s (wanted 10)")
    print(f"cases                {len(cases):6,}; cards sent {len(arrived):,}, folded {folded:,}, neither {len(lost)}")
    print(
        f"messages sent        {len(posted):6,}; refused by Slack for their rate {refused}; most in one second and channel {_densest(posted)}"
    )
    naive = _without_a_queue(texts, seconds, among)
    print(f"without a queue      {naive:6.1f} s until the slowest danger card: {naive / waits[-1]:.0f} times as long")


def clicks(rate: int, seconds: int) -> None:
    """People press Claim, each another card, at the rate; how long until the card shows it."""
    count = rate * seconds
    deliver._AT_ONCE = count  # the cards are there before anybody presses
    with tempfile.TemporaryDirectory() as folder, _slack(paced=False) as slack:
        place = _Place(Path(folder), slack.base_url, slack.token, slack.app_token, count)
        service = _service(place)
        with Session(service.engine) as session:
            _cases(session, service.config, count, datetime.now(UTC))
        while service.deliver("people").sent:
            pass
        service.engine.dispose()
        of_its_own = multiprocessing.get_context("spawn").Process(target=_serve, args=(place,))
        of_its_own.start()
        cards = {card["metadata"]["event_payload"]["case_id"]: card["ts"] for card in slack.messages("social-care")}
        people = [Person(slack, f"U0AGENT{n}", f"agent{n}") for n in range(_PARALLEL)]
        slack.socket().wait_for(links=1, within=30)
        time.sleep(5)  # its first pass over everything is no part of what is measured
        pressed: dict[str, float] = {}
        acked: list[float] = []

        def press(person: Person, mine: list[str], every: float) -> None:
            for ts in mine:
                started = pressed[ts] = time.time()
                acked.append(person.press("social-care", ts, "do:claim").after)
                time.sleep(max(0.0, every - (time.time() - started)))

        stamps = list(cards.values())
        threads = [
            threading.Thread(target=press, args=(person, stamps[number::_PARALLEL], _PARALLEL / rate))
            for number, person in enumerate(people)
        ]
        began = time.time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.time() - began
        time.sleep(2)
        of_its_own.terminate()
        of_its_own.join(10)
        edits = {str(request.body["ts"]): request.at for request in reversed(slack.seen("chat.update"))}
        spans = sorted(edits[ts] - at for ts, at in pressed.items() if ts in edits)
    print(f"{len(pressed)} clicks in {took:.1f} s ({len(pressed) / took:.0f} a second), {len(spans)} cards show it")
    print(
        f"acknowledged         median {statistics.median(acked):.3f} s, slowest {max(acked):.3f} s (wanted 1, Slack gives up at 3)"
    )
    print(f"click to edited card median {statistics.median(spans):.3f} s, slowest {spans[-1]:.3f} s (wanted 1)")


@dataclass(frozen=True)
class _Place:
    """What a service needs to know, whichever process it is in."""

    folder: Path
    slack_url: str
    token: str
    app_token: str
    cards: int | None = None  # a minute, before cases are folded; None: as in the config


def _service(place: _Place) -> Service:
    config = load_config(_CONFIG)
    care = config.care.model_copy(update={"slack": config.care.slack.model_copy(update={"base_url": place.slack_url})})
    if place.cards is not None:
        care = care.model_copy(update={"bursts": care.bursts.model_copy(update={"cards": place.cards})})
    config = config.model_copy(update={"care": care})
    door = Slack(place.token, place.slack_url, config.care.slack.channels)
    service = Service(config, open_database(place.folder), door, {"SLACK_APP_TOKEN": place.app_token})
    assert service.reader  # the model is loaded before the clock starts
    return service


def _serve(place: _Place) -> None:
    """In a process of its own, until it is told to stop."""
    _service(place).run()


@contextmanager
def _slack(paced: bool = True) -> Iterator[FakeSlack]:
    with FakeSlack(enforce_rate=paced) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        yield slack


@contextmanager
def _running() -> Iterator[tuple[Service, FakeSlack]]:
    """The service on a thread of this process, with every stage at its own rhythm."""
    with tempfile.TemporaryDirectory() as folder, _slack() as slack:
        service = _service(_Place(Path(folder), slack.base_url, slack.token, slack.app_token))
        ended = threading.Thread(target=_run, args=(service,))
        ended.start()
        try:
            yield service, slack
        finally:
            service.stop.set()
            ended.join(30)
            service.engine.dispose()


def _run(service: Service) -> None:
    """Service.run(), but for the signals, which only a main thread may take."""
    import signal

    signal.signal = lambda *_: None  # type: ignore[assignment]
    service.run()


def _feed(service: Service, texts: list[str], seconds: int) -> dict[int, float]:
    """Keep the posts as a collector would, evenly over the span; when each was kept."""
    kept: dict[int, float] = {}
    began = time.time()
    for n, text in enumerate(texts):
        wait = began + n * seconds / len(texts) - time.time()
        if wait > 0:
            time.sleep(wait)
        post = Post(
            source="x",
            ref=str(n),
            text=text,
            author=f"author{n}",
            written_at=datetime.now(UTC),
            url=f"https://x.example/{n}",
        )
        list(service.bring_in("x", [Page((post,), {})]))
        kept[n] = time.time()
    return kept


def _wait_until_told(service: Service, timeout: float) -> float:
    """Until nothing is left to read, decide or send; the moment."""
    ends = time.time() + timeout
    quiet = 0
    while quiet < 3 and time.time() < ends:
        time.sleep(1)
        passed = service.flow()
        quiet = quiet + 1 if not (passed.read or passed.sent or passed.waiting) else 0
    return time.time() - quiet


def _arrivals(slack: FakeSlack) -> dict[int, float]:
    """When the card of each case was taken."""
    found: dict[int, float] = {}
    for request in slack.seen("chat.postMessage"):
        payload: dict[str, Any] = (request.body.get("metadata") or {}).get("event_payload") or {}
        if request.status == 200 and "case_id" in payload:
            found.setdefault(int(payload["case_id"]), request.at)
    return found


def _folded(service: Service) -> set[int]:
    with Session(service.engine) as session:
        return set(session.exec(select(Fold.case_id)))


def _densest(posted: list[Any]) -> int:
    """The most messages that one channel took within a second."""
    return max(Counter((request.body["channel"], int(request.at)) for request in posted).values())


def _without_a_queue(texts: list[str], seconds: int, among: set[int]) -> float:
    """The same cards, sent in the order in which they come, each waiting until Slack takes it; in a time that is counted,
    not waited for. A channel takes three at once and then one a second."""
    free, slowest = 0.0, 0.0
    for n in range(len(texts)):
        came = n * seconds / len(texts)
        free = max(free + 1, came - 2)
        if n in among:
            slowest = max(slowest, free - came)
    return slowest


def _cases(session: Session, config: Config, count: int, now: datetime) -> None:
    """Cases as the stages before would leave them."""
    from alerts.decide import decide
    from listener.mention import Mention
    from nlp.reading import Reading

    for n in range(count):
        mention = Mention(
            collector="x",
            source="x",
            ref=f"c{n}",
            text="waited",
            written_at=now,
            heard_at=now,
            looked_at=now,
            author=f"a{n}",
        )
        session.add(mention)
        session.flush()
        said: dict[str, Any] = {"departments": [], "categories": [], "reasons": [], "mentions_us": []}
        session.add(
            Reading(
                mention_id=mention.id,
                revision=1,
                pipeline_version="1",
                read_at=now,
                voice="patient",
                kind="question",
                mood=0.0,
                urgency="routine",
                language="en",
                readable=True,
                redacted_text="waited",
                **said,
            )
        )
    session.commit()
    while decide(session, config, now):
        pass


if __name__ == "__main__":
    main()
