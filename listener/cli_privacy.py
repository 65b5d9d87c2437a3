"""The commands of the privacy officer and of whoever runs the machine: forget somebody, save what is kept, put it back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener import shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from listener.backup import Backup, Tell
    from listener.forget import Asked
    from listener.restore import PutBack
    from listener.service import Service

BACKUP_KEY = "CALL_LIGHT_BACKUP_KEY"
_OF_POSTGRES = (
    "with CALL_LIGHT_DATABASE_URL the database is saved and put back by its own tools: pg_dump and pg_restore; "
    "call-light does so only for SQLite"
)


def add_to(app: typer.Typer) -> None:
    """Put the commands beside the others."""
    for command in (backup, restore, forget):
        app.command()(command)


# ---------------------------------------------------------------- backups


def backup(
    to: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A new file; in a folder it is named by the time.")],
    key: Annotated[
        str | None,
        typer.Option(metavar="age1…", help=f"Encrypt to this public key of age, or several [{BACKUP_KEY}]."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with public keys, one a line, in place of --key.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Take older backups in FOLDER away until N are left.")
    ] = None,
    reports: Annotated[bool, typer.Option("--reports", help="With the pages of reports.")] = False,
    as_json: shell.AsJson = False,
) -> None:
    """Save database and config in one file, while the service runs; encrypted when a key is given."""
    from listener import backup as backups

    environment = shell.environment()
    if environment.database_url:
        shell.fail(_OF_POSTGRES)
    if keep is not None and not to.is_dir():
        raise typer.BadParameter("--keep needs a folder, whose older backups it takes away")
    recipients = key if key is not None else _keys_in(key_file) if key_file else environment.backup_key
    began = datetime.now(UTC)
    with _told() as tell:
        made = backups.back_up(environment.data, environment.config, to, began, recipients, reports, tell)
    old = backups.prune(to, keep) if keep is not None else []
    _give_backup(made, old, as_json, (datetime.now(UTC) - began).total_seconds())


def _keys_in(file: Path) -> str:
    """The public keys in a file, as age-keygen -y writes them; lines with # say something for people."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        shell.fail(f"cannot read the keys in {file}; it is a text file with a public key of age on each line")
    return " ".join(line.strip() for line in lines if not line.lstrip().startswith("#"))


def _give_backup(made: "Backup", old: "Sequence[Path]", as_json: bool, seconds: float) -> None:
    posts = made.manifest.rows.get("mention", 0)
    if not made.listed:
        typer.echo(
            "the list of who was forgotten could not be written beside it: a restore would bring them back", err=True
        )
    if as_json:
        said = {"file": str(made.path), "bytes": made.size, "encrypted": made.is_encrypted, "posts": posts}
        said |= {"revision": made.manifest.revision, "seconds": round(seconds, 1), "taken_away": [*map(str, old)]}
        return shell.print_json(said)
    how = "encrypted" if made.is_encrypted else f"NOT encrypted (give --key or set {BACKUP_KEY})"
    gone = f"; {len(old)} older taken away" if old else ""
    typer.echo(f"{made.path}: {posts:,} posts, {made.size / 1e6:,.1f} MB, {how}, {seconds:.0f} s{gone}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What call-light backup has made.")],
    identity: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The secret key, as age-keygen has written it.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also where a database is; it is kept beside, not overwritten.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look whether it could be restored.")] = False,
    forgotten: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A list of who was forgotten that does not lie beside the backup."),
    ] = None,
) -> None:
    """Put a backup back. Everything is checked first; what was there is kept; who was forgotten since stays forgotten."""
    from listener import restore as restores
    from listener.backup import DATABASE, workshop

    environment, now = shell.environment(), datetime.now(UTC)
    if environment.database_url:
        shell.fail(_OF_POSTGRES)
    data = environment.data
    if not check:
        _may_replace(data / DATABASE, now, force)
    data.mkdir(parents=True, exist_ok=True)
    with workshop(data) as work:
        with _told() as tell:
            manifest = restores.unpack(file, work, identity, tell)
            engine = restores.examine(work, manifest, file, tell)
            marks, has_list = restores.marks_for(engine, file, data, forgotten or ())
            again = restores.forget_again(engine, marks, now, tell)
            _finish(engine, environment.config, now, tell)
        posts = manifest.rows.get("mention", 0)
        what = f"{posts:,} posts of {manifest.at:%Y-%m-%d %H:%M} UTC"
        if check:
            return typer.echo(f"{file} is whole and can be restored: {what}")
        _may_replace(data / DATABASE, now, force)  # to check takes a while
        put = restores.put_back(work, data, environment.config, now)
    typer.echo(f"restored {what}; {again:,} of them were forgotten since, and are again")
    _tell_of_folders(put, has_list)
    _sum_up()


