"""What was deleted at its source is deleted here, and nothing is kept longer than its source allows.

Places that do not announce deletions are asked about what was kept, each kept post at the rhythm that listening.toml
says. The other stages clear what they made of a post as soon as its content is gone: of the posts since gone_since().
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from config.schema import CollectorSettings
from listener import keep
from listener.collect import LOOKUP_MOST, can_look, look
from listener.logs import logger
from listener.mention import Mention
from listener.post import Asking, Ref
from listener.watch import Watch

log = logger(__name__)

_EXPIRED_AT_ONCE = 1000
_ROW = "gone"  # the Watch that says since when posts are gone whose words may still stand somewhere
# So long words are looked for that a stage made of a gone post, or that stand in Slack, which may not answer. It counts while
# we run: who was stopped in between, and stands still for a month, looks back a month.
_LOOKS_BACK = timedelta(days=7)
_STEP, _PAUSE = timedelta(hours=1), timedelta(days=1)  # how often it is written down; so long at most a pause counts
_EVER = datetime.min.replace(tzinfo=UTC)
_IMPORTED = "import"  # what call-light import brings in is kept as long as what the file collector hears


def look_again(
    engine: Engine, name: str, settings: CollectorSettings, asking: Asking, stop: Callable[[], bool] = lambda: False
) -> int:
    """Ask the place about every kept post that is due; how many are gone. Raises TryLater, NeedsPerson."""
    gone = 0
    while can_look(name) and not stop():
        with Session(engine) as session:
            due = _due(session, name, settings, asking.now)
        if not due:
            break
        page = look(name, settings, [ref.ref for ref in due], asking)
        with Session(engine) as session:
            gone += keep.look_again(session, name, page, due, asking.hospital, asking.now).deleted
    return gone


def expire(session: Session, collectors: Mapping[str, CollectorSettings], now: datetime) -> int:
    """Forget what was kept as long as it may be; how many. Commits."""
    gone = 0
    for name in (*collectors, _IMPORTED):
        settings = collectors.get(name) or collectors.get("file") or CollectorSettings()
        old = select(Mention.id).where(
            Mention.collector == name, Mention.heard_at < now - settings.keep_for, col(Mention.deleted_at).is_(None)
        )
        ids = [id_ for id_ in session.exec(old.limit(_EXPIRED_AT_ONCE)) if id_ is not None]
        gone += keep.forget(session, ids, keep.EXPIRED, now) if ids else 0
    session.commit()
    if gone:
        log.info("expire", count=gone)
    return gone


def gone_since(session: Session, now: datetime) -> datetime:
    """Words of posts that are gone since then may still stand somewhere; those of earlier ones were all taken out."""
    row = session.get(Watch, _ROW)
    return min(datetime.fromisoformat(row.cursor["since"]), now - _LOOKS_BACK) if row is not None else _EVER


def came_round(session: Session, now: datetime) -> None:
    """Every stage has just taken out what it made of posts that are gone. Commits."""
    row = session.get(Watch, _ROW, with_for_update=True)
    if row is None:
        row, since = Watch(name=_ROW), now - _LOOKS_BACK
    else:
        since, at = (datetime.fromisoformat(row.cursor[name]) for name in ("since", "at"))
        if timedelta() <= now - at < _STEP:
            session.rollback()
            return
        # Twice as fast as time passes, so that after a pause it is as near as ever in the end.
        since = min(since + 2 * min(max(now - at, timedelta()), _PAUSE), now - _LOOKS_BACK)
    row.cursor = {"since": since.isoformat(), "at": now.isoformat()}
    session.add(row)
    session.commit()


def _due(session: Session, name: str, settings: CollectorSettings, now: datetime) -> list[Ref]:
    """Posts of one source, those first that were not looked for the longest."""
    kept = select(Mention.source, Mention.ref).where(
        Mention.collector == name, Mention.looked_at <= now - settings.recheck, col(Mention.deleted_at).is_(None)
    )
    rows = session.exec(kept.order_by(col(Mention.looked_at)).limit(LOOKUP_MOST)).all()
    return [Ref(source, ref) for source, ref in rows if source == rows[0][0]]
