"""The whole pipeline: any text at all is read, in time, and the same each time."""

import shutil
import time
from pathlib import Path

import pytest
from conftest import deep_after
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nlp
from config.schema import Config
from nlp.labelled import DANGERS
from nlp.pipeline import ORDER, Reader, Text, rules, version

URGENCIES = {"danger", "here_now", "serious", "routine", "low", "none"}
VOICES = {"patient", "news", "promo", "other"}
KINDS = {None, "complaint", "question", "praise", "comment"}
FIELDS = {
    *("mentions_us", "site", "departments", "voice", "kind", "categories", "stage", "mood", "urgency", "reasons"),
    *("language", "readable", "redacted_text", "danger_of", "signs", "staff"),
}
# Pieces that rules look at, mixed with whatever people type.
PIECES = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        [
            *"\u202e\u200b\u2066\ufeff🚑😂💀",
            "\n",
            " ",
            "St. Brigid's",
            "can't breathe",
            "nobody",
            "Dr. ",
            "room 4",
            "3/14",
            "@",
            "...",
            "no",
        ]
    ),
)


def one(reader: Reader, text: str, **where: bool) -> dict[str, object]:
    return next(reader.read([Text(text, **where)]))


@given(pieces=st.lists(PIECES, max_size=12), about_us=st.booleans(), own=st.booleans())
@settings(max_examples=250)
def test_any_text_is_read(reader: Reader, pieces: list[str], about_us: bool, own: bool) -> None:
    said = one(reader, " ".join(pieces), about_us=about_us, own=own)
    assert set(said) == FIELDS
    assert isinstance(said["redacted_text"], str)
    assert said["urgency"] in URGENCIES
    assert said["voice"] in VOICES
    assert said["kind"] in KINDS
    assert (said["kind"] is None) == (said["voice"] != "patient")
    assert -1 <= float(str(said["mood"])) <= 1
    assert not own or said["urgency"] == "none"
    assert said["danger_of"] is None or (said["urgency"] == "danger" and said["danger_of"] in DANGERS)
    assert said["urgency"] != "danger" or said["danger_of"] is not None
    assert said["staff"] == [] or said["kind"] == "praise"


@given(texts=st.lists(st.lists(PIECES, max_size=12).map(" ".join), max_size=3))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_forgotten_afterwards_is_read_the_same(
    rules: Reader, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    monkeypatch.setattr(rules, "_room", 0)
    texts.append("My dad has chest pain in your waiting room and nobody comes, St. Brigid's")
    posts = [Text(text, about_us=True) for text in texts]
    assert rules.read_at_once(posts) == list(rules.read(posts))


def test_words_that_strangers_make_up_do_not_stay(config: Config) -> None:
    """Read for months: what is known of words stays as it is, except for the first that come."""
    alone = config.keywords.reader.model_copy(update={"model": False})
    reader = Reader(config.model_copy(update={"keywords": config.keywords.model_copy(update={"reader": alone})}))
    known = reader.language.vocab.strings

    def reads(first: int) -> int:
        before = len(known)
        reader.read_at_once(
            [Text(f"waited {n}h, nobody{n} came, said zq{n}x", about_us=True) for n in range(first, first + 50)]
        )
        return len(known) - before

    assert reads(1000) >= 100
    reader._room = 0
    assert reads(2000) <= 3, "what its components make once, at most"
    assert [reads(3000), reads(4000)] == [0, 0]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "❤️", "?", "\u202e", "a" * 100_000])
def test_odd_texts(reader: Reader, text: str) -> None:
    assert one(reader, text, about_us=True)["urgency"] in URGENCIES


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    deep_after(
        3,
        [
            "The nurse told us to wait 5 hours. ",
            "my dad chest pain nobody ",
            "!?.",
            "wait ",
            "not ",
            "can't breathe ",
            "a@",
            "if ",
            "1 ",
            "Anna ",
        ],
    ),
)
def test_no_text_takes_long(reader: Reader, piece: str) -> None:
    text = (piece * 100_000)[: min(100_000, len(piece) * 10_000)]
    started = time.process_time()
    one(reader, text, about_us=True)
    assert time.process_time() - started < 4  # one second here; machines differ


