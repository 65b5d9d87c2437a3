"""What people say in the simulated town, where, and what became of it: the truth that the product is measured by.

The sites are the fakes of the tests, on the simulated network. The ledger kept here knows nothing of the product: what was
said at which place and when, what was changed or deleted there, and what the hospital answered by hand. Every post carries
a word of its own that occurs nowhere else, so that it can be looked for in any file.
"""

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.google_reviews import LOCATION, FakeGoogleReviews, GoogleReviewsPlace
from fakes.mastodon import HOST, FakeMastodon, MastodonPlace
from fakes.place import Place
from fakes.reddit import HOSPITAL, SUBREDDIT, FakeReddit, RedditPlace
from fakes.rss import ALERT, BLOG, NEWS, FakeRss, FeedsPlace
from fakes.x import FakeX, XPlace, secrets_of

from benchmarks.simulation.network import Network

DANGER = (
    "my dad collapsed in the waiting room at St. Brigid's and nobody comes",
    "someone is waving a knife in the ER at St. Brigid's",
    "my mother stopped breathing in the lobby of St. Brigid's and nobody helps",
    "I am in the parking garage of St. Brigid's and I am going to kill myself",
)
_WHO = ("my mother", "my son", "my wife", "our neighbor", "I", "my old uncle")
_WHAT = (
    "waited {n} hours without a word",
    "was sent from desk to desk {n} times",
    "got cold food {n} days in a row",
    "was billed {n} times for one scan",
    "called {n} times and nobody picked up the phone",
    "was talked to as if we were a burden, {n} times",
    "could not find a parking place for {n} hours",
)
_WHERE = ("in the ER", "in the pharmacy", "at the front desk", "in radiology", "on the third floor", "in maternity")
_ELSE = (
    "Thank you to the kind nurse {where} at St. Brigid's, {n} times over",
    "What are the visiting hours {where} at St. Brigid's on day {n}?",
    "I am {where} at St. Brigid's right now, {n} hours, nobody has looked at my daughter",
    "St. Brigid's opens a new wing {where}, says the city in note {n}",
    "HIRING: RN at St. Brigid's {where}, shift {n}, apply now",
    "En St. Brigid's esperamos {n} horas y nadie nos dijo nada",
    "St. Brigid's gave my mother the wrong medication {where} and nobody apologised, {n} weeks ago",
)
_ANSWERS = (
    "3/3 and nobody came",
    "same here, {n} hours",
    "still nobody, {n} minutes later",
    "they came, thank you all",
)
LETTERS = "abdefgiklmnoprstuv"
LAG = timedelta(seconds=40)  # until which a site may hide what is new


class Clock:
    """The time of the world; the fakes ask for it in seconds."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


@dataclass
class Said:
    """One post, as its place has it."""

    place: str  # the collector that hears it
    source: str
    ref: str
    author: str
    text: str
    word: str  # its own; each edit brings another
    at: datetime
    danger: bool
    words: list[str] = field(default_factory=list)  # every word of its own that it ever had
    edits: list[datetime] = field(default_factory=list)
    deleted_at: datetime | None = None
    answers: "Said | None" = None

    @property
    def spoken(self) -> list[datetime]:
        """When its author wrote it, and each time when they wrote other words."""
        return [self.at, *self.edits]

    @property
    def key(self) -> tuple[str, str]:
        """What names its mention."""
        return self.source, self.ref

    @property
    def is_found(self) -> bool:
        """Whether its place shows it to who asks: X searches for words, the others are read whole."""
        return self.place != "x" or "Brigid" in self.text


class Exports:
    """A folder to which another tool exports what it heard: one more line for each post."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0

    def post(self, text: str, at: datetime, author: str, answers: str | None = None) -> str:
        """One more line."""
        self._count += 1
        line = {"Mention ID": f"{self._count}", "Network": "TikTok", "Author": f"@{author}", "Message": text}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "Created Time": at.isoformat()}) + "\n")
        os.utime(
            self._path, (at.timestamp(), at.timestamp())
        )  # the cursor knows a file by this, and no run has its own time
        return str(self._count)


