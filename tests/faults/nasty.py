"""One hierarchy with everything in its names, attributes, documents and keys that must not reach a reader unescaped."""

import json
import re

import tutorial_zarr as zarr
from tutorial_zarr.stores import SQLiteStore

# Clears the screen, sets a title, turns the direction, begins a line, is markup to HTML, Markdown, rich and SVG.
NAME = "a\x1b[2J\x1b]0;t\x07\u202eb\x9bc\u2028d\re\nf<img src=x onerror=alert(1)>&\"'`|*_[bold][x](y)\x7f\u200f"
TEXT = NAME + "</script></svg></details>--> \ud800 \u2066{}%s$(x)"
# What a terminal obeys, or a reader is misled by. Lines may end, and nothing else of this kind may come.
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
MARKUP = re.compile(r"<img|</script></svg>|onerror=alert\(1\)>", re.IGNORECASE)


def _put(store, key, document):
    store.set(key, json.dumps(document).encode())  # a lone surrogate is an escape to JSON, and no UTF-8


def _changed(store, key, **changes):
    _put(store, key, {**json.loads(bytes(store.get(key))), **changes})


def build(place, zarr_format=3):
    """Write the hierarchy into an SQLite file, whose keys may be anything on every system; returns its array's path."""
    with SQLiteStore(str(place)) as store:
        root = zarr.create_group(store, zarr_format=zarr_format)
        group = root.create_group(NAME)
        names = {"dimension_names": [NAME, "y"]} if zarr_format == 3 else {}
        array = group.create_array(NAME, shape=(4, 4), chunks=(2, 2), dtype="i4", **names)
        array[:2] = 1
        group.create_array("records", shape=(2,), dtype=[(NAME, "i4"), ("b", "f4")])[0] = (1, 2.0)
        group.create_array("text", shape=(2,), dtype="string" if zarr_format == 3 else f"U{len(NAME)}", fill_value=NAME)
        path = f"{NAME}/{NAME}"
        attributes = {
            NAME: TEXT,
            "units": TEXT,
            "_ARRAY_DIMENSIONS": [TEXT, "y"],
            "nan": float("nan"),
            "deep": {NAME: [TEXT]},
        }
        if zarr_format == 3:
            for node in ("zarr.json", f"{NAME}/zarr.json", f"{path}/zarr.json"):
                _changed(store, node, attributes=attributes)
            bare = json.loads(bytes(store.get(f"{path}/zarr.json")))
            _put(store, "unknown_codec/zarr.json", {**bare, "codecs": [{"name": TEXT}]})
            _put(store, "unknown_type/zarr.json", {**bare, "data_type": {"name": TEXT, "configuration": {NAME: TEXT}}})
            _put(store, "unknown_member/zarr.json", {**bare, TEXT: {"must_understand": True}})
            _put(store, "bad_names/zarr.json", {**bare, "dimension_names": [TEXT]})
        else:
            for node in ("", f"{NAME}/", f"{path}/"):
                _put(store, node + ".zattrs", attributes)
            bare = json.loads(bytes(store.get(f"{path}/.zarray")))
            _put(store, "unknown_codec/.zarray", {**bare, "compressor": {"id": TEXT}})
            _put(store, "unknown_type/.zarray", {**bare, "dtype": TEXT})
        store.set(f"{path}/{'c/' if zarr_format == 3 else ''}9{'/' if zarr_format == 3 else '.'}9", b"beyond the grid")
        store.set(f"{path}/{'c/0/1' if zarr_format == 3 else '0.1'}", TEXT.encode("utf-8", "surrogatepass"))
        store.set(f"{NAME}{NAME}/zarr.json" if zarr_format == 3 else f"{NAME}{NAME}/.zarray", b"{" + NAME.encode())
        store.set(f"{NAME}.txt", b"no key of Zarr")
        return path
