"""What a way to people must offer. slack.py and console.py are the two; deliver.py knows no other thing of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from alerts.message import Message, Uploaded
from listener.errors import AskedToWait


@dataclass(frozen=True)
class Sent:
    """Where a message ended up: the door's own names for the channel and the message."""

    place: str
    ref: str
    trouble: str | None = None  # it arrived, but not everywhere: the sentence says what a person has to mend


class Door(Protocol):
    """A way to people.

    Errors by remedy: TryLater (with a time), OutcomeUnknown (look before sending again), NeedsPerson.
    """

    name: str

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """Put a message before people."""

    def update(self, sent: Sent, message: Message) -> None:
        """Replace a message. A message that is gone is no error."""

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """The message that carries `key`, if it arrived; looked for from `since` on."""


@runtime_checkable
class HasChannels(Protocol):
    """A door whose channels care.toml names."""

    channels: dict[str, str]  # our name -> the door's


@runtime_checkable
class TakesFiles(Protocol):
    """A door that also takes files. They are uploaded before the message, and nobody sees them without it."""

    def upload(
        self, name: str, title: str, content: bytes, alt: str = "", began: Callable[[str], None] = lambda id: None
    ) -> Uploaded:
        """Upload a file; a picture has an `alt`. What arrived of one that failed is of no use to anybody: `began` is told
        its id as soon as there is one, so that it can be deleted."""

    def take_back(self, id: str) -> None:
        """Delete a file. One that is gone is no error."""


class NotReady(AskedToWait):
    """The door has a picture of the message, and cannot show it yet."""
