"""The experiment of Seo and Kim (2019), in full: methods x sample sizes x granularities on many networks, as tables, plots and pictures.

    KDEQUANT_DATA=... python3 bench/experiment.py run [--quick] [--networks NAME...] [--limit N]   # adds rows to bench/results/experiment.jsonl
    python3 bench/experiment.py report                                                              # writes docs/experiment.md and its figures

Rows that are there are not measured again, so the command can be stopped and run again. --quick leaves out most sample sizes and
granularities. Networks whose file is absent are skipped by name (scripts/fetch-model makes most of them). What a network can be
scored by depends on what its weights are: trained ones by accuracy on labelled images, VGG-16's convolutions by the cosine of the
last pooling's features, random ones by the cosine of the outputs (which says nothing about accuracy). Levels only: no calibration,
no compensation (effort plain), as in the paper; one row a network shows our default beside them.
Needs the Python packages onnx, onnxruntime and numpy (tools/requirements.txt).
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from accuracy import KDEQUANT, ROOT, run
from onnx import numpy_helper

RESULTS = ROOT / "bench/results/experiment.jsonl"
REPORT = ROOT / "docs/experiment.md"
FIGURES = ROOT / "docs/experiment"
DATA = Path(os.environ.get("KDEQUANT_DATA", "."))

SAMPLES = ["256", "1024", "4096", "16384"]
COSINE_PICTURES = 10


@dataclass(frozen=True)
class Network:
    """`scored`: imagenet, cifar (by labels), agreement (labels of another order), features (of the last pooling), random."""

    path: Path
    preprocess: str
    scored: str
    label_offset: int = 0


NETWORKS = {
    "resnet50": Network(ROOT / "build/models/resnet50.onnx", "caffe,resize=0", "imagenet"),
    "efficientnet-lite0": Network(ROOT / "build/assets/efficientnet-lite0.onnx", "tf,resize=0", "imagenet"),
    "squeezenet1.1": Network(DATA / "models/squeezenet1.1.onnx", "imagenet,resize=0", "imagenet"),
    "squeezenet1.0": Network(DATA / "models/squeezenet1.0.onnx", "imagenet,std=1:1:1,resize=0", "imagenet", 1),
    "tiny-darknet": Network(DATA / "models/tiny-darknet.onnx", "scale=1/255,resize=0,size=224", "agreement"),
    "cifar-resnet20": Network(DATA / "models/cifar-resnet20.onnx", "imagenet,resize=0,size=32", "cifar"),
    "cifar-resnet56": Network(DATA / "models/cifar-resnet56.onnx", "imagenet,resize=0,size=32", "cifar"),
    "cifar-vgg": Network(DATA / "models/cifar-vgg.onnx", "scale=1,resize=0,size=32", "cifar"),
    "vgg16": Network(ROOT / "build/models/vgg16.onnx", "caffe", "features"),
    "alexnet": Network(ROOT / "build/models/random/alexnet.onnx", "imagenet", "random"),
    "resnet18": Network(ROOT / "build/models/random/resnet18.onnx", "imagenet", "random"),
    "vgg16-random": Network(ROOT / "build/models/random/vgg16.onnx", "imagenet", "random"),
}


def settings(quick: bool) -> list[dict[str, str]]:
    def row(method: str, samples: str = "all", sampling: str = "stratified", granularity: str = "tensor", effort: str = "plain") -> dict[str, str]:
        return {"method": method, "samples": samples, "sampling": sampling, "granularity": granularity, "effort": effort}

    full_data = ["uniform-minmax", "uniform-mse", "k-means", "lloyd-max", "optimal", "nf4"]
    if quick:
        full_data = ["uniform-mse", "k-means", "lloyd-max"]
    rows = [row(method) for method in full_data]
    for method in ("kde-lm", "kde-km"):
        for samples in ["1024"] if quick else SAMPLES:
            for sampling in ("stratified", "random"):
                rows.append(row(method, samples, sampling))
    rows.append(row("kde-lm", "1024", "stratified-blind"))
    for granularity in ("channel-scale", "channel"):
        for method in ["kde-lm"] if quick else ["kde-lm", "kde-km", "lloyd-max", "uniform-mse"]:
            rows.append(row(method, "1024" if method.startswith("kde") else "all", "stratified", granularity))
    rows.append(row("kde-lm", "1024", "stratified", "channel-scale", "default"))
    return rows


# --- Measuring ---


def cut_at_last_pooling(source: Path, target: Path) -> None:
    """The network up to its last MaxPool, whose output becomes the network's, as one row."""
    model = onnx.load(source)
    last = max(i for i, node in enumerate(model.graph.node) if node.op_type == "MaxPool")
    output = "features"
    nodes = [*model.graph.node[: last + 1], onnx.helper.make_node("Flatten", [model.graph.node[last].output[0]], [output])]
    del model.graph.node[:], model.graph.output[:]
    model.graph.node.extend(nodes)
    model.graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None))
    onnx.save(model, target)


