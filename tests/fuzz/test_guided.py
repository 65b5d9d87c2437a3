"""A few thousand inputs that atheris makes, where it is installed: no exception that has no sentence, no hang of a second."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT
from fuzz.odd import TIMES

RUNS = {"feed": 3000, "config": 300, "export": 3000, "phrase": 3000}
STARTS = {
    "feed": [
        b"utf-8\n<rss><channel><item><title>waited</title><pubDate>Mon, 16 Nov 2026</pubDate></item></channel></rss>"
    ],
    "config": [b"\x00[[sections]]\na = 1\n", b"\x01x = [\"a\", 'b']\n[y]\nz = 2026-11-16\n"],
    "export": [b"\x00text,written_at\nwaited,2026-11-09\n", b'\x01{"text": "waited", "written_at": "2026-11-09"}\n'],
    "phrase": [b'"ER" NEAR/3 wait~ NOT parking site:x lang:en'],
}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed: pip install atheris")
@pytest.mark.parametrize("target", STARTS)
def test_whatever_reaches_a_new_branch(target: str, tmp_path: Path) -> None:
    for number, start in enumerate(STARTS[target]):
        (tmp_path / str(number)).write_bytes(start)
    command = [sys.executable, str(PROJECT / "tests" / "fuzz" / "guided.py"), target, f"-runs={RUNS[target] * TIMES}"]
    limits = ["-timeout=20", "-seed=1", "-max_len=4096", f"-artifact_prefix={tmp_path}/found-", str(tmp_path)]
    done = subprocess.run([*command, *limits], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stderr[-2000:]
