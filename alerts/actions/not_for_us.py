"""The button "Not for us"."""

from alerts.case import State

LABEL = "Not for us"
TO: State = "dismissed"
WHAT = "said it is not for us"
