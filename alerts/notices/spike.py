"""The card of a spike, for whoever can mend it: how many posts, since when, what they say, and what we know of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import Session, col, exists, func, or_, select

from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.message import HEADER, LINE, Message, escape, header, link, place, plain, shorten
from alerts.people import is_slack_id, named
from alerts.spikes import Spike, SpikePost
from alerts.topic import title_of, titles_of
from alerts.view import newest_reading
from config.schema import Config
from listener.deletions import gone_since
from listener.mention import Mention

EDIT_EVERY = timedelta(minutes=1)
_RANK = RANK["here_now"]  # after danger: in a burst it says what most of the other cards are about
_SAMPLES = 5
_URL = 500  # characters of a link
_BAR, _BARS = timedelta(minutes=5), 24
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class _Shown:
    """What a card shows of a spike."""

    topic: str
    spike: Spike
    posts: Sequence[Mention]  # not those that are gone, in the order of writing
    total: int  # stories, those that are gone too
    lately: int  # stories in the last window
    people: int
    minutes: int  # of a window
    config: Config
    who: str | None  # who wrote what we know, by name


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One card a spike, in its owner's channel."""
    known = exists().where(col(Delivery.kind) == "spike", col(Delivery.about) == _about())
    for spike in session.exec(select(Spike).where(~known)).all():
        channel = config.care.spikes.owners.get(spike.topic, config.care.spikes.channel)
        session.add(pending("spike", f"spike:{spike.id}", channel, _RANK, now))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The spike as it now is."""
    spike = session.get_one(Spike, int(row.about.removeprefix("spike:")))
    shown = _shown(session, spike, config, now)
    title = shorten(_title(shown), HEADER)
    lines, said = tuple(_lines(shown)), _samples(session, shown)
    blocks: list[dict[str, Any]] = [header(title)]
    blocks.append({"type": "section", "text": plain("\n".join(f"{name}: {value}" for name, value in lines))})
    if spike.known and spike.known_by:
        blocks.append(_known(spike.known, spike.known_by))
    if said:
        blocks.append({"type": "context", "elements": [plain("The newest in short, without personal details:")]})
        bullets = {"type": "rich_text_list", "style": "bullet", "elements": [bullet for _, bullet in said]}
        blocks.append({"type": "rich_text", "elements": [bullets]})
    if spike.over_at is None:
        button = {"type": "button", "action_id": "known", "text": plain("We know"), "value": f"spike:{spike.id}"}
        blocks.append({"type": "actions", "block_id": f"spike:{spike.id}", "elements": [button]})
    metadata = {"event_type": "call_light_spike", "event_payload": {"delivery": row.key}}
    if spike.known and shown.who:
        lines = (*lines, ("We know", f"{spike.known} ({shown.who})"))
    excerpt = "\n".join(words for words, _ in said)
    return Message(escape(title), blocks, metadata, title, excerpt, lines), spike.version + _gone(session, spike)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Cards of spikes that moved on, and those that show a post that is gone."""
    lately = col(Mention.deleted_at) > gone_since(session, now)
    gone = select(SpikePost.spike_id).where(SpikePost.mention_id == Mention.id, lately)
    rows = session.exec(
        select(Delivery, Spike)
        .where(Delivery.kind == "spike", col(Delivery.about) == _about(), may, col(Delivery.next_try_at) <= now)
        .where(or_(col(Delivery.shown_version) < Spike.version, col(Spike.id).in_(gone)))
    ).all()
    return [row for row, spike in rows if row.shown_version < spike.version + _gone(session, spike)]


def _about() -> Any:
    return "spike:" + cast(col(Spike.id), String)


def _gone(session: Session, spike: Spike) -> int:
    """How many of its posts are gone by now."""
    gone = select(func.count()).select_from(SpikePost).where(SpikePost.spike_id == spike.id)
    return session.exec(gone.where(SpikePost.mention_id == Mention.id, col(Mention.deleted_at).is_not(None))).one()


