"""Rounds a trained network to 8 bits, so that it is a quarter of the size and twice as quick.

Every word's values are rounded by their own greatest, not by the greatest of the batch, as onnxruntime's own rounding does:
a post reads the same alone and among others.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

_MOST = 127  # values become whole numbers from 1 to 255, 128 is zero
# Weights get one bit less: processors without VNNI add two products in 16 bits, and would overflow.
_MOST_WEIGHT = 63

_CONSTANTS = {
    "round/one": np.array(1, np.float32),
    "round/most": np.array(_MOST, np.float32),
    "round/least": np.array(1e-9, np.float32),
    "round/zero": np.array(_MOST + 1, np.uint8),
}


def round_model(exact: Path, rounded: Path) -> None:
    """Write the network of `exact` with word vectors and layers in 8 bits. The last layer, the answers, stays as it is."""
    quantize_dynamic(exact, rounded, weight_type=QuantType.QInt8, op_types_to_quantize=["Gather"])
    model = onnx.load(rounded)
    graph = model.graph
    matrices = {tensor.name: tensor for tensor in graph.initializer if len(tensor.dims) == 2}
    nodes: list[Any] = []
    done: set[str] = set()
    for node in graph.node:
        matrix = matrices.get(node.input[1]) if node.op_type == "MatMul" else None
        if matrix is None or "/layer." not in node.name:
            nodes.append(node)
            continue
        if node.input[0] not in done:  # query, key and value share one input
            done.add(node.input[0])
            nodes += _rounded_rows(node.input[0])
        nodes += _product(node, matrix, graph)
        graph.initializer.remove(matrix)
    for name, value in _CONSTANTS.items():
        graph.initializer.append(numpy_helper.from_array(value, name))
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, rounded)


def _rounded_rows(values: str) -> list[Any]:
    """(..., n) values to whole numbers, and what 1 is worth in each row."""
    name = f"round/{values}"
    return [
        helper.make_node("ReduceMax", [values], [f"{name}/high"], axes=[-1]),
        helper.make_node("ReduceMin", [values], [f"{name}/low"], axes=[-1]),
        helper.make_node("Neg", [f"{name}/low"], [f"{name}/below"]),
        helper.make_node("Max", [f"{name}/high", f"{name}/below", "round/least"], [f"{name}/greatest"]),
        helper.make_node("Div", [f"{name}/greatest", "round/most"], [f"{name}/worth"]),
        helper.make_node("Div", ["round/most", f"{name}/greatest"], [f"{name}/times"]),
        helper.make_node("Mul", [values, f"{name}/times"], [f"{name}/scaled"]),
        helper.make_node("QuantizeLinear", [f"{name}/scaled", "round/one", "round/zero"], [f"{name}/whole"]),
    ]


def _product(node: Any, matrix: Any, graph: Any) -> list[Any]:
    """The product of whole numbers in place of the exact one; its matrix goes into the graph."""
    weights = numpy_helper.to_array(matrix)
    worth = np.maximum(np.abs(weights).max(axis=0), 1e-9) / _MOST_WEIGHT
    whole = np.round(weights / worth).astype(np.int8)
    name, values, product = f"round/{matrix.name}", f"round/{node.input[0]}", node.output[0]
    graph.initializer.append(numpy_helper.from_array(whole, f"{name}/whole"))
    graph.initializer.append(numpy_helper.from_array(worth.astype(np.float32), f"{name}/worth"))
    return [
        helper.make_node(
            "MatMulIntegerToFloat",
            [f"{values}/whole", f"{name}/whole", "round/one", f"{name}/worth", "round/zero"],
            [f"{product}/whole"],
            domain="com.microsoft",
        ),
        helper.make_node("Mul", [f"{product}/whole", f"{values}/worth"], [product]),
    ]
