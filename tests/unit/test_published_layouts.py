"""The chunk lab beside what practitioners chose: layouts that were published, each with its source.

Each row is an array as its source describes it, how it is read by the source's own words, and the chunks that were
chosen. Held is the size of what the lab recommends for it: within a factor of `FACTOR` of theirs, or the row says why
not. Shapes that grow with time are as they were when the source was written, or rounded.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from tutorial_zarr.labs import chunks as lab

FACTOR = 16


@dataclass(frozen=True)
class Published:
    """A layout that somebody chose."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    reads: tuple[str, ...]
    chunks: tuple[int, ...]
    source: str
    differs: str = ""  # why our advice is another
    shards: bool = False  # whether these chunks lie in shards

    @property
    def nbytes(self):
        return math.prod(self.chunks) * np.dtype(self.dtype).itemsize


MAPS, SERIES = "maps: 1, all, all", "series: all, 1, 1"
ISSUE = "https://github.com/{}/issues/{}".format
PUBLISHED = [
    Published(
        "ERA5 on pressure levels, Earthmover",
        (753_888, 13, 721, 1440),
        "f4",
        ("maps: 1, 1, all, all",),
        (1, 1, 721, 1440),
        "https://gist.github.com/mdsumner/2aa9ba53a9272c82de72b62f6f19ce1c",
    ),
    Published(
        "ERA5 on 37 levels, ARCO-ERA5",
        (740_000, 37, 721, 1440),
        "f4",
        ("states: 1, all, all, all",),
        (1, 37, 721, 1440),
        "https://github.com/WAM2layers/WAM2layers/pull/401",
    ),
    Published(
        "ERA5-Land in blocks of four years and five degrees, h2ox",
        (350_640, 1801, 3600),
        "f4",
        ("series of a region: all, 50, 50",),
        (35_064, 50, 50),
        ISSUE("google-research/arco-era5", 12),
        differs="smaller: they read whole blocks, one at a time; anywhere else a region lies in four, of 1.4 GB",
    ),
    Published(
        "GEFS analysis, dynamical.org",
        (77_327, 721, 1440),
        "f4",
        (SERIES, MAPS),
        (1440, 32, 32),
        "https://gist.github.com/mdsumner/372999dc7c1fef7d559ac4314b972665",
        shards=True,
    ),
    Published(
        "ICON-EU forecasts, dynamical.org",
        (2000, 93, 657, 1097),
        "f4",
        ("series of a forecast 50%: 1, all, 1, 1", "maps 50%: 1, 1, all, all"),
        (1, 93, 219, 153),
        "https://github.com/dynamical-org/reformatters/pull/184",
        differs="smaller: their readers make a request for each chunk of a shard; ours one for neighbours",
        shards=True,
    ),
    Published(
        "AIFS forecasts, dynamical.org",
        (2000, 61, 721, 1440),
        "f4",
        ("series of a forecast 50%: 1, all, 1, 1", "maps 50%: 1, 1, all, all"),
        (1, 61, 240, 240),
        "https://github.com/dynamical-org/reformatters/pull/474",
        differs="smaller: as for ICON-EU",
        shards=True,
    ),
    Published(
        "HRRR forecasts, University of Utah",
        (48, 1059, 1799),
        "f4",
        ("series of a region: all, 150, 150",),
        (48, 150, 150),
        "https://mesowest.utah.edu/html/hrrr/zarr_documentation/html/What_is_Zarr.html",
    ),
    Published(
        "HRRR analyses, University of Utah",
        (1, 1059, 1799),
        "f4",
        ("a region: 1, 150, 150",),
        (1, 150, 150),
        "https://mesowest.utah.edu/html/hrrr/zarr_documentation/html/What_is_Zarr.html",
    ),
    Published(
        "MUR sea surface temperature, AWS",
        (6443, 17_999, 36_000),
        "i2",
        ("a region through a year: 365, 1800, 3600",),
        (5, 1799, 3600),
        ISSUE("pangeo-forge/staged-recipes", 254),
    ),
    Published(
        "CCMP winds, Pangeo",
        (48_212, 628, 1440),
        "f4",
        ("everything: all, all, all",),
        (2000, 157, 180),
        ISSUE("pangeo-data/pangeo-datastore", 112),
    ),
    Published(
        "CESM2 large ensemble, ocean in three dimensions, NCAR",
        (1032, 60, 384, 320),
        "f4",
        ("everything: all, all, all, all",),
        (6, 60, 384, 320),
        ISSUE("NCAR/cesm2-le-aws", 4),
    ),
    Published(
        "Newman ensemble of precipitation, Pangeo",
        (9, 12_054, 224, 464),
        "f8",
        ("everything: all, all, all, all",),
        (1, 287, 224, 464),
        ISSUE("pangeo-data/pangeo", 309),
    ),
    Published(
        "CMIP5 surface temperature of CanESM2, Pangeo",
        (3540, 64, 128),
        "f4",
        ("a year: 12, all, all",),
        (12, 64, 128),
        ISSUE("pangeo-data/pangeo", 309),
    ),
    Published(
        "HYCOM50 surface, Pangeo Forge",
        (696, 615, 503),
        "f4",
        ("everything: all, all, all",),
        (24, 615, 503),
        "https://github.com/pangeo-forge/staged-recipes/pull/29",
    ),
    Published(
        "CHELSA, Pangeo Forge",
        (20_880, 43_200),
        "f4",
        ("everything: all, all",),
        (5220, 5400),
        "https://github.com/pangeo-forge/staged-recipes/pull/133",
    ),
    Published(
        "genotypes, bio2zarr's default",
        (29_924_147, 78_195, 2),
        "i1",
        ("variants, one after the other: 1000, all, all",),
        (1000, 10_000, 2),
        ISSUE("sgkit-dev/bio2zarr", 300),
    ),
    Published(
        "genotypes, sgkit's default",
        (29_924_147, 78_195, 2),
        "i1",
        ("variants: 10000, all, all", "samples: 100000, 1000, all"),
        (10_000, 1000, 2),
        ISSUE("sgkit-dev/bio2zarr", 5),
    ),
    Published(
        "plates of OME-Zarr 0.5, iohub",
        (100, 3, 96, 2048, 2048),
        "u2",
        ("planes: 1, 1, 1, all, all", "crops for training: 1, 1, 16, 256, 256"),
        (1, 1, 16, 256, 256),
        ISSUE("czbiohub-sf/iohub", 401),
        shards=True,
    ),
    Published(
        "plates of OME-Zarr, Fractal's default",
        (3, 60, 10_800, 12_800),
        "u2",
        ("fields of view, one after the other: all, all, 2160, all",),
        (1, 10, 2160, 2560),
        "https://fractal-analytics-platform.github.io/fractal-tasks-core/reference/fractal_tasks_core/tasks/"
        "cellvoyager_to_ome_zarr_compute",
    ),
    Published(
        "electron microscopy, OpenOrganelle",
        (12_000, 6000, 8000),
        "u1",
        ("cross sections 60%: 1, 1000, 1000", "cross sections, xz 20%: 1000, 1, 1000", "yz 20%: 1000, 1000, 1"),
        (96, 96, 96),
        ISSUE("janelia-cellmap/openorganelle", 34),
    ),
    Published(
        "electron microscopy, webKnossos",
        (1, 3000, 5000, 7000),
        "u1",
        ("xy: 1, 1, 500, 500", "xz: 1, 500, 1, 500", "yz: 1, 500, 500, 1"),
        (1, 32, 32, 32),
        ISSUE("zarr-developers/zarr-specs", 254),
        differs="larger: a viewer fetches bricks of 32 KiB one by one; we recommend none below 512 KiB",
        shards=True,
    ),
    Published(
        "a brain atlas, BrainGlobe",
        (1320, 800, 1140),
        "u4",
        ("xy: 1, all, all", "xz: all, 1, all", "yz: all, all, 1"),
        (128, 128, 128),
        "https://github.com/brainglobe/brainglobe-atlasapi/pull/925",
    ),
    Published(
        "confocal image, IDR",
        (2, 236, 275, 271),
        "u2",
        ("planes: 1, 1, all, all",),
        (1, 1, 256, 256),
        ISSUE("fideus-labs/ngff-zarr", 733),
        shards=True,
    ),
]


