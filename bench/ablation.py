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

import onnx
from accuracy import ROOT, networks, run
from data_free import METHODS, quantize
from equalise import equalise

RESULTS = ROOT / "bench/results/ablation.jsonl"

Options = dict[str, str]  # of `kdequant quantize`, without their dashes

BARE: Options = {"codebooks": "1", "fits": "0", "sweeps": "0", "widen": "0"}
FULL: Options = {"fits": "1", "sweeps": "0"}

ROWS: list[tuple[str, Options]] = [
    ("bare: KDE-LM, one codebook a layer, channel scales, compensation, 64 drawn pictures", BARE),
    ("bare + up to 4 codebooks a layer", BARE | {"codebooks": "4"}),
    ("bare + up to 16 codebooks a layer", BARE | {"codebooks": "16"}),
    ("bare + 1 fit of scales and levels", BARE | {"fits": "1"}),
    ("bare + 3 fits", BARE | {"fits": "3"}),
    ("bare + 4 sweeps of single weights", BARE | {"sweeps": "4"}),
    ("bare + smallest layers in 8 bits, 2 % of the bytes", BARE | {"widen": "2"}),
    ("bare + smallest layers in 8 bits, 6 % of the bytes", BARE | {"widen": "6"}),
    ("full: bare + up to 16 codebooks + 1 fit + 8 bits (effort default)", FULL),
    ("full, one codebook a layer", FULL | {"codebooks": "1"}),
    ("full, up to 4 codebooks a layer", FULL | {"codebooks": "4"}),
    ("full, smallest layers in 8 bits: 2 % of the bytes", FULL | {"widen": "2"}),
    ("full, another seed", FULL | {"seed": "2"}),
    ("full, a third seed", FULL | {"seed": "3"}),
    ("full, 3 fits, 4 sweeps", FULL | {"fits": "3", "sweeps": "4"}),
    ("full, 8 fits, 16 sweeps", FULL | {"fits": "8", "sweeps": "16"}),
    ("full, 16 drawn pictures", FULL | {"calibration": "synthetic:16"}),
    ("full, 256 drawn pictures", FULL | {"calibration": "synthetic:256"}),
    ("full, 200 photographs", FULL | {"calibration": "PHOTOGRAPHS"}),
    ("full, dynamic ranges", FULL | {"activations": "dynamic"}),
    ("full, activations in float", FULL | {"activations": "float"}),
    ("full, first layer in float", FULL | {"exclude": "FIRST"}),
    ("full, last layer in float", FULL | {"exclude": "LAST"}),
    ("full, a codebook per channel", FULL | {"granularity": "channel"}),
    ("full, one codebook a layer without scales", FULL | {"granularity": "tensor"}),
    ("full, bandwidth: Silverman's, not halved", FULL | {"bandwidth-factor": "1"}),
    ("full, bandwidth: improved Sheather-Jones, layer by layer", FULL | {"bandwidth": "isj", "bandwidth-factor": "1"}),
    ("full, levels: Lloyd-Max on all weights", FULL | {"method": "lloyd-max"}),
    ("full, levels: equally spaced, least error, not fitted", FULL | {"fits": "0", "method": "uniform-mse"}),
    ("full, levels: NF4, not fitted", FULL | {"fits": "0", "method": "nf4"}),
    ("full, levels: NF4, then fitted", FULL | {"method": "nf4"}),
    ("full, weights equalised across layers before", FULL | {"equalise": ""}),
    ("no compensation: ranges and bias alone (effort fast)", {"effort": "fast"}),
    ("nothing but levels (effort plain)", {"effort": "plain"}),
]


def layers_of(path: Path) -> list[str]:
    model = onnx.load(path, load_external_data=False)
    constants = {tensor.name for tensor in model.graph.initializer}
    return [node.name or node.output[0] for node in model.graph.node if node.op_type in ("Conv", "Gemm") and node.input[1] in constants]


def measure(network_name: str, name: str, options: Options, limit: int) -> dict:
    network = networks()[network_name]
    data = Path(os.environ["KDEQUANT_DATA"])
    images = data / "images/imagenet-val-500"
    words = {"PHOTOGRAPHS": data / "images/imagenet-calibration-200", "FIRST": layers_of(network.path)[0], "LAST": layers_of(network.path)[-1]}
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.onnx"
        row: dict = {"network": network_name, "name": name, "n": limit, "options": " ".join(f"--{k} {v}" for k, v in options.items())}
        precision = "w4a8"
        if name.startswith("comparator: "):
            quantize(name.split()[1], str(network.path), str(small))
            precision = "f32"
        else:
            source = network.path
            if "equalise" in options:
                source = Path(folder) / "equalised.onnx"
                equalise(str(network.path), str(source))
            given = [word for key, value in options.items() if key != "equalise" for word in (f"--{key}", words.get(value, value))]
            report = run("quantize", source, "-o", small, "--preprocess", network.preprocess, *given)
            row |= {"ratio": report["bytes_out"] / report["bytes_in"], "seconds": report["seconds"]}
            if options.get("activations") == "float":
                precision = "f32"
        scores = run(
            *("eval", small, "--images", images, "--labels", images / "labels.csv", "--preprocess", network.preprocess),
            *("--limit", limit, "--precision", precision, "--reference", network.path),
        )
    return row | {key: scores[key] for key in ("n", "top1", "agreement", "kl", "loss_ci95")}


def read_rows() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run_all(network: str, limit: int, wanted: list[str]) -> None:
    done = {(row["network"], row["name"], row["n"]) for row in read_rows()}
    rows = [*ROWS, *[(f"comparator: {method} (weights alone, activations in float)", {}) for method in METHODS]]
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
