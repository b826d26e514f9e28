"""``tutorial-zarr chunks``: which chunk shape suits the way an array is read, and the price lists that this uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.cli.info import open_node
from tutorial_zarr.cli.output import complain, json_option, print_json, print_table, print_text
from tutorial_zarr.errors import ZarrError
from tutorial_zarr.labs import LabError
from tutorial_zarr.labs.chunks import advice, storage
from tutorial_zarr.labs.chunks.choice import OBJECTIVES
from tutorial_zarr.labs.chunks.paper import Layout
from tutorial_zarr.labs.chunks.patterns import from_log
from tutorial_zarr.stores.wrappers import Request
from tutorial_zarr.tools.convert.rechunking import parse_bytes
from tutorial_zarr.words import plain, size_text, some

LOG_REMARK = (
    "A log tells requests, not reads: one read ends where nothing was asked for during {:g} ms (--pause), or where a "
    "chunk was asked for again, and counts as the box around its chunks."
)


def command(click: Any) -> Any:
    """The click group."""
    group = click.Group("chunks", help="Choose chunk and shard shapes by the way an array is read.")
    group.add_command(_advise_command(click))
    group.add_command(
        click.Command(
            "prices",
            params=[_prices_option(click), json_option(click)],
            callback=show_prices,
            help="Show the price lists: what is charged, since when that is known, and from where.",
        )
    )
    return group


def _prices_option(click: Any) -> Any:
    words = "A file with price lists of your own; chunks prices --json shows the form."
    return click.Option(["--prices"], type=click.Path(dir_okay=False), help=words)


def _advise_command(click: Any) -> Any:
    def lengths(context: Any, option: Any, value: str | None) -> tuple[int, ...] | None:
        try:
            return None if value is None else tuple(int(part) for part in value.split(","))
        except ValueError:
            raise click.BadParameter(f"expected whole numbers joined by commas, found {value!r}") from None

    def nbytes(context: Any, option: Any, value: str | None) -> int | None:
        try:
            return None if value is None else parse_bytes(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    def data_type(context: Any, option: Any, value: str) -> Any:
        try:
            return np.dtype(value)
        except TypeError:
            raise click.BadParameter(f"expected a type that NumPy knows, such as float32, found {value!r}") from None

    bucket, disk = storage.store("s3"), storage.store("local")
    smallest = (
        f"The smallest object and chunk to think of; else {size_text(bucket.least_object)} for objects and "
        f"{size_text(bucket.least_chunk)} for chunks in shards, {size_text(disk.least_object)} and "
        f"{size_text(disk.least_chunk)} in files."
    )
    shape = {"metavar": "N,N,...", "callback": lengths}
    store = storage.StoreModel("")
    params = [
        click.Argument(["path"], required=False),
        click.Option(["--shape"], help="The shape, where there is no PATH.", **shape),
        click.Option(["--dtype"], default="float32", show_default=True, callback=data_type, help="Without PATH."),
        click.Option(["--chunks"], help="A layout to compare with; that of PATH by default.", **shape),
        click.Option(["--shards"], help="The shards of that layout.", **shape),
        click.Option(["--read", "reads"], multiple=True, help="A pattern, such as 'time series 70%: all, 1, 1'."),
        click.Option(["--log"], type=click.Path(dir_okay=False), help="Reads of PATH that a TraceStore wrote down."),
        click.Option(["--pause"], type=float, default=0.05, show_default=True, help="Seconds between its reads."),
        click.Option(["--store"], default="s3", show_default=True, help="s3, gcs, azure, r2, local, or of --prices."),
        _prices_option(click),
        click.Option(["--latency"], type=float, help=f"Milliseconds to wait; {1000 * store.latency:g} in a bucket."),
        click.Option(["--bandwidth"], type=float, help=f"MB a second, of all; {store.bandwidth / 1e6:g} in a bucket."),
        click.Option(["--concurrency"], type=int, help=f"Requests at once; {store.concurrency} in a bucket."),
        click.Option(["--internet"], is_flag=True, help="Readers are outside the region, and pay for transfer."),
        click.Option(["--reads-a-month", "monthly"], type=int, default=100_000, show_default=True, help="Reads."),
        click.Option(["--memory"], default="2 GiB", show_default=True, callback=nbytes, help="What a reader may hold."),
        click.Option(["--smallest"], callback=nbytes, help=smallest),
        click.Option(["--ratio"], type=float, help="How many times smaller chunks become; else measured in PATH."),
        click.Option(["--no-shards"], is_flag=True, help="Chunks alone."),
        click.Option(["--by"], type=click.Choice(OBJECTIVES), default="seconds", show_default=True, help="Rank by it."),
        click.Option(["--top"], type=click.IntRange(min=1), default=5, show_default=True, help="Show so many."),
        click.Option(["--figures"], type=click.Path(file_okay=False), help="Draw two charts into this folder."),
        json_option(click),
    ]  # fmt: skip
    text = (
        "Rank chunk and shard shapes for an array by requests, bytes, time and price.\n\n"
        "PATH is an array, or a group whose arrays are gone through. Patterns are given with --read, weights in per "
        "cent, and for each axis a length or 'all'; or for some dimensions by name: --read 'maps 30%: time=1'. Those "
        "without a weight share what the others leave."
    )
    return click.Command("advise", params=params, callback=run, help=text)


def run(
    path: str | None, shape: Any, dtype: Any, reads: tuple[str, ...], as_json: bool, top: int, **options: Any
) -> int:
    """Carry out the command; returns the exit code."""
    folder, log, pause = options.pop("figures"), options.pop("log"), options.pop("pause")
    today, chosen = _layout(options.pop("chunks"), options.pop("shards")), _chosen(options)
    if path is None:
        if shape is None or log is not None:
            raise LabError(
                "chunks advise: expected the PATH of an array, or a --shape; found neither, or a log without PATH"
            )
        return _show([("", advice.advise(shape, dtype, reads, today=today, **chosen))], as_json, top, folder)
    requests = _requests(Path(log)) if log is not None else []
    node, found, code = open_node(path), [], 0
    arrays = [("", node)] if isinstance(node, zarr.Array) else _arrays(node)
    small: dict[str, str] = {}
    for name, array in arrays:
        try:
            given: dict[str, Any] = {} if today is None else {"today": today}
            patterns: Any = reads
            if log is not None:
                patterns = from_log(requests, array, pause)
                given["remarks"] = [LOG_REMARK.format(1000 * pause)]
            found.append((name, advice.advise_array(array, patterns, **given, **chosen)))
        except advice.TooSmallError as error:
            small[name] = f"{name}: {error}" if name else str(error)
            code = 1 if not name else code
        except ZarrError as error:
            complain(f"{name}: {error}" if name and repr(name) not in str(error) else str(error))
            code = 1 if not name else code
    if len(small) > 1:
        complain(f"{some(small, 5)}: too small to judge; one chunk for each will do")
    for sentence in list(small.values()) if len(small) == 1 else []:
        complain(sentence)
    if not arrays or (not found and not code):
        complain(f"{path}: expected an array that can be judged, found none")
        code = 1
    return _show(found, as_json, top, folder) or code


def _arrays(group: Any) -> list[tuple[str, Any]]:
    """All arrays below a group, with their paths."""
    return [(name, member) for name, member in group.members(max_depth=None) if isinstance(member, zarr.Array)]


def _layout(chunks: tuple[int, ...] | None, shards: tuple[int, ...] | None) -> Layout | None:
    if chunks is None and shards is not None:
        raise LabError("shards: expected --chunks beside --shards, found none")
    return None if chunks is None else Layout(chunks, shards)


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of `advise`."""
    changes: dict[str, Any] = {"internet": options["internet"]}
    for name, factor in (("latency", 1e-3), ("bandwidth", 1e6), ("concurrency", 1)):
        if options[name] is not None:
            changes[name] = options[name] * factor
    chosen = {
        "store": storage.store(options["store"], options["prices"], **changes),
        "objective": options["by"],
        "reads": options["monthly"],
        "memory": options["memory"],
        "smallest": options["smallest"],
    }
    if options["no_shards"]:
        chosen["shards"] = False
    if options["ratio"] is not None:
        chosen["ratio"] = options["ratio"]
    return chosen


