"""What reads cost: the counts of this library, and the stored table, in which it is the least or says why not."""

import http.client
import json

import pytest

from tutorial_zarr.cli import main
from tutorial_zarr.interop import costs
from tutorial_zarr.interop.counting import CountingServer
from tutorial_zarr.interop.environments import OURS, find_peers

pytestmark = pytest.mark.interop

LEAST = {"open": 1, "chunk": 2, "row": 3, "column": 5, "series": 3, "coordinates": 11}  # requests
LIAR = """
from peer_protocol import CostPeer, Unsupported, serve
import numpy as np

class Liar(CostPeer):
    readers = ("liar",)
    def versions(self): return {"liar": "1"}
    def array(self, reader, place, node, region):
        return np.zeros([64] if region is None else [s.stop - s.start for s in region], "f4")
    def dataset(self, reader, place, names): raise Unsupported(f"no groups at {place['url']}")

serve(Liar())
"""


def stored():
    return json.loads(costs.STORED.read_text(encoding="utf-8"))


def test_this_library_opens_with_one_request_and_asks_for_nothing_twice(tmp_path):
    pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
    data = costs.run(tmp_path, {OURS: find_peers(costs.PROGRAMS)[OURS]})
    assert data["absent"] == {}
    found = data["cells"]["http"]["ours"]
    assert {read: cell[0] for read, cell in found.items()} == LEAST
    sizes = {file.relative_to(tmp_path).as_posix(): file.stat().st_size for file in tmp_path.rglob("*")}
    chunk = sizes["data.zarr/chunked/zarr.json"] + sizes["data.zarr/chunked/c/1/1/2"]
    assert found["chunk"][1] == chunk
    assert found["open"][1] == sizes["data.zarr/chunked/zarr.json"]
    if "ours in xarray" in data["cells"]["http"]:
        through = data["cells"]["http"]["ours in xarray"]
        # One document and the three index coordinates; the array's own document is not asked for.
        assert {read: cell[0] - LEAST[read] for read, cell in through.items()} == dict.fromkeys(LEAST, 3) | {
            "coordinates": 0
        }


def test_the_stored_table_is_of_this_library_as_it_is():
    data = stored()
    assert set(data["cells"]) == set(costs.PLACES)
    for place in costs.PLACES:
        assert {read: cell[0] for read, cell in data["cells"][place]["ours"].items()} == LEAST
        assert {"ours in xarray", "xarray", "tensorstore", "zarrita", "GDAL"} < set(data["cells"][place])
        assert sum(name.startswith("zarr-python") for name in data["cells"][place]) == 6
    assert data["absent"] == {}


def test_where_another_reader_needs_less_a_note_says_why_and_no_other_note_does():
    assert {(reader, read) for _, reader, read, _ in costs.behind(stored())} == set(costs.NOTES)


def test_the_page_is_the_table():
    assert costs.PAGE.read_text(encoding="utf-8") == costs.page(stored())
    assert "| ours | 1, 689 B | 2, 85.1 KiB |" in costs.page(stored())


def test_a_rival_with_fewer_requests_or_fewer_bytes_is_told():
    cells = {"ours": {"open": [2, 10], "row": [1, 5]}, "a": {"open": [1, 10], "row": [1, 5]}, "b": {"open": [2, 9]}}
    cells |= {"ours in xarray": {"open": [4, 40]}, "xarray": {"open": [3, 41]}, "c": {"open": "no"}}
    assert list(costs.behind({"cells": {"http": cells}})) == [
        ("http", "ours", "open", "a"),
        ("http", "ours", "open", "b"),
        ("http", "ours in xarray", "open", "xarray"),
    ]


def test_wrong_elements_have_no_costs_and_a_refusal_is_told_without_the_server(tmp_path):
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers" / "liar.py").write_text(LIAR, encoding="utf-8")
    data = costs.run(tmp_path, find_peers(tmp_path / "peers"))
    found = data["cells"]["http"]["liar"]
    assert found["open"] == [0, 0]
    assert found["chunk"] == found["series"] == "expected the elements that were written, found others"
    assert found["coordinates"] == "Unsupported: no groups at /data.zarr"
    assert "found others (one chunk, a row of inner chunks in a shard" in costs.page(data)


@pytest.mark.parametrize("before", [False, True])
def test_the_server_counts_what_it_answers_also_before_another_one(tmp_path, before):
    (tmp_path / "a b").write_bytes(b"0123456789")
    (tmp_path.parent / "outside").write_bytes(b"1")
    with CountingServer(tmp_path) as behind, CountingServer(behind.url if before else tmp_path) as server:
        connection = http.client.HTTPConnection(server.url.partition("//")[2])
        found = []
        for verb, path, wanted in [
            ("GET", "/a%20b", ""),
            ("GET", "/a%20b", "bytes=2-4"),
            ("GET", "/a%20b", "bytes=-3"),
            ("GET", "/a%20b", "bytes=8-50"),
            ("GET", "/a%20b", "bytes=10-"),
            ("HEAD", "/a%20b", ""),
            ("GET", "/absent", ""),
            ("GET", "/../outside", ""),
        ]:
            connection.request(verb, path, headers={"Range": wanted} if wanted else {})
            answer = connection.getresponse()
            found.append((answer.status, answer.read(), answer.headers["Content-Range"]))
            assert answer.headers["Content-Length"] == str(10 if verb == "HEAD" else len(found[-1][1]))
        connection.close()
        assert found == [
            (200, b"0123456789", None),
            (206, b"234", "bytes 2-4/10"),
            (206, b"789", "bytes 7-9/10"),
            (206, b"89", "bytes 8-9/10"),
            (416, b"", "bytes */10"),
            (200, b"", None),
            (404, b"", None),
            (404, b"", None),
        ]
        assert [each.nbytes for each in server.seen] == [10, 3, 3, 2, 0, 0, 0, 0]
        assert server.nbytes == 18
        assert [each.status for each in server.seen] == [status for status, _, _ in found]


def test_the_command_writes_the_table_and_the_page(tmp_path, capsys, monkeypatch):
    from tutorial_zarr.errors import MissingDependencyError

    def absent():
        raise MissingDependencyError("no S3 server")

    pytest.importorskip("urllib3", reason="urllib3 is not installed: pip install 'tutorial_zarr[cloud]'")
    monkeypatch.setattr("tutorial_zarr.cli.interop.start_s3", absent)
    assert main(["interop", "costs", str(tmp_path / "out"), "--peers", OURS, "--json"]) == 0
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert (tmp_path / "out" / "costs.md").read_text(encoding="utf-8") == costs.page(data)
    assert list(data["cells"]) == ["http"]
    assert "no bucket: no S3 server" in said.err
    assert main(["interop", "costs", str(tmp_path / "out"), "--peers", "nobody"]) == 1
    assert "found nobody" in capsys.readouterr().err
