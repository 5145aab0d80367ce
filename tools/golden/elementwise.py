"""Add, Sub, Mul, Div, Sum with broadcasting; Concat."""

from __future__ import annotations

from .case import Cases, node, normal, positive


def add_elementwise(cases: Cases) -> None:
    """The cases of this group."""
    image = (1, 5, 4, 6)
    for op in ("Add", "Sub", "Mul", "Div"):
        name = op.lower()
        draw = positive if op == "Div" else normal
        cases.add(f"{name}_same_shape", op, image, [node("Relu", "x", "r"), node("Sigmoid", "x", "s"), node(op, "r,s")])
        cases.add(f"{name}_scalar", op, image, [node(op, "x,c")], {"c": draw()})
        cases.add(f"{name}_channels", op, image, [node(op, "x,c")], {"c": draw(5, 1, 1)})
        cases.add(f"{name}_row", op, image, [node(op, "x,c")], {"c": draw(6)}, note="along the width")
        cases.add(
            f"{name}_constant_first",
            op,
            image,
            [node(op, "c,x")],
            {"c": draw(1, 5, 1, 1)},
            away_from_zero=True,
            note="the order counts for Sub and Div",
        )
        cases.add(
            f"{name}_pooled",
            op,
            image,
            [node("GlobalAveragePool", "x", "p"), node("Sigmoid", "p", "s"), node(op, "x,s")],
            note="[1, C, 1, 1] is broadcast, as in squeeze-and-excitation",
        )
    cases.add("add_plane", "Add", image, [node("Add", "x,c")], {"c": normal(4, 6)}, note="one plane for all channels")
    cases.add("add_vector_rank_2", "Add", (1, 9), [node("Add", "x,c")], {"c": normal(9)})
    cases.add(
        "mul_outer",
        "Mul",
        image,
        [node("ReduceMean", "x", "rows", axes=[3]), node("ReduceMean", "x", "columns", axes=[2]), node("Mul", "rows,columns")],
        note="both inputs are broadcast",
    )
    cases.add("add_itself", "Add", image, [node("Add", "x,x")])
    cases.add("add_opset_7", "Add", image, [node("Add", "x,c")], {"c": normal(5, 1, 1)}, opset=7)
    cases.add("sum_three", "Sum", image, [node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Sum", "x,a,b")])
    cases.add("sum_three_broadcast", "Sum", image, [node("Relu", "x", "a"), node("Sum", "x,c,a")], {"c": normal(5, 1, 1)})
    cases.add("sum_one", "Sum", image, [node("Sum", "x")])

    cases.add(
        "concat_channels",
        "Concat",
        image,
        [node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Concat", "a,x,b", axis=1)],
        note="parts of five channels: their blocks of four do not meet",
    )
    cases.add("concat_channels_of_four", "Concat", (1, 8, 3, 5), [node("Relu", "x", "a"), node("Concat", "x,a", axis=1)])
    cases.add("concat_negative_axis", "Concat", image, [node("Relu", "x", "a"), node("Concat", "a,x", axis=-3)])
    cases.add("concat_height", "Concat", image, [node("Relu", "x", "a"), node("Concat", "a,x", axis=2)])
    cases.add("concat_width", "Concat", image, [node("Relu", "x", "a"), node("Concat", "x,a", axis=3)])
    cases.add("concat_constant", "Concat", image, [node("Concat", "x,c", axis=1)], {"c": normal(1, 3, 4, 6)})
    cases.add("concat_one", "Concat", image, [node("Concat", "x", axis=1)])
    cases.add("concat_rank_2", "Concat", (1, 7), [node("Relu", "x", "a"), node("Concat", "x,a", axis=1)])
    cases.add(
        "concat_of_concats",
        "Concat",
        image,
        [node("Relu", "x", "a"), node("Concat", "x,a", "c", axis=1), node("Concat", "c,x,c", axis=1)],
        note="DenseNet's way",
    )
