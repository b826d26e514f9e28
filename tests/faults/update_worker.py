"""A process that updates keys of a store until it is done, or killed.

    update_worker.py STORE OPTIONS cells KEY START STOP    set the bytes START to STOP of a value, one update each, and
                                                           so many elements of the arrays `chunk` and `shard`
    update_worker.py STORE OPTIONS count KEY TIMES         add one to a number, TIMES times
    update_worker.py STORE OPTIONS partly KEY ROUNDS       set the array's first element, once for each line
    update_worker.py STORE OPTIONS forever KEY SEED        write values that name their own hash, until killed

It says "ready", waits for a line, works, and says "done".
"""

import hashlib
import itertools
import json
import random
import sys

import tutorial_zarr
from tutorial_zarr.stores import make_store


def signed(payload):
    """Bytes of which one can tell whether they are whole."""
    return hashlib.sha256(payload).digest() + payload


def is_signed(value):
    return hashlib.sha256(value[32:]).digest() == value[:32]


def set_cell(old, i, size=64):
    value = bytearray(old or bytes(size))
    value[i] = i + 1
    return bytes(value)


def main(url, options, task, key, *numbers):
    numbers = [int(number) for number in numbers]
    with make_store(url, storage_options=json.loads(options) or None) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        if task == "cells":
            arrays = [tutorial_zarr.open_array(store, path=path) for path in ("chunk", "shard")]
            for i in range(*numbers):
                store.update(key, lambda old, i=i: set_cell(old, i))
                for array in arrays:
                    array[i] = i + 1
        elif task == "partly":
            array = tutorial_zarr.open_array(store)
            for k in range(1, numbers[0] + 1):
                for _ in range(2 if k % 5 == 0 else 1):
                    sys.stdin.readline()
                    array[0] = -k
                    print("written", flush=True)
        elif task == "count":
            for _ in range(*numbers):
                store.update(key, lambda old: str(int(old or 0) + 1).encode())
        else:
            source = random.Random(numbers[0])
            for n in itertools.count():
                new = signed(source.randbytes(source.randrange(1, 200_000)))
                if n % 3:
                    store.update(key, lambda old, new=new: new if old is None or is_signed(old) else b"torn")
                else:
                    store.set(key, new)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
