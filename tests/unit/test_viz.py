"""Pictures of arrays: what they show is what is stored, and everybody can read them."""

import importlib.metadata
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import viz
from tutorial_zarr.stores import MemoryStore, TraceStore
from tutorial_zarr.stores.wrappers import Request
from tutorial_zarr.viz.drawing import COLOURS

SVG = "{http://www.w3.org/2000/svg}"


def corner(zarr_format=3, **options):
    """A 6 x 9 array in chunks of 2 x 3, of which the upper left four are written."""
    defaults = {
        "shape": (6, 9),
        "chunks": (2, 3),
        "dtype": "int16",
        "fill_value": 0,
        "zarr_format": zarr_format,
    }
    a = zarr.create_array({}, **{**defaults, **options})
    a[:4, :6] = np.arange(1, 25).reshape(4, 6)
    return a


def drawn(picture, style):
    """The shapes of a class, without the swatch in the legend."""
    root = ElementTree.fromstring(picture.svg)
    return [element for element in root.iter() if element.get("class") == style and element.get("height") != "15"]


def cells(picture, style="tz-stored"):
    """Left edge, top edge, width and height of each cell that is filled."""
    found = []
    for element in drawn(picture, style):
        found += [
            tuple(map(float, box)) for box in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", element.get("d"))
        ]
    return found


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_filled_cell_is_a_chunk_that_is_stored(zarr_format):
    a = corner(zarr_format)
    assert len(cells(viz.chunk_grid(a))) == 4
    a.store.delete(a.chunk_key((0, 1)))
    assert len(cells(viz.chunk_grid(a))) == 3
    assert viz.stored_chunks(a) == {(0, 0), (1, 0), (1, 1)}


def test_stored_chunks_are_found_below_a_path_and_other_keys_are_not_taken_for_chunks():
    group = zarr.create_group({}, zarr_format=2)
    a = group.create_array("t2m", shape=(4, 4), chunks=(2, 2), dtype="u1")
    a[0, 0] = 1
    group.create_array("t2m_1.1", shape=(2,), chunks=(1,), dtype="u1")[:] = 1
    a.store.set("t2m/notes.0.0", b"")
    a.store.set("t2m/7.7", b"")
    assert viz.stored_chunks(a) == {(0, 0)}


def test_the_words_count_what_the_picture_shows():
    words = str(viz.chunk_grid(corner(), selection=np.s_[1:3, 2:7]))
    assert words == (
        "Chunk grid of a 6 x 9 array in chunks of 2 x 3: 4 of 9 chunks are stored, "
        "5 are absent and read as 0. The selection [1:3, 2:7] touches 6 chunks."
    )


def test_the_chunks_that_a_selection_touches_are_counted_like_by_hand():
    axis = [slice(start, stop, step) for start in range(7) for stop in range(start + 1, 8) for step in (1, 2, 5)]
    for part in axis:
        by_hand = len({i // 3 for i in range(7)[part]})
        words = str(viz.chunk_grid(shape=(7,), chunks=(3,), selection=part))
        assert f"touches {by_hand} chunk" in words


def test_the_outline_lies_on_the_selected_elements():
    frame = drawn(viz.chunk_grid(corner()), "tz-frame")[0]
    box = drawn(viz.chunk_grid(corner(), selection=np.s_[2:4, 3:9]), "tz-select")[0]
    scale = float(frame.get("width")) / 9
    assert float(box.get("x")) == pytest.approx(float(frame.get("x")) + 3 * scale, abs=0.1)
    assert float(box.get("y")) == pytest.approx(float(frame.get("y")) + 2 * scale, abs=0.1)
    assert (float(box.get("width")), float(box.get("height"))) == pytest.approx((6 * scale, 2 * scale), abs=0.1)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (..., "[0:6, 0:9] touches 9"),
        (np.s_[..., 0], "[0:6, 0] touches 3"),
        (-1, "[5, 0:9] touches 3"),
        (np.s_[::4, 8], "[0:6:4, 8] touches 2"),
    ],
)
def test_a_selection_is_understood_as_numpy_does(selection, words):
    assert words in str(viz.chunk_grid(corner(), selection=selection))


