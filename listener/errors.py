"""Errors by remedy: wait, ask a person, or skip one post. The message is the sentence that people read."""

from datetime import datetime


class CallLightError(Exception):
    """Something went wrong that has a sentence for people: what happened and what to do."""


class TryLater(CallLightError):
    """Nothing is broken here; the other side asks to wait, or did not answer.

    `at` is when it said that it will answer again (aware UTC), None if it did not say.
    """

    def __init__(self, why: str, at: datetime | None = None) -> None:
        self.at = at
        super().__init__(why)


class AskedToWait(TryLater):
    """The other side counts our requests and wants fewer of them: no fault, it goes on by itself."""


class ReadsUsedUp(AskedToWait):
    """The day's read budget is spent. Nothing asks us to wait: a larger budget goes on at once."""


class OutcomeUnknown(TryLater):
    """The request was sent and no answer came: it may have had its effect. Look before sending again."""


class NeedsPerson(CallLightError):
    """It will not work until someone changes something; the message says what."""


class NoChannel(NeedsPerson):
    """One channel cannot be reached until someone mends it; others can."""


class SkipPost(CallLightError):
    """One post could not be read; the others go on. `where` names it (file and line, or site and id)."""

    def __init__(self, where: str, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(f"{where}: {why}")
