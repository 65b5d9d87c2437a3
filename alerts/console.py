"""The door that is used when there is no Slack: cards in the terminal; and tables and what was found there."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console as Terminal
from rich.console import Group
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from alerts.door import Sent
from alerts.message import NAMES, SIGNS, Message, place, visible
from alerts.search import Found, Hit, how_many
from alerts.section import Table, is_number, shown
from alerts.topic import title_of, titles_of
from config.schema import Config

_COLOURS = {
    "danger": "red",
    "here_now": "dark_orange",
    "serious": "magenta",
    "routine": "blue",
    "low": "white",
    "none": "white",
}


class Console:
    """Prints messages. What was printed is not taken back: an update is printed as a line of its own."""

    name = "console"

    def __init__(self, channels: dict[str, str], terminal: Terminal | None = None) -> None:
        self.channels = channels
        self._terminal = terminal or Terminal()

    def post(self, channel: str, message: Message, key: str) -> Sent:
        """Print a message."""
        table = Grid.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in message.lines:
            table.add_row(_text(label), _text(value))
        parts = [_text(message.excerpt), Text("")] if message.excerpt else []
        colour = _COLOURS.get(message.urgency, "white")
        self._terminal.print(
            Panel(
                Group(*parts, table),
                title=_text(f" {message.title} ", f"bold {colour}"),
                subtitle=_text(f" to {self.channels.get(channel, channel)} ", "dim"),
                title_align="left",
                subtitle_align="right",
                border_style=colour,
            )
        )
        return Sent(channel, key)

    def update(self, sent: Sent, message: Message) -> None:
        """Print what changed."""
        state = dict(message.lines).get("State", "")
        self._terminal.print(_text(f"  ↳ {message.title}: {state}", "dim"))

    def find(self, channel: str, key: str, since: datetime, place: str | None) -> Sent | None:
        """Nothing printed can be found again; printing a card twice beats losing it."""
        return None


def print_table(terminal: Terminal, table: Table) -> None:
    """A table in the terminal, numbers to the right."""
    grid = Grid(box=None, pad_edge=False, show_header=any(table.header))
    for number, name in enumerate(table.header):
        right = bool(table.rows) and all(is_number(row[number]) for row in table.rows)
        grid.add_column(_text(name), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(_text(shown(cell)) for cell in row))
    if table.title:
        terminal.print(_text(table.title, "italic"))
    terminal.print(grid)


def print_posts(terminal: Terminal, table: Table) -> None:
    """A table whose last column is the words of a post: too long for a column, they stand below the rest of their row."""
    if table.title:
        terminal.print(_text(table.title, "italic"))
    for *cells, words in table.rows:
        terminal.print(_text(" · ".join(shown(cell) for cell in cells if cell), "cyan"))
        terminal.print(_text(f"  {words}"))


def print_found(terminal: Terminal, found: Found, config: Config, asked: bool) -> None:
    """What a search came to, the words that were looked for in bold; `asked`: whether there were any."""
    for sentence in about(found, asked):
        terminal.print(_text(sentence))
    for hit in found.hits:
        terminal.print()
        terminal.print(_text(_heading(hit, config), "cyan"))
        excerpt = _text(hit.excerpt)
        for start, end in hit.marks:
            excerpt.stylize("bold", start, end)
        terminal.print(excerpt or "(no words)")
        if hit.url:
            terminal.print(_text(hit.url, "dim"), soft_wrap=True)


def about(found: Found, asked: bool) -> Iterator[str]:
    """What was looked for, how much of it there is, and what there would be instead."""
    for typed, instead in found.mended:
        yield f"No post says {typed}; looked for {instead} instead."
    for word in found.unknown:
        yield f"No post says {word}."
    if asked and not found.looked_for:
        yield "There is no word in it to look for."
        return
    posts = "post" if found.total == 1 else "posts"
    shown = f"; the first {len(found.hits)}" if found.total > len(found.hits) else ""
    what = f" for {found.looked_for}" if found.looked_for else ""
    yield f"{how_many(found.total)} {posts}{what}{shown}" if found.total else f"Nothing{what}."
    if found.near:
        yield "Near: " + "; ".join(f"{near.what} ({how_many(near.total)})" for near in found.near)


def _heading(hit: Hit, config: Config) -> str:
    """When, where, how urgent, what about, and how its case stands."""
    about = [title_of(name, titles_of(config)) for name in hit.categories[:3]]
    said = [
        hit.written_at.astimezone(config.hospital.zone).strftime("%a %d %b %Y %H:%M"),
        place(hit.source),
        f"{SIGNS[hit.urgency]} {NAMES[hit.urgency]}",
        hit.kind,
        *([", ".join(about)] if about else []),
        *([hit.site] if hit.site else []),
        *([f"case {hit.case_id}, {hit.case_state}"] if hit.case_id else []),
    ]
    return " · ".join(said)


def _text(text: str, style: str = "") -> Text:
    """Text, not str: rich must not read a stranger's words as its own markup, nor the terminal as commands."""
    return Text(visible(text), style=style)
