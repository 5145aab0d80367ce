"""How weights are stored: data types, typed fields, Constant nodes, graph inputs, quantized and 4-bit codebook weights."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .case import Cases, ints, node, normal

SHAPE = (1, 3, 6, 7)
PADS = [1, 1, 1, 1]


def _draw(seed: int, *shape: int) -> np.ndarray:
    """Weights that must exist as an array before the case is added, because they are stored in another form."""
    return (np.random.default_rng(seed).standard_normal(shape) * 0.3).astype(np.float32)


def _quantize(weight: np.ndarray, per_channel: bool, zero_point: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes (before the zero point is added they are symmetric) and scales."""
    axes = (1, 2, 3)[: weight.ndim - 1] if per_channel else None
    scale = np.asarray(np.abs(weight).max(axis=axes, keepdims=True) / 100, np.float32)
    codes = np.clip(np.rint(weight / scale) + zero_point, -128, 127).astype(np.int8)
    return codes, scale.reshape(-1) if per_channel else scale.reshape(())


def _storage(cases: Cases) -> None:
    weight, bias = _draw(1, 5, 3, 3, 3), _draw(2, 5)
    conv = node("Conv", "x,w,b", pads=PADS)
    cases.add(
        "weights_float_data",
        "Conv",
        SHAPE,
        [conv],
        {
            "w": helper.make_tensor("w", TensorProto.FLOAT, weight.shape, weight.flatten().tolist()),
            "b": helper.make_tensor("b", TensorProto.FLOAT, bias.shape, bias.tolist()),
        },
        note="typed float_data instead of raw_data",
    )
    cases.add(
        "weights_as_graph_inputs",
        "Conv",
        SHAPE,
        [conv],
        {"w": weight, "b": bias},
        opset=8,
        constants_as_inputs=True,
        note="IR version 3: initializers are listed as inputs; x is still the only input to feed",
    )
    cases.add(
        "weights_as_constant_nodes",
        "Conv",
        SHAPE,
        [
            node("Constant", "", "w", value=numpy_helper.from_array(weight)),
            node("Constant", "", "b", value_floats=bias.tolist()),
            conv,
        ],
    )
    cases.add("unused_initializer", "Conv", SHAPE, [conv], {"w": weight, "b": bias, "forgotten": _draw(3, 40)})
    cases.add("open_batch", "Conv", SHAPE, [conv], {"w": weight, "b": bias}, open_batch=True, note="batch N: run as 1")
    cases.add(
        "weights_through_identity",
        "Conv",
        SHAPE,
        [node("Identity", "w0", "w"), conv],
        {"w0": weight, "b": bias},
        note="exporters write this for shared weights",
    )
    cases.add(
        "weights_transposed",
        "Conv",
        SHAPE,
        [node("Transpose", "w0", "w", perm=[3, 2, 0, 1]), conv],
        {"w0": np.ascontiguousarray(weight.transpose(2, 3, 1, 0)), "b": bias},
        note="stored HWIO, as TensorFlow does",
    )
    cases.add(
        "bias_unsqueezed",
        "Add",
        SHAPE,
        [node("Conv", "x,w", "c", pads=PADS), node("Unsqueeze", "b,axes", "b3"), node("Add", "c,b3")],
        {"w": weight, "b": bias, "axes": ints(1, 2)},
    )

    for name, dtype, onnx_type in (
        ("float16", np.float16, TensorProto.FLOAT16),
        ("bfloat16", ml_dtypes.bfloat16, TensorProto.BFLOAT16),
        ("float64", np.float64, TensorProto.DOUBLE),
    ):
        narrow = weight.astype(dtype)
        raw = TensorProto(data_type=onnx_type, dims=narrow.shape, raw_data=narrow.tobytes())
        cast = node("Cast", "w0", "w", to=TensorProto.FLOAT)
        cases.add(f"weights_{name}", "Cast", SHAPE, [cast, conv], {"w0": raw, "b": bias})
        if narrow.itemsize == 2:
            typed = TensorProto(data_type=onnx_type, dims=narrow.shape, int32_data=narrow.view(np.uint16).flatten().tolist())
            cases.add(
                f"weights_{name}_typed",
                "Cast",
                SHAPE,
                [cast, conv],
                {"w0": typed, "b": bias},
                note="bit patterns in int32_data",
            )
    cases.add(
        "weights_float16_subnormal",
        "Cast",
        SHAPE,
        [node("Cast", "s0", "s", to=TensorProto.FLOAT), node("Mul", "x,s", "t"), node("Mul", "t,big")],
        {
            "s0": np.array([[[6e-8]], [[-3e-5]], [[65504.0]]], np.float16),
            "big": np.array([[[1e7]], [[1e4]], [[1e-4]]], np.float32),
        },
    )


