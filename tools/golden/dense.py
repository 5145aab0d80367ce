"""Gemm and MatMul: fully connected layers as the exporters write them."""

from __future__ import annotations

from .case import Cases, node, normal


def add_dense(cases: Cases) -> None:
    """The cases of this group."""
    bias = normal(9, deviation=0.5)
    cases.add(
        "gemm_trans_b",
        "Gemm",
        (1, 13),
        [node("Gemm", "x,w,b", transB=1)],
        {"w": normal(9, 13), "b": bias},
        note="PyTorch's Linear",
    )
    cases.add("gemm", "Gemm", (1, 13), [node("Gemm", "x,w,b")], {"w": normal(13, 9), "b": bias})
    cases.add("gemm_no_bias", "Gemm", (1, 12), [node("Gemm", "x,w")], {"w": normal(12, 5)})
    cases.add(
        "gemm_alpha_beta",
        "Gemm",
        (1, 10),
        [node("Gemm", "x,w,b", alpha=0.5, beta=-2.0, transB=1)],
        {"w": normal(9, 10), "b": bias},
    )
    cases.add("gemm_beta_0", "Gemm", (1, 10), [node("Gemm", "x,w,b", beta=0.0)], {"w": normal(10, 9), "b": bias})
    cases.add(
        "gemm_scalar_bias",
        "Gemm",
        (1, 7),
        [node("Gemm", "x,w,b")],
        {"w": normal(7, 6), "b": normal(1)},
        note="c [1] is broadcast to every output",
    )
    cases.add(
        "gemm_bias_row",
        "Gemm",
        (1, 7),
        [node("Gemm", "x,w,b", transB=1)],
        {"w": normal(9, 7), "b": normal(1, 9)},
        opset=7,
        note="c [1, N]",
    )
    cases.add(
        "gemm_trans_a",
        "Gemm",
        (1, 7),
        [node("Gemm", "x,w,b", transA=1)],
        {"w": normal(1, 9), "b": bias},
        note="x' [7, 1] times [1, 9]",
    )
    cases.add("gemm_trans_a_trans_b", "Gemm", (1, 5), [node("Gemm", "x,w", transA=1, transB=1)], {"w": normal(9, 1)})
    cases.add("gemm_wide", "Gemm", (1, 515), [node("Gemm", "x,w,b", transB=1)], {"w": normal(131, 515), "b": normal(131)})
    cases.add(
        "gemm_after_flatten",
        "Gemm",
        (1, 5, 3, 3),
        [node("Flatten", "x", "f"), node("Gemm", "f,w,b", transB=1)],
        {"w": normal(9, 45), "b": bias},
        note="five channels, so a channel-blocked layout must be undone first",
    )
    cases.add(
        "gemm_relu_gemm",
        "Gemm",
        (1, 20),
        [node("Gemm", "x,w1,b1", "h", transB=1), node("Relu", "h", "r"), node("Gemm", "r,w2,b2", transB=1)],
        {"w1": normal(17, 20), "b1": normal(17), "w2": normal(9, 17), "b2": bias},
    )

    cases.add("matmul", "MatMul", (1, 11), [node("MatMul", "x,w")], {"w": normal(11, 6)})
    cases.add(
        "matmul_add", "MatMul", (1, 11), [node("MatMul", "x,w", "m"), node("Add", "m,b")], {"w": normal(11, 9), "b": bias}
    )
    cases.add(
        "matmul_add_bias_first",
        "MatMul",
        (1, 11),
        [node("MatMul", "x,w", "m"), node("Add", "b,m")],
        {"w": normal(11, 9), "b": bias},
    )
    cases.add(
        "matmul_add_relu",
        "MatMul",
        (1, 11),
        [node("MatMul", "x,w", "m"), node("Add", "m,b", "a"), node("Relu", "a")],
        {"w": normal(11, 9), "b": bias},
    )
    cases.add(
        "matmul_mul_add",
        "MatMul",
        (1, 11),
        [node("MatMul", "x,w", "m"), node("Mul", "m,s", "a"), node("Add", "a,b")],
        {"w": normal(11, 9), "s": normal(9), "b": bias},
        note="a BatchNormalization that tf2onnx took apart",
    )
    cases.add(
        "matmul_add_matrix",
        "MatMul",
        (1, 6),
        [node("MatMul", "x,w", "m"), node("Add", "m,b")],
        {"w": normal(6, 4), "b": normal(3, 4)},
        note="the sum broadcasts [1, 4] to [3, 4]: no bias of a Gemm",
    )
    cases.add("matmul_rank_4", "MatMul", (1, 3, 4, 5), [node("MatMul", "x,w")], {"w": normal(5, 7)}, note="over the last axis")
