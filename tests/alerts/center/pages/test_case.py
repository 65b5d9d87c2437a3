"""The page of a case: who may see and do what, what is written down, and what becomes of a press."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.center import AS_FORM, FAR, THERE, House, send
from sqlalchemy import text
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from alerts.act import Doing, form_of, known_actions
from alerts.case import Case, CaseEvent
from config.schema import Config
from listener.errors import NeedsPerson

ADDRESSES = ("", "/part", "/do/draft")
CAREFUL = "We take concerns seriously, please call 555-0100"


def csrf(browser: TestClient, case_id: int = 1) -> str:
    """What every form of theirs carries."""
    return str(browser.get(f"/cases/{case_id}").text.split('name="csrf" value="')[1].split('"')[0])


def press(browser: TestClient, action: str, case_id: int = 1, **fields: str) -> Any:
    """As the form on their page sends it."""
    shown = browser.get(f"/cases/{case_id}/do/{action}").text.partition('name="seal" value="')[2].partition('"')[0]
    return send(browser, f"/cases/{case_id}/do/{action}", **{"csrf": csrf(browser, case_id), "seal": shown} | fields)


def happened(house: House, kind: str = "viewed") -> list[tuple[str, str]]:
    """Who did what of a kind, oldest first."""
    with Session(house.engine) as session:
        events = session.exec(select(CaseEvent).where(CaseEvent.kind == kind).order_by(col(CaseEvent.id)))
        return [(event.who, event.what) for event in events]


def case(house: House, number: int = 1) -> Case:
    with Session(house.engine) as session:
        return session.get_one(Case, number)


# ---------------------------------------------------------------- who sees what


def test_redacted_for_everybody_and_no_name(desk: Any, house: House, vera: TestClient, ana: TestClient) -> None:
    desk.alert("I am Bob Miller, call me", redacted_text="I am [name], call me", author="bobm", author_name="Bob M")
    for browser in (vera, ana):
        page = browser.get("/cases/1").text
        assert "I am [name], call me" in page
        assert "Miller" not in page
        assert "bobm" not in page
        assert "Bob M" not in page


@pytest.mark.parametrize("path", ["/cases/7", "/cases/7/part", "/cases/7/do/draft", f"/cases/{10**30}", "/cases/x"])
def test_a_case_that_there_is_not(house: House, ana: TestClient, path: str) -> None:
    answer = ana.get(path)
    assert answer.status_code == 404
    assert f"There is no such {'page' if path == '/cases/x' else 'case'}." in answer.text


def test_a_press_that_breaks_is_told_as_a_sentence_not_as_a_page(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    told = AS_FORM | {
        "origin": FAR,
        "accept": "text/plain",
        "cookie": "; ".join(f"{k}={v}" for k, v in ana.cookies.items()),
    }
    word = csrf(ana)
    browser = TestClient(house.app, FAR, client=THERE, raise_server_exceptions=False, headers=told)
    try:
        with house.engine.begin() as connection:
            connection.execute(text("ALTER TABLE person RENAME TO away"))
        answer = browser.post("/cases/1/do/claim", data={"csrf": word})
    finally:  # other tests use this database
        with house.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO person"))
    assert answer.status_code == 500
    assert (
        answer.text == "That could not be done just now. Please try again; if it goes on, tell who runs Call Light.\n"
    )


@pytest.mark.parametrize("path", ["do/claim", "check", "original"])
def test_nothing_can_be_sent_to_a_case_that_there_is_not(desk: Any, house: House, ana: TestClient, path: str) -> None:
    desk.alert()
    assert send(ana, f"/cases/7/{path}", csrf=csrf(ana)).status_code == 404


@pytest.mark.parametrize("path", ["", "/part", "/do/draft"])
def test_who_has_not_signed_in_sees_nothing(desk: Any, house: House, path: str) -> None:
    desk.alert("secret words")
    answer = house.browser(FAR, ("10.1.2.3", 1)).get(f"/cases/1{path}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", ["do/claim", "check", "original"])
def test_a_viewer_may_not_act_and_is_offered_nothing(desk: Any, house: House, vera: TestClient, path: str) -> None:
    desk.alert("I am Bob Miller", redacted_text="I am [name]")
    page = vera.get("/cases/1").text
    assert "data-do" not in page
    assert "/original" not in page
    answer = send(vera, f"/cases/1/{path}", csrf=page.split('name="csrf" value="')[1].split('"')[0])
    assert answer.status_code == 403
    assert "Miller" not in answer.text
    assert vera.get("/cases/1/do/draft").status_code == 403
    assert case(house).state == "open"


@pytest.mark.parametrize("path", ["do/claim", "check", "original"])
@pytest.mark.parametrize("given", ["", "0" * 32])
def test_nothing_is_done_without_the_word_of_their_page(
    desk: Any, house: House, ana: TestClient, path: str, given: str
) -> None:
    desk.alert()
    assert send(ana, f"/cases/1/{path}", csrf=given).status_code == 403
    assert (case(house).state, happened(house)) == ("open", [])


def test_the_words_as_written_for_care_on_request_and_it_is_written_down(
    desk: Any, house: House, ana: TestClient
) -> None:
    desk.alert("I am Bob Miller", redacted_text="I am [name]")
    answer = send(ana, "/cases/1/original", csrf=csrf(ana))
    assert "I am Bob Miller" in answer.text
    assert happened(house) == [("U0ANA1", "read the words as they were written")]
    assert "Miller" not in ana.get("/cases/1/part").text
    again = ana.get("/cases/1/original")  # loaded anew
    assert (again.status_code, again.headers["location"]) == (303, "/cases/1")


# ---------------------------------------------------------------- who saw danger


def test_every_view_of_danger_is_written_down_before_it_is_seen(desk: Any, house: House, vera: TestClient) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    for _ in range(2):
        assert vera.get("/cases/1").status_code == 200
    assert happened(house) == [("vera", "looked at it")] * 2


def test_a_page_that_stays_open_is_one_look_an_hour(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    ana.get("/cases/1")
    for path in ("/part", "/do/draft", "/part"):
        ana.get(f"/cases/1{path}")
    assert len(happened(house)) == 1
    house.now += timedelta(minutes=61)
    ana.get("/cases/1/part")
    assert len(happened(house)) == 2


@pytest.mark.parametrize("path", ["/part", "/do/draft"])
def test_no_other_address_shows_danger_unseen(desk: Any, house: House, ana: TestClient, path: str) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    ana.get(f"/cases/1{path}")
    assert happened(house) == [("U0ANA1", "looked at it")]


def test_what_is_no_danger_leaves_no_trace_of_who_looked(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    for path in ADDRESSES:
        ana.get(f"/cases/1{path}")
    assert happened(house) == []


# ---------------------------------------------------------------- presses


def test_claimed_and_back_where_it_was_pressed(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    desk.alert()
    assert press(ana, "claim").headers["location"] == "/cases/1"
    assert press(ana, "claim", 2, back="inbox").headers["location"] == "/inbox#case-2"
    assert (case(house).owner, case(house, 2).owner) == ("U0ANA1", "U0ANA1")
    assert "Ana Ruiz has it" in ana.get("/cases/1").text


def test_a_press_sent_twice_is_done_once_and_the_same_press_of_another_is_refused(
    desk: Any, house: House, ana: TestClient, ben: TestClient
) -> None:
    desk.alert()
    for _ in range(2):
        assert press(ana, "claim", key="k", version="1").status_code == 303
    assert "That was done already." in ana.get("/cases/1").text
    press(ben, "claim", key="k", version="1")
    assert "claimed by Ana Ruiz already" in ben.get("/cases/1").text
    assert happened(house, "claimed") == [("U0ANA1", "claimed it")]


def test_who_was_first_is_named_though_they_are_not_in_slack(
    desk: Any, house: House, ana: TestClient, ben: TestClient
) -> None:
    desk.alert()
    press(ben, "claim")
    press(ana, "claim")
    assert "claimed by Ben Ode already" in ana.get("/cases/1").text


def test_what_changed_since_makes_it_another_press(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    press(ana, "claim", key="k", version="1")
    press(ana, "give_back", key="k")
    press(ana, "claim", key="k", version="3")
    assert case(house).state == "claimed"


def test_the_script_is_told_where_to_go_and_stays_in_the_inbox(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    ana.headers["accept"] = "text/plain"
    word = csrf(ana)
    done = send(ana, "/cases/1/do/claim", csrf=word, back="inbox")
    assert (done.status_code, done.text) == (200, "Case 1 is yours.")
    late = send(ana, "/cases/1/do/claim", csrf=word, back="inbox")
    assert (late.status_code, late.text) == (409, "case 1 is claimed by Ana Ruiz already: 'Claim' cannot follow")
    gone = send(ana, "/cases/1/do/answered", csrf=word)
    assert (gone.status_code, gone.headers["location"]) == (204, "/cases/1")


def test_permissions_are_those_of_slack(desk: Any, house: House, ana: TestClient, ben: TestClient) -> None:
    desk.alert()
    care = house.config.care.model_copy(update={"permissions": {"close": ("U0ANA1",), "claim": ("S0NURSES",)}})
    house.config = house.config.model_copy(update={"care": care})
    assert ana.get("/cases/1/do/close").status_code == 200
    assert ben.get("/cases/1/do/close").headers["location"] == "/cases/1"
    assert "is for others" in ben.get("/cases/1").text
    for browser, action, fields in ((ben, "close", {"outcome": "fixed"}), (ana, "claim", {})):
        assert press(browser, action, **fields).status_code in (303, 409)
        assert case(house).state == "open"


@pytest.mark.parametrize("action", ["dance", "claim", "_possible"])
def test_there_is_no_form_for_it(desk: Any, house: House, ana: TestClient, action: str) -> None:
    desk.alert()
    assert ana.get(f"/cases/1/do/{action}").status_code == 404


def test_an_action_that_there_is_not_and_answers_to_what_asks_nothing(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    assert press(ana, "dance").status_code == 404
    assert press(ana, "claim", shoe="left").status_code == 400
    assert case(house).state == "open"


def test_an_action_that_cannot_follow_says_so_on_the_case(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    press(ana, "close", outcome="fixed")
    assert ana.get("/cases/1/do/draft").headers["location"] == "/cases/1"
    assert "case 1 is closed" in ana.get("/cases/1").text


# ---------------------------------------------------------------- forms


def test_answers_that_will_not_do_are_all_still_there(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    answer = press(ana, "snooze", span="17d", why="the ward calls at noon")
    assert answer.status_code == 422
    assert 'value="the ward calls at noon"' in answer.text
    assert "none of the choices" in answer.text
    assert case(house).snoozed_at is None


def test_of_several_choices_only_those_chosen_are_ticked_again(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    answer = press(ana, "change", urgency="nonsense", topics="food")
    assert answer.status_code == 422
    fields = [field for field in answer.text.split("<input")[1:] if 'name="topics"' in field]
    assert [field.split('value="')[1].split('"')[0] for field in fields if " checked" in field] == ["food"]


def test_words_that_were_refused_come_back_and_the_page_says_why(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert("my surgery was put off again")
    answer = press(ana, "draft", reply="Hi Cathy, sorry about your surgery wait")
    assert answer.status_code == 422
    assert "Hi Cathy, sorry about your surgery wait</textarea>" in answer.text
    assert "it names a person" in answer.text


def test_a_reply_from_the_draft_to_by_hand(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    assert press(ana, "draft", reply=CAREFUL).headers["location"] == "/cases/1/do/send"
    page = ana.get("/cases/1/do/send").text
    assert f">{CAREFUL}</blockquote>" in page
    assert "I have posted it" in page
    press(ana, "send")
    assert case(house).state == "answered"


def test_danger_needs_a_second_person(desk: Any, house: House, ana: TestClient, ben: TestClient) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    assert press(ana, "draft", reply=CAREFUL).headers["location"] == "/cases/1"
    press(ana, "approve")
    assert "you wrote it" in ana.get("/cases/1").text
    assert press(ben, "approve").headers["location"] == "/cases/1/do/send"


def test_only_words_that_were_read_are_approved_or_sent(
    desk: Any, house: House, ana: TestClient, ben: TestClient
) -> None:
    desk.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    press(ana, "draft", reply=CAREFUL)
    read = ben.get("/cases/1/do/approve").text.partition('name="seal" value="')[2].partition('"')[0]
    press(ana, "draft", reply=f"{CAREFUL}.")
    for seal in (read, ""):
        press(ben, "approve", seal=seal)
        assert "not the words any more that you have read" in ben.get("/cases/1").text
    assert "approved the reply" not in [what for _, what in happened(house, "draft")]
    assert press(ben, "approve").headers["location"] == "/cases/1/do/send"
    press(ben, "send", seal=read)
    assert case(house).state == "open"


def test_a_reply_to_what_has_become_danger_needs_a_second_person_too(
    desk: Any, house: House, ana: TestClient, ben: TestClient
) -> None:
    desk.alert()
    press(ana, "draft", reply=CAREFUL)
    seal = ana.get("/cases/1/do/send").text.partition('name="seal" value="')[2].partition('"')[0]
    press(ben, "change", urgency="danger", why="he cannot breathe")
    press(ana, "send", seal=seal)
    assert "a second person approves it" in ana.get("/cases/1").text
    assert case(house).state == "open"
    press(ana, "draft", reply=CAREFUL)
    press(ben, "approve")
    press(ana, "send")
    assert case(house).state == "answered"


def test_a_case_is_given_to_somebody_by_name(desk: Any, house: House, ana: TestClient) -> None:
    desk.alert()
    page = ana.get("/cases/1/do/assign").text
    assert '<option value="U0ANA1">Ana Ruiz</option>' in page
    assert ">Ben Ode<" in page
    assert "vera" not in page.partition("<select")[2].partition("</select")[0], "a viewer cannot act on it"
    press(ana, "assign", to="U0ANA1")
    page = ana.get("/cases/1").text
    assert "gave it to Ana Ruiz" in page
    assert "Case 1 is with Ana Ruiz." in page
    assert "U0ANA1" not in page.partition("<main")[2]


@pytest.mark.parametrize(
    ("words", "marked", "fine"),
    [
        ("Hi Cathy, we are here", "Hi Cathy", False),
        (CAREFUL, "", True),
        ("", "", False),
        ("<b>Hi Cathy</b>", "Hi Cathy", False),
    ],
)
def test_the_check_marks_words_as_they_are_typed(
    desk: Any, house: House, ana: TestClient, words: str, marked: str, fine: bool
) -> None:
    desk.alert()
    said = send(ana, "/cases/1/check", csrf=csrf(ana), reply=words).text
    assert ("<mark>" in said) is bool(marked)
    assert marked in said
    assert "<b>" not in said
    assert ('class="fine"' in said) is fine


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd"])
def test_no_link_but_to_the_web(desk: Any, house: House, ana: TestClient, url: str) -> None:
    desk.alert(url=url)
    for path in ADDRESSES:
        assert url not in ana.get(f"/cases/1{path}").text


def test_no_question_of_an_action_has_a_name_that_the_page_uses_itself(
    desk: Any, house: House, session: Session, config: Config
) -> None:
    used = {"csrf", "key", "version", "back", "seal"}
    desk.alert()
    doing = Doing(session, config, session.get_one(Case, 1), "ana", NOW)
    asked = set()
    for name in known_actions():
        with contextlib.suppress(NeedsPerson):  # it needs another case
            if form := form_of(doing, name):
                asked |= {field.name for field in form.fields}
    assert "to" in asked
    assert used.isdisjoint(asked)
