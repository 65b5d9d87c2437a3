"""The button "Reopen"."""

from alerts.case import State

LABEL = "Reopen"
TO: State = "open"
WHAT = "reopened it"