def _quantized(cases: Cases) -> None:
    weight, bias = _draw(4, 6, 3, 3, 3), _draw(5, 6)
    conv = node("Conv", "x,w,b", pads=PADS)
    for per_channel in (False, True):
        name = "per_channel" if per_channel else "per_tensor"
        axis = {"axis": 0} if per_channel else {}
        codes, scale = _quantize(weight, per_channel)
        zero = np.zeros(scale.shape, np.int8)
        cases.add(
            f"dequantize_linear_{name}",
            "DequantizeLinear",
            SHAPE,
            [node("DequantizeLinear", "q,s,z", "w", **axis), conv],
            {"q": codes, "s": scale, "z": zero, "b": bias},
        )
        cases.add(
            f"dequantize_linear_{name}_no_zero_point",
            "DequantizeLinear",
            SHAPE,
            [node("DequantizeLinear", "q,s", "w", **axis), conv],
            {"q": codes, "s": scale, "b": bias},
        )
        cases.add(
            f"quantize_dequantize_{name}",
            "QuantizeLinear",
            SHAPE,
            [node("QuantizeLinear", "w0,s,z", "q", **axis), node("DequantizeLinear", "q,s,z", "w", **axis), conv],
            {"w0": weight, "s": scale, "z": zero, "b": bias},
            note="both on a constant",
        )
    codes, scale = _quantize(weight, True)
    cases.add(
        "dequantize_linear_uint8",
        "DequantizeLinear",
        SHAPE,
        [node("DequantizeLinear", "q,s,z", "w", axis=0), conv],
        {"q": (codes.astype(np.int16) + 128).astype(np.uint8), "s": scale, "z": np.full(6, 128, np.uint8), "b": bias},
    )
    codes, scale = _quantize(weight, False, zero_point=5)
    cases.add(
        "dequantize_linear_zero_point",
        "DequantizeLinear",
        SHAPE,
        [node("DequantizeLinear", "q,s,z", "w"), conv],
        {"q": codes, "s": scale, "z": np.array(5, np.int8), "b": bias},
        opset=10,
    )
    cases.add(
        "dequantize_linear_int32_bias",
        "DequantizeLinear",
        SHAPE,
        [node("DequantizeLinear", "qb,sb", "b"), node("Conv", "x,w,b", pads=PADS)],
        {"w": weight, "qb": np.rint(bias / 1e-3).astype(np.int32), "sb": np.array(1e-3, np.float32)},
    )
    depthwise = _draw(6, 3, 1, 3, 3)
    codes, scale = _quantize(depthwise, True)
    cases.add(
        "dequantize_linear_depthwise",
        "DequantizeLinear",
        SHAPE,
        [node("DequantizeLinear", "q,s", "w", axis=0), node("Conv", "x,w", group=3, pads=PADS)],
        {"q": codes, "s": scale},
        opset=21,
    )
    matrix = _draw(7, 10, 8)
    codes, scale = _quantize(matrix, False)
    cases.add(
        "dequantize_linear_matmul",
        "DequantizeLinear",
        (1, 10),
        [node("DequantizeLinear", "q,s", "w"), node("MatMul", "x,w")],
        {"q": codes, "s": scale},
    )
    scale = (np.abs(matrix).max(axis=0) / 100).astype(np.float32)
    cases.add(
        "dequantize_linear_axis_1",
        "DequantizeLinear",
        (1, 10),
        [node("DequantizeLinear", "q,s", "w", axis=1), node("MatMul", "x,w")],
        {"q": np.rint(matrix / scale).astype(np.int8), "s": scale},
        note="one scale a column",
    )


