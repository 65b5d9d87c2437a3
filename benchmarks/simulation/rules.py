"""The ten rules of the product, as checks on what the sites, Slack, the log and the disk hold.

They read the database with sqlite3 alone and compare it with the town's own ledger: no code of the product judges itself,
but for the sum that `call-light ledger` prints, which is compared with a count of our own. Cheap checks run after every
step; at a quiet point, where everything is healed and nothing waits, the others too.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fakes.slack import FakeSlack

from alerts import figures
from alerts.ledger import Ledger, ledger
from alerts.span import holding
from benchmarks.simulation.machine import Copy
from benchmarks.simulation.people import Team
from benchmarks.simulation.town import LAG, Clock, Said, Town, utc
from listener import tombstones
from listener.database import reading

_PLANTED = re.compile(r"(?:zq|uq)[abdefgiklmnoprstuv]{6,7}")
_WORD = re.compile(rb"zq[abdefgiklmnoprstuv]{6}(?![abdefgiklmnoprstuv])")
_SECRETS = re.compile(r"xoxb-|xapp-|test-bearer|test-access|test-api|test-secret|test-refresh|hunter2|test-token")
_REACH = timedelta(days=7) - timedelta(minutes=5)  # of X's search
_CLOCK_OFF = timedelta(minutes=2)  # at most, in the simulation


class Broken(AssertionError):
    """A rule does not hold."""

    def __init__(self, rule: int, expected: str, seen: str) -> None:
        self.rule, self.expected, self.seen = rule, expected, seen
        super().__init__(f"rule {rule}: expected {expected}; seen {seen}")


class Rules:
    """What is looked at, and what is known of it."""

    def __init__(self, town: Town, team: Team, slack: FakeSlack, clock: Clock, data: Path, lines: list[str]) -> None:
        self.town, self.team, self.slack, self.clock, self.data, self.lines = town, team, slack, clock, data, lines
        self._lines_seen = 0
        self._database: sqlite3.Connection | None = None  # to open it takes longer than most questions
        self._answered_once = set[tuple[str, str]]()  # place, and the post to which the program replied
        self._marked: dict[tuple[str, str], tuple[str, str]] = {}  # mark of a post -> what names it

    def ask(self, question: str, *values: Any) -> list[Any]:
        """Rows of the database as any reader of the file gets them."""
        if self._database is None:
            self._database = sqlite3.connect(
                f"file:{self.data / 'call-light.db'}?mode=ro", uri=True, isolation_level=None
            )
        return self._database.execute(question, values).fetchall()

    def close(self) -> None:
        """Nothing more is asked."""
        if self._database is not None:
            self._database.close()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Everything in the channels of Slack and in what it wrote to people, each with its channel as `in`."""
        for channel in self.slack._channels.values():
            for message in channel.messages:
                yield message | {"in": channel.name or channel.id}

    # ------------------------------------------------------------ after every step

    def step(self) -> None:
        """What holds at any time, whatever is broken."""
        self.nothing_twice_in_slack()
        self.log_is_clean()
        self.replies_were_seen()

    def waits_in_part(self, place: str) -> bool:
        """Whether a pass left out what asked to wait, and says so: of several feeds one may."""
        said = self.ask("select 1 from watch where name = ? and trouble like '%asks to wait%'", place)
        return bool(said)

    def heard(self, place: str) -> None:
        """A pass of a collector went well: everything that its place shows is kept. Rules 1 and 2."""
        kept = {self._key_of(source, ref) for source, ref in self.ask("select source, ref from mention")}
        for one in self.town.alive():
            is_late = self.clock.at - one.spoken[-1] > LAG
            if one.place == place and is_late and one.key not in kept and not self._was_out_of_reach(one):
                raise Broken(1, f"{one.key} of {one.at} to be kept after {place} was asked", "it is not")

    def _was_out_of_reach(self, one: Said) -> bool:
        """X searches seven days back: who asked for longer than that was told what is missing. A feed is read from seven
        days before its first answer on."""
        if one.place == "rss":
            cursors = [json.loads(cursor) for (cursor,) in self.ask("select cursor from watch where name = 'rss'")]
            began = [
                datetime.fromisoformat(feed["from"]) for feeds in cursors for feed in feeds.values() if "from" in feed
            ]
            return bool(began) and one.at < max(began)
        if one.place != "x":
            return False
        gaps = self.ask("select since, until, found_at from gap where collector = ?", one.place)
        return any(
            utc(since) <= one.at <= utc(until) and utc(found_at) - one.at > _REACH for since, until, found_at in gaps
        )

    def one_collects(self, copy: Copy) -> None:
        """Who has just asked a place holds the lease: two copies would ask, and pay, twice. Rule 2."""
        holders = self.ask("select holder from lease")
        if holders != [(copy.name,)]:
            raise Broken(2, f"the lease with {copy.name}, which collects", f"{holders or 'no lease'}")

    def ledger_knows_all(self, copy: Copy) -> None:
        """What waits to be read or decided is in the sum as being on its way. Rule 1."""
        waits = "select 1 from mention m where not exists (select 1 from verdict v where v.mention_id = m.id) limit 1"
        if self.ask(waits):
            self._sum(copy)

    def newest(self) -> int:
        """The last post that was kept."""
        return int(self.ask("select coalesce(max(id), 0) from mention")[0][0])

    def danger_is_told(self, after: int) -> None:
        """Every danger that was kept after this post has its own card at once. Rule 3."""
        for source, ref, text, id_ in self.ask(
            "select source, ref, text, id from mention where deleted_at is null and own = 0 and id > ?", after
        ):
            said = self._of(source, ref)
            if said is None or not said.danger or said.word not in text:
                continue
            cases = self.ask(
                'select c.id, c.urgency, d.state, d.key from verdict v join "case" c on c.id = v.case_id left join '
                "delivery d on d.case_id = c.id and d.kind = 'card' and d.channel = 'danger' where v.mention_id = ?",
                id_,
            )
            there = self._keys("social-care-danger")
            by_people = "select 1 from caseevent where case_id = ? and kind = 'urgency'"
            if any(self.ask(by_people, number) for number, *_ in cases):  # who read it said that it is none
                continue
            if not any(urgency == "danger" and key in there for _, urgency, _, key in cases):
                raise Broken(3, f"a card in the danger channel for {said.key}", f"{cases or 'no case'}")

    def nothing_twice_in_slack(self) -> None:
        """No message of ours is there twice in a channel; a word to one person cannot be looked for. Rule 2."""
        keys = Counter(_key(message) for message in self.messages() if not message["in"].startswith("D0"))
        keys.pop("", None)
        if twice := [key for key, count in keys.items() if count > 1]:
            about = self.ask("select kind, about, channel from delivery where key = ?", twice[0])
            raise Broken(2, "each message once in Slack", f"twice: {about}")

    def log_is_clean(self) -> None:
        """No word of a post, no handle and no token in the log. Rule 9."""
        for line in self.lines[self._lines_seen :]:
            if found := _PLANTED.search(line) or _SECRETS.search(line):
                raise Broken(9, "ids and counts in the log", f"{found[0]!r} in {line[:200]!r}")
        self._lines_seen = len(self.lines)

    def replies_were_seen(self) -> None:
        """What the program put on a site was confirmed word by word, and is there once. Rule 5."""
        by_program = list(self._replies())
        self._answered_once |= {(place, to) for place, to, _ in by_program}
        for place, _to, text in by_program:
            if not any(_same(text, words) for words in self.team.confirmed):
                raise Broken(5, "only what a person confirmed on a site", f"on {place}: {text!r}")
        if twice := [found for found, count in Counter(by_program).items() if count > 1]:
            raise Broken(5, "each reply once on its site", f"twice: {twice[0]}")

    # ------------------------------------------------------------ at a quiet point

    def quiet(self, copy: Copy) -> None:
        """Everything is healed, and nothing waits."""
        self.everything_is_kept()
        self.stages_add_up(copy)
        self.slack_shows_everything()
        self.clocks_are_honest()
        self.everybody_was_told()
        self.gone_is_gone(copy)
        self.silence_is_told(copy)
        self.times_are_right(copy)

    def everything_is_kept(self) -> None:
        """What stands at its place is kept, once, as it now is. Rules 1, 2."""
        kept = self.ask("select source, ref, text, deleted_at, deleted_why, heard_at, own from mention")
        if len({(source, ref) for source, ref, *_ in kept}) != len(kept):
            raise Broken(2, "each post kept once", f"{Counter((s, r) for s, r, *_ in kept).most_common(1)}")
        known = {self._key_of(source, ref): rest for source, ref, *rest in kept}
        for one in self.town.alive():
            if one.key not in known:
                if self._was_out_of_reach(one):
                    continue
                raise Broken(1, f"{one.key} of {one.at} to be kept", "it is not")
            text, deleted_at, why, heard_at, _ = known[one.key]
            if deleted_at is None and one.word not in text:
                raise Broken(1, f"{one.key} with the words of {one.spoken[-1]}", "other words")
            if deleted_at is not None and self.clock.at - utc(heard_at) < timedelta(days=4) and one.place != "rss":
                raise Broken(1, f"{one.key}, which stands at its place, to be kept", f"{why}")

    def stages_add_up(self, copy: Copy) -> None:
        """collected = alerted + in a digest + dismissed, counted by us and by the product. Rule 1."""
        unread = self.ask(
            "select count(*) from mention m where deleted_at is null and not exists (select 1 from reading r where "
            "r.mention_id = m.id and r.revision = m.revision)"
        )[0][0]
        undecided = self.ask(
            "select count(*) from reading r where not exists (select 1 from verdict v where v.reading_id = r.id)"
        )[0][0]
        if unread or undecided:
            raise Broken(1, "everything read and decided", f"{unread} unread, {undecided} undecided")
        newest = self.ask(
            "select v.outcome, v.case_id, v.reason, (select count(*) from digestline d where d.mention_id = v.mention_id) "
            "from verdict v where v.id = (select max(w.id) from verdict w where w.mention_id = v.mention_id)"
        )
        for outcome, case_id, reason, _ in newest:
            if (outcome == "alert" and case_id is None) or (outcome == "dismiss" and not reason):
                raise Broken(1, "an alert with a case, a dismissal with a reason", f"{outcome}, case {case_id}")
        told = self._sum(copy)
        if not told.adds_up:
            raise Broken(1, "a ledger that adds up", f"{told}")
        ours = Counter(outcome for outcome, *_ in newest)
        if (told.alerted, told.in_digest) != (ours["alert"], ours["digest"]):
            raise Broken(1, f"{ours['alert']} alerted, {ours['digest']} in digests", f"{told}")

    def slack_shows_everything(self) -> None:
        """Each case has its one card where it belongs, and each message shows things as they are. Rules 2, 3."""
        waiting = self.ask("select kind, about, state, trouble from delivery where state not in ('sent', 'given_up')")
        if waiting:
            raise Broken(1, "nothing waits", f"{waiting[:3]}")
        there = {_key(message): message for message in self.messages()}
        for kind, about, key in self.ask(
            "select kind, about, key from delivery where state = 'sent' and door = 'slack'"
        ):
            if key not in there and not about.startswith("page:"):
                raise Broken(2, f"the {kind} {about}, which was sent, in Slack", "it is not there")
        for id_, urgency, round_, channel, state in self.ask('select id, urgency, round, channel, state from "case"'):
            cards = self.ask(
                "select key, shown_version from delivery where kind = 'card' and case_id = ? and round = ? and channel = ? "
                "and about not like 'page:%'",
                *(id_, round_, channel),
            )
            folded = self.ask("select 1 from fold where case_id = ? and round = ?", id_, round_)
            if not cards and not folded:
                raise Broken(2, f"a card for case {id_}", "none")
            if urgency == "danger" and not cards:
                raise Broken(3, f"danger of case {id_} on a card of its own", f"folded, {state}")
            if len(cards) > 1:
                raise Broken(2, f"one card for case {id_}", f"{len(cards)}")
        stale = self.ask(
            'select d.about, d.shown_version, c.version from delivery d join "case" c on c.id = d.case_id '
            "where d.kind = 'card' and d.state = 'sent' and d.shown_version < c.version and d.door = 'slack'"
        )
        if stale:
            raise Broken(2, "cards that show their case as it is", f"{stale[:3]}")

    def clocks_are_honest(self) -> None:
        """A clock starts when the author wrote, and stops by a reply in public or a person. Rule 4."""
        rows = self.ask(
            'select c.id, c.clock_from, c.opened_at, c.state, m.source, m.ref from "case" c '
            "join verdict v on v.case_id = c.id join mention m on m.id = v.mention_id order by c.id"
        )
        times: dict[int, set[datetime]] = {}
        for id_, _, _, _, source, ref in rows:
            said = self._of(source, ref)
            times.setdefault(id_, set()).update(() if said is None else said.spoken)
        for id_, clock_from, *_ in {row[0]: row for row in rows}.values():
            begins = utc(clock_from)
            # To the second of the author's time; or before it, where the machine's own clock was behind.
            honest = any(timedelta(seconds=-2) < one - begins < _CLOCK_OFF for one in times[id_])
            if times[id_] and not honest:
                raise Broken(
                    4, f"the clock of case {id_} to start with a post of it", f"{clock_from}, {sorted(times[id_])}"
                )
        ours = {who for who, _ in self.team.pressed} | {"call-light", "the hospital's account"}
        for case_id, who, kind, what in self.ask("select case_id, who, kind, what from caseevent"):
            if who not in ours:
                raise Broken(4, "what a person did to be done by that person", f"case {case_id}: {who} {kind} {what}")
            if kind in ("answered", "closed", "dismissed") and who == "call-light":
                raise Broken(4, "a clock stopped by people or a public reply alone", f"case {case_id}: {kind} {what}")
            if who == "the hospital's account" and kind == "answered" and not self._answered(case_id):
                raise Broken(4, f"a public reply to case {case_id}", "none on any site")

    def everybody_was_told(self) -> None:
        """What nobody took for long past its target was told again; danger paged. Rules 3, 4."""
        now = self.clock.at
        for id_, round_, urgency, due_at, opened_at in self.ask(
            "select id, round, urgency, due_at, opened_at from \"case\" where state = 'open' and snoozed_until is null"
        ):
            since = max(utc(due_at), utc(opened_at))
            steps = self.ask("select count(*) from reminder where case_id = ? and round = ?", id_, round_)[0][0]
            if now - since > timedelta(hours=12) and not steps:
                raise Broken(4, f"people reminded of case {id_}, due {due_at}", "no reminder")
            pages = self.ask(
                "select count(*) from delivery where kind = 'page' and case_id = ? and round = ? and state = 'sent'",
                *(id_, round_),
            )[0][0]
            if urgency == "danger" and now - utc(opened_at) > timedelta(hours=1) and not pages:
                raise Broken(3, f"people on call paged for case {id_}", "no page")
        unsent = self.ask("select count(*) from reminder where tells is not null and delivery_id is null")[0][0]
        if unsent:
            raise Broken(4, "every reminder that was decided on to be told", f"{unsent} are not")

    def gone_is_gone(self, copy: Copy) -> None:
        """What was deleted at its place is in no table, no file and no message. Rule 6."""
        gone = {word.encode() for one in self.town.said if one.deleted_at is not None for word in one.words}
        with closing(sqlite3.connect(self.data / "call-light.db")) as database:
            database.execute("pragma wal_checkpoint(truncate)")
        for path in sorted(path for path in self.data.rglob("*") if path.is_file()):
            if found := gone & set(_WORD.findall(path.read_bytes())):
                raise Broken(
                    6,
                    "no word of a deleted post on the disk",
                    f"{sorted(found)[0]!r} in {path.name}{self._where(found)}",
                )
        for message in self.messages():
            if found := gone & set(_WORD.findall(str(message).encode())):
                raise Broken(6, "no word of a deleted post in Slack", f"{sorted(found)[0]!r} in {message['in']}")
        for stored in self.slack.files():
            if found := gone & set(_WORD.findall(stored.content or b"")):
                raise Broken(
                    6, "no word of a deleted post in a file in Slack", f"{sorted(found)[0]!r} in {stored.name}"
                )

    def silence_is_told(self, copy: Copy) -> None:
        """A collector that heard nothing for longer than is normal has an alarm, and no other has one. Rule 8."""
        now = copy.machine.now()
        standing = {
            name for (name,) in self.ask("select collector from alarm where kind = 'silent' and over_at is null")
        }
        for name, settings in copy.service.config.collectors.items():
            newest = "select max(heard_at) from mention where collector = ? and own = 0"
            if name == "reddit":  # read whole: the hospital's own posts, kept by the other ear, are heard there too
                newest = "select heard_at from watch where name = ?"
            heard = [utc(at) for (at,) in self.ask(newest, name) if at]
            if not settings.on or not heard:
                continue
            silent = now - max(heard)
            if silent > settings.quiet_after + timedelta(minutes=30) and name not in standing:
                raise Broken(8, f"an alarm: {name} heard nothing for {silent}", "none")
        ended = "select collector, raised_at, over_at from alarm where kind = 'silent' and over is not null and over_at is not null"
        between = "select 1 from mention where collector = ? and heard_at between ? and ?"
        for name, raised_at, over_at in self.ask(ended):
            if name != "reddit" and not self.ask(between, name, raised_at, over_at):
                raise Broken(8, f"something heard by {name} between {raised_at} and {over_at}, as was told", "nothing")
        twice = self.ask(
            "select collector, kind, count(*) from alarm where over_at is null group by collector, kind having count(*) > 1"
        )
        if twice:
            raise Broken(8, "one alarm for one trouble", f"{twice}")

    def times_are_right(self, copy: Copy) -> None:
        """Times are UTC, and the weeks have every post once, also where the clock changes. Rule 10."""
        for source, ref, written_at, heard_at in self.ask("select source, ref, written_at, heard_at from mention"):
            said = self._of(source, ref)
            # Of a review that was changed before it was heard, Google's time of the change is all that is known.
            # What its feed dates later than the machine's own clock, which was behind, was written by that clock's now.
            is_late = (
                said is not None and written_at == heard_at and timedelta() < said.at - utc(written_at) < _CLOCK_OFF
            )
            is_right = said is None or any(abs(utc(written_at) - at) <= timedelta(seconds=2) for at in said.spoken)
            if said is not None and not is_right and not is_late:
                raise Broken(10, f"{said.key} written at {said.at}", written_at)
            if said is not None and utc(heard_at) < said.at - timedelta(minutes=5):
                raise Broken(10, f"{said.key} heard after {said.at}", heard_at)
        hours = [utc(at) for (at,) in self.ask("select written_at from mention")]
        if not hours:
            return
        zone, total = copy.service.config.hospital.zone, 0
        week = holding("week", min(hours).astimezone(zone).date(), zone)
        while week.since <= max(hours):
            total += sum(week.since <= hour < week.until for hour in hours)
            week = holding("week", week.until.astimezone(zone).date(), zone)
        if total != len(hours):
            raise Broken(10, f"{len(hours)} posts in the weeks that hold them", f"{total}")

    # ------------------------------------------------------------ what they look things up by

    def _sum(self, copy: Copy) -> Ledger:
        """What the product prints as the sum, which has to count every post."""
        collected, now = self.ask("select count(*) from mention")[0][0], copy.machine.now()
        with reading(copy.engine) as session:
            told = ledger(figures.heard_between(session, None, now + timedelta(minutes=10)), now)
        if told.collected != collected:
            raise Broken(1, f"a ledger of {collected} posts", f"{told}")
        return told

    def _of(self, source: str, ref: str) -> Said | None:
        key = self._key_of(source, ref)
        return next((one for one in reversed(self.town.said) if one.key == key), None)

    def _key_of(self, source: str, ref: str) -> tuple[str, str]:
        """What names a post; the product has a mark in the place of the name when the post is gone."""
        if not tombstones.is_mark(ref):
            return source, ref
        if len(self._marked) != len(self.town.said):
            key = json.loads(self.ask("select cursor from watch where name = ?", tombstones.ROW)[0][0])["key"]
            of_post = tombstones.Tombstones(bytes.fromhex(key)).of_post
            self._marked = {(one.source, of_post(one.source, one.ref)): one.key for one in self.town.said}
        return self._marked.get((source, ref), (source, ref))

    def _keys(self, channel: str) -> set[str]:
        return {_key(message) for message in self.slack._channel(channel).messages}

    def _where(self, words: set[bytes]) -> str:
        """Which columns hold one of these words, for whoever has to mend it."""
        word, found = sorted(words)[0].decode(), []
        for (table,) in self.ask("select name from sqlite_master where type = 'table'"):
            for row in self.ask(f'pragma table_info("{table}")'):
                if self.ask(f'select 1 from "{table}" where cast("{row[1]}" as text) like ? limit 1', f"%{word}%"):
                    found.append(f"{table}.{row[1]}")
        return f" ({', '.join(found) or 'in no row'})"

    def _answered(self, case_id: int) -> bool:
        refs = self.ask(
            "select m.source, m.ref from verdict v join mention m on m.id = v.mention_id where v.case_id = ?", case_id
        )
        public = {(place, ref) for place, answers in self.town.by_hand.items() for ref, _ in answers}
        public |= self._answered_once  # a reply is gone from its site with the post that it answers
        return any(self._key_of(source, ref) in public for source, ref in refs)

    def _replies(self) -> Iterator[tuple[str, str, str]]:
        """What the program put on the sites: the place, the post that it answers, the words."""
        fakes: dict[str, Any] = self.town.fakes
        typed = {place: {text for _, text in answers} for place, answers in self.town.by_hand.items()}
        for post in fakes["x"]._posts.values():
            if post.said is not None:
                yield "x", post.in_reply_to, post.said
        for thing in fakes["reddit"]._things.values():
            if thing.author == fakes["reddit"].username and thing.text not in typed.get("reddit", ()):
                yield "reddit", thing.parent, thing.text
        for status in fakes["mastodon"]._statuses.values():
            if status.author.acct == "care" and status.text not in typed.get("mastodon", ()):
                yield "mastodon", f"{status.answers}@social.stbrigid.example", status.text
        for review in fakes["google_reviews"]._reviews.values():
            if review.reply is not None:
                yield "google_reviews", review.name[review.name.index("locations/") :], review.reply.comment


def _key(message: dict[str, Any]) -> str:
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("delivery", ""))


def _same(text: str, words: str) -> bool:
    """Whether these are the words on the site, which may name whom they answer before them."""
    return text == words or (text.endswith(f" {words}") and text.startswith("@"))
