"""Bugs to be found: each is a small sabotage of the product, for the length of one simulation.

A plant that no rule finds means that a check is missing.
"""

import logging
import queue
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest.mock import patch

from sqlmodel import Session, col, exists, select, update

from alerts import deliver, figures
from alerts.case import Case
from alerts.delivery import Delivery, Fold
from alerts.notices import card
from benchmarks.simulation.weeks import Simulation, empty_database
from listener import collect, keep
from listener.errors import OutcomeUnknown
from listener.post import Page

Plant = Callable[[Simulation], None]


def _instead(simulation: Simulation, name: str, wrong: Any) -> None:
    """Something of the product is this, until the simulation ends."""
    simulation.until_the_end(patch(name, wrong))


def _cursor_moved_early(simulation: Simulation) -> None:
    """The cursor is committed before what it stands for."""
    right = keep.keep

    def wrong(session: Session, name: str, page: Page, *rest: Any) -> Any:
        watch = keep.watch_of(session, name)
        if rest[-1] == "own_replies":
            watch.own_cursor = dict(page.cursor)
        else:
            watch.cursor = dict(page.cursor)
        session.add(watch)
        session.commit()
        return right(session, name, page, *rest)

    _instead(simulation, "listener.keep.keep", wrong)


def _missing_unique_key(simulation: Simulation) -> None:
    """No key forbids that a post is kept twice, and now and then it is not looked whether it is known."""
    simulation.empty = lambda: empty_database(without_key=True)
    right = keep._known

    def wrong(session: Session, posts: Any) -> Any:
        return {} if simulation.chance.random() < 0.2 else right(session, posts)

    _instead(simulation, "listener.keep._known", wrong)


def _lost_wake_up(simulation: Simulation) -> None:
    """Nobody is told that something new was kept, so that it waits for the next beat."""

    class Deaf(queue.SimpleQueue[str]):
        def put(self, item: str, block: bool = True, timeout: float | None = None) -> None:
            if item != "flow":
                super().put(item)

    _instead(simulation, "listener.service.queue.SimpleQueue", Deaf)


def _sent_before_sending(simulation: Simulation) -> None:
    """A message is marked as sent before it leaves."""
    right = deliver._claim

    def wrong(session: Session, row: Delivery, now: datetime) -> bool:
        if not right(session, row, now):
            return False
        session.execute(update(Delivery).where(col(Delivery.id) == row.id).values(state="sent", sent_at=now))
        session.expire(row)
        return True

    _instead(simulation, "alerts.deliver._claim", wrong)


def _no_look_for_the_card(simulation: Simulation) -> None:
    """After an unknown outcome a message is sent again without a look."""
    _instead(simulation, "alerts.slack.Slack.find", lambda *_: None)


def _danger_folded(simulation: Simulation) -> None:
    """Danger goes under the card of a burst."""
    right = card.enqueue

    def without_card() -> Any:
        has_card = exists().where(col(Delivery.case_id) == Case.id, Delivery.kind == "card")
        return select(Case).where(~has_card, ~exists().where(col(Fold.case_id) == Case.id))

    def wrong(session: Session, config: Any, now: datetime) -> None:
        for case in session.exec(without_card().where(Case.urgency == "danger")).all():
            if simulation.chance.random() < 0.5:
                card._fold(session, case, now)
        right(session, config, now)

    _instead(simulation, "alerts.notices.card.enqueue", wrong)
    _instead(simulation, "alerts.notices.card._without_card", without_card)


def _index_not_tidied(simulation: Simulation) -> None:
    """What is deleted stays in the search index."""
    _instead(simulation, "alerts.fulltext.tidy", lambda session: False)


def _readings_not_forgotten(simulation: Simulation) -> None:
    """What is deleted stays in the readings."""
    _instead(simulation, "nlp.read.forget", lambda session, now: 0)


def _clock_from_heard_at(simulation: Simulation) -> None:
    """The reply clock starts when we heard of a post."""
    from alerts import decide

    right = decide.open_case

    def wrong(session: Session, case: Case, why: str) -> Case:
        case.clock_from = case.opened_at
        return right(session, case, why)

    _instead(simulation, "alerts.decide.open_case", wrong)


def _ledger_without_unread(simulation: Simulation) -> None:
    """The ledger leaves out what nobody has read yet."""
    right = figures.heard_between

    def wrong(*given: Any) -> Any:
        return [one for one in right(*given) if one.voice is not None]

    _instead(simulation, "alerts.figures.heard_between", wrong)


def _reply_sent_twice(simulation: Simulation) -> None:
    """A reply whose outcome is unknown is sent again at once."""
    right = collect.reply

    def wrong(*given: Any) -> Any:
        try:
            return right(*given)
        except OutcomeUnknown:
            simulation.network.heal()
            return right(*given)

    _instead(simulation, "listener.collect.reply", wrong)


def _other_words(simulation: Simulation) -> None:
    """A reply gets a signature that nobody was shown."""
    right = collect.reply

    def wrong(source: str, settings: Any, post: Any, text: str, asking: Any) -> Any:
        return right(source, settings, post, f"{text} St. Brigid's", asking)

    _instead(simulation, "listener.collect.reply", wrong)


def _words_in_the_log(simulation: Simulation) -> None:
    """The log tells what a post says."""
    right = keep._row

    def wrong(name: str, post: Any, *rest: Any) -> Any:
        logging.getLogger("listener.keep").info("keep text=%s", post.text)
        return right(name, post, *rest)

    _instead(simulation, "listener.keep._row", wrong)


def _lease_ignored(simulation: Simulation) -> None:
    """Every copy of the service collects."""
    _instead(simulation, "listener.lease.take", lambda *_: None)


def _nobody_paged(simulation: Simulation) -> None:
    """Danger that nobody takes pages nobody."""
    _instead(simulation, "alerts.notices.page.enqueue", lambda *_: None)


def _silence_not_told(simulation: Simulation) -> None:
    """A deaf collector raises no alarm."""
    _instead(simulation, "listener.health.troubles", lambda *_: [])


PLANTS: dict[str, Plant] = {
    plant.__name__.removeprefix("_").replace("_", " "): plant
    for plant in (
        *(_cursor_moved_early, _missing_unique_key, _lost_wake_up, _sent_before_sending, _no_look_for_the_card),
        *(_danger_folded, _index_not_tidied, _readings_not_forgotten, _clock_from_heard_at, _ledger_without_unread),
        *(_reply_sent_twice, _other_words, _words_in_the_log, _lease_ignored, _nobody_paged, _silence_not_told),
    )
}
