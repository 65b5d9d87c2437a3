"""The card of a case: what it says, its buttons, and that Slack takes it whatever a stranger wrote."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from fakes.slack import live_mentions
from fakes.strangers import HOSTILE, URLS, is_taken, texts, urls, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.card import EXCERPT, CaseView, Offer, card
from alerts.message import LINE
from config.schema import Runbook

CHICAGO = ZoneInfo("America/Chicago")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RUNBOOK = Runbook(
    title="Somebody needs help now", danger=("unattended",), steps=("Call the nurse in charge.", "Stay on it.")
)
VIEW = CaseView(
    case_id=12,
    delivery_key="key",
    state="open",
    urgency="routine",
    owner=None,
    offers=(
        Offer("claim", "Claim", "button"),
        Offer("not_for_us", "Not for us", "button"),
        Offer("assign", "Assign to…", "menu"),
    ),
    posts=1,
    people=1,
    also=(),
    before=(),
    clock_from=NOW,
    due_at=NOW + timedelta(hours=1),
    answered_at=None,
    snoozed_until=None,
    snooze_why=None,
    outcome=None,
    source="x",
    url="https://x.example/1?a=1&b=2",
    reach=None,
    rating=None,
    redacted_text="Waited six hours & nobody told us anything",
    language="en",
    readable=True,
    mood=-0.6,
    kind="complaint",
    categories=[{"id": "waiting", "score": 1.0, "words": ["six hours"]}],
    titles={"waiting": "Waiting"},
    site="Harbor Campus",
    departments=["Emergency"],
    reasons=["about us: St. Brigid's", "waiting: 'six hours'"],
    runbook=None,
    answer=None,
    answer_trouble=None,
    other_cases=(),
    spike=None,
    moved=None,
    gone=None,
    contact=False,
    zone=CHICAGO,
)


def plain(text: str, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


# ---------------------------------------------------------------- what it says


def test_card() -> None:
    message = card(VIEW, "@here")
    assert message.text == "🔵 To answer · Emergency · Harbor Campus: case 12, open, nobody has it yet"
    assert message.metadata == {"event_type": "call_light_card", "event_payload": {"case_id": 12, "delivery": "key"}}
    link = {"type": "link", "url": "https://x.example/1?a=1&b=2", "text": "Open on X"}
    assert message.blocks == [
        {"type": "header", "text": plain("🔵 To answer · Emergency · Harbor Campus", True)},
        {"type": "context", "elements": [plain("In short, without personal details:", True)]},
        {"type": "section", "text": plain("Waited six hours & nobody told us anything")},
        {
            "type": "section",
            "fields": [
                plain("Case\n12", True),
                plain("State\nopen, nobody has it yet", True),
                {
                    "type": "mrkdwn",
                    "text": f"*Reply due*\n<!date^{int(VIEW.due_at.timestamp())}^{{date_short_pretty}} {{time}}|Mon 10:00>",
                },
                plain("Posted\nMon 09:00 on X", True),
                plain("About\nWaiting (six hours)", True),
                plain("Mood\n🔴 upset", True),
            ],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]},
        {"type": "context", "elements": [plain("Why: waiting: 'six hours'", True)]},
        {
            "type": "actions",
            "block_id": "case:12",
            "elements": [
                {"type": "button", "action_id": "do:claim", "text": plain("Claim"), "value": "12", "style": "primary"},
                {"type": "button", "action_id": "do:not_for_us", "text": plain("Not for us"), "value": "12"},
                {
                    "type": "overflow",
                    "action_id": "menu",
                    "options": [{"text": plain("Assign to…"), "value": "assign:12"}],
                },
            ],
        },
    ]


def test_danger_pages_until_someone_has_it() -> None:
    danger = replace(VIEW, urgency="danger")
    message = card(danger, "@here")
    assert message.text.startswith("<!here> 🚨 DANGER · Emergency")
    assert message.blocks[1]["text"]["text"] == "<!here> someone may come to harm now. Please look at once."
    for state in ("claimed", "answered", "closed", "dismissed"):
        assert live_mentions(whole(card(replace(danger, state=state, owner="ana"), "@here"))) == []


@pytest.mark.parametrize(
    ("oncall", "live"),
    [
        ("@here", "<!here>"),
        ("@channel", "<!channel>"),
        ("<!subteam^S0123ABCD>", "<!subteam^S0123ABCD>"),
        ("<@U0123ABCD>", "<@U0123ABCD>"),
    ],
)
def test_who_is_paged(oncall: str, live: str) -> None:
    assert live_mentions(whole(card(replace(VIEW, urgency="danger"), oncall))) == [live, live]
    for urgency in ("here_now", "serious", "routine", "low", "none"):
        assert live_mentions(whole(card(replace(VIEW, urgency=urgency), oncall))) == []


@pytest.mark.parametrize(
    ("changes", "label", "value"),
    [
        ({"state": "claimed", "owner": "ana"}, "State", "claimed by ana"),
        ({"state": "answered", "answered_at": NOW + 7 * MINUTE}, "State", "answered in 7 min"),
        ({"state": "closed", "owner": "ana"}, "State", "closed by ana"),
        ({"state": "dismissed"}, "State", "dismissed"),
        ({"state": "answered", "answered_at": NOW}, "Reply due", None),
        ({"state": "claimed"}, "Reply due", "Mon 10:00"),
        ({"rating": 1.0}, "Mood", "🔴 upset, 1 of 5 stars"),
        ({"rating": 4.5, "mood": 0.9}, "Mood", "🟢 friendly, 4.5 of 5 stars"),
        ({"reach": 12345}, "Followers", "12,345"),
        ({"reach": 0}, "Followers", None),
        ({"posts": 3}, "Posts", "3 by the same person"),
        ({"posts": 3, "people": 2}, "Posts", "3 by 2 people"),
        ({"posts": 1}, "Posts", None),
        ({"contact": True, "url": None}, "Contact", "left one; call-light contact 12"),
        ({}, "Contact", None),
        ({"url": None}, "Link", None),
        ({"source": "google_reviews"}, "Posted", "Mon 09:00 on Google review"),
        ({"source": "somewhere"}, "Posted", "Mon 09:00 on somewhere"),
        ({"categories": []}, "About", None),
        ({"reasons": ["voice patient: 'my'"]}, "Why", None),
        ({"gone": "deleted by its author"}, "About", None),
        ({"gone": "deleted by its author"}, "Why", None),
        ({"state": "closed", "owner": "ana", "outcome": "Fixed"}, "State", "closed by ana: Fixed"),
        ({"state": "closed", "answered_at": NOW + 7 * MINUTE}, "State", "closed, answered in 7 min"),
        (
            {"snoozed_until": NOW + 2 * HOUR, "snooze_why": "they call back"},
            "Reply due",
            "the clock stands still until Mon 11:00: they call back",
        ),
        ({"other_cases": (7, 9)}, "Same author", "also waits in case 7, 9"),
        ({"spike": ""}, "Spike", "many posts about this now; see its own card"),
        ({"spike": "The portal is down."}, "Spike", "many posts about this now; we know: The portal is down."),
        ({"answer": "waiting"}, "Reply", "a reply is written and waits for a second person"),
        ({"answer": "sent"}, "Reply", None),
        ({"answer": "written", "answer_trouble": "no keys"}, "Reply", "a reply is written and not sent yet (no keys)"),
        ({"answer": "written", "state": "closed"}, "Reply", None),
        ({"runbook": RUNBOOK}, "Runbook", "Somebody needs help now"),
        ({"runbook": RUNBOOK, "state": "answered"}, "Runbook", None),
        ({"categories": [{"id": "food", "words": []}]}, "About", "Food"),
        ({"gone": "not kept any longer"}, "Link", "https://x.example/1?a=1&b=2"),
    ],
)
def test_lines(changes: dict[str, Any], label: str, value: str | None) -> None:
    assert dict(card(replace(VIEW, **changes), "@here").lines).get(label) == value


def test_what_is_not_read_says_so() -> None:
    message = card(replace(VIEW, readable=False, language="th", redacted_text="รอนานมาก"), "@here")
    assert message.title == "🔵 Unread (th) · Emergency · Harbor Campus"
    assert message.excerpt.startswith("[language th: not read by the program")
    assert message.excerpt.endswith("รอนานมาก")


def test_nothing_of_a_deleted_post_is_left() -> None:
    message = card(replace(VIEW, gone="deleted by its author", url=None), "@here")
    assert message.excerpt == "(deleted by its author)"
    assert not {"six", "x.example"} & set(json.dumps(message.blocks).replace("/", " ").split())
    assert "six hours" not in json.dumps(message.blocks)


# ---------------------------------------------------------------- its buttons


@pytest.mark.parametrize(
    ("places", "buttons", "menu"),
    [
        ([], [], []),
        (["button"], ["0"], []),
        (["menu"], [], ["0"]),
        (["button", "button", "button", "menu"], ["0", "1"], ["2", "3"]),
        (["button", "button", *["menu"] * 5], ["0", "1"], ["2", "3", "4", "5", "6"]),
        (["button", "button", *["menu"] * 6], ["0", "1"], ["2", "3", "4", "5", "more"]),
    ],
)
def test_two_buttons_and_a_menu(places: list[Any], buttons: list[str], menu: list[str]) -> None:
    made = [Offer(str(number), f"Action {number}", place) for number, place in enumerate(places)]
    message = card(replace(VIEW, offers=made), "@here")
    elements = next((block["elements"] for block in message.blocks if block["type"] == "actions"), [])
    assert [one["action_id"] for one in elements if one["type"] == "button"] == [f"do:{name}" for name in buttons]
    options = [option["value"] for one in elements if one["type"] == "overflow" for option in one["options"]]
    assert options == [f"{name}:12" for name in menu]


def test_its_owner_is_named_and_nobody_else() -> None:
    view = replace(VIEW, state="claimed", owner="<@U0ANA1>", redacted_text="<@U0BEN1>")
    assert live_mentions(whole(card(view, "@here"))) == ["<@U0ANA1>", "<@U0ANA1>"]


def test_the_runbook_while_somebody_must_act() -> None:
    message = card(replace(VIEW, urgency="danger", runbook=RUNBOOK), "@here")
    assert any("1. Call the nurse in charge." in json.dumps(block) for block in message.blocks)
    assert "nurse in charge" not in json.dumps(card(replace(VIEW, state="closed", runbook=RUNBOOK), "@here").blocks)


def test_what_was_said_before_it() -> None:
    message = card(replace(VIEW, before=("somebody: it is always so there",)), "@here")
    assert "Before it:\nsomebody: it is always so there" in message.blocks[1]["elements"][0]["text"]
    gone = card(replace(VIEW, before=("somebody: x",), gone="deleted by its author"), "@here")
    assert "Before it" not in json.dumps(gone.blocks)


# ---------------------------------------------------------------- whatever a stranger wrote

offers = st.builds(
    Offer,
    st.sampled_from([f"action{number}" for number in range(12)]),
    st.sampled_from(["Claim", "Close the case…"]),
    st.sampled_from(["button", "menu"]),
)


shorter = texts.map(lambda text: text[:2000])


@st.composite
def views(draw: Any) -> CaseView:
    words = st.lists(texts, max_size=4)
    topics = st.lists(st.builds(lambda name, said: {"id": name, "score": 1.0, "words": said}, texts, words), max_size=6)
    return replace(
        VIEW,
        state=draw(st.sampled_from(["open", "claimed", "answered", "closed", "dismissed"])),
        urgency=draw(st.sampled_from(["danger", "here_now", "serious", "routine", "low", "none"])),
        owner=draw(st.none() | texts | st.just("<@U0ANA1>")),
        offers=draw(st.lists(offers, max_size=12, unique_by=lambda offer: offer.name)),
        before=draw(st.lists(shorter, max_size=2)),
        snoozed_until=draw(st.none() | st.just(NOW)),
        snooze_why=draw(shorter),
        outcome=draw(st.none() | shorter),
        runbook=draw(st.none() | st.just(RUNBOOK)),
        answer=draw(st.sampled_from([None, "waiting", "unknown"])),
        answer_trouble=draw(st.none() | shorter),
        spike=draw(st.none() | shorter),
        posts=draw(st.integers(1, 10**9)),
        answered_at=draw(st.none() | st.just(NOW)),
        source=draw(st.sampled_from(["x", "reddit"]) | texts),
        url=draw(urls),
        reach=draw(st.none() | st.integers(0, 10**12)),
        rating=draw(st.none() | st.floats(0, 5)),
        redacted_text=draw(texts),
        language=draw(st.sampled_from(["en", "th", "und"])),
        readable=draw(st.booleans()),
        categories=draw(topics),
        departments=draw(st.lists(texts, max_size=3)),
        site=draw(st.none() | texts),
        reasons=draw(words),
        gone=draw(st.sampled_from([None, "deleted by its author"])),
        people=draw(st.integers(1, 10**6)),
        also=draw(st.lists(texts, max_size=2)),
    )


@settings(max_examples=60)
@given(view=views())
def test_any_card_is_taken_and_harmless(view: CaseView) -> None:
    message = card(view, "@here")
    is_taken(message)
    pages = view.urgency == "danger" and view.state == "open"
    owner = ["<@U0ANA1>"] if view.owner == "<@U0ANA1>" else []
    named = [one for one in live_mentions(whole(message)) if one not in owner]
    assert named == ["<!here>"] * 2 * pages
    assert len(message.excerpt) <= EXCERPT + 100 + len(view.also) * (LINE + 10)


@pytest.mark.parametrize(("text", "url"), [(text, URLS[number % len(URLS)]) for number, text in enumerate(HOSTILE)])
def test_the_worst_card(text: str, url: str | None) -> None:
    topics = [{"id": text, "score": 1.0, "words": [text] * 3}] * 15
    view = replace(VIEW, redacted_text=text, url=url, owner=text, site=text, departments=[text] * 3, source=text or "x")
    message = card(replace(view, categories=topics, reasons=[text] * 9, state="claimed"), "@here")
    is_taken(message)
    assert live_mentions(whole(message)) == []


words_of_the_post = st.lists(st.text("qwzjkv", min_size=4, max_size=9), min_size=1, max_size=30)


@given(words=words_of_the_post)
def test_no_word_of_the_post_in_the_notification(words: list[str]) -> None:
    text = " ".join(words)
    said = [{"id": "waiting", "score": 1.0, "words": words}]
    message = card(replace(VIEW, redacted_text=text, categories=said, reasons=words, urgency="danger"), "@here")
    for word in words:
        assert word not in message.text + message.title
        assert word not in json.dumps(message.metadata)
