"""What a run found, as a table on the terminal, as Markdown, as JSON; the figure is in `figure.py`."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean, quantiles

from .floor import cores


def machine(folder: Path, scratch: Path) -> dict:
    """What the figures depend on, and nothing that names a person or a place."""
    cpu, memory = platform.processor(), 0
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
        memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20
    versions = {}
    for name in ("numpy", "numcodecs", "zarr", "zarrs", "tensorstore"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "cpu": cpu,
        "cores": cores(),
        "memory_gib": memory,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "read_from": file_system(folder),
        "written_to": file_system(scratch),
        "python": platform.python_version(),
        "versions": versions,
        "load": round(os.getloadavg()[0], 2),
    }


def file_system(folder: Path) -> str:
    """The type of file system that holds a folder, where the system tells."""
    best = ("", "unknown")
    if Path("/proc/mounts").exists():
        for line in Path("/proc/mounts").read_text().splitlines():
            _, point, kind, *_ = line.split()
            if folder.resolve().is_relative_to(point) and len(point) > len(best[0]):
                best = (point, kind)
    return best[1]


def describe(result: dict) -> str:
    """The machine and the versions, in one line."""
    m = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in m["versions"].items() if number)
    return (
        f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; "
        f"reads from {m['read_from']} with a {'cold' if result['cold'] else 'warm'} page cache, "
        f"writes to {m['written_to']}; Python {m['python']}, {versions}. Size: {result['size']}."
    )


def summary(case: dict, figure: str = "median") -> dict:
    """The figures of one row, and the ratios between them; None where something was not measured.

    Instead of medians it can take the "fastest" round, or "cpu": the mean of all threads' processor seconds.
    """
    medians = {name: r.get(figure) for name, r in case["readers"].items()}
    ours, floor, copy = (medians.pop(name, None) for name in ("ours", "floor", "copy"))
    peers = {name: seconds for name, seconds in medians.items() if seconds is not None}
    best = min(peers, key=peers.__getitem__) if peers else None
    return {
        "ours": ours,
        "peers": peers,
        "best": best,
        "ratio": ours / peers[best] if ours and best else None,
        "floor": floor,
        "to_floor": ours / floor if ours and floor else None,
        "copy": copy,
    }


def ms(seconds: float | None) -> str:
    """Milliseconds with three digits, or a dash."""
    if seconds is None:
        return "-"
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def one_line(case: dict) -> str:
    """A row as soon as it is done: every reader's median, and half the distance between its quartiles."""
    parts = []
    for name, r in case["readers"].items():
        if "median" in r:
            low, _, high = quantiles(r["seconds"], n=4) if len(r["seconds"]) > 1 else [r["median"]] * 3
            parts.append(f"{name} {ms(r['median'])} (±{50 * (high - low) / r['median']:.0f} %)")
        elif "WRONG" in r["absent"]:
            parts.append(f"{name} WRONG")
    return f"{ratio(summary(case)['ratio'])}: {', '.join(parts)}"