def _may_replace(database: Path, now: datetime, force: bool) -> None:
    from listener import restore as restores

    if user := restores.in_use(database, now):
        shell.fail(f"{user} uses {database}; stop call-light run (and every other command) first, then restore")
    if database.exists() and not force:
        shell.fail(f"{database} is there already; --force puts it aside, in a folder beside it, and restores")


def _finish(engine: "Engine", config: Path, now: datetime, tell: "Tell") -> None:
    """What is kept no longer, or is gone, leaves every table before the service sees it; then everything is in the one file."""
    from config.load import ConfigError
    from listener import deletions
    from listener.database import emptied
    from listener.service import forget_derived

    try:
        collectors = shell.load(config).collectors
    except ConfigError:  # files that are broken, or come with the backup: the service's first pass does it
        collectors = {}
    with shell.session(engine) as session:
        count = 0
        while collectors and (gone := deletions.expire(session, collectors, now)):
            count += gone
            tell(f"forgetting what is kept no longer: {count:,} posts", 0, 1)
    tell("forgetting what was made of it", 0, 1)
    while not forget_derived(engine, now)[1]:
        pass
    emptied(engine)
    engine.dispose()


def _tell_of_folders(put: "PutBack", has_list: bool) -> None:
    if put.beside:
        typer.echo(f"what was there is in {put.beside}; delete it when all is well: it holds posts", err=True)
    if put.config and put.config_is_in_force:
        typer.echo(f"the config files of the backup are in {put.config}", err=True)
    elif put.config:
        typer.echo(f"the config files there differ and stay; those of the backup are in {put.config}", err=True)
    if not has_list:
        typer.echo(
            "no list of who was forgotten lies beside the backup, so whoever was since then is back; "
            "run call-light forget for them again",
            err=True,
        )


def _sum_up() -> None:
    """The ledger of what is back; exit status 1 if it does not add up."""
    from alerts.figures import each_heard
    from alerts.ledger import ledger
    from alerts.sections.ledger import table
    from listener.database import open_database, reading

    environment, now = shell.environment(), datetime.now(UTC)
    engine = open_database(environment.data)
    with reading(engine) as session:
        found = ledger(each_heard(session, None, now), now)
    engine.dispose()
    shell.give(table(found))
    typer.echo("It adds up." if found.adds_up else "It does NOT add up; run call-light doctor.")
    if not found.adds_up:
        raise typer.Exit(1)


@contextmanager
def _told() -> "Iterator[Tell]":
    """A bar on the terminal, for work that takes long."""
    from rich.progress import Progress

    with Progress(console=shell.terminal(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=1)

        def tell(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=max(total, 1))

        yield tell


# ---------------------------------------------------------------- forgetting somebody


def forget(
    handle: Annotated[
        str | None, typer.Option(metavar="H", help="All posts of this person, with or without @.")
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="U", help="The post at this address.")] = None,
    author: Annotated[bool, typer.Option("--author", help="With --url: all other posts of its author too.")] = False,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="With --handle: only there: x, reddit ...")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten.")] = False,
    as_json: shell.AsJson = False,
) -> None:
    """Remove what somebody posted: database, search, reports, Slack. Marks that name nobody stay behind."""
    from listener import forget as forgets

    if (handle is None) == (url is None):
        raise typer.BadParameter("give either --handle or --url")
    found = shell.environment()
    if found.database_url is None and not (found.data / "call-light.db").exists():
        shell.fail(
            f"there is no database in {found.data}; name the folder of the service with --data"
        )  # not: "0 posts"
    service = shell.open_service()
    with shell.session(service.engine) as session:
        if handle is not None:
            _is_not_ours(service, handle)
            asked = forgets.by_handle(session, handle, source)
        else:
            asked = forgets.by_url(session, url or "", author)
        session.rollback()
    if url is not None and not asked.ids:
        shell.fail("no post that is kept has this address; give its author with --handle")
    if dry_run:
        return typer.echo(f"{_posts(len(asked.ids))} would be forgotten; nothing was changed")
    done = forget_everywhere(service, asked)
    if as_json:
        return shell.print_json(done)
    typer.echo(
        f"{_posts(done['forgotten'])} forgotten, {done['masked']} texts of others name nobody any more, "
        f"{done['messages']} messages and {done['pages']} pages of reports are written anew"
    )
    for sentence in done["to_do"]:
        typer.echo(sentence, err=True)
    if not done["forgotten"] and not done["masked"]:
        shell.fail("nothing that is kept was theirs, or named them")


