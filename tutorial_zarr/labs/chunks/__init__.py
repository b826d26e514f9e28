"""The chunk lab: which chunk and shard shapes suit the way an array is read. Read it in this order:

    patterns   how an array is read: boxes with weights, written down or taken from a log
    storage    a model of the store: waiting, bandwidth, prices
    paper      arrays on paper: the library's own plan for a layout that nobody has written yet
    expected   the mean cost over all places of a pattern, in closed form
    search     which layouts are tried
    choice     what one layout costs, and what every number means
    advice     `advise`, `advise_array`: the layouts in order, and what to do
    figures    the same as charts
    explore    chunks that light up under a selection; sliders, where there is ipywidgets
    command    ``tutorial-zarr chunks``

>>> advice = advise((1000, 1000), "f4", ["rows 50%: 1, all", "columns 50%: all, 1"], shards=False)
>>> advice.best.layout
Layout(chunks=(512, 512), shards=None)
"""

from tutorial_zarr.labs.chunks.advice import Advice, advise, advise_array
from tutorial_zarr.labs.chunks.choice import Choice, Question
from tutorial_zarr.labs.chunks.expected import Cost, expected
from tutorial_zarr.labs.chunks.explore import Lit, explore, lit
from tutorial_zarr.labs.chunks.paper import Layout, PaperStore, on_paper
from tutorial_zarr.labs.chunks.patterns import Pattern, from_log, parse
from tutorial_zarr.labs.chunks.storage import Prices, StoreModel, store

__all__ = [
    "Advice",
    "Choice",
    "Cost",
    "Layout",
    "Lit",
    "PaperStore",
    "Pattern",
    "Prices",
    "Question",
    "StoreModel",
    "advise",
    "advise_array",
    "expected",
    "explore",
    "from_log",
    "lit",
    "on_paper",
    "parse",
    "store",
]
