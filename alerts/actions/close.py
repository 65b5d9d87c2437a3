"""The button "Close"."""

from alerts.case import State

LABEL = "Close"
TO: State = "closed"
WHAT = "closed it"
