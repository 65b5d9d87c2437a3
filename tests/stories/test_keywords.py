"""An admin adds a phrase on a Wednesday; the summary on Monday tells it, and what it found."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from fakes.slack import CARE_CHANNELS, FakeSlack
from sqlalchemy import Engine
from stories.conftest import Place

from alerts.known import load_config
from alerts.slack import Slack
from listener.post import Page, Post
from listener.service import Service

CHICAGO = ZoneInfo("America/Chicago")
UNCHANGED = "Nothing was changed in what we listen for."


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CHICAGO)


@dataclass
class Hospital:
    """An installation that is started anew after an edit, as its admin would do it."""

    place: Place
    engine: Engine
    now: datetime
    heard: int = 0

    def clock(self) -> float:
        return self.now.timestamp()

    def start(self, slack: FakeSlack) -> Service:
        config = load_config(self.place.config, replies=False)
        door = Slack(slack.token, slack.base_url, config.care.slack.channels, lambda: self.now)
        return Service(config, self.engine, door, {}, lambda: self.now)

    def hears(self, service: Service, when: datetime, *texts: str) -> None:
        self.now = when
        for text in texts:
            self.heard += 1
            post = Post(source="x", ref=str(self.heard), text=text, written_at=when, author=f"author{self.heard}")
            list(service.bring_in("file", [Page((post,), {})]))
        service.flow(clocks=False)


@pytest.mark.slow
def test_the_summary_tells_what_was_changed_and_what_it_found(place: Place, engine: Engine) -> None:
    hospital = Hospital(place, engine, at(2, 9))
    place.edit("keywords.toml", "^model = true$", "model = false")
    place.edit("report.toml", r"^slack = \[", 'slack = ["keywords", ')
    with FakeSlack(now=hospital.clock) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        service = hospital.start(slack)
        hospital.hears(service, at(3, 12), "thank you all at St. Brigid's")
        hospital.hears(service, at(9, 12), "the tram stop at St. Brigid's was moved and nobody told us, terrible")
        place.edit("keywords.toml", r"^(\[categories.parking\][^\[]*phrases = \[)", r'\1"tram stop*", ')
        service = hospital.start(slack)
        hospital.hears(service, at(11, 14, 5), "awful: no tram stops at St. Brigid's today, nobody says why")
        hospital.hears(
            service, at(13, 9), "the TRAM STOP at St. Brigid's is gone, terrible", "cold soup at St. Brigid's"
        )
        hospital.hears(service, at(16, 8, 1))
        before, after = [str(one["blocks"]).replace("\\'", "'") for one in slack.messages("social-weekly")]
    assert UNCHANGED in before
    assert UNCHANGED not in after
    assert "One change in what we listen for." in after
    assert "Wed 11 Nov 14:05: Parking and getting here: phrase 'tram stop*' added; found in 2 posts; " in after
    assert "complaints a day: 0.1 before, 0.5 since" in after  # 1 in seven days, 2 in the 4.4 that are left
