"""One golden case: a graph from `x` to `y`, an input, and the output that onnxruntime computes for it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MAX_OUTPUTS = 20_000  # keeps the files small and a naive reference kernel quick under sanitizers


@dataclass(frozen=True)
class Normal:
    """Weights to be drawn from a normal distribution; the standard deviation defaults to 1 / sqrt(inputs of an output)."""

    shape: tuple[int, ...]
    deviation: float | None = None
    mean: float = 0.0

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The values."""
        fan_in = int(np.prod(self.shape[1:])) if len(self.shape) > 1 else 1
        deviation = fan_in**-0.5 if self.deviation is None else self.deviation
        return np.asarray(rng.standard_normal(self.shape) * deviation + self.mean, np.float32)


def normal(*shape: int, deviation: float | None = None, mean: float = 0.0) -> Normal:
    """Weights of a shape; see Normal."""
    return Normal(shape, deviation, mean)


def positive(*shape: int) -> Normal:
    """Values around 1 that are almost surely positive: variances, divisors, scales."""
    return Normal(shape, 0.15, 1.0)


def ints(*values: int, dtype: type[np.integer] = np.int64) -> np.ndarray:
    """An integer vector: shapes, axes, pads."""
    return np.array(values, dtype)


Constant = Normal | np.ndarray | TensorProto


def node(op: str, inputs: str, outputs: str = "y", /, **attributes: object) -> onnx.NodeProto:
    """A node with comma-separated names; an absent input is an empty name, as in ONNX: `node("Clip", "x,,high")`."""
    return helper.make_node(op, inputs.split(",") if inputs else [], outputs.split(","), **attributes)


@dataclass
class Cases:
    """Collects cases and writes each into `folder` at once."""

    folder: Path
    index: list[dict[str, object]] = field(default_factory=list)

    def add(
        self,
        name: str,
        op: str,
        shape: tuple[int, ...],
        nodes: list[onnx.NodeProto],
        constants: dict[str, Constant] | None = None,
        *,
        opset: int = 13,
        note: str = "",
        open_batch: bool = False,
        constants_as_inputs: bool = False,
        away_from_zero: bool = False,
    ) -> None:
        """Adds the case `name` for the operator `op`.

        `open_batch` declares the batch as the symbol N; `constants_as_inputs` lists the initializers as graph inputs too, as
        files before IR version 4 must; `away_from_zero` keeps |x| >= 0.25 for a graph that divides by it.
        Everything random follows from the name, so a new case changes no other.
        """
        assert name not in {entry["name"] for entry in self.index}, f"two cases are called {name}"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        x = rng.standard_normal(shape).astype(np.float32)
        if away_from_zero:
            x = np.where(np.abs(x) < 0.25, np.copysign(np.float32(0.25), x), x)
        initializers = []
        for constant_name, constant in (constants or {}).items():
            if isinstance(constant, Normal):
                constant = constant.draw(rng)
            if isinstance(constant, np.ndarray):
                constant = numpy_helper.from_array(constant, constant_name)
            constant.name = constant_name
            initializers.append(constant)

        declared = ["N", *shape[1:]] if open_batch else list(shape)
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, declared)]
        if constants_as_inputs:
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)) for tensor in initializers
            ]
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        opsets = [helper.make_opsetid("", opset)]
        ir_version = 3 if constants_as_inputs else max(4, helper.find_min_ir_version_for(opsets))
        model = helper.make_model(
            helper.make_graph(nodes, name, inputs, [output], initializers),
            opset_imports=opsets,
            ir_version=ir_version,
            producer_name="kdequant-tools",
        )
        y = self._run(model, x)
        assert y.dtype == np.float32 and np.isfinite(y).all() and y.size <= MAX_OUTPUTS, f"{name}: {y.dtype} {y.shape}"
        dims = model.graph.output[0].type.tensor_type.shape.dim
        for size in y.shape:
            dims.add().dim_value = size
        if open_batch and len(dims) > 0:
            dims[0].dim_param = "N"

        (self.folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
        (self.folder / f"{name}.input.f32").write_bytes(x.astype("<f4").tobytes())
        (self.folder / f"{name}.output.f32").write_bytes(y.astype("<f4").tobytes())
        self.index.append(
            {
                "name": name,
                "op": op,
                "opset": opset,
                "input": {"shape": list(x.shape)},
                "output": {"shape": list(y.shape)},
                "note": note,
            }
        )

    @staticmethod
    def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
        """onnxruntime's output, without its graph optimizations: they are not exact, least of all around Q/DQ nodes."""
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1  # summation order does not depend on the machine's cores
        options.log_severity_level = 3  # unused initializers and dead nodes are cases here, not mistakes
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        return session.run(["y"], {"x": x})[0]
