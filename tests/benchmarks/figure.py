"""The figure for the README: every reader's time in every workload, relative to the best peer's."""

from __future__ import annotations

import textwrap
from pathlib import Path

from .report import conclusion, describe, summary

# Okabe and Ito's palette, told apart with any colour vision; the shapes say the same a second time.
STYLES = {
    "ours": ("#D55E00", "o", 46),
    "zarr": ("#777777", "s", 20),
    "fused": ("#CC79A7", "^", 24),
    "zarrs": ("#009E73", "D", 18),
    "tensorstore": ("#0072B2", "v", 26),
    "floor": ("#000000", "|", 60),
}
LABELS = {"ours": "tutorial_zarr", "floor": "floor: the same calls, no format"}


def draw(result: dict, path: Path) -> None:
    """Draw a mark for each reader and workload on a logarithmic axis, and write the figure."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "benchmarks"  # the same figure is the same file
    import matplotlib.pyplot as plt

    lines: list[tuple[str, dict | None]] = []
    for case in result["cases"].values():
        if summary(case)["best"] is not None:
            if (case["group"], None) not in lines:
                lines.append((case["group"], None))
            lines.append((case["label"], case))
    figure, axes = plt.subplots(figsize=(8.5, 1 + 0.2 * len(lines)))
    beside = axes.get_yaxis_transform()
    seen = set()
    for y, (text, case) in enumerate(lines):
        weight = "bold" if case is None else "normal"
        axes.text(-0.01, y, text, transform=beside, ha="right", va="center", fontsize=8, fontweight=weight)
        if case is None:
            continue
        axes.axhline(y, color="#EEEEEE", lw=0.8, zorder=0)
        s = summary(case)
        best = s["peers"][s["best"]]
        for name, seconds in {**s["peers"], "floor": s["floor"], "ours": s["ours"]}.items():
            if seconds is not None:
                colour, marker, area = STYLES.get(name, STYLES["zarr"])
                axes.scatter(seconds / best, y, c=colour, marker=marker, s=area, zorder=4 if name == "ours" else 3)
                seen.add(name)
        if s["ratio"] is not None:
            weight = "normal" if s["ratio"] <= 1 else "bold"
            axes.text(1.01, y, f"{s['ratio']:.2f}", transform=beside, va="center", fontsize=8, fontweight=weight)
    axes.text(1.01, -1, "ours / best", transform=beside, va="center", fontsize=8)
    axes.axvline(1, color="#777777", lw=0.8, zorder=1)
    axes.set(xscale="log", ylim=(len(lines) - 0.5, -0.5), yticks=[])
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g} x")
    axes.tick_params(labelsize=8)
    axes.set_xlabel("time relative to the best peer (logarithmic; further left is faster)", fontsize=8)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    # The names stand above the plot, each in its own colour beside its own mark.
    x = -0.25
    for name in (n for n in STYLES if n in seen):
        colour, marker, area = STYLES[name]
        label = LABELS.get(name) or result["readers"][name]["label"]
        y = 1 + 0.5 / len(lines) + 0.25 / (1 + 0.2 * len(lines))
        axes.scatter(x, y, c=colour, marker=marker, s=area, transform=axes.transAxes, clip_on=False)
        axes.text(x + 0.015, y, label, color=colour, transform=axes.transAxes, va="center", fontsize=8)
        x += 0.05 + 0.0125 * len(label)
    about = textwrap.fill(describe(result), 130)
    axes.annotate(about, (-0.33, 0), (0, -34), "axes fraction", textcoords="offset points", va="top", fontsize=6.5)
    metadata = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, bbox_inches="tight", dpi=160, metadata=metadata)
    plt.close(figure)
    print(f"\nAlternative text for the figure: times of {len(lines)} workloads as marks. {conclusion(result)}")
