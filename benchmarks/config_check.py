"""How long call-light config check takes with many phrases, beside importing spaCy in the same run.

    python -m benchmarks.config_check [--phrases 5000] [--runs 5] [--data DIR]

Phrases are made of the shipped ones and of words of the bundled week: most plain, some with alternatives, endings and gaps. With
--data the numbers of the warnings come from the database there: that of call-light demo, say.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alerts.known import load_config
from nlp.listed import entries

PROJECT = Path(__file__).parent.parent
CHECK = "from listener.cli import main; main()"
SHAPES = ("{} {}",) * 6 + ("{} {} {}",) * 2 + ("{}|{} {}", "{} {}|{}|{}", "{}* {}", "{} ... {}")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--phrases", type=int, default=5_000)
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--data", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "config"
        shutil.copytree(PROJECT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        add(folder / "keywords.toml", given.phrases)
        data = given.data or Path(name) / "data"
        check = ("-c", CHECK, "config", "check", "--config", str(folder), "--data", str(data), "--json")
        spacy, ours = [], []
        for _ in range(given.runs):
            spacy.append(seconds("-c", "import spacy")[0])
            took, said = seconds(*check)
            ours.append(took)
        found = json.loads(said)
    best, beside = min(ours), min(spacy)
    print(f"{found['phrases']:,} phrases, {len(found['warnings'])} warnings, {found['no_numbers'] or 'with numbers'}")
    print(f"config check {best:.2f} s (the median of {given.runs}: {sorted(ours)[given.runs // 2]:.2f} s)")
    print(f"import spacy {beside:.2f} s; ratio {best / beside:.2f}")


def add(path: Path, phrases: int) -> None:
    """Put phrases into the lists of the categories until there are so many in all."""
    chance = random.Random(1)
    posts = (PROJECT / "listener" / "week" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    words = sorted({word for post in posts for word in re.findall(r"\b[a-z]{4,12}\b", json.loads(post)["text"])})
    before, begin, after = path.read_text(encoding="utf-8").partition("[categories.access]")
    missing = phrases - len(list(entries(load_config(path.parent, replies=False).keywords)))
    made = {shape.format(*chance.choices(words, k=4)) for shape in chance.choices(SHAPES, k=2 * missing)}
    lines = "".join(f"    {json.dumps(phrase)},\n" for phrase in sorted(made)[:missing])
    path.write_text(before + begin + after.replace("phrases = [\n", f"phrases = [\n{lines}", 1), encoding="utf-8")


def seconds(*command: str) -> tuple[float, str]:
    """How long Python takes for this, and what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, check=True)
    return time.perf_counter() - begun, done.stdout


if __name__ == "__main__":
    main()
