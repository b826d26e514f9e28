"""The compression lab: every chain of codecs on a sample of your own array, and what to use.

`shootout` draws chunks from the array (`sample`), makes chains from the registry of codecs (`chains`, `lossy`), and
puts each through the same test (`measure`): bytes after each stage, every bit compared by hash or every error held
against what was promised, speed with one thread and with all. `advice` says which shuffle helped and which hurt, and
what to use, with the reason and the line of code. `figures` draws it; ``tutorial-zarr compress shootout`` runs it.

Speeds are those of this machine; sizes and errors are properties of the data. The advice goes by them, and by what is
twice as slow.

Notebook: 02_02.

>>> import numpy as np
>>> prices = np.round(100 + np.cumsum(np.sin(np.arange(30_000.0) ** 2)) / 50, 2)
>>> found = shootout(prices, levels=False, workers=1)
>>> next(str(effect) for effect in found.effects).partition(":")[0]
'shuffle hurts'
"""

from .advice import Effect, Pick, advise, code, effects, lost_readers, pareto, recommend
from .chains import Chain, Promise, lossless
from .figures import errors_figure, pareto_figure, threads_figure, waterfall_figure
from .lossy import lossy
from .measure import Result, Speed, Stage, break_even, measure
from .sample import Sample, SampleError, take
from .shootout import Shootout, row, shootout, shootouts

__all__ = [
    "Chain",
    "Effect",
    "Pick",
    "Promise",
    "Result",
    "Sample",
    "SampleError",
    "Shootout",
    "Speed",
    "Stage",
    "advise",
    "break_even",
    "code",
    "effects",
    "errors_figure",
    "lossless",
    "lossy",
    "lost_readers",
    "measure",
    "pareto",
    "pareto_figure",
    "recommend",
    "row",
    "shootout",
    "shootouts",
    "take",
    "threads_figure",
    "waterfall_figure",
]