def advised(row):
    return lab.advise(row.shape, row.dtype, row.reads, store=lab.store("s3"), shards=row.shards)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_the_advice_is_of_the_size_that_practitioners_chose_or_it_is_said_why_not(row):
    best = advised(row).best
    factor = best.chunk_nbytes / row.nbytes
    said = f"{row.name}: theirs {row.nbytes / 1e6:.2f} MB, ours {best.chunk_nbytes / 1e6:.2f} MB as {best.layout}"
    if row.differs:
        assert not 1 / FACTOR <= factor <= FACTOR, f"{said}: no difference to explain"
        assert row.differs.startswith("smaller" if factor < 1 else "larger"), said
    else:
        assert 1 / FACTOR <= factor <= FACTOR, said


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_no_advice_goes_below_what_a_bucket_is_comfortable_with(row):
    advice = advised(row)
    least = advice.question.store.least(advice.question.nbytes)
    assert 1 << 20 <= least <= 4_000_000
    assert all(choice.unit_nbytes >= least and choice.chunk_nbytes >= 1 << 19 for choice in advice.choices)
    assert advice.best.objects <= 4 * advice.question.nbytes / least  # chunks at the edges count as whole ones


def test_there_are_twenty_layouts_and_each_has_its_source():
    assert len(PUBLISHED) >= 20
    assert len({row.name for row in PUBLISHED}) == len(PUBLISHED)
    assert all(row.source.startswith("https://") for row in PUBLISHED)
    assert sum(bool(row.differs) for row in PUBLISHED) <= 4


def test_smaller_ones_are_recommended_to_those_who_ask_for_them():
    reads = ["series: all, 1, 1", "maps: 1, all, all"]
    plain = lab.advise((512, 71, 101), "f4", reads, shards=False)
    asked = lab.advise((512, 71, 101), "f4", reads, shards=False, smallest=4096)
    assert plain.best.chunk_nbytes >= 1 << 20
    assert min(choice.chunk_nbytes for choice in asked.choices) < 1 << 14
    assert asked.best.chunk_nbytes < plain.best.chunk_nbytes
