"""Build ``stocks.npz`` from the package bokeh_sampledata 2026.1 (data: Quandl WIKI Prices, public domain).

    python -m pip install numpy bokeh_sampledata==2026.1
    python data_gen/vendor/build_stocks.py

The source is ``stocks.csv.gz``. The three stocks whose series are complete are taken, all days from 2000-03-01 to
2013-03-01: open, high, low and close as they were paid, in whole cents; the volume in shares; and the close as the
source adjusted it for splits and dividends, those after 2013 among them. AAPL, IBM and MSFT, in this order.
"""

import csv
import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum

TICKERS = ("AAPL", "IBM", "MSFT")


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    package = Path(find_spec("bokeh_sampledata").origin).parent  # not imported: that would need pandas
    with gzip.open(package / "_data" / "stocks.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    of = {ticker: [row for row in rows if row["Ticker"] == ticker] for ticker in TICKERS}
    dates = [row["Date"] for row in of["AAPL"]]
    if any([row["Date"] for row in of[ticker]] != dates for ticker in TICKERS):
        raise SystemExit("the stocks have other days; expected bokeh_sampledata 2026.1")

    def column(name: str) -> np.ndarray:
        return np.array([[float(row[name]) for row in of[ticker]] for ticker in TICKERS]).T

    cents = {name.lower(): np.rint(column(name) * 100).astype(np.int32) for name in ("Open", "High", "Low", "Close")}
    target = Path(__file__).with_name("stocks.npz")
    np.savez_compressed(
        target,
        day=np.array(dates, dtype="M8[D]").astype(np.int32),  # days since 1970-01-01
        **cents,
        volume=column("Volume").astype(np.int64),
        adjusted=column("Adj Close"),
    )
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
