"""Fuzz guided by coverage: ``python tests/faults/fuzz_atheris.py "document zarr.json" -runs=100000``.

Needs the package atheris. The first argument is the name of a target in `fuzz_targets` (any of its names; without
it they are listed); the others are libFuzzer's. The library is instrumented as it is imported.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["tutorial_zarr"]):
    import fuzz_targets


def main():
    """The command."""
    warnings.simplefilter("ignore")
    targets = {target.name: target for target in fuzz_targets.all_targets()}
    if len(sys.argv) < 2 or sys.argv[1] not in targets:
        print("\n".join(targets))
        return 2
    target = targets[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory(prefix="fuzz") as corpus, fuzz_targets.allowed():
        for number, seed in enumerate(target.seeds):
            (Path(corpus) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], lambda data: fuzz_targets.check(target, data))
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
