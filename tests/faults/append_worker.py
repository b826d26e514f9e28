"""A process that changes the shape of an array until it is done, or killed.

    append_worker.py STORE OPTIONS append WRITER BLOCKS    append so many blocks; each names its writer and number
    append_worker.py STORE OPTIONS shape WRITER SEED       append and resize, saying of each step what it will be
    append_worker.py STORE OPTIONS ingest FOLDER SEED      ingest blocks that name themselves, with a journal

It says "ready", waits for a line, works, and says "done".
"""

import json
import sys

import numpy as np

import tutorial_zarr as zarr
from tutorial_zarr.stores import make_store


def block(writer, number):
    """A block of the writer's: its length follows from its number, and each row says where it belongs."""
    rows = 1 + (number * 7 + writer) % 5
    return np.array([[writer, number, row, rows] for row in range(rows)], "i4")


def append(array, writer, blocks):
    for number in range(blocks):
        shape = array.append(block(writer, number))
        print(shape[0], flush=True)


def main(url, options, task, *arguments):
    with make_store(url, storage_options=json.loads(options) or None) as store:
        array = zarr.open_array(store, mode="r+")
        print("ready", flush=True)
        sys.stdin.readline()
        if task == "append":
            append(array, int(arguments[0]), int(arguments[1]))
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
