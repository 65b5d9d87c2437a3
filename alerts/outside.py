"""What of somebody who was forgotten is where the tool does not reach, or must not decide: a sentence each, for people to act on."""

from collections.abc import Collection, Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts.answer import Answer
from alerts.case import WAITING, Case
from alerts.delivery import Delivery
from alerts.hooks import channel_of
from alerts.verdict import Verdict
from config.load import ConfigError, read_files
from config.schema import Config
from listener import versions
from listener.database import reading
from listener.forget import Asked
from listener.tombstones import masked


def left_outside(engine: Engine, config: Config, asked: Asked, folder: Path) -> list[str]:
    """Sentences for the cases, hooks, public replies and config files that have to do with them."""
    with reading(engine) as session:
        cases = _cases(session, asked.ids)
        return [
            *_waiting(session, cases),
            *_told_to_hooks(session, config, cases),
            *_answered(session, cases),
            *_in_config(session, asked, folder),
        ]


def _cases(session: Session, mention_ids: Collection[int]) -> list[int]:
    of_them = select(Verdict.case_id).where(col(Verdict.mention_id).in_(mention_ids), col(Verdict.case_id).is_not(None))
    return sorted({case_id for case_id in session.exec(of_them) if case_id is not None})


def _waiting(session: Session, cases: Collection[int]) -> Iterator[str]:
    """Nobody is left alone because their words are gone."""
    open_ones = select(Case).where(col(Case.id).in_(cases), col(Case.state).in_(WAITING)).order_by(col(Case.id))
    for case in session.exec(open_ones):
        yield f"case {case.id} ({case.urgency}) still waits for somebody, now without its words: settle it with who asked"


def _told_to_hooks(session: Session, config: Config, cases: Collection[int]) -> Iterator[str]:
    for hook in config.care.hooks:
        sent = select(Delivery.case_id).where(
            *(Delivery.kind == "hook", Delivery.channel == channel_of(hook.name), Delivery.state == "sent"),
            col(Delivery.case_id).in_(cases),
        )
        told = sorted({str(case_id) for case_id in session.exec(sent)}, key=int)
        if hook.text and told:
            yield f"hook {hook.name} was told the words of case {', '.join(told)}; have them deleted in that system"


def _answered(session: Session, cases: Collection[int]) -> Iterator[str]:
    public = select(Answer.case_id).where(col(Answer.case_id).in_(cases), Answer.state == "sent").distinct()
    for case_id in session.exec(public.order_by(col(Answer.case_id))):
        yield f"our public reply of case {case_id} stays at its place; delete it there if it should go too"


def _in_config(session: Session, asked: Asked, folder: Path) -> Iterator[str]:
    try:
        texts = read_files(folder)[0]
    except ConfigError:
        texts = {}
    for name, text in texts.items():
        if masked(text, asked.names) != text:
            yield f"{folder / name} names them; take it out there"
    naming = [
        str(version.number)
        for version in versions.every(session)
        if any(masked(text, asked.names) != text for text in version.texts.values())
    ]
    if naming:
        yield f"kept versions of the config files name them: {', '.join(naming)} (call-light config history); they stay as they are"
