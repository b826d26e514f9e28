"""Charts of an `Advice`, with matplotlib: what small and large chunks cost, and requests against bytes.

>>> from tutorial_zarr.labs.chunks import advise
>>> advice = advise((1000, 1000), "f4", ["rows 100%: 1, all"], shards=False, smallest=4096)
>>> [point.chunk_nbytes for point in advice.by_size()][:3]
[4096, 8000, 12000]
"""

from __future__ import annotations

from tutorial_zarr.labs.chunks.advice import Advice
from tutorial_zarr.labs.chunks.choice import time_text
from tutorial_zarr.viz.chart import BLUE, GREEN, GREY, ORANGE, VERMILION, Chart, canvas, prefixed
from tutorial_zarr.words import size_text


def u_curve(advice: Advice) -> Chart:
    """Too small against too large: the modelled time of the best layout for each size of chunk, and its parts."""
    points = advice.by_size()
    model, weights = advice.question.store, [pattern.weight for pattern in advice.question.patterns]
    sizes = [point.chunk_nbytes for point in points]

    def mean(part: list[list[float]]) -> list[float]:
        return [sum(w * value for w, value in zip(weights, values, strict=True)) for values in part]

    waiting = [[max(c.rounds, c.requests / model.concurrency) * model.latency for c in p.costs] for p in points]
    moving = [[c.nbytes / model.bandwidth for c in p.costs] for p in points]
    decoding = [[c.decoded / model.decode_rate + c.chunks * model.chunk_overhead for c in p.costs] for p in points]
    figure, panel = canvas(7, 3.6)
    parts = [[1000 * seconds for seconds in mean(part)] for part in (waiting, moving, decoding)]
    labels = ("waiting for requests", "bytes on the way", "decoding")
    panel.stackplot(sizes, *parts, colors=(VERMILION, GREEN, GREY), alpha=0.55, linewidth=0, labels=labels)
    panel.plot(sizes, [1000 * p.seconds for p in points], color=BLUE, marker="o", markersize=4, label="a read")
    best = min(points, key=lambda point: point.seconds)
    panel.plot(best.chunk_nbytes, 1000 * best.seconds, "o", color=BLUE, markersize=11, fillstyle="none")
    high = 1000 * min(1.25 * max(point.seconds for point in points), 6 * best.seconds)
    today = advice.today
    if today is not None:
        beyond = 1000 * today.seconds > high
        label = f"today, {time_text(today.seconds)}" + (", far above" if beyond else "")
        place = (today.chunk_nbytes, 0.96 * high if beyond else 1000 * today.seconds)
        panel.plot(*place, "^" if beyond else "s", color=ORANGE, markersize=8, label=label, linestyle="none")
    panel.set(
        title="Too small, too large", xlabel="bytes of a chunk", ylabel="milliseconds", xscale="log", ylim=(0, high)
    )
    ticks = [4**power for power in range(1, 32) if sizes[0] / 2 <= 4**power <= 2 * sizes[-1]]
    panel.set_xticks(ticks, [size_text(n) for n in ticks])
    panel.minorticks_off()
    panel.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    worst = max(points, key=lambda point: point.seconds)
    words = (
        f"Time of a read against the size of a chunk, without shards: the best is {size_text(best.chunk_nbytes)} with "
        f"{time_text(best.seconds)}; chunks of {size_text(worst.chunk_nbytes)} take {time_text(worst.seconds)}."
    )
    return Chart.of(figure, "Time of a read against the size of a chunk", words)


def front(advice: Advice) -> Chart:
    """Requests against bytes of every layout that was costed, with the Pareto front."""
    figure, panel = canvas(7, 3.9)
    for sharded, colour, label in ((False, GREY, "chunks"), (True, GREEN, "chunks in shards")):
        some = [choice for choice in advice.choices if (choice.layout.shards is not None) == sharded]
        if some:
            places = [c.requests for c in some], [c.nbytes for c in some]
            panel.loglog(*places, ".", color=colour, markersize=3, alpha=0.5, label=label)
    panel.step(
        [c.requests for c in advice.front], [c.nbytes for c in advice.front], color=BLUE, where="post", linewidth=1
    )
    panel.plot([], [], color=BLUE, linewidth=1, label="none better in both")
    marked = [("first choice", advice.best, "o", VERMILION), ("today", advice.today, "s", ORANGE)]
    for label, choice, marker, colour in marked:
        if choice is not None:
            panel.plot(choice.requests, choice.nbytes, marker, color=colour, markersize=8, label=label)
    panel.set(title="Requests against bytes, for a read", xlabel="requests", ylabel="read from the store")
    panel.xaxis.set_major_formatter("{x:,g}")
    panel.yaxis.set_major_formatter(prefixed("B"))
    panel.legend(fontsize=9)
    few, many = advice.front[0], advice.front[-1]
    words = (
        f"{len(advice.choices):,} layouts by requests and bytes; {len(advice.front)} are on the Pareto front, from "
        f"{few.requests:,.3g} requests for {size_text(round(few.nbytes))} to {many.requests:,.3g} requests for "
        f"{size_text(round(many.nbytes))}. The first choice, {advice.best.layout}, takes {advice.best.requests:,.3g} "
        f"requests for {size_text(round(advice.best.nbytes))}."
    )
    return Chart.of(figure, "Requests against bytes of layouts", words)