class Town:
    """The places, and everything that was said."""

    def __init__(self, chance: random.Random, clock: Clock, network: Network, inbox: Path) -> None:
        self.chance, self.clock, self.said = chance, clock, list[Said]()
        self.by_hand: dict[str, list[tuple[str, str]]] = {}  # place -> (answered ref, text) typed on the site itself
        self._network, self._used = network, set[str]()
        self.authors = [f"uq{self._letters(7)}" for _ in range(40)]
        x, reddit, mastodon = FakeX(now=clock, own_handle=HOSPITAL), FakeReddit(now=clock), FakeMastodon(now=clock)
        google, rss = FakeGoogleReviews(now=clock), FakeRss(now=clock)
        reddit.username = HOSPITAL
        reddit.add_subreddit(SUBREDDIT)
        reddit.add_account(HOSPITAL)
        mastodon.scopes |= {"write:statuses"}
        self.fakes = {"x": x, "reddit": reddit, "mastodon": mastodon, "google_reviews": google, "rss": rss}
        self.doors = {name: network.add(name, fake) for name, fake in self.fakes.items()}
        self.places: dict[str, Place] = {
            "x": XPlace(x, {}),
            "reddit": RedditPlace(reddit, {}),
            "mastodon": MastodonPlace(mastodon, {}, fake=mastodon),
            "google_reviews": GoogleReviewsPlace(google, {}),
            "rss": FeedsPlace(rss, {}),
        }
        self.exports = Exports(inbox / "mentions.jsonl")
        self.secrets = {
            "X_BEARER_TOKEN": x.bearer,
            **secrets_of(x),
            "REDDIT_CLIENT_ID": reddit.client_id,
            "REDDIT_CLIENT_SECRET": reddit.client_secret,
            "REDDIT_REFRESH_TOKEN": reddit.refresh_token,
            "MASTODON_ACCESS_TOKEN": mastodon.token,
            "GOOGLE_BUSINESS_TOKEN": google.credential(),
        }

    def settings(self, inbox: Path) -> dict[str, dict[str, Any]]:
        """The tables of listening.toml."""
        often = {"recheck": "1h", "keep_for": "4d"}
        url = {name: door.url for name, door in self.doors.items()}
        feeds = [f"https://news.example{NEWS}", f"https://blog.example{BLOG}", f"https://www.google.com{ALERT}"]
        return {
            "x": {"base_url": url["x"], "every": "60s", "quiet_after": "30h", "first_reach": "7d", **often},
            "reddit": {
                **{"base_url": url["reddit"], "approved": True, "subreddits": [SUBREDDIT], "every": "2m"},
                **{"quiet_after": "48h", "recheck": "1h", "keep_for": "4d"},
            },
            "mastodon": {
                **{"base_url": url["mastodon"], "instance": f"https://{HOST}", "tags": ["stbrigid"], "every": "2m"},
                **{"quiet_after": "48h", **often},
            },
            "google_reviews": {"base_url": url["google_reviews"], "locations": [LOCATION], "every": "15m", **often},
            "rss": {"base_url": url["rss"], "feeds": [{"url": one, "all": True} for one in feeds], "keep_for": "4d"},
            "file": {"path": str(inbox), "every": "5m", "keep_for": "4d"},
        }

    # ------------------------------------------------------------ people

    def says(self, danger: bool | None = None) -> Said:
        """Somebody posts somewhere, or goes on in a thread."""
        draw, now = self.chance, self.clock.at
        place = draw.choice(("x", "x", "x", "reddit", "reddit", "mastodon", "google_reviews", "rss", "file"))
        above = self._thread(place) if draw.random() < 0.25 else None
        is_danger = draw.random() < 0.12 if danger is None else danger
        author = above.author if above and draw.random() < 0.5 else draw.choice(self.authors)
        word, body = self._word(), self._body(is_danger, above is not None)
        account = f"@{HOSPITAL} " if place == "x" and draw.random() < 0.5 else ""
        text = f"{account}{body} ({word})"
        if place == "file":
            ref = self.exports.post(text, now, author)
        else:
            ref = self.places[place].post(text, now, author, above.ref if above else None)
        source = {"file": "tiktok"}.get(place, place)
        one = Said(place, source, ref, author, text, word, now, is_danger, [word], answers=above)
        self.said.append(one)
        return one

    def edits(self) -> Said | None:
        """Somebody changes a post, perhaps into a cry for help."""
        # Nobody changes a post in the second of writing it, and no site could tell the two apart: its times are seconds.
        later = self.clock.at - timedelta(seconds=1)
        places = ("x", "reddit", "mastodon", "google_reviews")
        one = self._some(lambda one: one.place in places and self._is_young(one) and one.spoken[-1] <= later)
        if one is None:
            return None
        word = self._word()
        one.danger = one.danger or self.chance.random() < 0.2
        body = self._body(one.danger, False)
        account = f"@{HOSPITAL} " if one.text.startswith("@") else ""
        one.text, one.word = f"{account}{body} ({word})", word
        one.edits.append(self.clock.at)
        one.words.append(word)
        self.places[one.place].edit(one.ref, one.text, self.clock.at)
        return one

    def deletes(self) -> Said | None:
        """Somebody takes a post back."""
        one = self._some(lambda one: one.place in ("x", "reddit", "mastodon", "google_reviews"))
        if one is None:
            return None
        self.places[one.place].delete(one.ref)
        one.deleted_at = self.clock.at
        return one

    def answered_by_hand(self) -> Said | None:
        """The hospital answers on the site itself."""
        one = self._some(lambda one: one.place in ("x", "reddit", "mastodon") and self._is_young(one))
        if one is None:
            return None
        text = f"Thank you for telling us, please reach 555-0100 ({self._word()})"
        self.places[one.place].answer(one.ref, text, self.clock.at)
        self.by_hand.setdefault(one.place, []).append((one.ref, text))
        return one

    def alive(self) -> list[Said]:
        """What stands at its place now, for who asks there."""
        return [one for one in self.said if one.deleted_at is None and one.is_found]

    def _thread(self, place: str) -> Said | None:
        if place not in ("x", "reddit", "mastodon"):
            return None
        return self._some(lambda one: one.place == place and self._is_young(one))

    def _is_young(self, one: Said) -> bool:
        return self.clock.at - one.at < timedelta(hours=20)

    def _some(self, fits: Callable[[Said], bool]) -> Said | None:
        found = [one for one in self.said[-60:] if one.deleted_at is None and fits(one)]
        return self.chance.choice(found) if found else None

    def _body(self, danger: bool, is_answer: bool) -> str:
        draw = self.chance
        numbers = {"n": draw.randrange(2, 90), "where": draw.choice(_WHERE)}
        if danger:
            return draw.choice(DANGER)
        if is_answer:
            return draw.choice(_ANSWERS).format(**numbers)
        if draw.random() < 0.5:
            return draw.choice(_ELSE).format(**numbers)
        what = draw.choice(_WHAT).format(**numbers)
        return f"{draw.choice(_WHO)} {what} {numbers['where']} at St. Brigid's"

    def _word(self) -> str:
        return f"zq{self._letters(6)}"

    def _letters(self, count: int) -> str:
        while True:
            made = "".join(self.chance.choices(LETTERS, k=count))
            if made not in self._used:
                self._used.add(made)
                return made


def utc(text: str) -> datetime:
    """A moment as a database file has it."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
