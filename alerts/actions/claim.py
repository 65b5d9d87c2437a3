"""The button "Claim"."""

from alerts.case import State

LABEL = "Claim"
TO: State = "claimed"
WHAT = "claimed it"
