"""Pictures of a shootout, with matplotlib: ratio against speed, one thread against several, stages, errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tutorial_zarr.viz import Chart, canvas
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

from .advice import pareto
from .lossy import family as lossy_family
from .measure import Result
from .shootout import Shootout

FAMILIES = ("blosc", "zstd", "gzip", "lz4", "pcodec")  # each with a colour and a mark; the others share one
COLOURS, MARKS = (BLUE, GREEN, ORANGE, PURPLE, VERMILION, GREY), "osD^Pv"


def _family(result: Result) -> str:
    names = [entry["name"].removeprefix("numcodecs.") for entry in result.chain.codecs]
    return next((family for family in FAMILIES if family in names), "others")


def pareto_figure(found: Shootout) -> Chart:
    """The lossless chains: how small, and how fast they are read. The line joins those that nothing beats in both."""
    figure, axes = canvas(7.4, 4.2)
    exact = [r for r in found.results if r.exact and r.chain.promise is None and r.chain.codecs and not r.chain.name]
    front = [r for r in pareto(found.results) if r in exact]
    for family, colour, mark in zip((*FAMILIES, "others"), COLOURS, MARKS, strict=True):
        mine = [r for r in exact if _family(r) == family]
        if mine:
            axes.scatter(
                [r.ratio for r in mine],
                [r.speed.decode for r in mine],
                s=34,
                color=colour,
                marker=mark,
                label=family,
                alpha=0.85,
                linewidths=0,
            )
    axes.plot([r.ratio for r in front], [r.speed.decode for r in front], color=GREY, linewidth=1, zorder=0)
    axes.set(xlabel="values / stored bytes", ylabel="reading, MB of values a second", yscale="log")
    axes.set_title(f"{found.sample.name}: how small, how fast")
    axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    figure.draw_without_rendering()  # so that it is known where each point lies
    _name_points(axes, front)
    named = "; ".join(f"{r.label} x{r.ratio:.2f}, {r.speed.decode:,.0f} MB/s" for r in front)
    return Chart.of(figure, "Ratio against reading speed", f"{len(exact)} lossless chains. On the front: {named}.")


def _name_points(axes: Any, front: list[Result]) -> None:
    """The ends of the front, and of what is between them as many as have room for a name that lies on no other."""
    taken: list[tuple[float, float, float, float]] = []
    scale = 72 / axes.figure.dpi
    low, high = axes.get_xlim()
    for r in [*front[:1], *front[1:][::-1]]:
        right = r.ratio > (low + high) / 2
        x, y = (scale * at for at in axes.transData.transform((r.ratio, r.speed.decode)))
        wide = 4.6 * len(r.label)  # in points, of letters of 7.5
        left = x - 6 - wide if right else x + 6
        box = left, y + 4, left + wide, y + 14
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        axes.annotate(
            r.label,
            (r.ratio, r.speed.decode),
            xytext=(-6 if right else 6, 5),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
        )


def threads_figure(results: Iterable[Result], workers: int) -> Chart:
    """Writing and reading with one thread and with `workers`, for results that were measured with both."""
    shown = [r for r in results if r.speed.encode_threads and r.speed.decode_threads]
    figure, panels = canvas(7.4, 1.2 + 0.42 * len(shown), columns=2, sharex=True, sharey=True)
    said = []
    for panel, verb, title in zip(panels, ("encode", "decode"), ("writing", "reading"), strict=True):
        one, many = ([getattr(r.speed, name) for r in shown] for name in (verb, f"{verb}_threads"))
        panel.barh([i - 0.2 for i in range(len(shown))], one, color=GREY, height=0.36, label="1 thread")
        panel.barh([i + 0.2 for i in range(len(shown))], many, color=BLUE, height=0.36, label=f"{workers} threads")
        for i, (r, a, b) in enumerate(zip(shown, one, many, strict=True)):
            panel.text(b, i + 0.2, f" x{b / a:.1f}", va="center", fontsize=8)
            said.append(f"{title} {r.label} {a:,.0f} and {b:,.0f} MB/s")
        panel.set(title=title, xlabel="MB of values a second")
        panel.margins(x=0.16)
    panels[0].set_yticks(range(len(shown)), [r.label for r in shown], fontsize=8)
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    words = f"Bars, with one thread and with {workers}: {'; '.join(said)}."
    return Chart.of(figure, "Speed with one thread and with several", words)


def waterfall_figure(results: Iterable[Result], title: str = "Bytes after each stage") -> Chart:
    """For each chain its stages from top to bottom, each a bar as long as the bytes that are left."""
    shown = list(results)
    rows = [(r, stage) for r in shown for stage in r.stages]
    figure, axes = canvas(7.4, 0.6 + 0.3 * (len(rows) + len(shown)))
    place, ticks, names, said = 0.0, [], [], []
    for r, colour in zip(shown, [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY] * len(shown), strict=False):
        for stage in r.stages:
            axes.barh(place, stage.nbytes / r.nbytes, color=GREY if stage is r.stages[0] else colour, height=0.8)
            axes.text(stage.nbytes / r.nbytes, place, f"  {stage.nbytes:,} B", va="center", fontsize=8)
            ticks.append(place)
            names.append(stage.name)
            place += 1
        said.append(f"{r.label}: " + ", ".join(f"{stage.name} {stage.nbytes:,}" for stage in r.stages))
        place += 0.7
    axes.set_yticks(ticks, names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="share of the plain bytes", title=title)
    axes.set_xlim(0, 1.22 * max(stage.nbytes / r.nbytes for r, stage in rows))
    return Chart.of(figure, title, f"Bars. {'; '.join(said)}.")


LOSSY_FAMILIES = {
    "bitround": (BLUE, "o"),
    "quantize": (ORANGE, "s"),
    "scale_offset": (GREEN, "D"),
    "zfp": (VERMILION, "^"),
}


def errors_figure(found: Shootout, unit: str = "") -> Chart:
    """The lossy chains: what an error buys. Of each way the smallest for every setting; lossless as a line."""
    figure, axes = canvas(7.4, 4.2)
    said = []
    for way, (colour, mark) in LOSSY_FAMILIES.items():
        kept = [r for r in found.results if r.chain.promise and r.holds and r.error and lossy_family(r.chain) == way]
        best: dict[float, Result] = {}
        for r in kept:
            if r.error is not None and (r.error not in best or r.stored < best[r.error].stored):
                best[r.error] = r
        line = [best[error] for error in sorted(best)]
        if line:
            axes.plot([r.error for r in line], [r.ratio for r in line], color=colour, marker=mark, label=way)
            said.append(f"{way}: " + ", ".join(f"x{r.ratio:.1f} at {r.error:.2g}" for r in line))
    exact = max((r.ratio for r in found.results if r.exact and r.chain.promise is None), default=1.0)
    axes.axhline(exact, color=GREY, linestyle=":", linewidth=1.2, label=f"lossless, x{exact:.2f}")
    axes.set(xscale="log", yscale="log", ylabel="values / stored bytes")
    axes.set_xlabel("largest error that was measured" + (f", {unit}" if unit else ""))
    axes.set_title(f"{found.sample.name}: what an error buys")
    axes.yaxis.set_major_formatter(lambda value, _: f"x{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"x{value:g}" if round(value, 6) in (2, 3, 5, 20, 30, 50) else "")
    axes.legend(fontsize=8)
    return Chart.of(figure, "Ratio against error", f"Lossless x{exact:.2f}. {'; '.join(said)}.")