def _posts(count: int) -> str:
    return "1 post" if count == 1 else f"{count:,} posts"


def _is_not_ours(service: "Service", handle: str) -> None:
    from listener.tombstones import bare

    ours = {name.casefold() for name in service.config.hospital.accounts.model_dump().values() if isinstance(name, str)}
    if bare(handle) in ours or not bare(handle):
        shell.fail(f"{handle!r} is an account of the hospital itself, or empty; give the handle of who asks")


def forget_everywhere(service: "Service", asked: "Asked") -> dict[str, Any]:
    """Forget posts and people everywhere that can be reached from here; counts, and what is left for people to do."""
    from alerts.deliver import show_again
    from alerts.report import write_again
    from listener import forget as forgets
    from listener import keep, tombstones
    from listener.backup import sweep
    from listener.database import emptied, reading
    from listener.service import forget_derived

    now, engine = service.now(), service.engine
    with shell.session(engine) as session:
        more = forgets.others_of(session, asked)
        stones = tombstones.begun(session)
        gone = keep.forget(session, asked.ids, keep.FORGOTTEN, now)
        tombstones.bury(session, asked.marks(stones))
        session.commit()
    masked = forgets.scrub(engine, asked.names, asked.near) if asked.people else 0
    while not forget_derived(engine, now)[1]:
        pass
    is_empty = emptied(engine)
    sweep(shell.environment().data)  # a backup or restore that was killed has left a copy
    with shell.session(engine) as session:
        messages, trouble = show_again(session, service.config, service.door, now)
    with reading(engine) as session:
        pages = write_again(shell.reports(), session, service.config, now) if shell.reports().is_dir() else 0
    to_do = [*trouble, *_left(service, asked, more, is_empty)]
    return {"forgotten": gone, "masked": masked, "messages": messages, "pages": pages, "to_do": to_do}


def _left(service: "Service", asked: "Asked", more: int, is_empty: bool) -> "Iterator[str]":
    """What is left for people to do: one sentence each."""
    from alerts.outside import left_outside

    environment = shell.environment()
    if more:
        yield f"{_posts(more)} of the same author stay; --author forgets them too"
    if not is_empty:
        yield "a command or page still reads the database: the service empties its log (call-light.db-wal) when that ends"
    yield from _lists(service)
    yield from left_outside(service.engine, service.config, asked, environment.config)
    for folder in sorted(environment.data.glob("backup-*")):
        yield f"a backup or restore is under way in {folder}, with posts as they were; see that it is gone when that ends"
    for folder in sorted(environment.data.glob("before-restore-*")):
        yield f"{folder} holds posts as they were before a restore; delete it"


def _lists(service: "Service") -> "Iterator[str]":
    """The list beside each folder of backups is brought up to date."""
    from listener import keep, tombstones

    with shell.session(service.engine) as session:
        stones, folders = tombstones.begun(session), tombstones.folders(session)
        marks = tombstones.every(session, but=keep.EXPIRED)
        session.commit()
    for folder in folders:
        try:
            tombstones.write_list(stones, marks, folder)
        except OSError as error:
            yield f"the list beside the backups in {folder} cannot be written ({error.strerror}); run call-light backup there again"
