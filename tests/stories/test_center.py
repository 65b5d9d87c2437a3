"""People at the Listening Center, in a browser: two windows and Slack, one truth; a draft; a phone; a keyboard; a restart."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from browser import Hall, Windows, in_slack
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

CARELESS = "Hi Cathy, sorry about your surgery wait"
CAREFUL = "We take concerns seriously, please call 555-0100"
WORDS = "#field-reply"


def heard(page: Page) -> None:
    """Until the page is connected: what happens from now on must reach it."""
    while not page.evaluate("source?.readyState === EventSource.OPEN"):  # no waiting by script: the policy forbids eval
        page.wait_for_timeout(20)


def write(page: Page, text: str) -> None:
    page.locator(WORDS).fill(text)


def place_of(page: Page, selector: str) -> Any:
    return page.locator(selector).bounding_box()


# ---------------------------------------------------------------- one truth in every window


def test_claimed_in_one_window_and_seen_in_the_other(hall: Hall, windows: Windows) -> None:
    for number in (1, 2, 3):
        hall.alert(f"nobody comes to bed {number}")
    ana, ben = windows.open("ana"), windows.open("ben")
    heard(ben)
    took = []
    for number in (1, 2, 3):
        began = time.monotonic()
        ana.get_by_role("button", name=f"Claim case {number}").click()
        expect(ben.locator(f"#case-{number}")).to_contain_text("Ana Ruiz")
        took.append(time.monotonic() - began)
        expect(ana.locator(f"#case-{number}")).to_contain_text("Ana Ruiz")
        expect(ana.locator(".toast")).to_have_text(f"Case {number} is yours.")
    assert min(took) < 1, "the quickest of three, as the machine may be busy"
    expect(ben.locator("#others .line")).to_have_count(3)
    assert hall.case().owner == "U0ANA1", "the same person as in Slack"
    assert hall.events().count("claimed it") == 1
    assert hall.woken == 3


def test_the_case_page_follows_too(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana, ben = windows.open("ana", "/cases/1"), windows.open("ben", "/cases/1")
    heard(ana)
    ben.get_by_role("button", name="Claim").click()
    expect(ana.locator("#standing")).to_contain_text("Ben Ode has it")
    expect(ana.locator("[data-do=claim]")).to_have_count(0)
    expect(ben.locator(".told")).to_have_text("Case 1 is yours.")


def test_claimed_here_and_on_the_card_in_slack(hall: Hall, windows: Windows) -> None:
    with in_slack(hall) as slack:
        hall.alert()
        ana = windows.open("ana")
        ana.get_by_role("button", name="Claim case 1").click()
        expect(ana.locator("#case-1")).to_contain_text("Ana Ruiz")  # from the database, often before Slack has the card
        assert slack.wait_until(lambda: "<@U0ANA1>" in slack.messages("social-care")[0]["text"])


def test_claimed_in_slack_and_seen_in_both_windows(hall: Hall, windows: Windows) -> None:
    from fakes.slack_people import Person

    with in_slack(hall) as slack:
        hall.alert()
        inbox, case = windows.open("ben"), windows.open("ben", "/cases/1")
        heard(inbox)
        heard(case)
        (card,) = slack.messages("social-care")
        Person(slack, "U0CAT1", "Cat").press("social-care", card["ts"], "do:claim")
        expect(inbox.locator("#case-1")).to_contain_text("Cat")
        expect(case.locator("#standing")).to_contain_text("Cat has it")


def test_two_claim_at_once_and_the_other_is_told_by_whom(hall: Hall, windows: Windows) -> None:
    hall.alert()
    pages = [windows.open("ana"), windows.open("ben")]
    for page in pages:  # before either can hear of the other
        page.evaluate("setTimeout(() => document.querySelector('.claim').click(), 100)")
    for page in pages:
        expect(page.locator(".toast")).to_be_visible()
    told = [page.locator(".toast").inner_text() for page in pages]
    winner = told.index("Case 1 is yours.")
    name = ("Ana Ruiz", "Ben Ode")[winner]
    assert f"claimed by {name} already" in told[1 - winner]
    assert hall.events().count("claimed it") == 1


def test_a_double_click_and_a_press_sent_twice(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1")
    ana.get_by_role("button", name="Claim").dblclick()
    expect(ana.locator(".told")).to_have_text("Case 1 is yours.")
    assert hall.events().count("claimed it") == 1


def test_given_back_and_claimed_again_from_the_same_page(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana")
    heard(ana)
    ana.get_by_role("button", name="Claim case 1").click()
    expect(ana.locator("#case-1 .owner")).to_be_visible()
    hall.act("give_back", "U0ANA1")
    ana.get_by_role("button", name="Claim case 1").click()
    expect(ana.locator("#case-1 .owner")).to_be_visible()
    assert hall.case().state == "claimed"
    assert hall.events().count("claimed it") == 2


def test_the_back_button_shows_how_it_stands_now(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana")
    ana.locator("#case-1 a").click()
    hall.act("claim", "ben")
    ana.go_back()
    expect(ana.locator("#others #case-1")).to_contain_text("Ben Ode")
    with ana.expect_navigation():  # as where a browser keeps a page as it was, which this one never does
        ana.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")


# ---------------------------------------------------------------- a reply


def test_a_careless_draft_is_refused_and_a_careful_one_goes_out(hall: Hall, windows: Windows) -> None:
    hall.alert("my surgery was put off again and nobody calls")
    ana = windows.open("ana", "/cases/1/do/draft")
    write(ana, CARELESS)
    expect(ana.locator("#check mark").first).to_be_visible()
    assert {"Cathy", "surgery"} <= set(" ".join(ana.locator("#check mark").all_inner_texts()).split())
    expect(ana.locator("#check .fine")).to_have_count(0)
    ana.get_by_role("button", name="Check it").click()
    expect(ana.get_by_role("alert")).to_contain_text("Cathy")
    expect(ana.locator(WORDS)).to_have_value(CARELESS)
    expect(ana.locator(WORDS)).to_be_focused()
    assert hall.case().state == "open"

    write(ana, CAREFUL)
    expect(ana.locator("#check .fine")).to_be_visible()
    ana.get_by_role("button", name="Check it").click()
    expect(ana.locator("#exact")).to_have_text(CAREFUL)
    expect(ana.get_by_role("link", name="Answer on X")).to_have_attribute("href", re.compile("^https://"))
    ana.get_by_role("button", name="I have posted it").click()
    expect(ana.locator("#standing")).to_contain_text("answered")
    assert hall.case().state == "answered"
    assert ana.evaluate("Object.keys(localStorage)") == [], "nothing of it stays on this device"


def test_what_was_said_of_other_words_is_gone_as_soon_as_somebody_types(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1/do/draft")
    write(ana, CAREFUL)
    expect(ana.locator("#check .fine")).to_be_visible()
    ana.route("**/check", lambda route: None)  # the answer never comes
    ana.locator(WORDS).press_sequentially(" Cathy")
    expect(ana.locator("#check .fine")).to_have_count(0)


def test_danger_needs_a_second_person(hall: Hall, windows: Windows) -> None:
    hall.alert("my dad collapsed in your waiting room", urgency="danger", danger_of="collapse")
    ana, ben = windows.open("ana", "/cases/1/do/draft"), windows.open("ben", "/cases/1")
    heard(ben)
    expect(ana.locator("main")).to_contain_text("A second person approves it")
    write(ana, CAREFUL)
    ana.get_by_role("button", name="Check it").click()
    expect(ana.locator("#standing")).to_contain_text("a second person has to approve it")
    ana.locator("[data-do=approve]").click()
    ana.get_by_role("button", name="Approve").click()
    expect(ana.locator("#kept, .toast").first).to_contain_text("you wrote it")
    ben.locator("[data-do=approve]").click()
    expect(ben.locator("#exact")).to_have_text(CAREFUL)
    ben.get_by_role("button", name="Approve").click()
    ben.get_by_role("button", name="I have posted it").click()
    expect(ben.locator("#standing")).to_contain_text("answered")
    assert [what for what in hall.events() if "approved" in what] == ["approved the reply"]


def test_a_draft_is_each_persons_own_and_goes_with_who_signs_out(hall: Hall, windows: Windows) -> None:
    hall.alert()
    station = windows.browser_of(None).new_page()  # one machine, two people after each other

    def sign_in(who: str) -> None:
        station.goto(f"{hall.address}/sign-in?to=/cases/1/do/draft")
        station.get_by_label("Your token").fill(hall.token(who))
        station.locator("main form button").click()
        expect(station.locator(WORDS)).to_be_visible()

    sign_in("ana")
    write(station, "half a sent")
    expect(station.locator("#check .paper")).to_have_text("half a sent")
    station.reload()
    expect(station.locator(WORDS)).to_have_value("half a sent")
    expect(station.locator("#kept")).to_contain_text("kept on this device")
    station.context.clear_cookies()  # the sign-in of the one is over, and the other comes
    sign_in("ben")
    expect(station.locator(WORDS)).not_to_have_value("half a sent")
    station.context.clear_cookies()
    sign_in("ana")
    expect(station.locator(WORDS)).to_have_value("half a sent")
    station.get_by_role("button", name="Sign out").click()
    expect(station.get_by_label("Your token")).to_be_visible()
    assert station.evaluate("Object.keys(localStorage)") == []


def test_a_draft_can_be_begun_anew(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1/do/draft")
    proposed = ana.locator(WORDS).input_value()
    write(ana, "something else")
    ana.reload()
    ana.get_by_role("button", name="Start anew").click()
    expect(ana.locator(WORDS)).to_have_value(proposed)
    ana.reload()
    expect(ana.locator(WORDS)).to_have_value(proposed)


def test_a_case_that_changed_while_somebody_wrote_and_no_word_is_lost(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1/do/draft")
    heard(ana)
    write(ana, CAREFUL)
    hall.act("close", "ben", outcome="fixed")
    expect(ana.locator("#changed")).to_be_visible()
    ana.get_by_role("button", name="Check it").click()
    expect(ana.locator("#kept")).to_contain_text("case 1 is closed")
    expect(ana.locator(WORDS)).to_have_value(CAREFUL)


def test_the_other_forms_keep_their_answers_too(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1/do/snooze")
    ana.locator("#field-why").fill("the ward calls back at noon")
    ana.reload()
    expect(ana.locator("#field-why")).to_have_value("the ward calls back at noon")
    ana.get_by_label("2 h", exact=True).check()
    ana.get_by_role("button", name="Snooze").click()
    expect(ana.locator("#standing")).to_contain_text("the ward calls back at noon")
    assert ana.evaluate("Object.keys(localStorage)") == []


# ---------------------------------------------------------------- without a mouse


def test_keyboard_only_from_the_inbox_to_the_reply(hall: Hall, windows: Windows) -> None:
    for number in range(3):
        hall.alert(f"waited for hours {number}")
    ana = windows.open("ana")
    keys = ana.keyboard
    keys.press("?")
    expect(ana.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(ana.locator("dialog[open]")).to_have_count(0)
    for key, number in (("j", 1), ("j", 2), ("j", 3), ("j", 3), ("k", 2)):
        keys.press(key)
        expect(ana.locator(".chosen")).to_have_id(f"case-{number}")
    keys.press("c")
    expect(ana.locator("#case-2")).to_contain_text("Ana Ruiz")
    keys.press("Enter")
    expect(ana.locator("#standing")).to_contain_text("Ana Ruiz has it")
    keys.press("u")
    expect(ana.locator("#mine #case-2")).to_have_class(re.compile("chosen"))
    keys.press("Enter")
    expect(ana.locator("#standing")).to_be_visible()
    keys.press("r")
    expect(ana.locator(WORDS)).to_be_visible()
    while not ana.evaluate("document.activeElement?.id === 'field-reply'"):
        keys.press("Tab")
    keys.press("Control+A")
    keys.type(CAREFUL)
    keys.press("Control+Enter")
    expect(ana.locator("#exact")).to_have_text(CAREFUL)
    while ana.evaluate("document.activeElement?.tagName") != "BUTTON":
        keys.press("Tab")
    while "posted" not in ana.evaluate("document.activeElement.textContent"):
        keys.press("Tab")
    keys.press("Enter")
    expect(ana.locator("#standing")).to_contain_text("answered")
    assert hall.case(2).state == "answered"
    assert hall.case(1).state == hall.case(3).state == "open"


def test_keys_can_be_switched_off(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana")
    ana.keyboard.press("?")
    ana.get_by_label("These keys are on").uncheck()
    ana.keyboard.press("Escape")
    ana.reload()
    ana.keyboard.press("j")
    expect(ana.locator(".chosen")).to_have_count(0)
    ana.locator("#keys-button").click()
    ana.get_by_label("These keys are on").check()
    ana.keyboard.press("Escape")
    ana.keyboard.press("j")
    expect(ana.locator(".chosen")).to_have_count(1)


# ---------------------------------------------------------------- nothing moves under a hand


def test_nothing_moves_under_the_pointer_and_danger_is_told_all_the_same(hall: Hall, windows: Windows) -> None:
    for number in range(4):
        hall.alert(f"waited for hours {number}")
    ana = windows.open("ana")
    heard(ana)
    ana.locator("#case-3").hover()
    before = place_of(ana, "#case-3")
    hall.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    expect(ana).to_have_title(re.compile(r"^\(1!\) "))
    expect(ana.locator("#fresh")).to_have_text("1 new (1 danger)")
    expect(ana.locator("#say [role=alert]")).to_have_text("Danger: case 5")
    expect(ana.locator("#case-5")).to_have_count(0)
    assert place_of(ana, "#case-3") == before
    ana.locator("h1").hover()
    expect(ana.locator("#free .line").first).to_have_id("case-5")
    expect(ana.locator("#fresh")).to_be_hidden()


def test_nothing_moves_under_the_chosen_line(hall: Hall, windows: Windows) -> None:
    for number in range(3):
        hall.alert(f"waited for hours {number}")
    ana = windows.open("ana")
    heard(ana)
    ana.keyboard.press("j")
    before = place_of(ana, "#case-1")
    hall.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    hall.act("claim", "ben", case_id=2)
    expect(ana.locator("#free #case-2")).to_contain_text("Ben Ode")
    assert place_of(ana, "#case-1") == before
    expect(ana.locator("#case-1")).to_have_class(re.compile("chosen"))
    ana.locator("#fresh").click()
    expect(ana.locator("#others #case-2")).to_be_visible()
    expect(ana.locator("#free .line").first).to_have_id("case-4")


def test_no_other_button_comes_under_the_pointer(hall: Hall, windows: Windows) -> None:
    hall.alert()
    ana = windows.open("ana", "/cases/1")
    heard(ana)
    claim = ana.locator("[data-do=claim]")
    claim.hover()
    before = claim.bounding_box()
    hall.act("claim", "ben")
    expect(ana.locator("#standing")).to_contain_text("Ben Ode has it")
    expect(claim).to_be_disabled()
    assert claim.bounding_box() == before
    ana.locator("h1").hover()
    expect(claim).to_have_count(0)


def test_who_works_down_the_first_fifty_gets_the_next(hall: Hall, windows: Windows) -> None:
    for number in range(53):
        hall.alert(f"waited for hours {number}")
    ana = windows.open("ana")
    heard(ana)
    expect(ana.locator("#free .line")).to_have_count(50)
    for number in (1, 2, 3, 4):
        hall.act("not_for_us", "ben", case_id=number, reason="spam")
    expect(ana.locator("#free .line")).to_have_count(49)


def test_a_spike_is_seen_and_what_we_know_goes_into_drafts(hall: Hall, windows: Windows) -> None:
    hall.alert("the portal is down", categories=[{"id": "digital", "score": 1.0, "words": ["portal"]}])
    ana = windows.open("ana")
    hall.spike("digital")
    ana.evaluate("refresh(true)")
    ana.get_by_role("link", name="Write what we know").click()
    ana.get_by_label("A sentence").fill("Sorry Cathy, your surgery was moved")
    ana.get_by_role("button", name="Keep it").click()
    expect(ana.get_by_role("alert")).to_contain_text("Cathy")
    ana.get_by_label("A sentence").fill("Our portal is being repaired.")
    ana.get_by_role("button", name="Keep it").click()
    expect(ana.locator(".spike")).to_contain_text("We know: Our portal is being repaired.")
    ana.goto(f"{hall.address}/cases/1/do/draft")
    expect(ana.locator(WORDS)).to_have_value(re.compile("Our portal is being repaired"))
    vera = windows.open("vera")
    expect(vera.locator(".spike")).to_contain_text("being repaired")
    expect(vera.get_by_role("link", name="Write what we know")).to_have_count(0)


# ---------------------------------------------------------------- what breaks


def test_what_is_gone_at_its_place_goes_from_every_open_page(hall: Hall, windows: Windows) -> None:
    hall.alert("the pharmacy lost my papers", thread="t1", ref="t1")
    beside = hall.desk.hear("mine were lost there too", thread="t1")
    hall.desk.session.rollback()
    pages = {path: windows.open("ana", path) for path in ("/cases/1", "/cases/1/do/draft", "/search", "/", "/inbox")}
    pages["/original"] = windows.open("ana", "/cases/1")
    pages["/original"].get_by_role("button", name="Show it as it was written").click()
    expect(pages["/original"].locator(".original")).to_contain_text("lost my papers")
    pages["/"].locator("#falls").hover()  # it is paused: what comes is held
    for page in pages.values():
        heard(page)
    late = hall.desk.hear("papers, papers")
    hall.desk.decide()
    hall.desk.session.rollback()
    expect(pages["/"].locator("#held")).to_be_visible()
    pages["/cases/1/do/draft"].locator(WORDS).fill(CAREFUL)
    hall.forget(beside)
    expect(pages["/cases/1"].locator("main")).not_to_contain_text("mine were lost")
    expect(pages["/cases/1"].locator("main")).to_contain_text("the pharmacy lost my papers")
    hall.forget(1, late)
    for page in pages.values():
        expect(page.locator("main")).not_to_contain_text("lost my papers")
    expect(pages["/cases/1/do/draft"].locator(WORDS)).to_have_value(CAREFUL)
    pages["/"].locator("h1").hover()
    expect(pages["/"].locator("#held")).to_be_hidden()
    expect(pages["/"].locator("main")).not_to_contain_text("papers, papers")


def test_a_restart_under_open_pages_and_nothing_is_missed(hall: Hall, windows: Windows) -> None:
    hall.alert()
    inbox, case = windows.open("ana"), windows.open("ana", "/cases/1")
    heard(inbox)
    heard(case)
    hall.stop()
    hall.alert("my dad collapsed", urgency="danger", danger_of="collapse")
    hall.act("claim", "ben")
    expect(inbox.locator("#lost")).to_contain_text("No connection since")
    hall.start()
    expect(inbox.locator("#free #case-2")).to_be_visible()
    expect(inbox.locator("#others #case-1")).to_contain_text("Ben Ode")
    expect(case.locator("#standing")).to_contain_text("Ben Ode has it")
    expect(inbox.locator("#lost")).to_be_hidden()


def test_who_is_signed_out_meanwhile_comes_to_the_sign_in_and_loses_no_word(hall: Hall, windows: Windows) -> None:
    hall.alert()
    context = windows.browser_of("ana")
    inbox, draft = context.new_page(), context.new_page()
    inbox.goto(f"{hall.address}/inbox")
    draft.goto(f"{hall.address}/cases/1/do/draft")
    heard(draft)
    write(draft, "half a sent")
    expect(draft.locator("#check .paper")).to_have_text("half a sent")  # else its answer is cut off by the stop
    hall.stop()
    center = hall.config.care.center.model_copy(update={"address": "https://care.stbrigid.example"})
    hall.care(center=center)  # from now on nobody is let in without a sign-in
    hall.start()
    expect(inbox.get_by_label("Your token")).to_be_visible()
    expect(draft.locator("#kept")).to_contain_text("You are signed out")
    expect(draft.locator(WORDS)).to_have_value("half a sent")


def test_a_clock_three_hours_off_and_the_countdown_follows_the_server(hall: Hall, windows: Windows) -> None:
    hall.alert()
    left = hall.case().due_at - hall.clock.now()
    context = windows.browser_of("ana")
    context.clock.set_fixed_time(hall.clock.now() + timedelta(hours=3))
    page = context.new_page()
    page.goto(f"{hall.address}/inbox")
    minutes = int(left.total_seconds() // 60)
    expect(page.locator("#case-1 .clock")).to_have_text(re.compile(rf"^{minutes} min left$"))
    hall.clock.passes(left - timedelta(minutes=4))
    hall.alert("another")
    expect(page.locator("#case-1 .clock")).to_have_text("4 min left")
    expect(page.locator("#case-1 .clock")).to_have_class(re.compile("soon"))


def test_a_phone_that_loses_the_network_half_way_through_a_draft(hall: Hall, windows: Windows) -> None:
    hall.alert()
    context = windows.browser_of("ana", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(f"{hall.address}/cases/1/do/draft")
    context.set_offline(True)
    write(phone, CAREFUL)
    expect(phone.locator("#kept")).to_contain_text("You are offline")
    phone.get_by_role("button", name="Check it").click()
    expect(phone.locator("#kept")).to_contain_text("You are offline")
    expect(phone.locator(WORDS)).to_have_value(CAREFUL)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        phone.reload()
    context.set_offline(False)
    phone.goto(f"{hall.address}/cases/1/do/draft")
    expect(phone.locator(WORDS)).to_have_value(CAREFUL)
    expect(phone.locator("#check .fine")).to_be_visible()
    phone.get_by_role("button", name="Check it").click()
    expect(phone.locator("#exact")).to_have_text(CAREFUL)


def test_a_press_without_network_says_so_and_is_made_again(hall: Hall, windows: Windows) -> None:
    hall.alert()
    context = windows.browser_of("ana")
    page = context.new_page()
    page.goto(f"{hall.address}/inbox")
    context.set_offline(True)
    page.get_by_role("button", name="Claim case 1").click()
    expect(page.locator(".toast")).to_contain_text("This did not arrive")
    context.set_offline(False)
    page.get_by_role("button", name="Claim case 1").click()
    expect(page.locator("#case-1")).to_contain_text("Ana Ruiz")


def test_without_javascript_everything_goes_by_links_and_forms(hall: Hall, windows: Windows) -> None:
    hall.alert()
    page = windows.open("ana", java_script_enabled=False)
    page.get_by_role("button", name="Claim case 1").click()
    expect(page.locator("#mine #case-1")).to_contain_text("Ana Ruiz")
    expect(page.locator(".told")).to_have_text("Case 1 is yours.")
    page.locator("#case-1 a").click()
    page.get_by_role("link", name="Draft a reply").click()
    page.locator(WORDS).fill(CARELESS)
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("alert")).to_contain_text("Cathy")
    expect(page.locator(WORDS)).to_have_value(CARELESS)
    page.locator(WORDS).fill(CAREFUL)
    page.get_by_role("button", name="Check it").click()
    page.get_by_role("button", name="I have posted it").click()
    expect(page.locator("#standing")).to_contain_text("answered")
