"""Rounding to 8 bits: near the exact network, and the same for a row whatever stands beside it. Needs the extra "train"."""

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="onnx is not installed: pip install -e '.[train]' to test rounding")

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession

from nlp.rounding import round_model


@pytest.fixture
def sessions(tmp_path: Path) -> tuple[InferenceSession, InferenceSession]:
    """A layer as exact and as rounded."""
    weights = np.random.default_rng(1).normal(size=(64, 8)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"], name="/layer.0/MatMul")],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 8])],
        [numpy_helper.from_array(weights, "weights")],
    )
    exact, rounded = tmp_path / "exact.onnx", tmp_path / "rounded.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), exact)
    round_model(exact, rounded)
    return InferenceSession(exact), InferenceSession(rounded)


def test_near_the_exact_one(sessions: tuple[InferenceSession, InferenceSession]) -> None:
    rows = np.random.default_rng(2).normal(size=(50, 64)).astype(np.float32)
    [exact], [rounded] = (session.run(None, {"x": rows}) for session in sessions)
    assert 0 < abs(exact - rounded).mean() < 0.02 * abs(exact).mean()


def test_a_row_is_the_same_beside_a_greater_one(sessions: tuple[InferenceSession, InferenceSession]) -> None:
    rows = np.random.default_rng(3).normal(size=(2, 64)).astype(np.float32)
    rows[1] *= 100
    [alone], [among] = (sessions[1].run(None, {"x": some}) for some in (rows[:1], rows))
    assert (alone[0] == among[0]).all()


def test_a_row_of_zeros(sessions: tuple[InferenceSession, InferenceSession]) -> None:
    [found] = sessions[1].run(None, {"x": np.zeros((1, 64), np.float32)})
    assert (found == 0).all()
