"""Laws for codecs, data types and stores: tests that a plugin gets for free.

Each kit is a class of pytest tests, one a law, its name the claim. Subclass it in your own tests, and say what is
to be tested; pytest does the rest. The library's own codecs, data types and stores are held to the same laws.

    from tutorial_zarr.testing import CodecCase, CodecLaws, DataTypeLaws, StoreLaws

    class TestMyStore(StoreLaws):
        def make(self, tmp_path):
            return MyStore(tmp_path)

    class TestMyCodec(CodecLaws):
        cases = [CodecCase("my-codec", {"level": 1})]

    class TestMyType(DataTypeLaws):
        data_types = ["my-type"]

`stores`, `codecs` and `data_types` beside this file hold the laws. They need pytest, and use hypothesis where it
is installed. How to write and register a plugin is in `DESIGN.md`.
"""

import pytest

# Before they are imported: a law that fails then shows the values on both sides.
pytest.register_assert_rewrite(f"{__name__}.codecs", f"{__name__}.data_types", f"{__name__}.stores")

from .codecs import CodecCase, CodecLaws  # noqa: E402
from .data_types import DataTypeLaws  # noqa: E402
from .stores import StoreLaws  # noqa: E402

__all__ = ["CodecCase", "CodecLaws", "DataTypeLaws", "StoreLaws"]