def test_reads_in_order_and_the_same_each_time(reader: Reader) -> None:
    texts = [Text(f"St. Brigid's ER, hour {number} and still no doctor") for number in range(2, 9)]
    first, second = list(reader.read(texts)), list(reader.read(texts))
    assert first == second
    assert [said["redacted_text"] for said in first] == [text.text for text in texts]


def test_components_have_what_they_require(reader: Reader) -> None:
    analysis = reader.language.analyze_pipes()
    assert list(analysis["summary"]) == list(ORDER)
    assert not any(analysis["problems"].values())


def test_every_part_agrees_with_the_whole(reader: Reader) -> None:
    """The Reader skips what is not in question; the pipeline run whole says the same of it."""
    from nlp.pipeline import fields

    for text in (
        "the nurse was late at another hospital",
        "a lovely day",
        "my dad collapsed in the waiting room, nobody comes",
    ):
        doc = reader.language(text)
        assert fields(doc) == one(reader, text)


def test_a_category_names_the_longest_words_of_one_place(reader: Reader) -> None:
    said = one(reader, "St. Brigid's ER waiting room, been waiting here for hours", about_us=True)
    [waiting] = [category for category in said["categories"] if category["id"] == "waiting"]  # type: ignore[attr-defined]
    assert "waiting room" in waiting["words"]
    assert "waiting" not in waiting["words"]


def test_the_version_changes_with_the_phrases(config: Config) -> None:
    danger = config.keywords.urgency.danger
    fewer = danger.model_copy(update={"phrases": danger.phrases[1:]})
    urgency = config.keywords.urgency.model_copy(update={"danger": fewer})
    changed = config.model_copy(update={"keywords": config.keywords.model_copy(update={"urgency": urgency})})
    assert version(config, "a") == version(config, "a")
    assert len({version(config, "a"), version(changed, "a"), version(config, "b"), version(config, None)}) == 4


@pytest.mark.parametrize("file", ["components/urgency.py", "components/first_names.txt", "tokenizer.py"])
def test_the_version_changes_with_the_rules(tmp_path: Path, file: str) -> None:
    package = Path(nlp.__file__).parent
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        shutil.copytree(package, folder, ignore=shutil.ignore_patterns("model", "labelled", "__pycache__"))
    (after / "train.py").write_text("# no rule", encoding="utf-8")
    assert rules(before) == rules(after) == rules()
    (after / file).write_text("another rule", encoding="utf-8")
    rules.cache_clear()
    assert rules(before) != rules(after)


def test_what_was_not_read_is_said(reader: Reader) -> None:
    said = one(reader, "word " * 30_000, about_us=True)
    assert any("only the first 100,000 characters" in reason for reason in said["reasons"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "kind", "urgencies"),
    [
        ("My mother fell and nobody answered the call button", "complaint", {"danger", "serious"}),
        ("They gave my son the wrong medication dose", "complaint", {"danger", "serious"}),
        ("I can see another child's test results in the portal", "complaint", {"serious"}),
        ("Great, another 6 hour wait. Love it.", "complaint", {"here_now", "routine"}),
        ("Thank you to the nurse who sat with my dying husband", "praise", {"low"}),
        ("you fought so hard to kill that infection, my son is alive", "praise", {"low"}),
    ],
)
def test_mood_is_not_urgency(rules: Reader, text: str, kind: str, urgencies: set[str]) -> None:
    said = one(rules, text, about_us=True)
    assert said["kind"] == kind
    assert said["urgency"] in urgencies


@pytest.mark.parametrize("text", ["", "   ", "\n", "!!!", "...", "\u200b"])
def test_where_nothing_was_said_nothing_is_read_into_it(reader: Reader, text: str) -> None:
    """A review of stars alone, which the encoder takes for danger."""
    (about_us,) = reader.read([Text(text, about_us=True)])
    said = (about_us["voice"], about_us["kind"], about_us["urgency"], about_us["reasons"])
    assert said == ("patient", "comment", "low", ["no words to read"])
    (other,) = reader.read([Text(text)])
    assert (other["voice"], other["urgency"]) == ("other", "none")


def test_where_its_author_is_comes_first(reader: Reader) -> None:
    said, silent = reader.read(
        [Text("the ICU nurse was rude", True, place="Pharmacy"), Text("", True, place="Pharmacy")]
    )
    assert said["departments"] == ["Pharmacy", "Intensive Care"]
    assert silent["departments"] == ["Pharmacy"]