def rows(result: dict) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of the table, in milliseconds."""
    readers = [name for name in result["readers"] if name not in ("ours", "floor", "copy")]
    header = ["workload", "ours", *readers, "best peer", "ours / best", "floor", "ours / floor", "copy"]
    body, group = [], None
    for case in result["cases"].values():
        if case["group"] != group:
            group = case["group"]
            body.append([f"**{group}**"] + [""] * (len(header) - 1))
        s = summary(case)
        peers = [ms(s["peers"].get(name)) for name in readers]
        against = [s["best"] or "-", ratio(s["ratio"]), ms(s["floor"]), ratio(s["to_floor"]), ms(s["copy"])]
        body.append([case["label"], ms(s["ours"]), *peers, *against])
    return header, body


def conclusion(result: dict) -> str:
    """The geometric mean and the worst of the ratios to the best peer; the mean of those to the floor."""
    rated = [(case, s) for case in result["cases"].values() if (s := summary(case))["ratio"] is not None]
    if not rated:
        return "This library was not measured beside a peer."
    worst, s = max(rated, key=lambda pair: pair[1]["ratio"])
    ahead = sum(s["ratio"] <= 1 for _, s in rated)
    mean = geometric_mean([s["ratio"] for _, s in rated])
    text = f"Ours / best peer: geometric mean {mean:.2f}, at most 1 in {ahead} of {len(rated)}"
    for figure, what in (("fastest", "fastest round"), ("cpu", "processor time")):
        ratios = [r for case, _ in rated if (r := summary(case, figure)["ratio"])]
        text += f" (by {what}: {geometric_mean(ratios):.2f})" if ratios else ""
    text += f", worst {s['ratio']:.2f} ({worst['group']}: {worst['label']})."
    to_floor = [s["to_floor"] for _, s in rated if s["to_floor"]]
    if to_floor:
        text += f" Ours / floor: geometric mean {geometric_mean(to_floor):.2f}."
    for name, reader in result["readers"].items():
        slower = [s["peers"][name] / s["ours"] for _, s in rated if name in s["peers"]]
        if slower:
            text += f" {reader['label']} takes {geometric_mean(slower):.2f} times our time."
    return text


def absences(result: dict) -> list[str]:
    """Who is missing where, and why."""
    lines = [f"{r['label']}: {r['version']}" for r in result["readers"].values() if not r["available"]]
    for case in result["cases"].values():
        for name, r in case["readers"].items():
            reader = result["readers"][name]
            if "absent" in r and reader["available"] and name != "copy":
                lines.append(f"{case['group']}, {case['label']}: {reader['label']}: {r['absent']}")
    return lines


def unlike_sizes(result: dict) -> list[str]:
    """Writers whose files differ in size from the median writer's by more than two per cent."""
    lines = []
    for case in result["cases"].values():
        sizes = {name: r["bytes_written"] for name, r in case["readers"].items() if r.get("bytes_written")}
        middle = sorted(sizes.values())[len(sizes) // 2] if sizes else 0
        for name, size in sizes.items():
            if abs(size - middle) > 0.02 * middle:
                label = result["readers"][name]["label"]
                lines.append(f"{case['group']}, {case['label']}: {label} wrote {size / middle:.2f} times the bytes")
    return lines


def growth_rows(growth: list[dict]) -> tuple[list[str], list[list[str]]]:
    """Times at the three scales (x16 / x4 is 4 where they are linear), and memory beside the data's size."""
    header = ["what grows", "reader", "x1", "x4", "x16", "x16 / x4", "us a chunk", "peak, MiB", "peak / data"]
    body = []
    for g in growth:
        if "absent" in g:
            body.append([g["what"], g["reader"], *["-"] * 7])
            continue
        seconds, peak, data = g["seconds"], g["peak_bytes"][2], g["result_bytes"][2]
        per_chunk = "-" if g["seconds_per_chunk"] is None else f"{g['seconds_per_chunk'] * 1e6:.3g}"
        memory = ["-", "-"] if peak is None else [f"{peak / 2**20:.1f}", ratio(peak / data)]
        body.append([g["what"], g["reader"], *map(ms, seconds), ratio(seconds[2] / seconds[1]), per_chunk, *memory])
    return header, body


def text_table(header: list[str], body: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [header, *body]) for i in range(len(header))]
    lines = []
    for row in [header, *body]:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].strip("*").ljust(widths[0]), *numbers]).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown_table(header: list[str], body: list[list[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(result: dict, options: argparse.Namespace) -> None:
    """Print the tables, and write the files that were asked for."""
    tables = [rows(result)]
    if result.get("growth"):
        tables.append(growth_rows(result["growth"]))
    head = f"Medians in milliseconds. {describe(result)}"
    notes = [*unlike_sizes(result), *absences(result)]
    print("", head, *(text_table(*table) for table in tables), conclusion(result), sep="\n\n", end="\n\n")
    print("\n".join(notes))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.markdown:
        parts = [head, *(markdown_table(*table) for table in tables), conclusion(result)]
        parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
        options.markdown.write_text("\n\n".join(parts) + "\n")
    if options.figure:
        from .figure import draw

        draw(result, options.figure)
