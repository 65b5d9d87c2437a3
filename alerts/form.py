"""What an action asks before it is done: fields, whoever shows them (a Slack modal, the terminal, a page). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from listener.errors import NeedsPerson

CAREFUL = "Do not write anything about a patient here."


@dataclass(frozen=True)
class Choice:
    """One of several."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One question.

    kind: choice (one of `choices`), choices (any of them), text (a line), words (several lines), person (a Slack ID,
    or a name in the terminal), number, tick (it has to be ticked). Answers are str, or a tuple of str for choices.
    """

    name: str
    label: str
    kind: Literal["choice", "choices", "text", "words", "person", "number", "tick"]
    choices: tuple[Choice, ...] = ()
    initial: str | tuple[str, ...] = ""
    required: bool = True
    hint: str = ""
    longest: int = 500


@dataclass(frozen=True)
class Link:
    """Something to open on the way."""

    label: str
    url: str


@dataclass(frozen=True)
class Form:
    """What people see: sentences, perhaps the exact words that become public, fields, and the button that ends it."""

    title: str  # at most 24 characters
    submit: str
    fields: tuple[Field, ...] = ()
    says: tuple[str, ...] = ()
    exact: str = ""
    link: Link | None = None

    @property
    def seal(self) -> str:
        """Of the exact words: what is pressed carries it, so that nobody lets out words that they have not read."""
        return sha256(self.exact.encode()).hexdigest()[:16] if self.exact else ""


class Refused(NeedsPerson):
    """An answer will not do: by the field's name, what is wrong with it and what would be right."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))


def checked(form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to every field. Raises Refused, naming each that will not do."""
    answers: dict[str, Any] = {}
    problems: dict[str, str] = {}
    if unknown := sorted(set(given) - {field.name for field in form.fields}):
        problems = {name: f"not asked; asked is {_named(form)}" for name in unknown}
    for field in form.fields:
        value = given.get(field.name) or ()
        many = tuple(value) if isinstance(value, list | tuple) else (str(value).strip(),)
        many = tuple(str(one) for one in many if str(one))
        if problem := _problem(field, many):
            problems[field.name] = problem
        answers[field.name] = many if field.kind == "choices" else next(iter(many), "")
    if problems:
        raise Refused(problems)
    return answers


def _problem(field: Field, given: tuple[str, ...]) -> str | None:
    if not given:
        return f"please answer this{_allowed(field)}" if field.required else None
    if field.kind in ("choice", "choices") and not set(given) <= {choice.value for choice in field.choices}:
        return f"none of the choices{_allowed(field)}"
    if field.kind == "number" and not (given[0].isascii() and given[0].isdigit() and len(given[0]) < 10):
        return "a whole number, please"
    if max(map(len, given)) > field.longest:
        return f"at most {field.longest:,} characters, please"
    return None


def _allowed(field: Field) -> str:
    return f": {', '.join(choice.value for choice in field.choices)}" if field.choices else ""


def _named(form: Form) -> str:
    return ", ".join(field.name for field in form.fields) or "nothing"
