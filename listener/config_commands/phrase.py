"""call-light config show PHRASE: what a phrase becomes, and what it catches."""

from typing import TYPE_CHECKING

from listener import shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from alerts.caught import Catch
    from config.schema import Config
    from nlp.phrase_shown import Standing


def show(phrase: str, since: str | None, as_json: bool) -> None:
    """What a phrase becomes, where it stands already, and what it catches of the kept posts."""
    from dataclasses import asdict

    from nlp.phrase_language import PhraseError, check, check_site, parse
    from nlp.phrase_shown import explained, standing, ways

    folder = shell.environment().config
    config = shell.load(folder)
    try:
        check(phrase)
        check_site(phrase, {site.name: site.aliases for site in config.hospital.sites})
    except PhraseError as error:
        meant = getattr(error, "meant", None)
        shell.fail(f"{phrase!r} cannot be used; allowed: {error}" + (f"; did you mean {meant!r}?" if meant else ""))
    names = ("keywords.toml", "hospital.toml")
    texts = {name: (folder / name).read_text(encoding="utf-8-sig", errors="replace") for name in names}
    there = standing(phrase, config, texts)
    sentence, forms = explained(parse(phrase), config), ways(parse(phrase))
    if not as_json:
        _print_phrase(phrase, sentence, forms, there)
    found = _caught(phrase, since)
    if as_json:
        stands = [asdict(one) for one in there]
        of_posts = asdict(found) if found else None
        shell.print_json({"phrase": phrase, "explained": sentence, "forms": forms, "stands": stands, "posts": of_posts})
    else:
        _print_catch(found, config)


def _print_phrase(phrase: str, sentence: str, forms: "Iterable[Sequence[str]]", there: "Sequence[Standing]") -> None:
    from rich.text import Text

    terminal = shell.terminal()
    terminal.print(Text(phrase, "bold"), Text(sentence), sep="\n")
    for ways in filter(None, forms):
        terminal.print(Text("  " + " · ".join(ways), "dim"))
    for one in there:
        how = "the same phrase" if one.is_same else f"{one.phrase!r} finds all that it finds"
        terminal.print(Text(f"{one.file}:{one.line}: {one.table}: {how}"), soft_wrap=True)
    if not there:
        terminal.print("Neither it nor a phrase that covers it stands in the files.")


def _caught(phrase: str, since: str | None) -> "Catch | None":
    """What a phrase catches; None where no posts were kept yet."""
    from rich.progress import Progress

    from alerts.caught import catch
    from listener.database import reading

    of_run = shell.environment()
    if of_run.database_url is None and not (of_run.data / "call-light.db").exists():
        return None  # a look makes no database
    service = shell.open_service()
    start = shell.midnight(service, since)
    with Progress(console=shell.terminal(stderr=True), transient=True) as progress, reading(service.engine) as session:
        task = progress.add_task("Looking through the posts", total=None)
        return catch(
            session,
            service.config,
            phrase,
            start,
            told=lambda done, all_: progress.update(task, completed=done, total=all_),
        )


def _print_catch(found: "Catch | None", config: "Config") -> None:
    from rich.text import Text

    from alerts.message import NAMES, SIGNS, place

    terminal = shell.terminal()
    if found is None or not found.looked_through:
        terminal.print("No posts of this time are kept, so it cannot be said what it catches.")
        return
    since = f" since {found.since:%a %d %b %Y}" if found.since else ""
    terminal.print(
        Text(
            f"Of {found.looked_through:,} posts{since} {found.posts:,} hold it: {found.about_us:,} about us,"
            f" {found.of_patients:,} of them of patients."
        ),
        soft_wrap=True,
    )
    for post in found.newest:
        at = post.written_at.astimezone(config.hospital.zone)
        urgency = f"{SIGNS[post.urgency]} {NAMES[post.urgency]}" if post.urgency != "none" else "not for us"
        topics = [config.keywords.categories[name].title for name in post.topics if name in config.keywords.categories]
        said = (f"{at:%a %d %b %Y %H:%M}", place(post.source), urgency, post.voice, ", ".join(topics))
        terminal.print(Text("\n" + " · ".join(filter(None, said)), "cyan"))
        excerpt = Text(post.excerpt)
        for start, end in post.marks:
            excerpt.stylize("bold underline", start, end)
        terminal.print(excerpt)
