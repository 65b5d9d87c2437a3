"""An admin looks at a phrase before it goes into a file."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session
from stories.conftest import Place

from listener.database import open_database
from listener.mention import Mention
from nlp.reading import Reading


def kept(place: Place, *texts: str) -> None:
    """Posts that were read already: to read them takes the model, and this is about looking."""
    at = datetime.now(UTC) - timedelta(hours=1)
    said = {
        "pipeline_version": "1",
        "mentions_us": ["St. Brigid's"],
        "departments": [],
        "voice": "patient",
        "mood": 0.0,
        "readable": True,
    }
    said |= {"categories": [{"id": "digital", "score": 1.0, "words": []}], "urgency": "routine", "reasons": []}
    with Session(open_database(place.data)) as session:
        for number, text in enumerate(texts, 1):
            times = {"written_at": at, "heard_at": at, "looked_at": at}
            session.add(
                Mention(id=number, collector="x", source="x", ref=str(number), author="kim", text="Kim", **times)
            )
            session.flush()
            reading = {
                "mention_id": number,
                "revision": 1,
                "read_at": at,
                "language": "en",
                "redacted_text": text,
                **said,
            }
            session.add(Reading(**reading))
        session.commit()


@pytest.mark.slow
def test_an_admin_asks_what_a_phrase_would_catch(place: Place) -> None:
    first = place.call("config", "show", "portal NOT nether ... plugin")
    assert (first.returncode, first.stderr) == (0, "")
    assert (
        "Finds “portal”; not in posts that also hold “nether”, then after up to 5 other words “plugin”." in first.stdout
    )
    assert "No posts of this time are kept" in first.stdout
    assert not place.data.exists(), "a look makes no database"

    kept(place, "the Portal of St. Brigid's is [down]", "the nether portal plugin of St. Brigid's", "the garage")
    shown = place.call("config", "show", "portal NOT nether ... plugin").stdout
    assert "Of 3 posts since " in shown
    assert " 1 hold it: 1 about us, 1 of them of patients." in shown
    assert "the Portal of St. Brigid's is [down]" in shown
    assert "To answer · patient · Portal, app, website" in shown
    assert ("nether portal plugin of" in shown, "Kim" in shown, "kim" in shown, "**" in shown) == (False,) * 4
    lines = (place.config / "keywords.toml").read_text(encoding="utf-8").splitlines()
    number = next(at for at, line in enumerate(lines, 1) if '"portal"' in line)
    assert f"keywords.toml:{number}: categories.digital.phrases: 'portal' finds all that it finds" in shown

    told = json.loads(place.call("config", "show", "portal", "--json", "--since", "1d").stdout)
    assert (told["posts"]["posts"], told["stands"][0]["is_same"]) == (2, True)
    assert [post["marks"] for post in told["posts"]["newest"]] == [[[11, 17]], [[4, 10]]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phrase", "said"),
    [
        ("portal site:lakside", "did you mean 'Lakeside Pavilion'?"),
        ("portal NEAR", "NEAR stands between two words"),
        ("“ER”", "straight quotation marks"),
    ],
)
def test_a_phrase_that_cannot_be_used_is_refused_in_one_sentence(place: Place, phrase: str, said: str) -> None:
    done = place.call("config", "show", phrase)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert repr(phrase) in done.stderr


@pytest.mark.slow
def test_a_phrase_with_a_mistake_is_refused_at_its_line(place: Place) -> None:
    place.edit("keywords.toml", r"^(\[exclude\][^\[]*phrases = \[)", "\\1'portal site:\"Harbour Campus\"', ")
    done = place.call("config", "check")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "keywords.toml:" in line
    assert "exclude.phrases[0]" in line
    assert line.endswith("did you mean 'Harbor Campus'?")
