"""What one table of the config files cannot know alone: names that must fit those of another table or file. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from config.places import Path_
from config.schema import Care, Hospital, Keywords, Replies, Report

# The product itself writes to these, whatever the rules say.
_ALWAYS_USED = {"care", "danger", "health"}


class Wrong(NamedTuple):
    """One mistake: in which file and at which key, what was found, what is allowed, and what may have been meant."""

    file: str
    path: Path_
    found: str
    allowed: str
    word: str | None = None
    choices: Collection[str] = ()


@dataclass(frozen=True)
class Known:
    """What only the code that uses the files knows. None, or no function: not checked."""

    sections: Collection[str] | None = None  # of the report
    actions: Collection[str] | None = None  # what people can do with a case
    check_phrase: Callable[[str], None] | None = None  # raises ValueError for a phrase that cannot be used
    # What of a template's words may not go out, or is filled in by nothing, each with what is allowed instead.
    check_template: Callable[[str, Hospital, Replies], Collection[tuple[str, str]]] | None = None
    # Raises ValueError for a phrase that names a site which is none of these: name -> aliases.
    check_site: Callable[[str, Mapping[str, Collection[str]]], None] | None = None


NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class Files:
    """The files as far as each is right in itself."""

    hospital: Hospital | None = None
    listening: Any = None
    keywords: Keywords | None = None
    care: Care | None = None
    report: Report | None = None
    known: Known = NOTHING_KNOWN


def across(files: Files) -> Iterator[Wrong]:
    """Every name that stands for nothing, and every rule that would do harm."""
    if files.care:
        yield from _rules(files.care, files.keywords)
        yield from _topics(files.care, files.keywords)
        yield from _desk(files.care, files.known)
        yield from _templates(files.care, files.hospital, files.known)
    if files.care and files.report:
        yield from _channels(files.care, files.report)
    if files.report:
        yield from _report(files.report, files.care, files.known.sections)
    if files.hospital:
        yield from _departments(files.hospital)
    if files.keywords:
        yield from _phrases(files.keywords, files.hospital, files.known)


def _among(file: str, path: Path_, word: str, what: str, choices: Collection[str]) -> Wrong:
    return Wrong(file, path, repr(word), f"{what}: {', '.join(choices)}", word, choices)


def _rules(care: Care, keywords: Keywords | None) -> Iterator[Wrong]:
    channels = care.slack.channels
    for number, rule in enumerate(care.rules):
        where: Path_
        path: Path_ = ("rules", number)
        if rule.to is not None and rule.to not in channels:
            yield _among("care.toml", (*path, "to"), rule.to, "a channel of [slack.channels]", channels)
        for place, sign in enumerate(rule.when.sign):
            if keywords and sign not in keywords.signs:
                where = (*path, "when", "sign", place)
                yield _among("care.toml", where, sign, "one of [signs] in keywords.toml", keywords.signs)
        for place, category in enumerate(rule.when.category):
            if keywords and category not in keywords.categories:
                where = (*path, "when", "category", place)
                yield _among("care.toml", where, category, "a category of keywords.toml", keywords.categories)
        if rule.do != "alert" and "danger" in rule.when.urgency:
            yield Wrong("care.toml", (*path, "do"), repr(rule.do), '"alert": danger is never batched or muted')


def _topics(care: Care, keywords: Keywords | None) -> Iterator[Wrong]:
    """Topics that care.toml names outside its rules."""
    if keywords is None:
        return
    named: dict[Path_, str] = {("targets", "categories", name): name for name in care.targets.categories}
    named |= {("spikes", "owners", name): name for name in care.spikes.owners}
    for book, runbook in care.runbooks.items():
        named |= {("runbooks", book, "category", at): name for at, name in enumerate(runbook.category)}
    for number, template in enumerate(care.replies.templates):
        when: Path_ = ("replies", "templates", number, "when", "category")
        named |= {(*when, at): name for at, name in enumerate(template.when.category)}
    for path, name in named.items():
        if name not in keywords.categories:
            yield _among("care.toml", path, name, "a category of keywords.toml", keywords.categories)
    for book, runbook in care.runbooks.items():
        for at, sign in enumerate(runbook.sign):
            if sign not in keywords.signs:
                where: Path_ = ("runbooks", book, "sign", at)
                yield _among("care.toml", where, sign, "one of [signs] in keywords.toml", keywords.signs)


def _templates(care: Care, hospital: Hospital | None, known: Known) -> Iterator[Wrong]:
    """Every template that could never be used, or must not be."""
    names = [template.name for template in care.replies.templates]
    for number, template in enumerate(care.replies.templates):
        path: Path_ = ("replies", "templates", number)
        if template.name in names[:number]:
            yield Wrong("care.toml", (*path, "name"), f"{template.name!r} twice", "a name of its own for each template")
        for at, outcome in enumerate(template.when.outcome):
            if outcome not in care.outcomes:
                yield _among("care.toml", (*path, "when", "outcome", at), outcome, "one of [outcomes]", care.outcomes)
        if hospital and known.check_template:
            for found, allowed in known.check_template(template.text, hospital, care.replies):
                yield Wrong("care.toml", (*path, "text"), found, allowed)


def _desk(care: Care, known: Known) -> Iterator[Wrong]:
    for name in care.permissions:
        if known.actions is not None and name not in known.actions:
            yield _among("care.toml", ("permissions", name), name, "an action", known.actions)
    names = [hook.name for hook in care.hooks]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Wrong("care.toml", ("hooks", number, "name"), f"{name!r} twice", "a name of its own for each hook")
    for number, step in enumerate(care.escalation.steps):
        if step.to == "manager" and care.slack.manager is None:
            allowed = '"manager" only with manager = "<@U…>" under [slack]'
            yield Wrong("care.toml", ("escalation", "steps", number, "to"), repr(step.to), allowed)


def _channels(care: Care, report: Report) -> Iterator[Wrong]:
    channels = care.slack.channels
    named: dict[Path_, str] = {("spikes", "channel"): care.spikes.channel}
    named |= {("spikes", "owners", topic): channel for topic, channel in care.spikes.owners.items()}
    named |= {("recognition",): care.recognition} if care.recognition else {}
    for path, channel in named.items():
        if channel not in channels:
            yield _among("care.toml", path, channel, "a channel of [slack.channels]", channels)
    routed = {rule.to for rule in care.rules if rule.to is not None}
    used = _ALWAYS_USED | {report.channel} | routed | set(named.values())
    for name in sorted(_ALWAYS_USED - set(channels)):
        yield Wrong("care.toml", ("slack", "channels"), f"no channel {name!r}", f'{name} = "#a-channel"')
    for name in channels:
        if name not in used:
            allowed = "a channel that a rule, [spikes], recognition or report.toml uses: " + ", ".join(sorted(used))
            yield Wrong("care.toml", ("slack", "channels", name), "a channel that nothing uses", allowed, name, used)


def _report(report: Report, care: Care | None, sections: Collection[str] | None) -> Iterator[Wrong]:
    if care and report.channel not in care.slack.channels:
        yield _among("report.toml", ("channel",), report.channel, "a channel of care.toml", care.slack.channels)
    if sections is None:
        return
    for key, names in (
        ("sections", report.sections), ("long_sections", report.long_sections or ()), ("slack", report.slack)
    ):  # fmt: skip
        for number, section in enumerate(names):
            if section not in sections:
                allowed = ", ".join(sorted(sections))
                yield Wrong("report.toml", (key, number), repr(section), allowed, section, sections)


def _departments(hospital: Hospital) -> Iterator[Wrong]:
    departments = {name for site in hospital.sites for name in site.departments}
    for name in hospital.department_words:
        if name not in departments:
            path: Path_ = ("department_words", name)
            yield _among("hospital.toml", path, name, "a department of a site", sorted(departments))


def _phrases(keywords: Keywords, hospital: Hospital | None, known: Known) -> Iterator[Wrong]:
    """Every phrase that cannot be used, at its own place."""
    sites = {site.name: site.aliases for site in hospital.sites} if hospital else None
    lists: dict[Path_, tuple[str, ...]] = {("exclude",): keywords.exclude.phrases}
    lists |= {("categories", name): category.phrases for name, category in keywords.categories.items()}
    lists |= {("urgency", name): level.phrases for name, level in keywords.urgency}
    lists |= {("voices", name): voice.phrases for name, voice in keywords.voices}
    lists |= {("signs", name): sign.phrases for name, sign in keywords.signs.items()}
    for path, phrases in lists.items():
        for number, phrase in enumerate(phrases):
            try:
                if known.check_phrase:
                    known.check_phrase(phrase)
                if known.check_site and sites is not None:
                    known.check_site(phrase, sites)
            except ValueError as error:
                shown = repr(phrase) if len(phrase) < 60 else repr(phrase[:56]) + "…"
                meant = getattr(error, "meant", None)
                yield Wrong(
                    "keywords.toml", (*path, "phrases", number), shown, str(error), meant, (meant,) if meant else ()
                )
