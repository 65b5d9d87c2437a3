"""The trained encoder: a small transformer that gives every word of a post its weight for and against each answer.

An answer is the mean of the weights of the words of a post, or of one sentence, so each answer can be traced to the
words that spoke for it. Runs on onnxruntime and tokenizers; nothing is downloaded, nothing is trained here.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from listener.errors import NeedsPerson
from nlp.heads import HEADS, Head, columns

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

FOLDER = Path(__file__).with_name("model")
FORMAT = 1  # of the model folder; goes up when an older program could not read a newer one
WINDOW = 254  # wordpieces at a time; the model was trained on shorter ones and knows places up to 512
_WINDOWS = 24  # of one post: some 4,000 words
_BATCH = 800  # wordpieces with padding that are computed at once: more are slower, they leave the cache
_LINK = re.compile(r"(?:https?://|www\.)\S+")
BEGIN, END = 101, 102  # [CLS] and [SEP] of BERT's vocabulary


class ModelError(NeedsPerson):
    """The trained model cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Pieces:
    """A text cut into n wordpieces."""

    ids: Ints  # (n,) in the vocabulary
    shapes: Ints  # (n,) how the word is written: 0 small, 1 Capital, 2 CAPITALS, 3 mixed or with digits
    starts: Ints  # (n,) first character
    ends: Ints  # (n,) past the last character
    words: Ints  # (n,) number of the word
    sentences: Ints  # (n,) number of the sentence, rising

    def windows(self) -> Iterator[slice]:
        """Parts of at most WINDOW pieces, cut between sentences where that is possible."""
        start = count = 0
        while start < len(self.ids) and count < _WINDOWS:
            end = min(start + WINDOW, len(self.ids))
            if end < len(self.ids):
                whole = int(np.searchsorted(self.sentences, self.sentences[end]))
                end = whole if whole > start else end
            yield slice(start, end)
            start, count = end, count + 1


class Cutter:
    """Cuts texts into wordpieces, the same way in training and in reading."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: a tokenizers.Tokenizer."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer

    def __call__(self, texts: Sequence[str], sentence_starts: Sequence[Sequence[int]]) -> list[Pieces]:
        """The pieces of each text; `sentence_starts`: the first character of each of its sentences."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [_pieces(*row) for row in zip(texts, encodings, sentence_starts, strict=True)]


