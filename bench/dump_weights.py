"""Writes the weights of every dense Conv and Gemm of an ONNX file as raw float32 files, for density_bench.

    python3 bench/dump_weights.py network.onnx folder
"""

import sys
from pathlib import Path

import onnx
from onnx import numpy_helper


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    graph = onnx.load(sys.argv[1]).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    count = 0
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm") or node.input[1] not in constants:
            continue
        weights = numpy_helper.to_array(constants[node.input[1]])
        if node.op_type == "Conv" and weights.shape[1] == 1:
            continue  # depthwise kernels keep 8 bits
        weights.astype("<f4").tofile(folder / f"{count:03d}.f32")
        count += 1
    print(f"{count} layers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
