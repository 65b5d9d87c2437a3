"""Somebody remembers that there was something, and looks for it."""

import json
from pathlib import Path

import pytest
from stories.conftest import Place

POSTS = """id,date,message,network,author,url
1,2026-11-02 09:00,The parking garage at St. Brigid's Harbor is full by nine and the gate is broken,X,garagehater,https://x.example/garagehater/1
2,2026-11-03 09:00,St. Brigid's billed me twice for one scan and nobody answers,X,twicebilled,https://x.example/2
3,2026-11-04 09:00,Thank you to the NICU nurses at St. Brigid's who saved our baby,Reddit,newdad,https://reddit.example/3
"""


@pytest.mark.slow
def test_somebody_looks_for_what_was_said(place: Place, tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text(POSTS, encoding="utf-8")
    assert place.call("import", str(export)).returncode == 0
    assert place.call("tick").returncode == 0

    found = place.call("search", "harbor", "garage", "-valet")
    assert found.returncode == 0
    heading, _, *said = found.stdout.splitlines()
    assert heading == "1 post for harbor garage -valet"
    in_a_line = " ".join(said)
    assert in_a_line.startswith("Mon 02 Nov 2026 09:00 · X · ")
    for part in ("complaint", "Parking and getting here", "case 1, open", "The parking garage at", "gate is broken"):
        assert part in in_a_line

    mended = place.call("search", "parkng", "garrage").stdout
    assert "No post says parkng; looked for parking instead." in mended
    assert "1 post for parking garage" in mended

    by_kind = json.loads(place.call("search", "nurse", "--kind", "praise", "--since", "2026-11-04", "--json").stdout)
    (hit,) = by_kind["hits"]
    assert (by_kind["total"], hit["source"], hit["kind"]) == (1, "reddit", "praise")
    assert [hit["excerpt"][start:end] for start, end in hit["marks"]] == ["nurses"]

    newest = json.loads(place.call("search", "--json").stdout)
    assert [hit["mention_id"] for hit in newest["hits"]] == [3, 2, 1]
    for author in ("garagehater", "twicebilled", "newdad"):
        assert author not in json.dumps(newest), "nobody is named"

    sheet = place.call("search", "garage", "--csv", "-").stdout.splitlines()
    assert sheet == [
        "Written,On,Kind,Urgency,Topics,Site,Case,State,In short",
        '2026-11-02 09:00,X,complaint,To answer,"Parking and getting here, Building, cleanliness, noise, equipment",,1,open,'
        "The parking garage at St. Brigid's Harbor is full by nine and the gate is broken",
    ]

    mended = place.call("search", "parkng", "--csv", str(tmp_path / "found.csv"))
    assert mended.stdout == ""
    assert mended.stderr.startswith("No post says parkng; looked for parking instead.\n1 post for parking\n")

    nothing = place.call("search", "garage", "--kind", "praise")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing for garage.\nNear: without --kind (1)\n")
    unknown = place.call("search", "zebra")
    assert (unknown.returncode, unknown.stdout) == (0, "No post says zebra.\nNothing for zebra.\n")
    assert place.call("search", "👍").stdout == "There is no word in it to look for.\n"


@pytest.mark.slow
def test_a_file_holds_more_than_a_screen_and_it_is_said_how_much_there_is(place: Place, tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    posts = "".join(f"{n},2026-11-02 09:00,St. Brigid's lift {n} is stuck,X,someone{n},\n" for n in range(30))
    export.write_text("id,date,message,network,author,url\n" + posts, encoding="utf-8")
    assert place.call("import", str(export)).returncode == 0
    assert place.call("tick").returncode == 0
    found = place.call("search", "lift", "--csv", "-")
    assert (len(found.stdout.splitlines()), found.stderr) == (31, "30 posts for lift\n")
    found = place.call("search", "lift", "--csv", "-", "--limit", "7")
    assert (len(found.stdout.splitlines()), found.stderr) == (8, "30 posts for lift; the first 7\n")
    assert place.call("search", "lift").stdout.startswith("30 posts for lift; the first 20\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["garage", "--site", "Nowhere"], "--site: there is no 'Nowhere'; there are Harbor Campus, Lakeside Pavilion"),
        (["garage", "--since", "soon"], "--since: 'soon' is not a number and one of"),
        (["garage", "--since", "0001-01-01"], "--since: '0001-01-01' is not a day as 2026-11-09"),
        (["garage", "--since", "2026-13-01"], "--since: '2026-13-01' is not a day as 2026-11-09"),
    ],
)
def test_what_cannot_be_is_one_sentence(place: Place, arguments: list[str], says: str) -> None:
    done = place.call("search", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(says)
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_word_with_two_dashes_is_a_mistyped_option(place: Place) -> None:
    done = place.call("search", "garage", "--sinse", "7d")
    assert done.returncode == 2
    assert "no such option: --sinse" in done.stderr
