"""The button "Answered"."""

from alerts.case import State

LABEL = "Answered"
TO: State = "answered"
WHAT = "answered in public"
