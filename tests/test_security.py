"""What docs/security.md and docs/asvs.md claim is tied to what there is; and no secret comes out of any command."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PROJECT
from stories.conftest import Place, place, warm  # noqa: F401  # fixtures

from listener.environment import secret_names

DOCS = ["docs/security.md", "docs/asvs.md"]


def known_tests() -> set[str]:
    """The names of all tests."""
    texts = (path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.MULTILINE)}


@pytest.mark.parametrize("page", DOCS)
def test_every_test_and_file_that_is_named_is_there(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 20
    assert named - known_tests() == set()
    places = re.findall(r"`((?:alerts|config|listener|nlp|deploy|tests|docs|benchmarks)/[\w./-]+)`", text)
    places += [str(Path(page).parent / one) for one in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)]
    assert [one for one in places if not (PROJECT / one).exists()] == []


def test_every_line_of_the_standard_is_answered_once() -> None:
    """The numbers of OWASP ASVS 5.0.0 of levels 1 and 2, without those of WebRTC, which is not spoken here."""
    text = (PROJECT / "docs" / "asvs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| (met|partly|not met|n/a) \| (.+) \|$", text, re.MULTILINE)
    numbers = [number for number, _, _ in rows]
    assert len(numbers) == len(set(numbers))
    assert sorted(numbers, key=lambda one: [*map(int, one.split("."))]) == numbers
    per_chapter = {chapter: sum(one.startswith(f"{chapter}.") for one in numbers) for chapter in range(1, 17)}
    assert per_chapter == {
        1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16,
    }  # fmt: skip


def statements() -> Iterator[tuple[str, str]]:
    """Each assert of the product: where, and what."""
    for package in ("alerts", "config", "listener", "nlp"):
        for path in (PROJECT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Assert):
                    yield path.relative_to(PROJECT).as_posix(), ast.unparse(node.test)


def test_no_assert_keeps_anybody_out() -> None:
    """With `python -O` they are gone: they may tell the type checker what is known, and nothing else."""
    ours = {("nlp/phrase_language.py", "inflected"), ("nlp/pipeline.py", "len(_COMPONENTS) == len(ORDER)")}
    odd = {one for one in statements() if not re.fullmatch(r"[\w.]+ is not None|isinstance\([\w.]+, \w+\)", one[1])}
    assert odd == ours


PROGRAM = """
import sys
from listener.cli import main
act = ["act", "1", "claim", "--as", "x"]
plain = (["doctor"], ["config", "show", "--json"], ["tick"], ["page", "--test"], act)
for arguments in (*plain, ["--debug", "tick"], ["--debug", *act]):
    sys.argv = ["call-light", *arguments]
    try:
        main()
    except SystemExit:
        pass
    except Exception:
        import traceback
        traceback.print_exc()
print(open("/proc/self/cmdline").read())
"""


@pytest.mark.deep
def test_no_command_tells_a_secret(place: Place) -> None:  # noqa: F811
    """Not when all goes well, not when nothing does, not with --debug, and not in the list of processes."""
    place.edit("care.toml", r"^\[slack\]$", '[slack]\nbase_url = "http://127.0.0.1:9"')
    x = '[collectors.x]\non = true\nbase_url = "http://127.0.0.1:9"\nqueries = ["brigid"]'
    place.edit("listening.toml", r"\[collectors\.x\]\non = false", x)
    place.variables |= {name: f"planted{number}" for number, name in enumerate(secret_names())}
    place.variables["CALL_LIGHT_PAGER_URLS"] = "json://user:planted@127.0.0.1:9 planted://x"
    for address in ("postgresql+psycopg://user:planted@127.0.0.1:9/x", ""):
        place.variables["CALL_LIGHT_DATABASE_URL"] = address
        done = place.call(program=PROGRAM, is_cold=True)
        assert "planted" not in done.stdout + done.stderr
    assert "no connection to Slack" in done.stdout, "it came as far as that"
    assert "Traceback" in done.stderr
