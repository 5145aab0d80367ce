"""Measures what quantizing costs in accuracy, on the same images for every row, and writes the tables of docs/results.md.

    KDEQUANT_DATA=... python3 bench/accuracy.py run [--networks NAME...] [--limit N]    # adds rows to bench/results/accuracy.jsonl
    python3 bench/accuracy.py table                                                     # prints them as Markdown

A row is one way to quantize one network: float and 4-bit top-1 and top-5, agreement with the float network (same top-1), mean KL
divergence to its softmax, the 95 % interval of the paired loss, bytes, seconds, weights scanned and sampled. Rows that are there
are not measured again; delete the file to start over.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KDEQUANT = Path(os.environ.get("KDEQUANT", ROOT / "build/bin/kdequant"))
RESULTS = ROOT / "bench/results/accuracy.jsonl"

METHODS = ["kde-lm", "kde-km", "lloyd-max", "k-means", "optimal", "uniform-mse", "uniform-minmax", "nf4"]
GRANULARITIES = ["tensor", "channel-scale", "channel"]


@dataclass(frozen=True)
class Network:
    path: Path
    preprocess: str
    full: bool  # every method and granularity, or the main ones


def networks() -> dict[str, Network]:
    data = Path(os.environ.get("KDEQUANT_DATA", "."))
    return {
        "efficientnet-lite0": Network(ROOT / "build/assets/efficientnet-lite0.onnx", "tf,resize=0", True),
        "squeezenet1.1": Network(data / "models/squeezenet1.1.onnx", "imagenet,resize=0", True),
        "resnet50": Network(ROOT / "build/models/resnet50.onnx", "caffe,resize=0", False),
    }


def settings(network: Network) -> list[dict[str, str]]:
    def row(method: str, granularity: str, effort: str, calibration: str = "synthetic") -> dict[str, str]:
        return {"method": method, "granularity": granularity, "effort": effort, "calibration": calibration}

    efforts = [
        *[row("kde-lm", "channel-scale", effort) for effort in ("default", "best", "fast", "plain")],
        row("kde-lm", "channel-scale", "best", "photographs"),
    ]
    if not network.full:
        return [
            *efforts,
            row("lloyd-max", "channel-scale", "default"),
            row("kde-km", "channel-scale", "fast"),
            row("uniform-mse", "channel-scale", "fast"),
            row("kde-lm", "tensor", "fast"),
        ]
    return [
        *efforts,
        row("kde-lm", "channel", "default"),
        *[row(method, "channel-scale", "default") for method in METHODS if method != "kde-lm"],
        *[row(method, "tensor", "fast") for method in METHODS],
    ]


def run(*arguments: object) -> dict:
    result = subprocess.run([KDEQUANT, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"kdequant {' '.join(map(str, arguments))}\n{result.stderr}")
    return json.loads(result.stdout)


def measure(name: str, network: Network, setting: dict[str, str], limit: int) -> dict:
    data = Path(os.environ["KDEQUANT_DATA"])
    images = data / "images/imagenet-val-500"
    evaluate = ["--images", images, "--labels", images / "labels.csv", "--preprocess", network.preprocess, "--limit", limit]
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.onnx"
        options = [word for key, value in setting.items() if key != "calibration" for word in (f"--{key}", value)]
        if setting["calibration"] == "photographs":
            options += ["--calibration", data / "images/imagenet-calibration-200"]
        report = run("quantize", network.path, "-o", small, "--preprocess", network.preprocess, *options)
        scores = run("eval", small, *evaluate, "--reference", network.path)
    four_bit = [layer for layer in report["layers"] if layer["bits"] == 4 and layer["sqnr_db"] is not None]
    return {
        "network": name,
        **setting,
        "n": scores["n"],
        "top1": scores["top1"],
        "top5": scores["top5"],
        "agreement": scores["agreement"],
        "kl": scores["kl"],
        "loss_ci95": scores["loss_ci95"],
        "ms_per_image": scores["ms_per_image"],
        "mean_sqnr_db": sum(layer["sqnr_db"] for layer in four_bit) / len(four_bit),
        "bytes_in": report["bytes_in"],
        "bytes_out": report["bytes_out"],
        "seconds": report["seconds"],
        "weights_scanned": report["weights_scanned"],
        "weights_sampled": report["weights_sampled"],
        "machine": platform.processor() or platform.machine(),
    }


def measure_float(name: str, network: Network, limit: int) -> dict:
    images = Path(os.environ["KDEQUANT_DATA"]) / "images/imagenet-val-500"
    scores = run(
        "eval", network.path, "--images", images, "--labels", images / "labels.csv", "--preprocess", network.preprocess, "--limit", limit
    )
    size = network.path.stat().st_size
    return {
        "network": name,
        "method": "float",
        "n": scores["n"],
        "top1": scores["top1"],
        "top5": scores["top5"],
        "ms_per_image": scores["ms_per_image"],
        "bytes_in": size,
        "bytes_out": size,
    }


KEYS = ("network", "method", "granularity", "effort", "calibration", "n")


def read_rows() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run_all(names: list[str], limit: int) -> None:
    done = {tuple(row.get(key) for key in KEYS) for row in read_rows()}

    def add(row: dict) -> None:
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row["network"], row["method"], row.get("granularity", ""), row.get("effort", ""), row["top1"], row.get("agreement"), flush=True)

    for name, network in networks().items():
        if name not in names:
            continue
        if (name, "float", None, None, None, limit) not in done:
            add(measure_float(name, network, limit))
        for setting in settings(network):
            if (name, *setting.values(), limit) not in done:
                add(measure(name, network, setting, limit))


def print_table() -> None:
    rows = read_rows()
    for name in dict.fromkeys(row["network"] for row in rows):
        chosen = [row for row in rows if row["network"] == name]
        print(f"\n### {name}, {chosen[0]['n']} images\n")
        print("| method | granularity | effort | top-1 | top-5 | loss, 95 % interval | agreement | KL | mean SQNR | bytes | of float | seconds |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|")
        for row in chosen:
            if row["method"] == "float":
                print(f"| float | | | {row['top1']:.1f} | {row['top5']:.1f} | | | | | {row['bytes_out']:,} | | |")
                continue
            low, high = row["loss_ci95"]
            effort = row["effort"] + (", 200 photographs" if row["calibration"] == "photographs" else "")
            print(
                f"| {row['method']} | {row['granularity']} | {effort} | {row['top1']:.1f} | {row['top5']:.1f} | {low:.1f} to {high:.1f} "
                f"| {row['agreement']:.1f} | {row['kl']:.3f} | {row['mean_sqnr_db']:.1f} dB | {row['bytes_out']:,} "
                f"| {row['bytes_out'] / row['bytes_in']:.4f} | {row['seconds']:.2f} |"
            )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--networks", nargs="*", default=list(networks()))
    parser.add_argument("--limit", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.what == "run":
        run_all(arguments.networks, arguments.limit)
    else:
        print_table()
    return 0


if __name__ == "__main__":
    sys.exit(main())
