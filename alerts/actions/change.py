"""Change urgency or topics: a person reads better than the program."""

from collections.abc import Sequence
from typing import Literal

from sqlmodel import col, select

from alerts.act import Doing, Done, Standing
from alerts.case import RANK as HOW_URGENT
from alerts.case import changed, to_everybody, wake
from alerts.clockface import due
from alerts.decide import judge
from alerts.delivery import PAGE, Delivery
from alerts.form import CAREFUL, Choice, Field, Form
from alerts.message import NAMES
from alerts.topic import title_of, titles_of
from alerts.view import foremost, posts_of, topics_of
from nlp.reading import Reading

LABEL, ORDER = "Change urgency or topics…", 75
_URGENCIES = ("danger", "here_now", "serious", "routine")


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """For what still waits."""
    return "menu" if standing.state in ("open", "claimed") else None


def form(doing: Doing) -> Form:
    """The urgency and the topics as they are now, to be changed, and why."""
    urgencies = tuple(Choice(name, NAMES[name]) for name in _URGENCIES)
    urgency = doing.case.urgency if doing.case.urgency in _URGENCIES else "routine"
    topics, called = tuple(topics_of(doing.session, doing.case)), titles_of(doing.config)
    # A topic that config has no more stays one of the case until a person takes it off.
    choices = tuple(Choice(topic, title_of(topic, called)) for topic in dict.fromkeys((*called, *topics)))
    fields = (
        Field("urgency", "How urgent is it?", "choice", urgencies, urgency),
        Field("topics", "What is it about?", "choices", choices, topics, required=False),
        Field("why", "Why?", "text", hint=CAREFUL, longest=200),
    )
    says = ("Danger goes to its own channel and pages the on-call people.",)
    return Form("Urgency and topics", "Change", fields, says)


def do(doing: Doing) -> Done:
    """A new target, and a card in the channel where it now belongs."""
    case, urgency, why = doing.case, doing.answers["urgency"], doing.answers["why"]
    topics = list(doing.answers["topics"])
    if urgency != case.urgency:
        wake(doing.session, case, doing.who, doing.now)
        if "danger" in (urgency, case.urgency):
            case.channel = "danger" if urgency == "danger" else _channel(doing, urgency, topics)
        # Made more urgent, nobody was late before; made less urgent, the author has waited since the post.
        since = doing.now if HOW_URGENT[urgency] < HOW_URGENT[case.urgency] else case.clock_from
        words = f"now {urgency}, was {case.urgency}: {why}"
        case.urgency, case.due_at = (
            urgency,
            due(urgency, since, doing.config.hospital, doing.config.care.targets, topics),
        )
        changed(doing.session, case, doing.now, doing.who, "urgency", words)
        if urgency == "danger":
            to_everybody(doing.session, case, doing.who, doing.now)
    if topics != topics_of(doing.session, case):
        case.topics = topics
        changed(doing.session, case, doing.now, doing.who, "topics", f"about {', '.join(topics) or 'nothing'}: {why}")
    return Done(f"Case {doing.case_id} is {NAMES[urgency]}.")


def _channel(doing: Doing, urgency: str, topics: Sequence[str]) -> str:
    """Where it stood before it was danger; else where the rules send what is about these topics."""
    cards = select(Delivery.channel).where(
        *(Delivery.kind == "card", Delivery.case_id == doing.case_id, Delivery.channel != "danger"),
        ~col(Delivery.about).startswith(PAGE),
    )
    if first := doing.session.exec(cards.order_by(col(Delivery.id)).limit(1)).first():
        return first
    _, reading = foremost(posts_of(doing.session, doing.case))
    changed_to = {"urgency": urgency, "categories": [{"id": topic} for topic in topics]}
    decision = judge(Reading(**{**reading.model_dump(), **changed_to}), False, doing.config.care, doing.case.source)
    return decision.channel if decision.outcome == "alert" and decision.channel else "care"
