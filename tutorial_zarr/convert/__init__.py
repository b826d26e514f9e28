"""Other layouts and other formats: `rechunk` writes an array anew.

`plan` works out how, within a memory budget; `rechunking` does it; `formats` spells metadata in the other format.
"""

from .plan import RechunkPlan
from .rechunking import content_hash, rechunk

__all__ = ["RechunkPlan", "content_hash", "rechunk"]
