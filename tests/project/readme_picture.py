"""The picture at the top of the README, drawn from what its example writes.

To draw it: `python -m tests.project.readme_picture`.
"""

from collections.abc import Collection
from pathlib import Path

from tutorial_zarr.viz.drawing import Picture
from tutorial_zarr.viz.drawing.svg import boxes, draw, path, rect, text

PLACE = Path(__file__).parents[2] / "articles" / "figures" / "array_chunks_objects.svg"
CELL = 20  # units, the side of a chunk


def picture(shape: tuple[int, int], chunks: tuple[int, int], keys: Collection[str]) -> Picture:
    """An array, its chunks, and the objects that they are stored as."""
    rows, columns = shape[0] // chunks[0], shape[1] // chunks[1]
    stored = sorted(tuple(map(int, key.split("/")[1:])) for key in keys if key.startswith("c/"))
    wide, high, top, second, third = columns * CELL, rows * CELL, 70, 318, 610
    there = [(second + column * CELL, top + row * CELL, CELL, CELL) for row, column in stored]
    grid = [(second + column * CELL, top + row * CELL, CELL, CELL) for row in range(rows) for column in range(columns)]
    filled = (1 + max(place[axis] for place in stored) for axis in (1, 0))
    parts = [
        text(24, 34, "an array", "tz-title", size=16),
        text(24, 56, f"{shape[0]:,} x {shape[1]:,} numbers", "tz-dim"),
        rect(24, top, *(CELL * count for count in filled), "tz-stored"),
        rect(24, top, wide, high, "tz-frame"),
        text(second, 34, "is cut into chunks", "tz-title", size=16),
        text(second, 56, f"{rows * columns} of {chunks[0]} x {chunks[1]}; {len(stored)} hold data", "tz-dim"),
        boxes(there, "tz-stored"),
        boxes(grid, "tz-line"),
        text(third, 34, "and stored as objects", "tz-title", size=16),
        text(third, 56, "in a folder, a zip file or a bucket", "tz-dim"),
    ]
    for number, key in enumerate(sorted(keys, key=lambda key: (key.startswith("c/"), key))):
        y, document = top + 40 * number, not key.startswith("c/")
        parts.append(rect(third, y, 6, 32, "tz-document" if document else "tz-stored"))
        parts.append(text(third + 18, y + 14, key, "tz-code"))
        said = "what the array is, as JSON" if document else f"chunk ({', '.join(key.split('/')[1:])}), compressed"
        parts.append(text(third + 18, y + 30, said, "tz-dim", size=12))
    for x in (second, third):
        at = top + high / 2
        parts.append(path(f"M{x - 62} {at}h34m-9 -7l9 7l-9 7", "tz-frame"))
    objects = ", ".join(key for key in sorted(keys) if key.startswith("c/"))
    alt = (
        f"An array of {shape[0]:,} x {shape[1]:,} numbers is cut into {rows * columns} chunks. Those that hold data "
        f"are stored, each as an object of its own, {objects}, beside one document, zarr.json. "
        "The others are not stored at all."
    )
    return draw("From an array to objects", alt, third + 240, top + high + 24, parts)


def of_the_example(array) -> Picture:
    """The picture of the array that the README's example makes."""
    return picture(array.shape, array.chunks, set(array.store.list_prefix()))


if __name__ == "__main__":
    import tutorial_zarr as zarr

    example = zarr.create_array({}, shape=(1000, 1000), chunks=(100, 100), dtype="int32")
    example[:200, :200] = 7
    of_the_example(example).save(PLACE)
