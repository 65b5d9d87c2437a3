"""call-light config suggest: lines that what people did speaks for, and writing them into the files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener import shell
from listener.config_commands.edit import mistakes

if TYPE_CHECKING:
    from sqlmodel import Session

    from alerts.missed import Why
    from alerts.suggest import Progress
    from alerts.suggestion import Change, Suggestion
    from config.load import Problem
    from config.schema import Config


def suggest(
    numbers: Annotated[list[str] | None, typer.Argument(metavar="N", help="Further ones for --apply.")] = None,
    since: Annotated[str, typer.Option(metavar="90d", help="From what people did since then.")] = "90d",
    missed: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='Posts that were missed, one a line, or {"text", "category"?, "urgency"?}.'),
    ] = None,
    apply: Annotated[
        list[str] | None, typer.Option("--apply", metavar="N", help="Write these into the files: 2, or 1,3, or all.")
    ] = None,
    as_json: shell.AsJson = False,
) -> None:
    """Lines that what people did speaks for, each with its evidence and what it would do."""
    from alerts import suggest as suggestions
    from config.load import read_files
    from listener.database import reading

    asked = [part for one in [*(apply or []), *(numbers or [])] for part in one.split(",") if part]
    if asked and not apply:
        raise typer.BadParameter(f"{asked[0]!r} goes with --apply")
    folder = shell.environment().config
    texts, unread = read_files(folder)
    config = shell.load(folder)
    service = shell.open_service()
    after, now = shell.midnight(service, since), service.now()
    whys = _missed(missed, config)
    with reading(service.engine) as session, _looking("Looking through posts") as progress:
        from alerts.missed import together

        assert after is not None
        found = suggestions.suggest(session, config, after.astimezone(UTC), now, together(whys), progress)
        if not asked:
            cards = _Cards(session, config, folder, texts, now, progress)
            found = suggestions.with_cards(found, cards.after, cards.rehearsed)
    if not asked:
        return _give_suggestions(found, whys, config, texts, as_json)
    chosen = _chosen(found, asked, config)
    done = _apply(chosen, config, folder, texts, unread)
    if as_json:
        return shell.print_json({"applied": [_suggestion_row(number, one, config, texts) for number, one in chosen]})
    typer.echo("\n".join(done))
    typer.echo(
        f"What it does to the cards: call-light config try. To undo it: {'take these lines' if len(done) > 1 else 'take this line'} "
        "out again, or call-light config back. A service that runs takes it up within ten seconds."
    )


@dataclass(frozen=True)
class _Cards:
    """What a change would do to the cards of the last days."""

    session: "Session"
    config: "Config"
    folder: Path
    texts: "Mapping[str, str]"
    now: "datetime"
    progress: "Progress"

    def after(self, change: "Change") -> "Config":
        """The configuration with the change in it."""
        from alerts.known import known
        from config.load import load_files
        from listener.collect import settings_of_all

        texts = {**self.texts, change.file: change.written(self.texts[change.file])}
        return load_files(texts, (), self.folder, settings_of_all(), known(replies=False))

    def rehearsed(self, after: "Config") -> tuple[int, int]:
        """How many cards would come, and how many would not."""
        from alerts.proposals import LATELY
        from alerts.rehearse import rehearse

        found = rehearse(self.session, self.config, after, self.now - LATELY, self.now, self.progress)
        return len(found.added), len(found.dropped)


@contextmanager
def _looking(what: str) -> "Iterator[Progress]":
    """A progress bar on standard error, as a function of how many are done, and of how many."""
    from rich.progress import Progress as Bar

    with Bar(console=shell.terminal(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _missed(file: Path | None, config: "Config") -> "list[Why]":
    """Why the posts of a file were missed."""
    if file is None:
        return []
    from alerts.missed import missed_posts, reasons
    from listener import lines
    from nlp.pipeline import Reader

    posts = missed_posts(lines.of(str(file)), config)
    return reasons(posts, config, Reader(config))


def _give_suggestions(
    found: "Sequence[Suggestion]", whys: "Sequence[Why]", config: "Config", texts: "Mapping[str, str]", as_json: bool
) -> None:
    from alerts.suggestion import effect, what

    if as_json:
        missed = [{"line": why.line, "text": why.shown, "why": why.why} for why in whys]
        rows = [_suggestion_row(number, one, config, texts) for number, one in enumerate(found, 1)]
        return shell.print_json({"missed": missed, "suggestions": rows})
    terminal = shell.terminal()

    def say(text: str, style: str = "") -> None:
        terminal.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    for why in whys:
        say(f"Missed, line {why.line}: {why.shown}", "dim")
        say(f"  {why.why[:1].upper()}{why.why[1:]}.\n")
    for number, one in enumerate(found, 1):
        said = what(one.change, config)
        say(f"{number:>2}. {said[:1].upper()}{said[1:]}", "bold")
        say(f"    Why: {one.why}.")
        say(f"    Effect: {effect(one)}\n")
    if not found:
        say("Nothing to suggest: nothing that people did since then speaks for a line that the files do not have.")
    elif any(one.change.do != "by hand" for one in found):
        say("Write one into its file: the same command with --apply and its number, or --apply all.")


def _suggestion_row(number: int, one: "Suggestion", config: "Config", texts: "Mapping[str, str]") -> dict[str, Any]:
    from alerts.suggestion import effect, what

    change, counted = dict(one.change.__dict__), dict(one.effect.__dict__)
    said = {"number": number, "what": what(one.change, config), "why": one.why, "effect": effect(one)}
    line = one.change.line(texts[one.change.file])
    return {**said, **change, "line": line, "cases": one.cases, "missed": one.missed, "counts": counted}


def _chosen(found: "Sequence[Suggestion]", asked: "Sequence[str]", config: "Config") -> "list[tuple[int, Suggestion]]":
    """The suggestions with these numbers. Ends with a sentence where there is none, or only a person can write it."""
    from alerts.suggestion import what

    numbered = list(enumerate(found, 1))
    if "all" in asked:
        chosen = [(number, one) for number, one in numbered if one.change.do != "by hand"]
        return chosen or shell.fail("nothing was written: there is nothing to apply")
    wrong = next((part for part in asked if not part.isdecimal() or not 0 < int(part) <= len(found)), None)
    if wrong is not None:
        there = f"there are 1 to {len(found)}" if found else "there is nothing to suggest"
        shell.fail(f"nothing was written: no suggestion {wrong!r}; {there}")
    chosen = [(number, one) for number, one in numbered if str(number) in {str(int(part)) for part in asked}]
    for number, one in chosen:
        if one.change.do == "by hand":
            shell.fail(f"nothing was written: {number} needs you: {what(one.change, config)}")
    return chosen


def _apply(
    chosen: "Sequence[tuple[int, Suggestion]]",
    config: "Config",
    folder: Path,
    old: "Mapping[str, str]",
    unread: "Sequence[Problem]",
) -> list[str]:
    """Write suggestions into their files, once the result is checked; what was done, a sentence each."""
    from alerts.suggestion import done, note
    from config.edit import EditError
    from config.files import write_files

    new = dict(old)
    stood: list[int] = []
    try:
        for _, one in chosen:
            stood.append(one.change.line(new[one.change.file]))
            new[one.change.file] = one.change.written(new[one.change.file], note(one))
    except EditError as error:
        shell.fail(f"nothing was written: {error}")
    if wrong := mistakes(new, unread, folder):
        shell.fail("\n".join([*wrong, "Nothing was written."]))
    write_files(folder, {name: text for name, text in new.items() if text != old[name]}, old)
    said = []
    for (_, one), line in zip(chosen, stood, strict=True):
        at = line if one.change.do == "take out" else one.change.line(new[one.change.file])
        said.append(f"{done(one.change, config, f'{folder / one.change.file}:{at}')}.")
    return said
