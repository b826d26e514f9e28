"""A process that changes the shape of an array until it is done, or killed.

    append_worker.py STORE OPTIONS append WRITER BLOCKS    append so many blocks; each names its writer and number
    append_worker.py STORE OPTIONS shape SEED TURN         append and resize until killed; says before each change what
                                                           the elements will be, and after it "ok"

It says "ready", waits for a line, works, and says "done".
"""

import itertools
import json
import random
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


def change(array, seed, turn):
    numbers, values = random.Random(1000 * seed + turn), array[:, 0].tolist()
    for step in itertools.count(1):
        if numbers.random() < 0.6 and len(values) < 100:
            added = [10_000 * (turn + 1) + step] * numbers.randint(1, 20)
            wanted, work = values + added, lambda added=added: array.append(np.array([added, added], "i4").T)
        else:
            length = numbers.randint(0, 110)
            wanted, work = (values + [-1] * length)[:length], lambda length=length: array.resize(length, 2)
        print(json.dumps(wanted), flush=True)
        work()
        values = wanted
        print("ok", flush=True)


def main(url, options, task, *arguments):
    with make_store(url, storage_options=json.loads(options) or None) as store:
        array = zarr.open_array(store, mode="r+")
        print("ready", flush=True)
        sys.stdin.readline()
        if task == "append":
            append(array, int(arguments[0]), int(arguments[1]))
        else:
            change(array, int(arguments[0]), int(arguments[1]))
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
