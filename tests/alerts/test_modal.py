"""A form as a Slack modal: Slack takes it, whatever is in it, and what is filled in comes back."""

import json
from typing import Any

import pytest
from fakes.slack_limits import view_problems
from hypothesis import given
from hypothesis import strategies as st

from alerts import modal
from alerts.form import Choice, Field, Form, Link

CHOICES = tuple(Choice(str(number), f"choice {number}") for number in range(150))
FORM = Form(
    "Close the case",
    "Close",
    (
        Field("outcome", "What became of it?", "choice", CHOICES, "3"),
        Field("topics", "About", "choices", CHOICES, ("4", "5"), required=False),
        Field("why", "Why?", "text", initial="because", hint="No names."),
        Field("reply", "Words", "words", initial="x" * 5000, longest=3000),
        Field("to", "Who", "person"),
        Field("into", "Number", "number"),
        Field("sure", "I am sure", "tick"),
    ),
    says=("In short: waited",),
    exact="Thank you.\nPlease call us.",
    link=Link("Read it", "https://x.example/1"),
)


def test_slack_takes_it() -> None:
    assert view_problems(modal.view(FORM, "close", "12", "C1")) == []
    assert view_problems(modal.waiting()) == []
    assert view_problems(modal.told("No.")) == []
    assert view_problems(modal.chooser([("claim", "Claim"), ("close", "Close")], "12", "C1")) == []
    assert view_problems(modal.listing("40 cases", [("case 1", 1), ("case 2", None)], "7:40")) == []
    assert view_problems(modal.listing("none", [], None)) == []


def test_what_it_says() -> None:
    view = modal.view(FORM, "close", "12", "C1", problem="Slack lost it")
    assert view["callback_id"] == "do:close"
    assert modal.private(view) == ("12", "C1")
    assert modal.seal(view) == FORM.seal != ""
    assert view["blocks"][0]["text"]["text"] == "⚠️ Slack lost it"
    assert view["blocks"][1]["text"] == {"type": "plain_text", "text": "In short: waited", "emoji": False}
    quote = view["blocks"][2]["elements"][0]
    assert quote == {"type": "rich_text_quote", "elements": [{"type": "text", "text": FORM.exact}]}, "word for word"
    assert view["blocks"][3]["elements"][0]["url"] == "https://x.example/1"
    inputs = {block["block_id"]: block for block in view["blocks"][4:]}
    assert list(inputs) == [field.name for field in FORM.fields]
    assert inputs["outcome"]["element"]["initial_option"]["value"] == "3"
    assert [one["value"] for one in inputs["topics"]["element"]["initial_options"]] == ["4", "5"]
    assert inputs["topics"]["optional"] is True
    assert inputs["why"]["element"]["initial_value"] == "because"
    assert len(inputs["reply"]["element"]["initial_value"]) == 3000


@pytest.mark.parametrize(
    ("element", "answer"),
    [
        ({"type": "plain_text_input", "value": "words"}, "words"),
        ({"type": "plain_text_input", "value": None}, ""),
        ({"type": "static_select", "selected_option": {"value": "fixed"}}, "fixed"),
        ({"type": "static_select", "selected_option": None}, ""),
        ({"type": "multi_static_select", "selected_options": [{"value": "a"}, {"value": "b"}]}, ["a", "b"]),
        ({"type": "checkboxes", "selected_options": []}, []),
        ({"type": "users_select", "selected_user": "U0ANA1"}, "U0ANA1"),
        ({"type": "number_input", "value": "12"}, "12"),
    ],
)
def test_answers(element: dict[str, Any], answer: Any) -> None:
    assert modal.answers({"field": {"answer": element}}) == {"field": answer}


@pytest.mark.parametrize("kept", ["", "nonsense", "[]", "null", '"x"', json.dumps({"about": 12})])
def test_what_a_stranger_may_have_put_there(kept: str) -> None:
    about, channel = modal.private({"private_metadata": kept})
    assert (about, channel) in {("", ""), ("12", "")}
    assert modal.seal({"private_metadata": kept}) is None


@given(
    title=st.text(max_size=80),
    said=st.text(max_size=4000),
    exact=st.text(max_size=3000),
    label=st.text(min_size=1, max_size=200),
)
def test_slack_takes_whatever_is_in_it(title: str, said: str, exact: str, label: str) -> None:
    form = Form(title or "t", "Go", (Field("a", label, "choice", (Choice("v", label),)),), (said,), exact)
    assert view_problems(modal.view(form, "close", "1", "")) == []
