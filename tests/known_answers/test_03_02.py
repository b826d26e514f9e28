"""03_02 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

Which request met which fault follows from a hash of its name; the damage, the rounds and the requests are worked out
from that, the CRC-32C bit by bit, and the repaired store is read with zarr-python. Nothing here imports this
project's library.
"""

import hashlib
from collections import Counter

import numpy as np
import pytest

SOURCE = "notebooks/03_pipelines/03_02_fault_tolerant_ingestion.ipynb"
pytestmark = pytest.mark.gallery

EVERY = list(np.ndindex(16, 16))
SIDE = 32


def plane():
    row, column = np.ogrid[: 16 * SIDE, : 16 * SIDE]
    return (row + column / 4096).astype("f4")


def block(at):
    return plane()[at[0] * SIDE : (at[0] + 1) * SIDE, at[1] * SIDE : (at[1] + 1) * SIDE]


def key_of(at, zarr_format):
    return f"{at[0]}.{at[1]}" if zarr_format == 2 else f"c/{at[0]}/{at[1]}"


def chance(seed, key, number):
    name = f"{seed} PUT {key} {number}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") / 2**64


def fault(seed, key, number, rates):
    point = chance(seed, key, number)
    for kind, rate in rates.items():
        if point < rate:
            return kind
        point -= rate
    return None


def met(seed, key, rates):
    """The faults of a request that is made until it is told of success."""
    kinds = []
    while True:
        kinds.append(fault(seed, key, len(kinds) + 1, rates))
        if kinds[-1] not in ("unavailable", "timeout"):
            return kinds


def is_harmed(kinds):
    """Whether a chunk is wrong although its writer was told of success. What timed out had been written."""
    return kinds[-1] == "torn" or (kinds[-1] == "lost" and "timeout" not in kinds)


def three(right):
    right = list(right)
    return [right.pop(int(draw) % len(right)) for draw in np.random.PCG64(0).random_raw(3)]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_zarr_python_reads_the_repaired_store_and_no_chunk_is_missing(left):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    array = zarr.open_array(str(out / "run" / "safe.zarr"), mode="r")
    assert array.metadata.zarr_format == zarr_format
    assert array.nchunks_initialized == facts["chunks"] == 256
    np.testing.assert_array_equal(array[...], plane())


def test_the_repaired_store_is_the_one_of_a_day_without_a_fault(left):
    out, facts, zarr_format = left
    safe, clean = files(out / "run" / "safe.zarr"), files(out / "run" / "clean.zarr")
    assert safe == clean  # no leftover either
    assert len(safe) == 256 + (2 if ".zattrs" in safe else 1)
    rows = sorted(f"{hashlib.sha256(content).hexdigest()}  {key}\n".encode() for key, content in safe.items())
    assert facts["hash"] == hashlib.sha256(b"".join(rows)).hexdigest()
    for at in EVERY[::37]:
        stored = safe[key_of(at, zarr_format)]
        assert stored[:-4] == block(at).astype("<f4").tobytes()
        assert int.from_bytes(stored[-4:], "little") == crc32c(stored[:-4])


def test_the_damage_without_protection_follows_from_the_faults(left):
    out, facts, zarr_format = left
    rates, naive = facts["rates"], {}
    for at in EVERY:
        kind = fault(0, key_of(at, zarr_format), 1, rates)
        naive[at] = {"unavailable": "missing", "lost": "missing", "torn": "unreadable"}.get(kind, "right")
    turned = three(at for at in EVERY if naive[at] == "right")
    naive |= dict.fromkeys(turned, "wrong in silence")
    assert {name: many for name, many in facts["naive"].items() if many} == Counter(naive.values())
    kinds = [fault(0, key_of(at, zarr_format), 1, rates) for at in EVERY]
    assert facts["naive_errors"] == kinds.count("unavailable") + kinds.count("timeout")
    stored = files(out / "run" / "naive.zarr")
    for at in EVERY:
        content = stored.get(key_of(at, zarr_format))
        right = block(at).astype("<f4").tobytes()
        assert (content == right) == (naive[at] == "right")
        assert (content is None) == (naive[at] == "missing")
        assert (content is not None and len(content) < len(right)) == (naive[at] == "unreadable")


