"""Equalises the weights of a ReLU network across layers, for the ablation: the float function stays what it is.

    python3 bench/equalise.py network.onnx out.onnx

Nagel et al. (2019), "Data-free quantization": where one convolution alone reads another's output, with nothing but a ReLU or MaxPool
between, channel i of the first may be divided by any s_i > 0 and the inputs i of the second multiplied by it. With
s_i = sqrt(r1_i / r2_i), r the largest weights, both have the same range in that channel. Where the activation is another one
(ReLU6) or a sum comes between, nothing is done.
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper

HOMOGENEOUS = {"Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Flatten"}


def groups_of(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def pairs(graph: onnx.GraphProto) -> list[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """Dense convolutions of which the second alone reads the first, through functions f with f(s x) = s f(x)."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = []
    for first in graph.node:
        if first.op_type != "Conv" or groups_of(first) != 1:
            continue
        following = readers.get(first.output[0], [])
        while len(following) == 1 and following[0].op_type in HOMOGENEOUS:
            following = readers.get(following[0].output[0], [])
        if len(following) == 1 and following[0].op_type == "Conv" and groups_of(following[0]) == 1:
            found.append((first, following[0]))
    return found


def equalise(source: str, target: str) -> int:
    """Returns how many pairs of layers were equalised."""
    model = onnx.load(source)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    arrays = {name: numpy_helper.to_array(tensor).copy() for name, tensor in constants.items()}
    chosen = pairs(model.graph)
    for first, second in chosen:
        one, two = arrays[first.input[1]], arrays[second.input[1]]
        range_one = np.abs(one).max(axis=(1, 2, 3))
        range_two = np.abs(two).max(axis=(0, 2, 3))
        alive = (range_one > 0) & (range_two > 0)
        scale = np.where(alive, np.sqrt(range_one / np.where(alive, range_two, 1)), 1).astype(np.float32)
        one /= scale[:, None, None, None]
        two *= scale[None, :, None, None]
        if len(first.input) > 2:
            arrays[first.input[2]] /= scale
    for name, array in arrays.items():
        constants[name].CopyFrom(numpy_helper.from_array(array, name))
    onnx.save(model, target)
    return len(chosen)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(f"{equalise(sys.argv[1], sys.argv[2])} pairs of layers")