def _shown(session: Session, spike: Spike, config: Config, now: datetime) -> _Shown:
    of_it = select(Mention).where(SpikePost.spike_id == spike.id, SpikePost.mention_id == Mention.id)
    posts = session.exec(of_it.order_by(col(Mention.written_at), col(Mention.id))).all()
    window = config.care.spikes.window
    return _Shown(
        topic=title_of(spike.topic, titles_of(config)),
        spike=spike,
        posts=[post for post in posts if post.deleted_at is None],
        total=len({_story(post) for post in posts}),
        lately=len({_story(post) for post in posts if post.written_at > now - window}),
        people=len({(post.source, post.author or post.id) for post in posts}),
        minutes=int(window.total_seconds() // 60),
        config=config,
        who=named(session, spike.known_by) if spike.known_by else None,
    )


def _story(post: Mention) -> int | None:
    return post.story or post.id


def _title(shown: _Shown) -> str:
    if shown.spike.over_at is not None:
        return f"🌊 Over: many posts about {shown.topic}, {shown.total} in all"
    return (
        f"🌊 Many posts about {shown.topic}: {shown.lately} in {shown.minutes} min, usual {_usual(shown.spike.usual)}"
    )


def _usual(rate: float) -> str:
    return f"{rate:.1f}" if rate >= 0.05 else "almost none"


def _lines(shown: _Shown) -> Iterator[tuple[str, str]]:
    zone, spike = shown.config.hospital.zone, shown.spike
    until = f" to {spike.over_at.astimezone(zone):%a %H:%M}" if spike.over_at else ""
    yield "Since", f"{spike.began_at.astimezone(zone):%a %H:%M}{until}"
    posts, people = "post" if shown.total == 1 else "posts", "person" if shown.people == 1 else "people"
    yield "In all", f"{shown.total} {posts} by {shown.people} {people}"
    bars, most = _bars([post.written_at for post in shown.posts])
    if bars:
        yield "Posts in 5 min", f"{bars} at most {most}"
    if spike.over_at is None and not spike.known:
        yield "To do", "press We know and write what people may be told; drafts about this topic then say it"


def _bars(times: Sequence[datetime]) -> tuple[str, int]:
    """Posts in each five minutes as a line of blocks, and the highest of them; of a long spike its last two hours."""
    if not times:
        return "", 0
    counts = Counter(int(at.timestamp() // _BAR.total_seconds()) for at in times)
    last = max(counts)
    steps = [counts[step] for step in range(max(min(counts), last - _BARS + 1), last + 1)]
    return "".join(_BLOCKS[round(count / max(steps) * (len(_BLOCKS) - 1))] for count in steps), max(steps)


def _samples(session: Session, shown: _Shown) -> list[tuple[str, dict[str, Any]]]:
    """The newest posts that are no copies of each other: in words, and as an element of a list."""
    newest: dict[int | None, Mention] = {}
    for post in reversed(shown.posts):
        newest.setdefault(_story(post), post)
    said = []
    for post in list(newest.values())[:_SAMPLES]:
        assert post.id is not None
        moment = post.written_at.astimezone(shown.config.hospital.zone).strftime("%H:%M")
        words = shorten(newest_reading(session, post.id).redacted_text, LINE).replace("\n", " ") or "(no words)"
        words = f"{moment} {place(post.source)}: {words}"
        there = link(post.url, "open", _URL)
        more = [{"type": "text", "text": "  "}, there] if there else []
        said.append((words, {"type": "rich_text_section", "elements": [{"type": "text", "text": words}, *more]}))
    return said


def _known(text: str, who: str) -> dict[str, Any]:
    by = {"type": "user", "user_id": who} if is_slack_id(who) else {"type": "text", "text": who}
    bold = {"type": "text", "text": f"We know: {text}", "style": {"bold": True}}
    said = [bold, {"type": "text", "text": "  — "}, by]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": said}]}
