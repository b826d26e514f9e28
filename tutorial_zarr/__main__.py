"""`python -m tutorial_zarr` is the command line, where its script is not on the PATH."""

import sys

from tutorial_zarr.cli import main

if __name__ == "__main__":
    sys.exit(main())