def photographs(limit: int) -> list[Path]:
    return sorted((DATA / "images/imagenet-val-500").glob("*.[jJ]*"))[:limit]


def outputs(model: Path, preprocess: str, pictures: list[Path]) -> np.ndarray:
    return np.array([run("logits", model, picture, "--preprocess", preprocess)["logits"] for picture in pictures])


def mean_cosine(network: Network, small: Path, source: Path, limit: int) -> float:
    pictures = photographs(limit)
    before, after = outputs(source, network.preprocess, pictures), outputs(small, network.preprocess, pictures)
    products = (before * after).sum(axis=1) / np.maximum(np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1), 1e-30)
    return float(products.mean())


def images_of(network: Network) -> list[object]:
    if network.scored == "cifar":
        folder = DATA / "images/cifar10-test"
        return ["--images", folder / "images.u8", "--image-shape", "32x32x3", "--labels", folder / "labels.i32"]
    folder = DATA / "images/imagenet-val-500"
    labels = [] if network.scored == "agreement" else ["--labels", folder / "labels.csv", "--label-offset", network.label_offset]
    return ["--images", folder, *labels]


def measure(name: str, setting: dict[str, str], limit: int, folder: Path) -> dict:
    network = NETWORKS[name]
    source = network.path
    if network.scored == "features":
        source = folder / "features.onnx"
        cut_at_last_pooling(network.path, source)
    small = folder / "small.onnx"
    options = [word for key, value in setting.items() for word in (f"--{key}", value)]
    report = run("quantize", source, "-o", small, "--preprocess", network.preprocess, *options)
    layers = [layer for layer in report["layers"] if layer["bits"] < 8 and layer["sqnr_db"] is not None]
    row = {"network": name, **setting, "n": limit, "sqnr_db": sum(layer["sqnr_db"] for layer in layers) / max(1, len(layers))}
    row |= {key: report[key] for key in ("design_ms", "bytes_in", "bytes_out", "weights", "weights_scanned", "weights_sampled")}
    if network.scored in ("features", "random"):
        return row | {"cosine": mean_cosine(network, small, source, min(limit, COSINE_PICTURES))}
    scores = run("eval", small, *images_of(network), "--preprocess", network.preprocess, "--limit", limit, "--reference", network.path)
    return row | {key: scores[key] for key in ("top1", "top5", "agreement", "kl", "loss_ci95")}


def measure_float(name: str, limit: int) -> dict:
    network = NETWORKS[name]
    row = {"network": name, "method": "float", "n": limit, "bytes_out": network.path.stat().st_size}
    if network.scored in ("features", "random"):
        return row
    scores = run("eval", network.path, *images_of(network), "--preprocess", network.preprocess, "--limit", limit)
    return row | {"top1": scores["top1"], "top5": scores["top5"]}


KEYS = ("network", "method", "samples", "sampling", "granularity", "effort", "n")


def read_rows() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def add_row(row: dict) -> None:
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(*(row.get(key, "") for key in KEYS[:-1]), row.get("agreement", row.get("cosine", "")), flush=True)


def run_all(names: list[str], limit: int, quick: bool) -> None:
    done = {tuple(row.get(key) for key in KEYS) for row in read_rows()}
    for name in names:
        if not NETWORKS[name].path.exists():
            print(f"{name}: skipped, there is no {NETWORKS[name].path.name} (scripts/fetch-model)", file=sys.stderr)
            continue
        if (name, "float", None, None, None, None, limit) not in done:
            add_row(measure_float(name, limit))
        for setting in settings(quick):
            if (name, *setting.values(), limit) in done:
                continue
            with tempfile.TemporaryDirectory() as folder:
                add_row(measure(name, setting, limit, Path(folder)))
        draw_filters(name)


# --- Pictures ---


