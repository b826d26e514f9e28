"""01_04 again, from outside: run the notebook, read the dataset that it left, and work out every answer anew.

The copy is compared with the documents that lie on the disk, and zarr-python opens the dataset by it and without it.
Nothing here imports this project's library.
"""

import json
import math

import numpy as np
import pytest

from data_gen import air_temperature

SOURCE = "notebooks/01_core_zarr/01_04_metadata_one_rtt.ipynb"
pytestmark = pytest.mark.gallery

SPANS = (1860, 1920, 1980, 2040)
NAMES = sorted(f"from_{first}/{year}" for first in SPANS for year in range(first, first + 60, 10))
LATE = "from_1860/2100"  # added when the copy was already made, and then copied as well


def documents_on_disk(folder, zarr_format):
    names = {2: (".zgroup", ".zarray", ".zattrs"), 3: ("zarr.json",)}[zarr_format]
    found = {}
    for path in folder.rglob("*"):
        if path.name in names:
            place = path.relative_to(folder)
            key = place.as_posix() if zarr_format == 2 else place.parent.as_posix()
            found[key] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_copy_is_the_union_of_all_documents(left):
    out, facts, zarr_format = left
    folder = out / "climate.zarr"
    documents = documents_on_disk(folder, zarr_format)
    if zarr_format == 2:
        copy = json.loads((folder / ".zmetadata").read_text(encoding="utf-8"))["metadata"]
    else:
        root = documents.pop(".")
        assert root["consolidated_metadata"]["must_understand"] is False
        copy = root["consolidated_metadata"]["metadata"]
    assert copy == documents
    added = 1 if zarr_format == 3 else sum(key.startswith(f"{LATE}/") for key in documents)
    assert facts["copy_documents"] == len(documents) - added


@pytest.mark.parametrize("consolidated", [True, False])
def test_zarr_python_sees_every_map_by_the_copy_and_without_it(left, consolidated):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    opened = zarr.open_group(
        str(out / "climate.zarr"), mode="r", zarr_format=zarr_format, use_consolidated=consolidated
    )
    names = sorted(f"{group}/{name}" for group, node in opened.groups() for name in node.array_keys())
    assert names == sorted([*NAMES, LATE])
    assert (facts["arrays"], facts["groups"], facts["per_group"]) == (len(NAMES), len(SPANS), 6)


def test_the_maps_are_the_projection(left):
    zarr = pytest.importorskip("zarr")
    out, _, zarr_format = left
    climate = air_temperature.make("small").arrays
    opened = zarr.open_group(str(out / "climate.zarr"), mode="r", zarr_format=zarr_format)
    for year, expected in zip(climate["year"], climate["air_temperature"], strict=True):
        [name] = [name for name in NAMES if name.endswith(f"/{year}")]
        np.testing.assert_array_equal(opened[name][...], expected)


def test_the_walk_costs_a_request_for_each_node_and_a_list_for_each_group(left):
    facts = left[1]
    groups, arrays = len(SPANS), len(NAMES)
    assert facts["nodes"] == 1 + groups + arrays
    assert facts["walk"] == {"GET": 1 + groups + arrays, "LIST": 1 + groups, "together": 2 + 2 * groups + arrays}
    assert facts["requests"]["v3, node by node"] == {"GET": 1 + groups + arrays, "LIST": 1 + groups}
    assert facts["requests"]["v3, consolidated"] == facts["by_hand"] == {"GET": 1, "LIST": 0}
    # Attributes lie in documents of their own in v2; a `.zarray` is looked for where a group is, and `.zmetadata` once.
    asked_in_v2 = 2 * (1 + groups + arrays) + (1 + groups) + 1
    assert facts["requests"]["v2, node by node"] == {"GET": asked_in_v2, "LIST": 1 + groups}
    assert facts["requests"]["v2, consolidated"] == {"GET": 4, "LIST": 0}
    assert facts["deep"] == [1 + 24 + 24, 1 + 24]


def test_the_times_are_round_trips_times_the_latency(left):
    facts = left[1]
    trips = {"one by one": facts["walk"]["together"], "level by level": facts["rounds"], "consolidated": 1}
    assert facts["seconds"] == pytest.approx({name: n * facts["latency_ms"] / 1000 for name, n in trips.items()})
    assert facts["rounds"] == 1 + 2 * 2
    levels = [1, 1, len(SPANS), len(SPANS), len(NAMES)]  # the root, its list, the groups, their lists, the arrays
    assert facts["rounds_of_ten"] == sum(math.ceil(requests / 10) for requests in levels)
    assert facts["million"]["hours"] == pytest.approx(1e6 * 0.1 / 3600)


def test_one_list_names_the_chunks_as_well_and_gets_longer_with_them(left):
    out, facts, zarr_format = left
    names, documents = [*NAMES, LATE], 1 + len(SPANS) + len(NAMES)
    if zarr_format == 3:  # the dataset on the disk has one array more than the one that was listed
        files = [path for path in (out / "climate.zarr").rglob("*") if path.is_file()]
        assert len(files) == 1 + len(SPANS) + 2 * len(names)
    assert facts["flat"] == {"keys": documents + len(NAMES), "LIST": 1, "GET": documents}
    for chunks, found in zip((1, 100, 10_000), facts["pages"], strict=True):
        keys = documents + len(NAMES) * chunks
        pages = len(range(0, keys, facts["page_size"]))
        assert found == {"chunks": chunks, "keys": keys, "pages": pages, "seconds": pytest.approx((pages + 1) * 0.1)}


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    of_the_format = {"copy_bytes", "copy_documents", "asked_to_open", "figures"}
    facts = left[1]
    assert {k: v for k, v in facts.items() if k not in of_the_format} == {
        k: v for k, v in committed.items() if k not in of_the_format
    }
    if left[2] == 3:
        assert [facts[k] for k in ("copy_documents", "asked_to_open")] == [
            committed[k] for k in ("copy_documents", "asked_to_open")
        ]
