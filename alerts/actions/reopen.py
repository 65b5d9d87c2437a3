"""The button "Reopen"."""

from alerts.case import REOPENED, State

LABEL = "Reopen"
TO: State = "open"
WHAT = REOPENED
