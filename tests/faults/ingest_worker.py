"""A program that ingests blocks, some of which kill or hang the process that makes them.

    ingest_worker.py FOLDER COUNT WHAT OPTIONS      WHAT and OPTIONS are JSON: {"3": "dies once"}, {"workers": 2}

The array is FOLDER/array, the journal FOLDER/journal. It says "item" and a number for each item that it is asked for,
and at last the report.
"""

import dataclasses
import functools
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import tutorial_zarr as zarr


def first(folder, number):
    """Whether this is the first time that block is made."""
    mark = Path(folder, f"made {number}")
    if mark.exists():
        return False
    mark.touch()
    return True


def make(folder, number, what):
    if what == "dies" or (what == "dies once" and first(folder, number)):
        os._exit(3)
    if what == "hangs" or (what == "hangs once" and first(folder, number)):
        time.sleep(600)
    if what == "fails once" and first(folder, number):
        raise ConnectionError("no route")
    if what == "wrong":
        raise ValueError("these data are wrong")
    if what == "slow":
        time.sleep(0.05)
    return np.full((4, 8), number + 1, "i4")


def items(folder, count, what):
    for number in range(count):
        print("item", number, flush=True)
        yield number, functools.partial(make, folder, number, what.get(str(number), what.get("all")))


def main(folder, count, what, options):
    array = zarr.open_array(Path(folder, "array"), mode="r+")
    what, options = json.loads(what), {"journal": Path(folder, "journal"), "workers": 2, **json.loads(options)}
    report = zarr.ingest(items(folder, int(count), what), array, **options)
    print(json.dumps(dataclasses.asdict(report)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
