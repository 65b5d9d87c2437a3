"""What people see when they ask: what nobody has, what is theirs, what is late, what was said about something."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from desk import READ_AS
from fakes.slack import live_mentions
from fakes.slack_limits import problems
from fakes.strangers import HOSTILE

from alerts import desk as lists
from alerts.case import Case
from alerts.message import mrkdwn
from alerts.verdict import Verdict
from config.schema import Shift
from listener.keep import DELETED, forget
from listener.mention import Mention
from nlp.reading import Reading

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def numbers(cases: Any) -> list[int]:
    return [case.id for case in cases]


@pytest.fixture
def busy(desk: Any) -> Any:
    """1 routine, 2 danger of ana, 3 serious, 4 answered, 5 snoozed, 6 heard long ago."""
    for urgency in ("routine", "danger", "serious", "routine", "routine"):
        desk.alert(f"said {urgency}", urgency=urgency, written_at=NOW)
    desk.act("claim", "U0ANA1", case_id=2)
    desk.act("answered", case_id=4, now=NOW + 6 * MINUTE)
    desk.act("snooze", case_id=5, span="2h", why="they call back")
    desk.alert("lost & found", written_at=NOW - 3 * HOUR)
    return desk


def test_the_lists(busy: Any) -> None:
    assert numbers(lists.open_cases(busy.session)) == [3, 6, 1, 5], "the worst first, then by when it is due"
    assert numbers(lists.mine(busy.session, "U0ANA1")) == [2]
    assert numbers(lists.mine(busy.session, "U0BEN1")) == []


@pytest.mark.parametrize(
    ("minutes", "late"),
    [(0, [6]), (5, [6]), (6, [2, 6]), (16, [2, 3, 6]), (61, [2, 3, 6, 1]), (119, [2, 3, 6, 1]), (181, [2, 3, 6, 1, 5])],
)
def test_what_is_late(busy: Any, minutes: int, late: list[int]) -> None:
    assert numbers(lists.late(busy.session, NOW + minutes * MINUTE)) == late, "what sleeps is not late"


def test_a_table_of_cases(busy: Any) -> None:
    cases = [busy.session.get(Case, number) for number in (2, 1, 4, 5, 6)]
    found = lists.table(busy.session, cases, NOW + 20 * MINUTE, busy.config.hospital.zone)
    assert found.header == ("Case", "Urgency", "Time left", "State", "Posted", "On", "Channel")
    assert found.rows == [
        ("2", "🚨 DANGER", "late by 15 min", "claimed by U0ANA1", "2026-11-16 09:00", "X", "danger"),
        ("1", "🔵 To answer", "40 min left", "open", "2026-11-16 09:00", "X", "care"),
        ("4", "🔵 To answer", "answered in 6 min", "answered", "2026-11-16 09:00", "X", "care"),
        ("5", "🔵 To answer", "snoozed: they call back", "open", "2026-11-16 09:00", "X", "care"),
        ("6", "🔵 To answer", "late by 2 h 20 min", "open", "2026-11-16 06:00", "X", "care"),
    ]


def test_a_table_of_cases_names_no_author(desk: Any) -> None:
    desk.alert("the lift", author="kim_of_port_alder")
    cases = lists.open_cases(desk.session)
    assert cases[0].author == "kim_of_port_alder"
    assert "kim_of" not in str(lists.table(desk.session, cases, NOW, desk.config.hospital.zone).rows)


# ---------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("smoke", [2]), ("SMOKE lift", [2]), ("lift", [2, 1]), ("smoke toast", []), ("100%", [3]), ("%", []), ("_", []),
        ("nobody said it", []), ("toast's", [1]), ("\\", []), ("'; drop table case; --", []), ("", [3, 2, 1]),
    ],
)  # fmt: skip
def test_search(desk: Any, words: str, found: list[int]) -> None:
    desk.alert("the lift makes a noise; the toast's cold")
    desk.alert("the lift smells of smoke")
    desk.alert("100% sure")
    assert numbers(lists.search(desk.session, words)) == found


def test_those_that_wait_come_first_and_the_newest_of_each(desk: Any) -> None:
    for _ in range(4):
        desk.alert("the lift")
    desk.act("answered", case_id=4)
    desk.act("close", case_id=1, outcome="fixed")
    assert numbers(lists.search(desk.session, "lift")) == [3, 2, 4, 1]


def test_what_was_gone_or_changed_is_not_found_by_its_old_words(desk: Any) -> None:
    desk.alert("my mother waited")
    desk.alert("my mother waited too")
    desk.edit(desk.case(2).mention_id, "somebody waited", NOW)
    desk.decide()
    assert numbers(lists.search(desk.session, "mother")) == [1]
    assert numbers(lists.search(desk.session, "somebody")) == [2]
    forget(desk.session, [desk.case(1).mention_id], DELETED, NOW)
    assert numbers(lists.search(desk.session, "mother")) == []


def test_a_case_of_many_posts_is_found_once(desk: Any) -> None:
    for number in range(1, 5):
        desk.alert("the lift", ref=str(number), thread="1", author="kim")
    assert numbers(lists.search(desk.session, "lift")) == [1]
    assert len(lists.search(desk.session, "lift " * 50)) == 1


def test_a_case_of_very_many_posts_hides_no_other(desk: Any) -> None:
    for _ in range(2):
        desk.alert("the lift")
    ids = range(10, 710)
    at = {"written_at": NOW, "heard_at": NOW, "looked_at": NOW}
    desk.session.add_all(
        Mention(id=id_, collector="x", source="x", ref=f"copy{id_}", text="the lift", **at) for id_ in ids
    )
    desk.session.flush()
    read_as = {**READ_AS, "redacted_text": "the lift", "revision": 1, "read_at": NOW}
    desk.session.add_all(Reading(id=id_, mention_id=id_, **read_as) for id_ in ids)
    desk.session.flush()
    decided = {"outcome": "alert", "reason": "urgent", "case_id": 2, "decided_at": NOW}
    desk.session.add_all(Verdict(reading_id=id_, mention_id=id_, **decided) for id_ in ids)
    desk.session.commit()
    assert numbers(lists.search(desk.session, "lift")) == [2, 1]


def test_no_more_cases_than_can_be_looked_through(desk: Any) -> None:
    for number in range(24):
        desk.alert("the lift")
        if number < 12:
            desk.act("answered", case_id=number + 1)
    assert numbers(lists.search(desk.session, "lift")) == [*range(24, 12, -1), *range(12, 4, -1)]


# ---------------------------------------------------------------- one line


@pytest.mark.parametrize(
    ("case", "minutes", "line"),
    [
        (1, 20, "🔵 *case 1* · To answer · 40 min left · nobody has it · X\nsaid routine"),
        (2, 20, "🚨 *case 2* · DANGER · late by 15 min · <@U0ANA1> · X\nsaid danger"),
        (4, 20, "🔵 *case 4* · To answer · answered in 6 min · nobody has it · X\nsaid routine"),
        (5, 20, "🔵 *case 5* · To answer · snoozed: they call back · nobody has it · X\nsaid routine"),
        (6, 0, "🔵 *case 6* · To answer · late by 2 h · nobody has it · X\nlost &amp; found"),
    ],
)
def test_a_line(busy: Any, case: int, minutes: int, line: str) -> None:
    assert lists.line(busy.session, busy.case(case), NOW + minutes * MINUTE) == line


def test_of_what_is_gone_the_reason(desk: Any) -> None:
    desk.alert("my mother waited")
    forget(desk.session, [desk.case().mention_id], DELETED, NOW)
    assert lists.line(desk.session, desk.case(), NOW).endswith("\n(deleted by its author)")


@pytest.mark.parametrize(("state", "clock"), [("closed", "closed"), ("dismissed", "dismissed")])
def test_the_clock_of_what_is_over(desk: Any, state: str, clock: str) -> None:
    desk.alert()
    case = desk.case()
    case.state = state
    assert lists.clock(case, NOW) == clock


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_people_write_acts_on_nobody(desk: Any, words: str) -> None:
    desk.alert(words, source=words[:60] or "x")
    case = desk.case()
    case.state, case.owner = "claimed", words or "ana"
    case.snoozed_at, case.snoozed_until, case.snooze_why = NOW, NOW + HOUR, words
    line = lists.line(desk.session, case, NOW)
    assert problems([mrkdwn(line)]) == []
    assert live_mentions({"text": line}) == []
    assert len(line.splitlines()) <= 2
    assert "\n" not in lists.clock(case, NOW) + lists.owner(case)


# ---------------------------------------------------------------- who is there


@pytest.mark.parametrize(
    ("shifts", "hours", "said"),
    [
        ((), 0, "*The team*\nOn call: everyone here (here)"),
        (("Day",), 0, "*Day*: <@U0ANA1>\nOn call: everyone here (here)"),
        (("Day",), 12, "Nobody: the team is not there now, danger pages all the same.\nOn call: everyone here (here)"),
    ],
)
def test_who_is_on(desk: Any, shifts: tuple[str, ...], hours: int, said: str) -> None:
    made = tuple(Shift(name=name, hours="07:00-19:00", people=("<@U0ANA1>",)) for name in shifts)  # type: ignore[arg-type]
    desk.config = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"shifts": made})})
    assert lists.who_is_on(desk.config, NOW + hours * HOUR) == said


def test_who_is_on_call_and_who_leads(desk: Any) -> None:
    slack = desk.config.care.slack.model_copy(update={"oncall": "<!subteam^S0ONCALL>", "manager": "<@U0BOSS1>"})
    config = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"slack": slack})})
    assert lists.who_is_on(config, NOW).endswith("On call: <!subteam^S0ONCALL> · manager: <@U0BOSS1>")
