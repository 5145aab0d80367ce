#!/usr/bin/env python3
"""Writes tests/unit/support/density_golden.h: what other people's software says of one small set of values.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy statsmodels scikit-learn KDEpy
    /tmp/venv/bin/python tests/golden/density_golden.py
"""

import importlib.metadata
import pathlib

import numpy as np
from KDEpy.bw_selection import improved_sheather_jones
from scipy.stats import gaussian_kde
from sklearn.cluster import KMeans
from statsmodels.nonparametric.bandwidths import bw_silverman

TARGET = pathlib.Path(__file__).parent.parent / "unit" / "support" / "density_golden.h"
EXPLICIT_BANDWIDTH = 0.2
POINTS = np.array([-2.5, -1.0, -0.5, -0.1, 0.0, 0.3, 0.75, 1.5, 2.25, 3.0])


def kde(values, weights, bandwidth, points):
    """scipy's estimate at a bandwidth in the units of the values (it wants a multiple of the deviation)."""
    deviation = np.sqrt(gaussian_kde(values, weights=weights).covariance[0, 0]) / gaussian_kde(values, weights=weights).factor
    return gaussian_kde(values, bw_method=bandwidth / deviation, weights=weights)(points)


def array(name, values, kind="double"):
    lines, line = [], "   "
    for value in values:
        item = f" {value:.17g}," if kind == "double" else f" {value},"
        if len(line) + len(item) > 118:
            lines.append(line)
            line = "   "
        line += item
    lines.append(line)
    return f"inline constexpr {kind} {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def main():
    random = np.random.default_rng(20190612)
    values = np.concatenate([random.normal(0, 0.5, 150), random.normal(1.5, 0.3, 50)])
    values = np.sort(np.round(values, 4).astype(np.float32).astype(np.float64))
    weights = random.integers(1, 9, values.size).astype(np.float64)
    narrow = values[(values > -0.4) & (values < 0.4)]  # flat: its deviation is smaller than its quartiles say

    means = KMeans(n_clusters=8, n_init=200, tol=0, max_iter=1000, random_state=1).fit(values[:, None])
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("scipy", "statsmodels", "KDEpy", "scikit-learn"))
    TARGET.write_text(
        f"""// Written by tests/golden/density_golden.py ({versions}).
#ifndef KDEQUANT_TESTS_SUPPORT_DENSITY_GOLDEN_H_
#define KDEQUANT_TESTS_SUPPORT_DENSITY_GOLDEN_H_

namespace kdequant::golden {{

"""
        + "// 200 values, ascending, and importance weights for them.\n"
        + array("kValues", values)
        + array("kWeights", weights)
        + f"\n// scipy.stats.gaussian_kde with the bandwidth {EXPLICIT_BANDWIDTH}, unweighted and weighted.\n"
        + f"inline constexpr double kBandwidth = {EXPLICIT_BANDWIDTH};\n"
        + array("kPoints", POINTS)
        + array("kDensity", kde(values, None, EXPLICIT_BANDWIDTH, POINTS))
        + array("kWeightedDensity", kde(values, weights, EXPLICIT_BANDWIDTH, POINTS))
        + "\n// statsmodels' bw_silverman of all values, and of those in (-0.4, 0.4), where the deviation is the smaller measure.\n"
        + f"inline constexpr double kSilverman = {bw_silverman(values):.17g};\n"
        + f"inline constexpr double kSilvermanNarrow = {bw_silverman(narrow):.17g};\n"
        + "\n// KDEpy's improved_sheather_jones.\n"
        + f"inline constexpr double kSheatherJones = {improved_sheather_jones(values[:, None]):.17g};\n"
        + "\n// scikit-learn's KMeans with 8 clusters, the best of 200 starts: centres, and squared error together.\n"
        + array("kCentres", np.sort(means.cluster_centers_[:, 0]))
        + f"inline constexpr double kInertia = {means.inertia_:.17g};\n"
        + "\n}  // namespace kdequant::golden\n\n#endif  // KDEQUANT_TESTS_SUPPORT_DENSITY_GOLDEN_H_\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
