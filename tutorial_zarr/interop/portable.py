"""``profile="portable"`` of `create_array`: only what every reader of the matrix reads.

Nothing here is a list written by hand: the stored matrix is asked. No Zarr format is read by all (netCDF-C has no
Zarr 3, Icechunk has no Zarr 2), so "every reader" is every one that reads the format at all; where no format is
asked for, it is the one with most readers. What is asked for and is not read by all is refused, and nothing is
written. `Portable` with names of readers asks for less::

    zarr.create_array("data.zarr", shape=(4, 6), dtype="bool", profile=Portable(["gdal", "zarrita"]))

>>> Portable().readers_of(3)
['gdal', 'icechunk', 'ome-zarr', 'tensorstore', 'tutorial-zarr', 'xarray', 'z5py', 'zarr-python', 'zarrita', 'zarrs']
>>> import tutorial_zarr as zarr
>>> zarr.create_array({}, shape=(4, 6), dtype="float16", zarr_format=3, profile="portable")
Traceback (most recent call last):
    ...
tutorial_zarr.errors.UnsupportedError: profile 'portable', Zarr 3: expected what all its readers read, found ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tutorial_zarr import codecs
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import MetadataError, UnsupportedError
from tutorial_zarr.metadata import v3
from tutorial_zarr.spelling import to_extension

from .changes import names, words
from .elements import elements_of
from .lint import Finding, Matrix, check_readers, lint_elements, stored_matrix


class Portable:
    """What `create_array` asks of a profile: a format, a compressor, and whether the document will do."""

    def __init__(self, readers: Iterable[str] = (), matrix: Matrix | None = None) -> None:
        self.matrix = matrix or stored_matrix()
        self.named = list(readers)
        self.readers = check_readers(self.named, self.matrix)

    def readers_of(self, zarr_format: int) -> list[str]:
        """Those of the readers that read this format."""
        return [reader for reader in self.readers if self.matrix.reads(reader, [f"format:{zarr_format}"])]

    def zarr_format(self) -> int:
        """The format with most readers; the newer where they are even."""
        return max((3, 2), key=lambda zarr_format: len(self.readers_of(zarr_format)))

    def compressor(self, data_type: DataType, zarr_format: int, default: str) -> str | None:
        """`default` where all read it, else the compressor of most cases among those that all read; None for none."""
        category = "codec" if zarr_format == 3 else "codec2"
        if self._all_read(f"{category}:{default}", zarr_format):
            return default
        cases = Counter(e for case in self.matrix.cases for e in case if e.startswith(f"{category}:"))
        for element, _ in sorted(cases.items(), key=lambda item: (-item[1], item[0])):
            name = element.partition(":")[2]
            if self._all_read(element, zarr_format) and _is_compressor(name, data_type):
                return name
        return None

    def _all_read(self, element: str, zarr_format: int) -> bool:
        return all(self.matrix.reads(reader, [element]) for reader in self.readers_of(zarr_format))

    def check(self, document: dict[str, Any], attributes: dict[str, Any], path: str) -> None:
        """Refuse an array that is not read by all, or of which nobody knows whether it is."""
        version = document["zarr_format"]
        readers = self.readers_of(version)
        where = f"{f'array {path!r}, ' if path else ''}profile 'portable', Zarr {version}"
        absent = sorted(set(self.named) - set(readers))
        if absent:
            others = self.readers_of(5 - version)
            wants = f"; try: zarr_format={5 - version}" if len(others) == len(self.readers) else "; try fewer readers"
            raise UnsupportedError(
                f"{where}: expected a format that all its readers read, which {_do_not(absent)}{wants}"
            )
        findings = lint_elements(elements_of(document, attributes, path), readers, matrix=self.matrix)
        if findings:
            raise UnsupportedError(
                f"{where}: expected what all its readers read, found {_sentence(findings)}", findings=findings
            )


def _is_compressor(name: str, data_type: DataType) -> bool:
    """Whether it is one, and can be had by its name alone."""
    try:
        built = codecs.build_codecs([v3.extension(to_extension(name, data_type), "codecs")])
    except MetadataError:
        return False
    return type(built[0]).__module__ == codecs.compressors.__name__


def _sentence(findings: list[Finding]) -> str:
    by_elements: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        by_elements.setdefault(finding.elements, []).append(finding)
    parts, changes = [], []
    for elements, found in by_elements.items():
        what = " with ".join(map(words, elements))
        no = [finding.reader for finding in found if finding.outcome != "untested"]
        unknown = [finding.reader for finding in found if finding.outcome == "untested"]
        said = [_do_not(no)] if no else []
        said += [f"{names(unknown)} {'were' if len(unknown) > 1 else 'was'} never tried with"] if unknown else []
        parts.append(f"{what}, which {' and '.join(said)}")
        changes.append(next((finding.change for finding in found if finding.change), f"leave out {what}"))
    return f"{'; '.join(parts)}; try: {'; '.join(dict.fromkeys(changes))}"


def _do_not(readers: list[str]) -> str:
    return f"{names(readers)} {'do' if len(readers) > 1 else 'does'} not read"