def test_cells_of_a_sharded_array_are_shards_with_their_chunks_inside():
    a = zarr.create_array({}, shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u1")
    a[0, 0] = 1
    picture = viz.chunk_grid(a)
    assert "in shards of 4 x 4: 1 of 4 shards is stored" in str(picture)
    assert len(drawn(picture, "tz-inner")) == 1


def test_an_array_with_one_axis_is_a_row_and_one_with_three_several_planes():
    line = zarr.create_array({}, shape=(10,), chunks=(4,), dtype="u1")
    line[4:] = 1
    assert "2 of 3 chunks are stored" in str(viz.chunk_grid(line))
    cube = zarr.create_array({}, shape=(4, 4, 4), chunks=(2, 2, 2), dtype="u1")
    cube[2:, :2, :2] = 1
    assert len(cells(viz.chunk_grid(cube))) == 1
    assert len(cells(viz.chunk_grid(cube, plane=(0,)))) == 0
    assert len(cells(viz.chunk_grid(cube, plane=(1,)))) == 1


def test_a_silhouette_marks_exactly_the_values_above_zero():
    values = np.array([[0, 1, 9, 9], [5, 0, 0, 4]], dtype="u1")
    picture = viz.chunk_grid(shape=(2, 4), chunks=(1, 2), values=values)
    marked = np.zeros(values.shape, int)
    for level, style in ((1, "tz-low"), (2, "tz-high")):
        for x, y, length in re.findall(r"M(\d+) ([\d.]+)h(\d+)", drawn(picture, style)[0].get("d")):
            marked[int(float(y)), int(x) : int(x) + int(length)] = level
    np.testing.assert_array_equal(marked, (values > 0).astype(int) + (values >= 4.5))


def test_every_picture_has_a_title_a_description_and_ids_of_its_own():
    pictures = [
        viz.chunk_grid(corner()),
        viz.chunk_grid(corner(), selection=0),
        viz.anatomy(corner()).picture(),
    ]
    ids = []
    for picture in pictures:
        root = ElementTree.fromstring(picture.svg)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert root.get("role") == "img"
        assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
        assert title.text
        assert description.text == picture.alt
        ids += [title.get("id"), description.get("id")]
    assert len(set(ids)) == len(ids)


def test_the_style_of_one_picture_does_not_reach_another():
    svg = viz.chunk_grid(corner()).svg
    name = ElementTree.fromstring(svg).get("class")
    rules = re.sub(r"@media\([^)]*\)\{", "", re.search(r"<style>(.*?)</style>", svg)[1])
    selectors = [s for head in re.findall(r"([^{}]+)\{", rules) for s in head.split(",")]
    assert selectors
    assert all(f".{name}" in selector.split() for selector in selectors)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, two):
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
def test_words_and_marks_stand_out_from_the_page_as_wcag_asks(shade):
    colour = {name: pair[shade] for name, pair in COLOURS.items()}
    for words in ("text", "dim"):
        assert contrast(colour[words], colour["page"]) >= 4.5, words
    assert contrast(colour["onstored"], colour["stored"]) >= 4.5
    for mark in ("stored", "select", "edge", "high"):
        assert contrast(colour[mark], colour["page"]) >= 3, mark


def test_a_notebook_gets_the_picture_and_its_words(tmp_path):
    picture = viz.chunk_grid(corner())
    assert picture._repr_mimebundle_() == {"image/svg+xml": picture.svg, "text/plain": picture.alt}
    picture.save(tmp_path / "new" / "grid.svg")
    assert (tmp_path / "new" / "grid.svg").read_text(encoding="utf-8") == picture.svg


