"""Not for us: no matter of this hospital, with the reason. Danger needs more than a click."""

from typing import Literal

from alerts.act import Doing, Done, Standing
from alerts.form import Choice, Field, Form

LABEL, ORDER = "Not for us", 15
REASONS = {
    "another_place": "another place",
    "news": "news",
    "joke": "joke",
    "spam": "spam",
    "staff": "staff",
    "nothing_to_do": "nothing to do",
}
_ASKED = (
    Choice("another_place", "Another place of that name"),
    Choice("news", "News, no one to answer"),
    Choice("joke", "A joke or a figure of speech"),
    Choice("spam", "Spam or an advert"),
    Choice("staff", "By our own staff"),
    Choice("nothing_to_do", "About us, but nothing to do"),
)


def place(standing: Standing) -> Literal["button", "menu"] | None:
    """A button of what nobody has; of danger only in the menu."""
    if standing.state == "open" and standing.urgency != "danger":
        return "button"
    return "menu" if standing.state in ("open", "claimed") else None


def form(doing: Doing) -> Form:
    """Why; of danger also that a person has read the post itself."""
    fields = [Field("reason", "Why is it not for us?", "choice", _ASKED)]
    says: tuple[str, ...] = ()
    if doing.case.urgency == "danger":
        says = ("This was read as danger to someone. If you are not sure, leave it to the on-call person.",)
        fields.append(Field("sure", "I have read the post at its place: nobody is in danger", "tick"))
    return Form("Not for us", "Not for us", tuple(fields), says)


def do(doing: Doing) -> Done:
    """It is over; the reason is kept, admins may be proposed a line that leaves such posts out."""
    doing.move("dismissed", f"not for us: {REASONS[doing.answers['reason']]}")
    return Done(f"Case {doing.case_id} is not for us.")
