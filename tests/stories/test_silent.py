"""An admin narrows a phrase so far that it finds nothing; days later the health channel says so, once, until it is mended."""

from datetime import date, datetime, time, timedelta
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
DAY = timedelta(days=1)
POSTS = (
    *(
        "thank you St. Brigid's, the portal works",
        "love the new portal of St. Brigid's",
        "St. Brigid's: the portal is great",
    ),
    *(
        "the portal at St. Brigid's is easy",
        "St. Brigid's made the portal so good",
        "great job on the portal, St. Brigid's",
    ),
    *(
        "thank you nurses of St. Brigid's",
        "St. Brigid's saved my dad",
        "lovely staff at St. Brigid's",
        "so kind, St. Brigid's",
    ),
)


class Hospital:
    """An installation that goes by what its admin has saved."""

    def __init__(self, place: Place, engine: Engine) -> None:
        self.place, self.engine, self.now = place, engine, datetime(2026, 9, 1, tzinfo=CHICAGO)

    def time(self) -> float:
        return self.now.timestamp()

    def lives(self, slack: FakeSlack, first: date, days: int) -> None:
        """Posts of some days, each read in the night after it."""
        config = load_config(self.place.config, replies=False)
        door = Slack(slack.token, slack.base_url, config.care.slack.channels, lambda: self.now)
        service = Service(config, self.engine, door, {}, lambda: self.now)
        for day in (first + number * DAY for number in range(days)):
            noon, self.now = (datetime.combine(day, time(12), CHICAGO), datetime.combine(day + DAY, time(3), CHICAGO))
            posts = [
                Post(
                    source="x",
                    ref=f"{day}:{at}",
                    text=text,
                    written_at=noon + timedelta(minutes=at),
                    author=f"a{day}{at}",
                )
                for at, text in enumerate(POSTS)
            ]
            list(service.bring_in("file", [Page(tuple(posts), {})]))
            service.flow()
            service.clocks()  # every few seconds: the day was counted, now it is looked at
            service.flow()


def told(slack: FakeSlack, words: str) -> list[str]:
    """The notes in the health channel with these words."""
    return [note for message in slack.messages("call-light-health") if words in (note := str(message["blocks"]))]


@pytest.mark.slow
def test_a_filter_that_an_admin_silenced(place: Place, engine: Engine) -> None:
    place.edit("keywords.toml", "^model = true$", "model = false")
    hospital = Hospital(place, engine)
    with FakeSlack(now=hospital.time) as slack:
        for name in CARE_CHANNELS:
            slack.add_channel(name)
        hospital.lives(slack, date(2026, 9, 10), 30)
        place.edit("keywords.toml", '^    "portal", "mybrigid"', '    "portel", "mybrigid"')
        hospital.lives(slack, date(2026, 10, 10), 2)
        assert told(slack, "digital") == [], "two days are too few to tell"

        hospital.lives(slack, date(2026, 10, 12), 4)
        (note,) = told(slack, "has found nothing")
        assert "'portel' of [categories.digital]" in note.replace("\\'", "'")
        assert "before that 'portal', which it replaced, was in 6.0 posts a day" in note.replace("\\'", "'")

        place.edit("keywords.toml", '^    "portel"', '    "portal"')
        hospital.lives(slack, date(2026, 10, 16), 2)
        assert len(told(slack, "has found nothing")) == 1
        assert len(told(slack, "finds posts again, or stands there no more")) == 1