def test_the_same_array_gives_the_same_picture():
    assert viz.chunk_grid(corner()).svg == viz.chunk_grid(corner()).svg
    assert viz.anatomy(corner()).picture().svg == viz.anatomy(corner()).picture().svg


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, r"expected an array, or shape= and chunks=.*found nothing"),
        ({"shape": (4,), "chonks": (2,)}, TypeError, "found chonks, shape"),
        ({"shape": (4,), "chunks": (2, 2)}, ValueError, "a length of chunks for each of 1 axes"),
        ({"shape": (4, 4), "chunks": (2, 2), "selection": (0, 0, 0)}, IndexError, "3 indices for 2 axes"),
        ({"shape": (4,), "chunks": (2,), "selection": slice(2, 2)}, IndexError, r"\[2:2\] selects nothing"),
        (
            {"shape": (4, 4), "chunks": (2, 2), "values": np.ones((2, 2))},
            ValueError,
            "shape .4, 4., found .2, 2.",
        ),
        ({"shape": (4, 4), "chunks": (2, 2), "plane": (0,)}, ValueError, "plane needs 0 chunk coords"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_try(arguments, error, message):
    with pytest.raises(error, match=message):
        viz.chunk_grid(**arguments)


def test_a_figure_with_too_many_chunks_is_refused_with_what_to_try():
    with pytest.raises(ValueError, match="at most 20,000 chunks in a plane, found 810,000; try chunk_grid"):
        viz.chunk_grid_figure(shape=(900, 900), chunks=(1, 1))


def test_the_figure_shows_the_same_chunks_as_the_picture():
    pytest.importorskip("matplotlib")
    from matplotlib.colors import to_hex

    figure = viz.chunk_grid_figure(corner(), selection=np.s_[1:3, 2:7])
    patches = figure.axes[0].patches
    filled = [patch for patch in patches if patch.get_facecolor()[3] and to_hex(patch.get_facecolor()) == "#0072b2"]
    assert sorted(patch.get_xy() for patch in filled) == [(0, 0), (0, 2), (3, 0), (3, 2)]
    assert (patches[-1].get_xy(), patches[-1].get_width(), patches[-1].get_height()) == ((2, 1), 5, 2)
    with_values = viz.chunk_grid_figure(corner(), values=np.eye(6, 9)).axes[0]
    np.testing.assert_array_equal(with_values.images[0].get_array().filled(0), 2 * np.eye(6, 9))
    assert figure.alt == str(viz.chunk_grid(corner(), selection=np.s_[1:3, 2:7]))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_the_anatomy_lists_every_object_with_its_size(zarr_format):
    a = corner(zarr_format, attributes={"unit": "K"})
    panel = viz.anatomy(a).panels[0]
    assert {entry.key: entry.nbytes for entry in panel.entries} == {
        key: len(bytes(a.store.get(key))) for key in a.store.list_prefix()
    }
    assert panel.nbytes == a.nbytes_stored()
    assert panel.absent == 5


def test_the_anatomy_says_what_each_object_holds():
    holds = {entry.key: entry.holds for entry in viz.anatomy(corner(2, attributes={"unit": "K"})).panels[0].entries}
    assert holds[".zarray"] == "metadata: shape, dtype, chunks, compressor"
    assert holds[".zattrs"] == "attributes: unit"
    assert holds["1.1"] == "chunk (1, 1) = a[2:4, 3:6]"


def test_the_anatomy_cuts_edge_chunks_at_the_edge():
    a = zarr.create_array({}, shape=(5,), chunks=(3,), dtype="u1", zarr_format=2)
    a[:] = 1
    assert viz.anatomy(a).panels[0].entries[-1].holds == "chunk (1,) = a[3:5]"


def test_a_long_list_of_chunks_is_cut_and_its_bytes_are_kept():
    a = zarr.create_array({}, shape=(100,), chunks=(1,), dtype="u1", compressors=None, zarr_format=2)
    a[:] = 1
    rows = viz.anatomy(a, limit=3).panels[0].rows()
    assert rows[-1][:3] == ("...", "97 B", "97 more chunks")


def test_the_anatomy_of_two_arrays_stands_side_by_side_as_text_table_and_picture():
    anatomy = viz.anatomy(corner(2), corner(3), names=["<two>", "three"])
    assert repr(anatomy).startswith("<two>: 5 objects, ")
    assert anatomy._repr_html_().count("<table>") == 2
    assert "<two>" not in anatomy._repr_html_()
    words = [element.text for element in ElementTree.fromstring(anatomy.picture().svg).iter(f"{SVG}text")]
    assert {"<two>", "three", ".zarray", "zarr.json", "0.0", "c/0/0"} <= set(words)


def test_the_texts_of_a_picture_do_not_run_into_each_other():
    picture = viz.anatomy(corner(2), corner(3)).picture()
    texts = [e for e in ElementTree.fromstring(picture.svg).iter(f"{SVG}text") if e.get("text-anchor") == "start"]
    for one, two in itertools.combinations(texts, 2):
        same_line = abs(float(one.get("y")) - float(two.get("y"))) < 8
        if same_line and float(one.get("x")) < float(two.get("x")):
            # 0.62 of the size is wider than the average letter of the sans serif and of the monospaced face
            assert float(one.get("x")) + 0.62 * int(one.get("font-size")) * len(one.text) <= float(two.get("x"))


def test_a_hexdump_shows_every_byte_at_its_offset():
    data = bytes(range(40))
    lines = viz.hexdump(data, start=16, length=20).splitlines()
    assert [line[:4] for line in lines] == ["0010", "0020"]
    assert bytes.fromhex("".join(line[6:53].replace(" ", "") for line in lines)) == data[16:36]


# --- charts


@pytest.fixture
def bars():
    pytest.importorskip("matplotlib")

    def draw(heights=(16, 1)):
        figure, axes = viz.canvas()
        axes.bar(["small", "large"], heights)
        axes.set(title="Requests", ylabel="GETs")
        return viz.Chart.of(figure, "Requests for <two> layouts", "Bars: small chunks cost 16 requests, large ones 1.")

    return draw


def test_a_chart_is_the_same_bytes_every_time_and_names_no_time_and_no_version(bars):
    one, two = bars(), bars()
    assert (one.svg, one.png) == (two.svg, two.png)
    assert bars((16, 2)).svg != one.svg
    assert importlib.metadata.version("matplotlib") not in one.svg
    assert not re.search(r"20\d\d-\d\d", one.svg)


def test_a_chart_says_in_words_what_it_shows(bars):
    chart = bars()
    root = ElementTree.fromstring(chart.svg)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "Requests for <two> layouts"
    assert root.find(f"{SVG}desc").text == str(chart) == "Bars: small chunks cost 16 requests, large ones 1."


def test_a_notebook_shows_a_chart_as_a_png_twice_as_fine_as_the_page(bars):
    data, metadata = bars()._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert metadata["image/png"]["width"] == 7 * 96


def test_a_chart_is_saved_as_svg_in_a_folder_that_is_made(bars, tmp_path):
    chart = bars()
    chart.save(tmp_path / "figures" / "bars.svg")
    assert (tmp_path / "figures" / "bars.svg").read_text(encoding="utf-8") == chart.svg


# --- bytes taken apart

LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def numbers(**options):
    a = zarr.create_array({}, name="t", **{"shape": (64, 64), "chunks": (32, 32), "dtype": "u2", **options})
    a[...] = np.arange(64 * 64).reshape(64, 64) % 251
    return a


def whole(layer):
    """The parts of a layer cover its bytes, each once and in order."""
    ends = [0, *(part.stop for part in layer.parts)]
    return [part.start for part in layer.parts] == ends[:-1] and ends[-1] == len(layer.data)


def fields(layer):
    return {part.name: part.meaning for part in layer.parts}


V3 = {
    "gzip": {"compressors": "gzip"},
    "zstd": {"codecs": [LITTLE, {"name": "zstd", "configuration": {"level": 3, "checksum": True}}, "crc32c"]},
    "blosc": {"compressors": "blosc"},
    "shard": {"shards": (32, 32), "chunks": (8, 8)},
    "raw": {"compressors": None},
    "checksum in front": {"codecs": [LITTLE, {"name": "numcodecs.adler32", "configuration": {}}]},
}
V2 = {name: {"zarr_format": 2, "compressors": {"id": name}} for name in ("zlib", "bz2", "lz4", "lzma", "gzip", "blosc")}


@pytest.mark.parametrize("options", [*V3.values(), *V2.values()], ids=[*V3, *(f"v2-{name}" for name in V2)])
def test_every_byte_of_a_chunk_belongs_to_one_part(options):
    a = numbers(**options)
    found = viz.chunk_bytes(a, (1, 0))
    assert found.layers[0].data == a.encoded_chunk((1, 0))
    assert all(whole(layer) for layer in found.layers)
    assert not any(layer.problem for layer in found.layers)
    assert "not understood" not in str(found)
    last = found.layers[-1]
    assert np.ascontiguousarray(a[32:40, :8] if "shards" in options else a[32:, :32]).tobytes() in last.data
    assert fields(last)["element (0, 1)"] == str(a[32, 1])


def test_headers_say_what_other_readers_of_the_formats_find():
    import gzip
    import zlib

    a = numbers(compressors="gzip")
    data, layer = a.encoded_chunk((0, 0)), viz.chunk_bytes(a, (0, 0)).layers[0]
    assert fields(layer)["size"] == f"{len(gzip.decompress(data)):,} bytes when decompressed"
    assert fields(layer)["checksum"].endswith(f"0x{zlib.crc32(gzip.decompress(data)):08x}")

    numcodecs = pytest.importorskip("numcodecs")
    a = numbers(compressors={"name": "blosc", "configuration": {"cname": "lz4", "shuffle": "shuffle", "typesize": 2}})
    data, head = a.encoded_chunk((0, 0)), fields(viz.chunk_bytes(a, (0, 0)).layers[0])
    nbytes, cbytes, blocksize = numcodecs.blosc._cbuffer_sizes(data)
    assert head["size"] == f"{nbytes:,} bytes when decompressed"
    assert head["stored size"].startswith(f"{cbytes:,} bytes")
    assert head["block size"] == f"{blocksize:,} bytes"
    assert head["flags"].startswith("bytes shuffled, lz4")

    a = numbers(compressors={"name": "zstd", "configuration": {"level": 1, "checksum": False}})
    head = fields(viz.chunk_bytes(a, (0, 0)).layers[0])
    assert head["size"] == "2,048 bytes when decompressed"
    assert "no checksum" in head["frame header"]


def test_the_index_of_a_shard_is_read_entry_by_entry():
    a = zarr.create_array({}, shape=(8,), chunks=(2,), shards=(8,), dtype="u1", compressors=None)
    a[4:8] = [1, 2, 3, 4]
    shard, *inside = viz.chunk_bytes(a, (0,)).layers
    assert [(p.name, p.meaning) for p in shard.parts] == [
        ("inner chunk (2,)", "2 bytes"),
        ("inner chunk (3,)", "2 bytes"),
        ("entry (0,)", "absent"),
        ("entry (1,)", "absent"),
        ("entry (2,)", "offset 0, length 2"),
        ("entry (3,)", "offset 2, length 2"),
        ("crc32c", "of the index"),
    ]
    assert [layer.title for layer in inside] == ["inner chunk (2,)"]
    assert viz.chunk_bytes(a, (0,), inner=(3,)).layers[1].data == b"\x03\x04"
    with pytest.raises(IndexError, match=r"coordinates of an inner chunk below \(4,\), found \(4,\)"):
        viz.chunk_bytes(a, (0,), inner=(4,))


def test_text_is_taken_apart_item_by_item():
    a = zarr.create_array({}, shape=(3,), chunks=(3,), dtype="string", compressors=None)
    a[:] = ["a", "äö", ""]
    (layer,) = viz.chunk_bytes(a, (0,)).layers
    found = fields(layer)
    assert (found["count"], found["item 1"], found["length of item 2"]) == ("3 items", "'äö'", "0 bytes")
    assert whole(layer)


def test_a_chunk_that_is_not_stored_says_so():
    a = zarr.create_array({}, shape=(4,), chunks=(2,), dtype="u1")
    found = viz.chunk_bytes(a, (1,))
    assert "key c/1: not stored, so every element reads as the fill value" in str(found)
    assert "not stored" in found._repr_html_()


@pytest.mark.parametrize("options", [*V3.values(), *V2.values()], ids=[*V3, *(f"v2-{name}" for name in V2)])
@pytest.mark.parametrize("damage", ["cut", "emptied", "flipped", "replaced"])
def test_damaged_bytes_are_shown_with_a_sentence_and_never_an_exception(options, damage):
    a = numbers(**options)
    key, data = a.chunk_key((0, 0)), a.encoded_chunk((0, 0))
    for at in (0, 5, len(data) // 2, len(data) - 3):
        flipped = bytes(b ^ 0xFF if i == at else b for i, b in enumerate(data))
        a.store.set(key, {"cut": data[:at], "emptied": b"", "flipped": flipped, "replaced": b"\xff" * 40}[damage])
        found = viz.chunk_bytes(a, (0, 0))
        assert all(whole(layer) for layer in found.layers)
        assert str(found)
        assert found._repr_html_()


def test_a_flipped_bit_is_named_by_the_checksum_that_finds_it():
    a = numbers(codecs=[LITTLE, "crc32c"])
    data = bytearray(a.encoded_chunk((0, 0)))
    data[7] ^= 1
    a.store.set(a.chunk_key((0, 0)), bytes(data))
    (layer,) = viz.chunk_bytes(a, (0, 0)).layers
    assert "expected the checksum" in layer.problem


def test_the_anatomy_shows_documents_and_the_bytes_of_a_chunk_side_by_side():
    anatomy = viz.anatomy(numbers(zarr_format=2, compressors={"id": "gzip"}), numbers(compressors="gzip"), chunk=(0, 1))
    html = anatomy._repr_html_()
    for key in (".zarray", "zarr.json"):
        assert f"<summary><code>{key}</code></summary><pre>{{" in html
    assert html.count("as stored, ") == 4  # a heading and the title of a strip, for each
    assert str(anatomy).count("chunk (0, 1) of /t, key ") == 2


# --- requests


def traced():
    """What reading two chunks asks for: one is there, one is not."""
    store = TraceStore(MemoryStore())
    a = zarr.create_array(store, shape=(4,), chunks=(2,), dtype="u1", compressors=None)
    a[:2] = 7
    store.clear()
    assert a[:].tolist() == [7, 7, 0, 0]
    return store


def overlapping():
    starts = [(0.0, 0.010), (0.002, 0.010), (0.004, 0.004), (0.020, 0.001)]
    return [Request("GET", f"c/{i}", (0, 10), 10 * i, *when) for i, when in enumerate(starts)]


def test_the_summary_counts_what_the_trace_has():
    store = traced()
    found = viz.requests(store, by="order")
    assert found.summary == "2 requests: 2 GET, 2 B; 1 of them found nothing"
    assert len(found.bars) == store.count()
    assert [bar.request for bar in found.bars] == store.requests


def test_bars_lie_where_the_requests_began_and_are_as_long_as_they_took():
    found = viz.requests(overlapping())
    assert found.in_flight == 3
    assert found.summary.endswith("21.0 ms, at most 3 at once")
    boxes = [e for e in drawn(found.picture(), "tz-head") if e.get("width")]
    left, wide = ([float(box.get(name)) for box in boxes] for name in ("x", "width"))
    scale = (left[1] - left[0]) / 0.002
    for (x, w), request in zip(zip(left, wide, strict=True), overlapping(), strict=True):
        assert x - left[0] == pytest.approx(request.start * scale, abs=0.3)
        assert w + 1 == pytest.approx(request.seconds * scale, abs=0.3)


def test_requests_that_follow_each_other_are_not_counted_as_at_once():
    assert viz.requests([Request("GET", "a", None, 1, 0.0, 1.0), Request("GET", "b", None, 1, 1.0, 1.0)]).in_flight == 1


def test_by_order_the_picture_has_no_time_in_it_and_is_the_same_in_every_run():
    slow = [request._replace(seconds=7 * request.seconds) for request in overlapping()]
    one, other = (viz.requests(trace, by="order").picture().svg for trace in (overlapping(), slow))
    assert one == other
    assert " ms" not in one
    with pytest.raises(ValueError, match="by: expected 'time' or 'order', found 'size'"):
        viz.requests([], by="size")


def test_what_was_not_found_is_a_hollow_bar_and_said_in_words():
    found = viz.requests(traced(), by="order")
    assert len([e for e in drawn(found.picture(), "tz-absent") if e.get("width")]) == 1
    assert str(found).splitlines()[-1] == "GET  c/1  nothing"


def test_a_trace_of_a_real_store_is_timed():
    found = viz.requests(traced())
    assert found.timed
    assert all(bar.stop >= bar.start for bar in found.bars)
    assert " ms, at most 1 at once" in found.summary


def test_requests_that_are_not_shown_are_counted():
    found = viz.requests([Request("GET", f"c/{i}", None, 1) for i in range(100)])
    for words in (str(found), found.picture().svg, found._repr_html_()):
        assert "60 more requests not shown" in words


@pytest.mark.parametrize("trace", [[], [Request("LIST", "")], [Request("PUT", "<b>" * 30, (5, None), 3)]])
def test_any_trace_can_be_shown(trace):
    found = viz.requests(trace)
    ElementTree.fromstring(found.picture().svg)
    assert "<b><b>" not in found._repr_html_()
    assert str(found).startswith(f"{len(trace)} request")


def test_the_figure_has_a_bar_for_each_request():
    pytest.importorskip("matplotlib")
    figure = viz.requests(overlapping()).figure()
    bars = figure.axes[0].patches
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 2, 4, 20])
    assert [bar.get_width() for bar in bars] == pytest.approx([10, 10, 4, 1])
    assert figure.alt.startswith("4 requests: 4 GET")


def test_a_table_of_signs_has_a_tile_for_each_outcome_and_a_panel_for_each_group():
    pytest.importorskip("matplotlib")
    from tutorial_zarr.viz.sign_table import sign_table

    signs = {"yes": ("it is so", "#0072b2", "=", "white"), "no": ("it is not", "#eceff1", "-", "black")}
    panels = {"colours": {"sky": ["yes", "no"], "grass": ["no", "yes"]}, "more": {"sea": ["yes", "yes"]}}
    figure = sign_table(panels, ["blue", "green"], signs)
    # for each sign of a panel: its tiles are one path, each moved to once, and the signs upon them one collection
    tiles = [
        list(patch.get_path().codes).count(patch.get_path().MOVETO) for axes in figure.axes for patch in axes.patches
    ]
    upon = [len(marks.get_offsets()) for axes in figure.axes for marks in axes.collections]
    assert tiles == upon == [2, 2, 2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["=  it is so", "-  it is not"]
