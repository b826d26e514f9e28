"""05_05 again, from outside: books joined by pandas, money in Python's decimals, chances by SciPy, stores by others.

pandas merges on the key and counts; `decimal` decides about cents; `scipy.stats.binom` says how many chunks hold a
break. Nothing here imports this project's library.
"""

from decimal import Decimal

import numpy as np
import pytest

from data_gen import breaks

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/05_finance/05_05_reconciliation.ipynb"
pytestmark = pytest.mark.gallery

pd = pytest.importorskip("pandas")
FIELDS = list(breaks.FIELDS)


@pytest.fixture(scope="module")
def books():
    """The data, and both books joined on the key by pandas: one row for each of theirs, and those that they lack."""
    data = breaks.make("small", 0)
    one, other = (
        pd.DataFrame(data.arrays[book], columns=FIELDS).assign(id=data.arrays[key])
        for book, key in (("ours", "id"), ("theirs", "their_id"))
    )
    joined = one.merge(other, on="id", how="left", suffixes=("", "_theirs"), indicator=True)
    return data, one, joined


def cents(values):
    """Whole cents, rounded as decimals; None where a cell is open."""
    return [None if np.isnan(v) else int((Decimal(repr(float(v))) * 100).to_integral_value()) for v in values]


@pytest.fixture(scope="module")
def mask(books):
    _, one, joined = books
    aligned = joined.drop_duplicates("id").set_index("id").loc[one["id"]]
    pairs = [(aligned[field], aligned[f"{field}_theirs"]) for field in FIELDS]
    return np.stack([[a != b for a, b in zip(cents(x), cents(y), strict=True)] for x, y in pairs], 1)


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_breaks_that_decimals_find(left, mask, read):
    out, facts, zarr_format = left
    found, chunks, kept = read(out / "books.zarr", "broken")
    assert (found.shape, chunks, kept) == ((facts["rows"], 4), (facts["chunk_rows"], 4), zarr_format)
    assert np.array_equal(found, mask)
    assert facts["cells_broken"] == mask.sum()
    folder = out / "books.zarr" / "broken" / ("c" if zarr_format == 3 else "")
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith((".z", "zarr.json"))]
    with_one = mask.reshape(-1, facts["chunk_rows"] * 4).any(1).sum()
    assert len(files) == with_one == facts["chunks_of_the_mask"] == facts["chunks_read"]


def test_each_kind_is_found_as_often_as_it_was_planted(committed, books, mask):
    data, one, joined = books
    kind = data.truth["kind"]
    assert committed["kinds"] == {name: int((kind == name).sum()) for name in breaks.KINDS}
    assert (joined["_merge"] == "left_only").sum() == committed["kinds"]["missing"]
    assert joined["id"].duplicated().sum() == committed["kinds"]["duplicate"]
    rows = mask.any(1) | one["id"].isin(joined["id"][joined["id"].duplicated()]).to_numpy()
    assert set(kind[rows]) == {"value", "sign", "empty", "missing", "duplicate"}
    assert rows.sum() == committed["rows_broken"]
    assert not rows[(kind == "") | (kind == "rounding")].any()


def test_the_order_of_the_rows_decides(committed, books):
    data, _, _ = books
    broken = ~np.isin(data.truth["kind"], ["", "rounding"])
    table = pd.DataFrame({"who": data.arrays["counterparty"], "broken": broken})
    chunk = np.arange(len(table)) // committed["chunk_rows"]
    assert committed["chunks_by_time"] == table["broken"].groupby(chunk).any().sum()
    by_who = table.sort_values("who", kind="stable")["broken"].reset_index(drop=True)
    assert committed["chunks_by_counterparty"] == by_who.groupby(chunk).any().sum()
    assert 3 * committed["chunks_by_counterparty"] < committed["chunks_by_time"] + 1


def test_the_share_of_chunks_is_the_binomials(committed):
    stats = pytest.importorskip("scipy.stats")
    assert committed["expected_share"] == pytest.approx(stats.binom.sf(0, 4096, 1e-4), abs=1e-6)
    spread = stats.binom.std(committed["chunks"], committed["expected_share"]) / committed["chunks"]
    assert abs(committed["measured_share"] - committed["expected_share"]) < 4 * spread
    for name, (share, measured) in committed["dots"].items():
        size, chance = (float(part.replace(",", "")) for part in name.split(", "))
        chunks = committed["cells"] // int(size)
        assert share == pytest.approx(chance, abs=5 * (chance / committed["cells"]) ** 0.5)
        wanted = stats.binom.sf(0, int(size), chance)
        assert abs(measured - wanted) < 4.5 * (wanted * (1 - wanted) / chunks) ** 0.5 + 1 / chunks


def test_bytes_and_objects_of_the_three_ways(committed):
    for share, ways in committed["cost"].items():
        assert committed["cheapest"][share] == min(ways, key=lambda way: ways[way][0])
        assert ways["mask"][1] == ways["difference"][1] <= committed["chunks"]
        wanted = committed["chunks"] * (1 - (1 - float(share)) ** committed["cells_in_a_chunk"])
        assert abs(ways["mask"][1] - wanted) < 20
        assert ways["mask"][0] < ways["difference"][0]
        entropy = -sum(q * np.log2(q) for q in (float(share), 1 - float(share))) * committed["cells"] / 8
        assert ways["mask"][0] > 0.9 * entropy  # no codec is below it
    assert committed["cost"]["0.0001"]["list"][1] == 3


def test_the_wrong_ways(committed, books, mask):
    data, _, _ = books
    ours, theirs = data.arrays["ours"], data.arrays["theirs"]
    n = min(len(ours), len(theirs))
    apart = (np.rint(100 * ours[:n]) != np.rint(100 * theirs[:n])) & ~(np.isnan(ours[:n]) & np.isnan(theirs[:n]))
    assert committed["by_position"] == pytest.approx(apart.any(1).mean(), abs=1e-6)
    assert committed["first_gap"] == np.isin(data.arrays["id"], data.arrays["their_id"]).argmin()
    assert committed["before_the_gap"] == apart[: committed["first_gap"]].any(1).sum()
    price = [Decimal(repr(float(v))) for v in ours[:, 1]]
    over = np.mean([float(v + Decimal("0.01")) - float(v) > 0.01 for v in price])
    assert committed["one_cent_over"] == pytest.approx(over, abs=1e-6)
    assert committed["isclose"][1] == np.isnan(ours).sum()
    assert 0 < committed["isclose"][2] < mask.sum()


def test_the_stored_books_are_the_books(left, books):
    out, _, _ = left
    data, one, joined = books
    assert np.array_equal(zarr_python(out / "books.zarr", "ours"), data.arrays["ours"], equal_nan=True)
    aligned = joined.drop_duplicates("id").set_index("id").loc[one["id"]]
    theirs = aligned[[f"{field}_theirs" for field in FIELDS]].to_numpy()
    assert np.array_equal(zarr_python(out / "books.zarr", "theirs"), theirs, equal_nan=True)