def _pieces(text: str, encoding: Any, sentence_starts: Sequence[int]) -> Pieces:
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    ids = np.array(encoding.ids, dtype=np.int64)
    # Of a link its first piece says enough: the others are a dozen pieces of noise.
    for link in _LINK.finditer(text):
        rest = (offsets[:, 0] > link.start()) & (offsets[:, 0] < link.end())
        offsets, ids = offsets[~rest], ids[~rest]
    starts, ends = offsets[:, 0], offsets[:, 1]
    # A piece that goes on where the one before ended is of the same word, if both are letters or digits there.
    apart = [
        end != start or not (text[end - 1].isalnum() and text[start].isalnum())
        for end, start in zip(ends[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]
    words = np.cumsum([0, *apart]) if len(starts) else starts
    sentences = np.maximum(np.searchsorted(np.asarray(sentence_starts), starts, side="right") - 1, 0)
    return Pieces(ids, _shapes(text, starts, ends, words), starts, ends, words, sentences)


def _shapes(text: str, starts: Ints, ends: Ints, words: Ints) -> Ints:
    """BERT's vocabulary has no capitals, and names need them: they go in beside the pieces."""
    if not len(words):
        return words
    firsts = np.flatnonzero(np.diff(words, prepend=-1))
    lasts = np.append(firsts[1:], len(words)) - 1
    shapes = [_shape(text[start:end]) for start, end in zip(starts[firsts], ends[lasts], strict=True)]
    return np.repeat(np.array(shapes, dtype=np.int64), lasts - firsts + 1)


def _shape(word: str) -> int:
    if not word.isalpha():
        return 3 if any(map(str.isdigit, word)) else 0
    if word.islower() or (not word[0].isupper() and word == word.casefold()):
        return 0
    if word.istitle():
        return 1
    return 2 if word.isupper() else 3


@dataclass(frozen=True)
class Answer:
    """How likely one label is, and the part of the post that says so: a sentence's number, or None for the whole."""

    label: str
    likely: float  # 0 to 1
    sentence: int | None = None


@dataclass
class Scores:
    """What the encoder makes of one post."""

    pieces: Pieces
    weights: Floats  # (n, answers) what each piece says for and against each answer
    vector: Floats  # (384,) the post as a point among posts: those near it speak of the same
    bias: Floats  # (answers,)
    # From how likely on danger and each topic count; chosen in training by what a miss and a false alarm cost.
    thresholds: Mapping[str, Mapping[str, float]]
    heads: tuple[Head, ...] = HEADS
    _columns: dict[str, slice] = field(init=False)

    def __post_init__(self) -> None:
        self._columns = columns(self.heads)

    @cached_property
    def _means(self) -> Floats:
        """(1 + sentences, answers): of the whole post, then of each sentence that has words."""
        if not len(self.weights):
            return self.bias[None, :]
        firsts = self._firsts
        counts = np.diff(np.append(firsts, len(self.weights)))[:, None]
        sums = np.add.reduceat(self.weights, firsts, axis=0)
        every = np.concatenate([sums.sum(axis=0, keepdims=True) / len(self.weights), sums / counts])
        return np.asarray(every + self.bias, dtype=np.float32)

    @property
    def _firsts(self) -> Ints:
        """The first piece of each sentence that has words."""
        return np.flatnonzero(np.diff(self.pieces.sentences[: len(self.weights)], prepend=-1))

    def one(self, head: Head) -> dict[str, float]:
        """How likely each label of a "one" head is; they sum to 1."""
        values = _softmax(self._means[0, self._columns[head.name]])
        return dict(zip(head.labels, values.tolist(), strict=True))

    def any(self, head: Head) -> dict[str, Answer]:
        """Each label of an "any" head, with the part of the post that says it most."""
        means = self._means[:, self._columns[head.name]]
        best = means.argmax(axis=0)
        likely = 1 / (1 + np.exp(-means[best, np.arange(means.shape[1])]))
        sentences = [None if row == 0 else int(self.pieces.sentences[self._firsts[row - 1]]) for row in best.tolist()]
        return {
            label: Answer(label, float(value), where)
            for label, value, where in zip(head.labels, likely.tolist(), sentences, strict=True)
        }

    def words(self, head: Head, label: str, sentence: int | None = None) -> list[tuple[int, int]]:
        """Where the words stand that speak for a label, those that speak most first. At least one, if there is any word."""
        column = self._columns[head.name].start + head.labels.index(label)
        weights, pieces = self.weights[:, column], self.pieces
        inside = slice(None) if sentence is None else pieces.sentences[: len(weights)] == sentence
        numbers, values = pieces.words[: len(weights)][inside], weights[inside]
        if not len(numbers):
            return []
        firsts = np.flatnonzero(np.diff(numbers, prepend=-1))
        sums = np.add.reduceat(values, firsts)
        starts, ends = pieces.starts[: len(weights)][inside], pieces.ends[: len(weights)][inside]
        lasts = np.append(firsts[1:], len(numbers)) - 1
        best, *others = np.argsort(-sums).tolist()
        return [(int(starts[firsts[i]]), int(ends[lasts[i]])) for i in [best, *(i for i in others if sums[i] > 0)]]

    def spans(self, head: Head, at_least: float = 0.5) -> Iterator[tuple[int, int, str, float]]:
        """Runs of pieces with the same label other than the first ("none"): start, end, label, how likely at most."""
        if not len(self.weights):
            return
        place = self._columns[head.name]
        likely = _softmax(self.weights[:, place] + self.bias[place])
        best = np.where(1 - likely[:, 0] >= at_least, likely[:, 1:].argmax(axis=1) + 1, 0)
        for label, run in groupby(range(len(best)), key=lambda index: int(best[index])):
            if label:
                places = list(run)
                sure = float(1 - likely[places, 0].min())
                yield int(self.pieces.starts[places[0]]), int(self.pieces.ends[places[-1]]), head.labels[label], sure


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


class Encoder:
    """The model of a folder. Raises ModelError when the folder is missing, damaged or of another version."""

    def __init__(self, folder: Path = FOLDER, heads: tuple[Head, ...] = HEADS) -> None:
        """`heads`: the questions that the model was trained for."""
        self.card, self._heads = _card(folder, heads), heads
        self.version = str(self.card["version"])
        self.thresholds: dict[str, dict[str, float]] = self.card["thresholds"]
        self._bias = np.array(self.card["bias"], dtype=np.float32)
        # Heavy, and of no use to commands that read nothing.
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        # One thread for each batch and as many batches as cores: several threads on one small batch wait for each other.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.cut = Cutter(Tokenizer.from_file(str(folder / "tokenizer.json")))
            self._session = InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        except Exception as error:  # each library raises errors of its own, some of them plain Exceptions
            raise ModelError(f"{folder}: the model cannot be loaded ({error}); install the program again") from error

    def __call__(self, texts: Sequence[str], sentence_starts: Sequence[Sequence[int]]) -> list[Scores]:
        """What the model makes of each text, in order."""
        cuts = self.cut(texts, sentence_starts)
        windows = [(number, window) for number, pieces in enumerate(cuts) for window in pieces.windows()]
        windows.sort(key=lambda found: (found[1].stop - found[1].start, found[0]))
        weights: dict[tuple[int, int], Floats] = {}
        vectors: dict[int, list[Floats]] = {}
        batches = list(_batches(windows))
        made = self._workers.map(self._run, [[(cuts[number], window) for number, window in batch] for batch in batches])
        for batch, (found, points) in zip(batches, made, strict=True):
            for row, (number, window) in enumerate(batch):
                size = window.stop - window.start
                weights[number, window.start] = found[row, 1 : size + 1]
                vectors.setdefault(number, []).append(points[row])
        return [self._scores(number, pieces, weights, vectors) for number, pieces in enumerate(cuts)]

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="encoder")

    def _run(self, batch: Sequence[tuple[Pieces, slice]]) -> tuple[Floats, Floats]:
        """Weights (rows, places, answers) and points (rows, 384); place 0 of a row stands before its first piece."""
        longest = max(window.stop - window.start for _, window in batch) + 2
        ids, shapes, mask = (np.zeros((len(batch), longest), dtype=np.int64) for _ in range(3))
        for row, (pieces, window) in enumerate(batch):
            size = window.stop - window.start
            ids[row, 0], ids[row, 1 : size + 1], ids[row, size + 1] = BEGIN, pieces.ids[window], END
            shapes[row, 1 : size + 1] = pieces.shapes[window]
            mask[row, : size + 2] = 1
        weights, points = self._session.run(None, {"ids": ids, "shapes": shapes, "mask": mask})
        return weights, points

    def _scores(
        self,
        number: int,
        pieces: Pieces,
        weights: dict[tuple[int, int], Floats],
        vectors: dict[int, list[Floats]],
    ) -> Scores:
        parts = [weights[number, window.start] for window in pieces.windows()]
        answers = np.concatenate(parts) if parts else np.zeros((0, len(self._bias)), dtype=np.float32)
        points = vectors.get(number)
        vector = np.mean(points, axis=0) if points else np.zeros(1, dtype=np.float32)
        return Scores(pieces, answers, vector, self._bias, self.thresholds, self._heads)


def _batches(windows: Iterable[tuple[int, slice]]) -> Iterator[list[tuple[int, slice]]]:
    """Windows of like length together, so that little is computed for padding. They come sorted by length."""
    batch: list[tuple[int, slice]] = []
    for number, window in windows:
        size = window.stop - window.start + 2
        if batch and size * (len(batch) + 1) > _BATCH:
            yield batch
            batch = []
        batch.append((number, window))
    if batch:
        yield batch


def _card(folder: Path, heads: Sequence[Head]) -> dict[str, Any]:
    """model.json, after a check that every file is as it was when it was trained."""
    again = "install the program again, or train one with: call-light train"
    try:
        card: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        files = card["files"]
    except FileNotFoundError:
        raise ModelError(f"{folder}: there is no trained model; {again}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'model.json'}: damaged ({error}); {again}") from None
    if card.get("format") != FORMAT:
        raise ModelError(f"{folder}: a model of format {card.get('format')}, this program reads {FORMAT}; {again}")
    if [(head.name, list(head.labels)) for head in heads] != [tuple(pair) for pair in card["heads"]]:
        raise ModelError(f"{folder}: the model was trained for other answers than this program asks; {again}")
    for name, digest in files.items():
        path = folder / name
        if not path.exists():
            raise ModelError(f"{path}: missing; {again}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ModelError(f"{path}: damaged, it is not the file that was trained; {again}")
    return card