def test_every_fault_is_named_with_its_key_and_the_rounds_follow_from_the_faults(left):
    _, facts, zarr_format = left
    rates, keys = facts["rates"], {at: key_of(at, zarr_format) for at in EVERY}
    came = {at: met(0, keys[at], rates) for at in EVERY}
    silent = {at: kinds[-1] for at, kinds in came.items() if is_harmed(kinds)}
    assert set(silent.values()) <= {"torn", "lost"}
    holes, unreadable = (list(silent.values()).count(kind) for kind in ("lost", "torn"))
    expected = {"right": 256 - len(silent), "missing": holes, "unreadable": unreadable, "wrong in silence": 0}
    assert facts["after_retries"] == expected
    turned, also, zeroed = three(at for at in EVERY if at not in silent)
    assert facts["sick"] == expected | {"right": expected["right"] - 3, "unreadable": unreadable + 3}
    called = {"torn": "wrong-size", "lost": "absent"}
    named = {keys[at]: [kind, called[kind]] for at, kind in silent.items()}
    named |= {keys[turned]: ["bit turned", "checksum"], keys[also]: ["bit turned", "checksum"]}
    assert facts["found"] == named | {keys[zeroed]: ["zeroed", "checksum"]}
    assert (facts["doomed"], facts["leftovers"]) == (keys[6, 4], 0)
    todo, rounds = list(EVERY), []
    while todo:
        kinds = {at: met(len(rounds), keys[at], rates) for at in todo}
        after = [at for at in todo if is_harmed(kinds[at])] + ([turned, also, zeroed] if not rounds else [])
        rounds.append({"chunks": len(todo), "requests": sum(map(len, kinds.values())), "left": len(after)})
        todo = after
    assert facts["rounds"] == rounds
    assert facts["healed"] == {"right": 256, "missing": 0, "unreadable": 0, "wrong in silence": 0}


def test_the_attempts_lie_within_the_binomial_band_of_the_geometric_law(left):
    law = left[1]["law"]
    n, p = law["requests"], law["p"]
    assert sum(law["counted"]) == n
    for k, (counted, (low, high)) in enumerate(zip(law["counted"], law["bands"], strict=True), 1):
        q = p ** (k - 1) * (1 - p)
        if q > 0.5:  # so that few terms are summed: count those that needed more
            low, high, q = n - high, n - low, 1 - q
            counted = n - counted
        below = [sum(_binomial(n, q, i) for i in range(m)) for m in (low, low + 1, high, high + 1)]
        assert below[0] <= 0.005 <= below[1] + 1e-9
        assert below[2] <= 0.995 + 1e-9
        assert below[3] >= 0.995 - 1e-9
        assert low <= counted <= high
    attempts = [len(met(0, f"value/{number}", {"unavailable": p})) for number in range(n)]
    assert [attempts.count(k) for k in range(1, max(attempts) + 1)] == law["counted"]


def _binomial(n, q, i):
    logarithm = np.log(np.arange(n - i + 1, n + 1)).sum() - np.log(np.arange(1, i + 1)).sum()
    return float(np.exp(logarithm + i * np.log(q) + (n - i) * np.log1p(-q)))


def test_jitter_ends_the_herd_sooner(left):
    herd = left[1]["herd"]
    refused, now, waits = 64, 0, []
    while refused:
        waits.append((now, refused))
        now, refused = now + 100 * 2 ** (len(waits) - 1), refused - 8
    assert herd["backoff"] == [sum(many for _, many in waits), waits[-1][0]]
    assert herd["backoff with full jitter"][1] < herd["backoff"][1]


def test_what_goes_wrong_goes_wrong(left):
    _, facts, zarr_format = left
    assert facts["swapped"]["doctor"] == 0
    assert sorted(facts["swapped"]["manifest"]) == sorted(key_of(at, zarr_format) for at in [(3, 4), (4, 3)])
    keys = [f"value/{number}" for number in range(256)]
    assert facts["given_up"] == sum(all(chance(0, key, k) < 0.5 for k in range(1, 10)) for key in keys)
    assert facts["appended"] == 2


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    facts = left[1]
    assert set(facts) == set(committed)
    if left[2] == 3:
        assert facts == committed
