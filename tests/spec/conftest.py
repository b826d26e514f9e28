"""Lets the tests of this folder import `spec.build` whatever pytest's import mode is."""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).parent.parent)
if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)