def _codebooks(cases: Cases) -> None:
    """Weights as 4-bit indices into 16 levels, as kdequant writes them: UINT4 -> Cast -> Gather [-> Mul scales]."""
    rng = np.random.default_rng(8)
    levels = (np.array([-127, -95, -74, -57, -43, -30, -19, -9, 0, 9, 19, 31, 44, 59, 79, 108]) * (1 / 64)).astype(np.float32)

    def indices(*shape: int) -> TensorProto:
        values = rng.integers(0, 16, int(np.prod(shape))).astype(np.uint8)
        packed = np.append(values, np.uint8(0)) if values.size % 2 else values
        return TensorProto(data_type=TensorProto.UINT4, dims=shape, raw_data=(packed[0::2] | packed[1::2] << 4).tobytes())

    cast = node("Cast", "indices", "wide", to=TensorProto.INT32)
    conv = node("Conv", "x,w,b", pads=PADS)
    bias = normal(5, deviation=0.5)
    cases.add(
        "codebook_tensor",
        "Gather",
        SHAPE,
        [cast, node("Gather", "levels,wide", "w"), conv],
        {"indices": indices(5, 3, 3, 3), "levels": levels * np.float32(0.2), "b": bias},
        opset=21,
        note="one codebook a layer; 135 indices",
    )
    cases.add(
        "codebook_channel_scale",
        "Gather",
        SHAPE,
        [cast, node("Gather", "levels,wide", "g"), node("Mul", "g,scales", "w"), conv],
        {"indices": indices(5, 3, 3, 3), "levels": levels, "scales": normal(5, 1, 1, 1, deviation=0.05, mean=0.3), "b": bias},
        opset=21,
    )
    scales = (0.1 + 0.3 * rng.random((5, 1, 1, 1))).astype(np.float16)
    cases.add(
        "codebook_channel_scale_float16",
        "Gather",
        SHAPE,
        [
            cast,
            node("Gather", "levels,wide", "g"),
            node("Cast", "scales", "s", to=TensorProto.FLOAT),
            node("Mul", "g,s", "w"),
            conv,
        ],
        {"indices": indices(5, 3, 3, 3), "levels": levels, "scales": scales, "b": bias},
        opset=21,
        note="scales in half precision",
    )
    cases.add(
        "codebook_channel",
        "Gather",
        SHAPE,
        [cast, node("Add", "wide,offset", "at"), node("Gather", "levels,at", "w"), conv],
        {
            "indices": indices(5, 3, 3, 3),
            "offset": (16 * np.arange(5, dtype=np.int32)).reshape(5, 1, 1, 1),
            "levels": np.concatenate([levels * np.float32(0.1 + 0.05 * channel) for channel in range(5)]),
            "b": bias,
        },
        opset=21,
        note="a codebook a channel: indices are offset by 16 x channel into all codebooks in a row",
    )
    cases.add(
        "codebook_gemm",
        "Gather",
        (1, 14),
        [cast, node("Gather", "levels,wide", "g"), node("Mul", "g,scales", "w"), node("Gemm", "x,w,b", transB=1)],
        {"indices": indices(9, 14), "levels": levels, "scales": normal(9, 1, deviation=0.05, mean=0.3), "b": normal(9)},
        opset=21,
    )


def add_constants(cases: Cases) -> None:
    """The cases of this group."""
    _storage(cases)
    _quantized(cases)
    _codebooks(cases)