def _requests(file: Path) -> list[Request]:
    """Requests from a file: a JSON list of those of a `TraceStore`, each as ``request._asdict()``."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return [Request(**{**entry, "byte_range": _hashable(entry.get("byte_range"))}) for entry in entries]
    except (OSError, ValueError, TypeError, AttributeError) as cause:
        raise LabError(
            f"{file.name}: expected a JSON list of requests, as of [request._asdict() for request in store.requests], "
            f"found something else ({cause})"
        ) from cause


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _show(found: list[tuple[str, advice.Advice]], as_json: bool, top: int, folder: str | None) -> int:
    for name, each in found:
        if folder is not None:
            from tutorial_zarr.labs.chunks import figures

            Path(folder).mkdir(parents=True, exist_ok=True)
            begin = name.replace("/", "_") + "_" if name else ""
            figures.u_curve(each).save(Path(folder) / f"{begin}u_curve.svg")
            figures.front(each).save(Path(folder) / f"{begin}front.svg")
    if as_json:
        reports = {name: each.to_json(top) for name, each in found}
        return print_json(reports[""] if set(reports) == {""} else {"arrays": reports})
    for name, each in found:
        print_text((f"{plain(name)}: " if name else "") + each.text(top, notes=False))
        print_text("")
    for note in _notes(found):
        print_text(note)
    return 0


def _notes(found: list[tuple[str, advice.Advice]]) -> list[str]:
    """What is said once, however many arrays there are; and of which, where it is not true of all."""
    said: dict[str, list[str]] = {}
    for name, each in found:
        prices = each.question.store.prices
        of_money = (
            f"No price list for {each.question.store.name!r}: nothing is said of money."
            if prices is None
            else prices.provenance
        )
        for note in (*each.notes, of_money):
            said.setdefault(note, []).append(name)
    return [note if len(of) == len(found) else f"{some(of, 5)}: {note}" for note, of in said.items()]


def show_prices(prices: str | None, as_json: bool) -> int:
    """The price lists; returns the exit code."""
    file = Path(prices) if prices else storage.PRICES
    lists = storage.price_lists(file)
    if as_json:
        return print_json(json.loads(file.read_text(encoding="utf-8")))
    rows = [
        (name, f"{p.get_per_1000:g}", f"{p.put_per_1000:g}", f"{p.gb_month:g}", f"{p.gb_to_internet:g}", p.provenance)
        for name, p in lists.items()
    ]
    print_table(("store", "$ for 1000 GET", "1000 PUT", "GB a month", "GB to the internet", ""), rows)
    return 0
