"""The trained encoder: what goes in, what comes out, and what is said when it cannot be used."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.components.sentences import sentence_starts
from nlp.encoder import FOLDER, WINDOW, Encoder, ModelError, Pieces, Scores
from nlp.heads import PERSONAL, SAYS, TOPICS, URGENT, VOICE, Head


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def read(encoder: Encoder, *texts: str) -> list[Scores]:
    return encoder(texts, list(sentence_starts(texts)))


SHAPES = {"waiting": 0, "Maria": 1, "ER": 2, "B12": 3, "McCoy": 3, "412": 3, "é": 0, "!": 0, "A": 1}


@pytest.mark.parametrize(("word", "shape"), SHAPES.items())
def test_how_a_word_is_written(encoder: Encoder, word: str, shape: int) -> None:
    [pieces] = encoder.cut([f"the {word} there"], [[0]])
    assert pieces.shapes.tolist()[0] == 0
    assert set(pieces.shapes[pieces.starts == 4].tolist()) == {shape}


def test_pieces_of_a_word_stay_together(encoder: Encoder) -> None:
    text = "Ask Okonkwo, please"
    [pieces] = encoder.cut([text], [[0]])
    inside = pieces.words[(pieces.starts >= 4) & (pieces.ends <= 11)]
    assert len(inside) > 1
    assert len(set(inside.tolist())) == 1
    assert pieces.words[pieces.starts == 11].tolist() != inside[:1].tolist()


@given(sizes=st.lists(st.integers(1, 600), min_size=1, max_size=6))
def test_windows_hold_every_piece_once(sizes: list[int]) -> None:
    sentences = np.repeat(np.arange(len(sizes)), sizes)
    flat = np.arange(len(sentences))
    windows = list(Pieces(flat, flat, flat, flat, flat, sentences).windows())
    assert [place for window in windows for place in range(window.start, window.stop)] == flat.tolist()
    assert all(window.stop - window.start <= WINDOW for window in windows)
    # A sentence that fits is not cut.
    for window in windows[:-1]:
        cut = sentences[window.stop - 1] == sentences[window.stop]
        assert not cut or sizes[sentences[window.stop]] > WINDOW


def test_the_same_alone_and_among_others(encoder: Encoder) -> None:
    text = "My dad collapsed in your waiting room and nobody comes."
    alone = read(encoder, text)[0]
    among = read(encoder, "ok", text, "a longer post about the parking garage " * 20)[1]
    for head in (URGENT, TOPICS, SAYS):
        for label, answer in alone.any(head).items():
            assert abs(answer.likely - among.any(head)[label].likely) < 0.002, label


def test_the_worst_sentence_speaks_for_the_post(encoder: Encoder) -> None:
    calm = "The cafeteria has good soup. The garden is lovely. "
    text = calm + "My father is on the floor in the waiting room and is not breathing, nobody comes. " + calm
    [scores] = read(encoder, text)
    answer = scores.any(URGENT)["danger"]
    assert answer.sentence == 2
    assert answer.likely > 0.5
    places = scores.words(URGENT, "danger", answer.sentence)
    assert places
    assert all(text.index("My father") <= start < end <= text.index("comes.") + 6 for start, end in places)


def test_one_answer_sums_to_one(encoder: Encoder) -> None:
    [scores] = read(encoder, "Now hiring: RN nights at Mercy Valley. Sign-on bonus $7,500. Apply at jobs.example.org")
    likely = scores.one(VOICE)
    assert sum(likely.values()) == pytest.approx(1, abs=1e-5)
    assert max(likely, key=likely.__getitem__) == "promo"


def test_names_are_found_where_they_stand(encoder: Encoder) -> None:
    text = "Please thank Ngozi Adebayo from the night shift"
    found = [text[start:end] for start, end, label, _ in read(encoder, text)[0].spans(PERSONAL) if label == "name"]
    assert found == ["Ngozi Adebayo"]


@pytest.mark.parametrize("text", ["", " ", "\n", "🚑", "\u202e", "?"])
def test_a_text_without_words(encoder: Encoder, text: str) -> None:
    [scores] = read(encoder, text)
    assert sum(scores.one(VOICE).values()) == pytest.approx(1, abs=1e-5)
    assert all(0 <= answer.likely <= 1 for answer in scores.any(TOPICS).values())
    assert list(scores.spans(PERSONAL)) == [] or text.strip()


@settings(max_examples=30)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text(encoder: Encoder, text: str) -> None:
    [scores] = read(encoder, text)
    for head in (SAYS, URGENT):
        for label, answer in scores.any(head).items():
            for start, end in scores.words(head, label, answer.sentence):
                assert 0 <= start < end <= len(text)


# ---------------------------------------------------------------- a model that cannot be used


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, **values: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no trained model; install"):
        Encoder(tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match=f"{name}: damaged"):
        Encoder(folder)


def test_a_missing_file(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx: missing"):
        Encoder(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}'])
def test_a_damaged_card(folder: Path, text: str) -> None:
    (folder / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError):
        Encoder(folder)


def test_another_format(folder: Path) -> None:
    change(folder, format=99)
    with pytest.raises(ModelError, match="format 99"):
        Encoder(folder)


def test_other_answers(folder: Path) -> None:
    change(folder, heads=[["voice", ["patient"]]])
    with pytest.raises(ModelError, match="other answers"):
        Encoder(folder)


def test_what_ships_is_small_enough() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 30_000_000


def test_heads_of_another_kind_are_not_asked(encoder: Encoder) -> None:
    [scores] = read(encoder, "hello")
    with pytest.raises(KeyError):
        scores.one(Head("weather", ("rain", "sun"), "one"))


def test_reading_tells_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    """onnxruntime would keep an ID of this machine, and tell its maker which program runs which model."""
    program = "from nlp.encoder import Encoder; Encoder()"
    variables = {
        name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    }
    subprocess.run([sys.executable, "-c", program], check=True, env=variables | {"HOME": str(tmp_path)}, cwd=PROJECT)
    assert list(tmp_path.rglob("*")) == []
