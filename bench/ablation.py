"""One idea a row: what each part of the method is worth, and what did not pay, on one network.

    KDEQUANT_DATA=... python3 bench/ablation.py run [--network NAME] [--limit N] [--rows TEXT...]   # adds rows to bench/results/ablation.jsonl
    python3 bench/ablation.py table                                                                # prints them as Markdown

Every row is `kdequant quantize` with other options, or a data-free comparator of bench/data_free.py, scored on the first N of the
500 images against the float network by agreement and mean KL divergence. Rows that are there are not measured again. Needs the
Python packages onnx and numpy (tools/requirements.txt).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from accuracy import ROOT, networks, run
from data_free import METHODS, quantize

RESULTS = ROOT / "bench/results/ablation.jsonl"

BARE = ["--fits", "0", "--sweeps", "0", "--widen", "0"]
FULL = ["--fits", "3", "--sweeps", "4", "--widen", "2"]

# name, options of `kdequant quantize`
ROWS: list[tuple[str, list[str]]] = [
    ("bare: KDE-LM, channel scales, compensation, 64 drawn pictures", [*BARE]),
    ("bare + 4 sweeps of single moves", [*BARE, "--sweeps", "4"]),
    ("bare + 3 fits of scales and levels", [*BARE, "--fits", "3"]),
    ("bare + 3 fits + 4 sweeps", [*BARE, "--fits", "3", "--sweeps", "4"]),
    ("bare + smallest layers in 8 bits, 2 % of the bytes", [*BARE, "--widen", "2"]),
    ("full: bare + fits + sweeps + 8 bits", [*FULL]),
    ("full, another seed", [*FULL, "--seed", "2"]),
    ("full, 256 drawn pictures (effort best)", [*FULL, "--calibration", "synthetic:256"]),
    ("full, 16 drawn pictures", [*FULL, "--calibration", "synthetic:16"]),
    ("full, 200 photographs", [*FULL, "--calibration", "PHOTOGRAPHS"]),
    ("full, a codebook per channel", [*FULL, "--granularity", "channel"]),
    ("full, one codebook a layer without scales", [*FULL, "--granularity", "tensor"]),
    ("full, levels: NF4", [*FULL, "--fits", "0", "--method", "nf4"]),
    ("full, levels: NF4, then fitted", [*FULL, "--method", "nf4"]),
    ("full, levels: equally spaced, least error", [*FULL, "--fits", "0", "--method", "uniform-mse"]),
    ("full, levels: Lloyd-Max on all weights", [*FULL, "--method", "lloyd-max"]),
    ("full, bandwidth: Silverman's, not halved", [*FULL, "--bandwidth-factor", "1"]),
    ("full, bandwidth: improved Sheather-Jones", [*FULL, "--bandwidth", "isj", "--bandwidth-factor", "1"]),
    ("full, 8 fits, 16 sweeps", [*FULL, "--fits", "8", "--sweeps", "16"]),
    ("full, dynamic ranges", [*FULL, "--activations", "dynamic"]),
    ("no compensation: ranges and bias alone (effort fast)", ["--effort", "fast"]),
    ("nothing but levels (effort plain)", ["--effort", "plain"]),
]


def measure(network_name: str, name: str, options: list[str], limit: int) -> dict:
    network = networks()[network_name]
    data = Path(os.environ["KDEQUANT_DATA"])
    images = data / "images/imagenet-val-500"
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.onnx"
        row: dict = {"network": network_name, "name": name, "n": limit, "options": " ".join(options)}
        precision = "w4a8"
        if name.startswith("comparator: "):
            quantize(name.split()[1], str(network.path), str(small))
            precision = "f32"
        else:
            words = [data / "images/imagenet-calibration-200" if word == "PHOTOGRAPHS" else word for word in options]
            report = run("quantize", network.path, "-o", small, "--preprocess", network.preprocess, *words)
            row |= {"ratio": report["bytes_out"] / report["bytes_in"], "seconds": report["seconds"]}
        scores = run(
            *("eval", small, "--images", images, "--labels", images / "labels.csv", "--preprocess", network.preprocess),
            *("--limit", limit, "--precision", precision, "--reference", network.path),
        )
    return row | {key: scores[key] for key in ("n", "top1", "agreement", "kl", "loss_ci95")}


def read_rows() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run_all(network: str, limit: int, wanted: list[str]) -> None:
    done = {(row["network"], row["name"], row["n"]) for row in read_rows()}
    rows = [*ROWS, *[(f"comparator: {method} (weights alone, f32)", []) for method in METHODS]]
    for name, options in rows:
        if (network, name, limit) in done or (wanted and not any(text in name for text in wanted)):
            continue
        row = measure(network, name, options, limit)
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{name}: agreement {row['agreement']:.1f}, KL {row['kl']:.4f}", flush=True)


def print_table() -> None:
    rows = read_rows()
    for network in dict.fromkeys(row["network"] for row in rows):
        print(f"\n### {network}\n\n| | images | agreement | KL | top-1 | of float | seconds |\n|---|---|---|---|---|---|---|")
        for row in (row for row in rows if row["network"] == network):
            ratio = f"{row['ratio']:.4f}" if "ratio" in row else ""
            seconds = f"{row['seconds']:.0f}" if "seconds" in row else ""
            print(f"| {row['name']} | {row['n']} | {row['agreement']:.1f} | {row['kl']:.4f} | {row['top1']:.1f} | {ratio} | {seconds} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "table"])
    parser.add_argument("--network", default="efficientnet-lite0", choices=list(networks()))
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--rows", nargs="*", default=[], help="only rows whose name contains one of these")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run_all(arguments.network, arguments.limit, arguments.rows)
    else:
        print_table()
    return 0


if __name__ == "__main__":
    sys.exit(main())
