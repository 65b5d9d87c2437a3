"""An admin checks what they have edited."""

import json

import pytest
from stories.conftest import Place


def test_the_files_that_ship_are_good_and_nothing_is_said_of_them(place: Place) -> None:
    done = place.call("config", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "good. 15 categories" in done.stdout
    assert "--all shows them" in done.stdout
    assert f"No numbers: there is no database in {place.data} yet." in done.stdout
    assert not place.data.exists()


def test_what_is_odd_is_told_and_fails_nothing(place: Place) -> None:
    place.edit("keywords.toml", r'^    "food", "meal\*",', '    "food", "meal*", "Food", "fish fry tray",')
    done = place.call("config", "check")
    assert done.returncode == 0
    assert "1 warning" not in done.stdout
    assert "2 warnings." in done.stdout
    twice, excluded = done.stderr.splitlines()
    assert "categories.food.phrases[2]: 'Food' stands in this list already, as 'food'" in twice
    assert "'fish fry tray' is found only in posts that 'fish fry' of [exclude] leaves out" in excluded
    said = json.loads(place.call("config", "check", "--json").stdout)
    assert (said["ok"], said["problems"], said["categories"]) == (True, [], 15)
    assert [(one["kind"], one["posts"]) for one in said["warnings"]] == [("twice", None), ("excluded", None)]
    every = json.loads(place.call("config", "check", "--json", "--all").stdout)
    assert {"covered", "owners"} < {one["kind"] for one in every["warnings"]}


@pytest.mark.parametrize("mistake", ["an example", "a key"])
def test_one_shape_for_programs_whatever_is_wrong(place: Place, mistake: str) -> None:
    if mistake == "a key":
        place.edit("care.toml", "^oncall = ", "on_call = ")
    else:
        place.edit("keywords.toml", r'^match = \["Billed twice for one scan"', 'match = ["Nothing here is about money"')
    done = place.call("config", "check", "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(said) == {"ok", "problems", "warnings", "phrases", "categories", "no_numbers"}
    assert said["ok"] is False
    (problem,) = said["problems"]
    assert set(problem) == {"file", "line", "column", "key", "found", "allowed", "meant"}


def test_words_that_may_not_go_out_and_an_example_are_told_at_once(place: Place) -> None:
    place.edit("keywords.toml", r'^match = \["Billed twice for one scan"', 'match = ["Nothing here is about money"')
    place.edit("care.toml", r'^text = "', 'text = "Your diagnosis of cancer was wrong, Mrs. Miller. ')
    done = place.call("config", "check")
    assert done.returncode == 1
    assert "categories.billing.match[0]" in done.stderr
    assert "replies.templates[0].text" in done.stderr


def test_it_is_quick(place: Place) -> None:
    """Not by the clock: nothing is loaded that a check has no use for."""
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({'sqlmodel', 'praw', 'matplotlib', 'py3langid', 'slack_sdk'} & set(sys.modules)), file=sys.stderr))\n"
        "from listener.cli import main; main()"
    )
    assert place.call("config", "check", program=program, is_cold=True).stderr.splitlines()[-1] == "[]"