def write_png(path: Path, pixels: np.ndarray) -> None:
    """[height, width, 3] bytes."""
    height, width, _ = pixels.shape
    raw = b"".join(b"\0" + pixels[y].tobytes() for y in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def first_filters(path: Path) -> np.ndarray:
    """The weights of the first convolution, [channels, 3, height, width], as a runtime computes them from the file."""
    model = onnx.load(path)
    convolution = next(node for node in model.graph.node if node.op_type == "Conv")
    wanted, nodes = {convolution.input[1]}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            nodes.insert(0, node)
            wanted |= set(node.input)
    constants = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    direct = [tensor for tensor in constants if tensor.name == convolution.input[1]]
    if direct:
        return numpy_helper.to_array(direct[0])
    output = onnx.helper.make_tensor_value_info(convolution.input[1], onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(nodes, "filters", [], [output], constants)
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return onnxruntime.InferenceSession(alone.SerializeToString()).run(None, {})[0]


def mosaic(filters: np.ndarray, largest: np.ndarray, zoom: int) -> np.ndarray:
    """Filters side by side, zero in middle grey, each channel's `largest` black or white."""
    count, _, height, width = filters.shape
    columns = 16 if count > 32 else 8
    rows = (count + columns - 1) // columns
    picture = np.full((rows * (height * zoom + 2), columns * (width * zoom + 2), 3), 255, np.uint8)
    for i in range(count):
        tile = np.clip(127.5 + 127.5 * filters[i] / max(largest[i], 1e-30), 0, 255).astype(np.uint8)
        tile = np.repeat(np.repeat(tile.transpose(1, 2, 0), zoom, axis=0), zoom, axis=1)
        if tile.shape[2] != 3:
            tile = np.repeat(tile[:, :, :1], 3, axis=2)
        y, x = i // columns * (height * zoom + 2), i % columns * (width * zoom + 2)
        picture[y : y + height * zoom, x : x + width * zoom] = tile
    return picture


def draw_filters(name: str) -> None:
    """Before, after (levels alone, one codebook a layer) and the difference, eight times as strong, one below the other."""
    network = NETWORKS[name]
    FIGURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.onnx"
        run("quantize", network.path, "-o", small, "--preprocess", network.preprocess, "--effort", "plain", "--granularity", "tensor")
        before, after = first_filters(network.path), first_filters(small)
    largest = np.abs(before).reshape(len(before), -1).max(axis=1)
    zoom = max(2, 24 // before.shape[3])
    pictures = [mosaic(part, largest, zoom) for part in (before, after, 8 * (after - before))]
    gap = np.full((8, pictures[0].shape[1], 3), 255, np.uint8)
    write_png(FIGURES / f"filters-{name}.png", np.concatenate([pictures[0], gap, pictures[1], gap, pictures[2]]))


LINE_COLOURS = {"kde-lm stratified": "#0b62a4", "kde-lm random": "#c4500b", "kde-km stratified": "#5a9e2f", "kde-km random": "#8a4bb0"}


def draw_samples(name: str, rows: list[dict]) -> bool:
    """SQNR by sample size, one line a method and sampling, and Lloyd-Max on all weights as a level line."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row["method"].startswith("kde") and row["granularity"] == "tensor" and row["samples"] in SAMPLES and row["sampling"] != "stratified-blind":
            lines.setdefault(f"{row['method']} {row['sampling']}", []).append((np.log2(float(row["samples"])), row["sqnr_db"]))
    best = [row["sqnr_db"] for row in rows if row["method"] == "lloyd-max" and row["granularity"] == "tensor"]
    if not lines or not best or max(len(points) for points in lines.values()) < 2:
        return False
    values = [y for points in lines.values() for _, y in points] + best
    low, high = min(values) - 0.3, max(values) + 0.3

    def x_of(x: float) -> float:
        return 60 + (x - 8) / 6 * 420

    def y_of(y: float) -> float:
        return 250 - (y - low) / (high - low) * 220

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 300" font-family="sans-serif" font-size="12" fill="#222">',
        '<rect width="700" height="300" fill="#fff"/>',
        f'<text x="60" y="18" font-size="14">{name}: mean SQNR by sampled weights a layer</text>',
    ]
    for samples in SAMPLES:
        x = x_of(np.log2(float(samples)))
        parts.append(f'<text x="{x:.1f}" y="272" text-anchor="middle">{samples}</text>')
    step = max(1, round((high - low) / 5))
    for y in range(int(np.ceil(low)), int(high) + 1, step):
        parts.append(f'<line x1="60" x2="480" y1="{y_of(y):.1f}" y2="{y_of(y):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="52" y="{y_of(y) + 4:.1f}" text-anchor="end">{y} dB</text>')
    parts.append(f'<line x1="60" x2="480" y1="{y_of(best[0]):.1f}" y2="{y_of(best[0]):.1f}" stroke="#222" stroke-dasharray="5 4"/>')
    parts.append('<line x1="500" x2="520" y1="40" y2="40" stroke="#222" stroke-dasharray="5 4"/><text x="526" y="44">Lloyd-Max, all weights</text>')
    for i, (label, points) in enumerate(sorted(lines.items())):
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{LINE_COLOURS[label]}" stroke-width="2"/>')
        parts.append(f'<line x1="500" x2="520" y1="{60 + 20 * i}" y2="{60 + 20 * i}" stroke="{LINE_COLOURS[label]}" stroke-width="2"/>')
        parts.append(f'<text x="526" y="{64 + 20 * i}">{label}</text>')
    FIGURES.mkdir(parents=True, exist_ok=True)
    (FIGURES / f"samples-{name}.svg").write_text("\n".join([*parts, "</svg>"]) + "\n")
    return True


# --- The report ---


def number(row: dict, key: str, form: str) -> str:
    return "" if row.get(key) is None else format(row[key], form)


def report() -> None:
    rows = read_rows()
    lines = [
        "# The experiment",
        "",
        "What Seo and Kim (2019) compare, on the networks that were to be had: levels alone, without calibration or compensation (effort",
        "`plain`, activations in one byte with ranges of each image), and our default in the last row. Made by",
        "",
        "    KDEQUANT_DATA=... python3 bench/experiment.py run && python3 bench/experiment.py report",
        "",
        "Rows that are missing beside another network's have not been measured. Design times are left out where other programs had most",
        "of the machine (`design_ms_busy` in the raw figures).",
        "",
        "(raw figures: [bench/results/experiment.jsonl](../bench/results/experiment.jsonl)). *Samples*: weights a layer that the density is estimated",
        "from; *design*: time for all layers; *agreement*: images on which the first answer is the float network's.",
    ]
    order = {tuple(setting.values()): i for i, setting in enumerate(settings(quick=False))}
    for name, count in dict.fromkeys((row["network"], row["n"]) for row in rows):
        own = [row for row in rows if (row["network"], row["n"]) == (name, count)]
        own.sort(key=lambda row: order.get(tuple(row.get(key) for key in KEYS[1:-1]), -1))  # float first
        network = NETWORKS[name]
        images = min(count, COSINE_PICTURES) if network.scored in ("features", "random") else count
        lines += ["", f"## {name}, {images:,} images", ""]
        if network.scored == "random":
            lines += ["Random weights: SQNR and the cosine of the outputs only, **no accuracy meaning**.", ""]
        if network.scored == "features":
            lines += ["Real convolution weights under a foreign head: SQNR, and the cosine of the last pooling's features.", ""]
        lines += [
            "| method | samples | sampling | granularity | top-1 | top-5 | agreement | KL | cosine | SQNR | design | bytes |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for row in own:
            method = row["method"] + (f", effort {row['effort']}" if row.get("effort", "plain") != "plain" else "")
            cells = [method, row.get("samples", ""), row.get("sampling", "") if row["method"].startswith("kde") else "", row.get("granularity", "")]
            cells += [number(row, key, form) for key, form in (("top1", ".1f"), ("top5", ".1f"), ("agreement", ".1f"), ("kl", ".3f"), ("cosine", ".4f"))]
            cells += [number(row, "sqnr_db", ".2f"), number(row, "design_ms", ",.0f") + (" ms" if "design_ms" in row else ""), f"{row['bytes_out']:,}"]
            lines.append("| " + " | ".join(cells) + " |")
        # More images of a network that is there already: what its weights look like has been shown.
        if own[0] is not next(row for row in rows if row["network"] == name):
            continue
        if draw_samples(name, own[1:]):
            lines += ["", f"![SQNR by sample size](experiment/samples-{name}.svg)"]
        if (FIGURES / f"filters-{name}.png").exists():
            lines += ["", f"First-layer filters before, after, and the difference eight times as strong:\n\n![filters](experiment/filters-{name}.png)"]
    REPORT.write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "report"])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS), metavar="NAME")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "report":
        report()
        return 0
    if subprocess.run([KDEQUANT, "--help"], capture_output=True, check=False).returncode != 0:
        raise SystemExit(f"{KDEQUANT} does not run; build it first (cmake --build --preset native)")
    run_all(arguments.networks, arguments.limit, arguments.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
