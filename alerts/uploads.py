"""Charts and pages of a message: uploaded before it is sent, kept in mind with its Delivery, taken back when they are old.

An upload without its message is harmless, since nobody sees it; so files go first, and the message stays one request.
Delivery.files holds
    version     of the message that they belong to: what shows another is uploaded anew, and these are taken back
    kept        {name: [id, link]}: what the door took
    old         [id]: what is to be taken back: it may quote a post that is gone, or its upload was cut off
    tries       how often an upload failed by accident
    unready     how often the door was not ready to show the pictures
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import update
from sqlmodel import Session, col

from alerts.delivery import Delivery
from alerts.door import Door, NotReady, TakesFiles
from alerts.message import Attachment, Message, Uploaded, attached
from listener.errors import CallLightError, NeedsPerson, OutcomeUnknown, TryLater
from listener.logs import logger

log = logger(__name__)

_TRIES = 5  # after so many the words go alone: a summary without a chart beats none
_UPLOADING = timedelta(seconds=90)  # longer than a file and its message take
_ASK_AGAIN = timedelta(hours=1)  # until an old file is taken back that could not be


@dataclass
class _Files:
    version: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)
    old: list[str] = field(default_factory=list)
    tries: int = 0
    unready: int = 0


def attach(session: Session, door: Door, row: Delivery, message: Message, version: int, now: datetime) -> Message:
    """The message with its images and files as far as the door takes them, and why it goes without the others. Commits.

    What was refused is tried again with the message: somebody may have mended it. Raises TryLater while it is worth
    waiting. Meanwhile other processes leave the row alone.
    """
    items = (*message.images, *message.files)
    if not ((items or row.files) and isinstance(door, TakesFiles)):
        return message
    assert row.id is not None
    id_, files, began = row.id, _Files(**row.files), monotonic()
    if files.version != version:
        files = _Files(version, old=[*files.old, *(one for one, _ in files.kept.values())])
        _save(session, id_, files)
    refused = []
    for item in items:
        if item.name not in files.kept:
            soon = now + timedelta(seconds=monotonic() - began) + _UPLOADING
            _save(session, id_, files, next_try_at=soon)
            try:
                refused += _upload(session, id_, door, item, files)
            finally:
                _save(session, id_, files)
    shown = {name: Uploaded(*there) for name, there in files.kept.items()}
    if files.unready >= _TRIES:
        shown = {file.name: shown[file.name] for file in message.files if file.name in shown}
        refused += ["Slack cannot show the charts" for _ in message.images]
    why = "; ".join(dict.fromkeys(refused))
    trouble = f"the weekly message goes without charts or page: {why}" if why else None
    both = "; ".join(filter(None, (message.trouble, trouble))) or None
    return replace(attached(message, shown), trouble=both)


@contextmanager
def showing(session: Session, row_id: int) -> Iterator[None]:
    """While a message with pictures is sent or edited: how often the door was not ready is counted."""
    try:
        yield
    except NotReady:
        row = session.get_one(Delivery, row_id)
        _save(session, row_id, replace(_Files(**row.files), unready=row.files.get("unready", 0) + 1))
        raise


def take_back(session: Session, door: Door, row: Delivery, now: datetime) -> None:
    """Delete what an earlier version of the message showed. Commits. Raises TryLater for what cannot be deleted now."""
    if not (row.files.get("old") and isinstance(door, TakesFiles)):
        return
    assert row.id is not None
    id_, files = row.id, _Files(**row.files)
    for one in list(files.old):
        session.commit()
        try:
            door.take_back(one)
        except NeedsPerson as error:
            log.warning("take_back", file=one, remedy=type(error).__name__)
            why = f"a file of an earlier summary quotes a post that is gone, and stays in Slack ({one}): {error}"
            raise TryLater(f"{why}; delete it there by hand", now + _ASK_AGAIN) from None
        files.old.remove(one)
        _save(session, id_, files)


def _upload(session: Session, row_id: int, door: TakesFiles, item: Attachment, files: _Files) -> list[str]:
    """Upload one; why not, if the message is to go without it."""
    try:
        content = item.make()
    except Exception as error:
        # A chart that cannot be drawn must not hold up the words.
        log.error("draw", file=item.name, error=error)
        return [f"{item.name} cannot be drawn ({type(error).__name__}); please report it"]

    def began(id: str) -> None:
        # Until it is known to be done it is one to be taken back: after a kill nothing else knows of it.
        files.old.append(id)
        _save(session, row_id, files)

    before = list(files.old)
    try:
        there = door.upload(item.name, item.title, content, item.alt, began)
    except CallLightError as error:
        files.old = before + [id for id in files.old[len(before) :] if not _is_deleted(door, id)]
        if isinstance(error, NeedsPerson):
            return [str(error)]
        if not isinstance(error, OutcomeUnknown):
            raise
        files.tries += 1
        if files.tries < _TRIES:
            raise TryLater(str(error), error.at) from None  # no message has left: nothing has to be looked for
        return [str(error)]
    files.old = before
    files.kept[item.name] = [there.id, there.link]
    return []


def _is_deleted(door: TakesFiles, id: str) -> bool:
    """Whether what is half done could be deleted."""
    try:
        door.take_back(id)
    except CallLightError:
        return False
    return True


def _save(session: Session, row_id: int, files: _Files, **more: datetime) -> None:
    session.execute(update(Delivery).where(col(Delivery.id) == row_id).values(files=asdict(files), **more))
    session.commit()
