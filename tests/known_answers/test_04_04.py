"""04_04 again, from outside: predictions by SciPy's densities and its minimiser, scores by pandas, stores by others.

Naive Bayes is worked out with `scipy.stats.norm`, the linear model as the minimum of its loss by L-BFGS; the counts and
the scores are pandas' crosstab and groupby over rows, never over the lesson's counts. Where scikit-learn is installed
its confusion matrix, F1 and calibration curve are asked as well. Nothing here imports this project's library.
"""

import math
from functools import cache

import numpy as np
import pytest

from data_gen import vendor

from .readers import tensorstore_in_full, zarr_python, zarr_python_in_full

SOURCE = "notebooks/04_ai_genai/04_04_evaluation_cubes.ipynb"
pytestmark = pytest.mark.gallery

PAGE, FOLDS = 25, 5
LINEAR, BAYES, COOLED = (f"{model}, noise 0.0" for model in ("linear", "bayes", "cooled"))


@cache
def digits():
    file = vendor.load("digits.npz")
    label = file["label"].astype(int)
    return file["pixels"] / 16, label, np.arange(len(label)) // PAGE


def log_densities(x, label, asked):
    stats = pytest.importorskip("scipy.stats")
    told = [x[label == k] for k in range(10)]
    densities = [stats.norm.logpdf(asked, one.mean(0), np.sqrt(one.var(0) + 0.01)).sum(1) for one in told]
    return np.stack(densities, 1) + np.log([len(one) / len(x) for one in told])


@cache
def predictions(model):
    """What a model said about each digit without noise, and how sure it was."""
    special = pytest.importorskip("scipy.special")
    x, label, page = digits()
    chances = np.zeros((len(label), 10))
    for fold in range(FOLDS):
        asked, inner = page % FOLDS == fold, page % FOLDS == (fold + 1) % FOLDS
        divided = 1
        if model == "cooled":
            tried = log_densities(x[~asked & ~inner], label[~asked & ~inner], x[inner])
            held = np.arange(inner.sum()), label[inner]
            likely = {t: special.log_softmax(tried / t, 1)[held].sum() for t in (1, 2, 3, 4, 5, 6, 8)}
            divided = max(likely, key=likely.__getitem__)
        chances[asked] = special.softmax(log_densities(x[~asked], label[~asked], x[asked]) / divided, 1)
    return chances.argmax(1), np.rint(1000 * chances.max(1)).astype(int)


def scores(said, sure):
    """Accuracy, macro F1 and ECE of rows, by pandas."""
    pd = pytest.importorskip("pandas")
    _, label, page = digits()
    table = pd.DataFrame({"said": said, "sure": sure / 1000, "label": label, "page": page, "right": said == label})
    table["drawer"] = np.minimum(table["sure"] * 10 + 1e-9, 9).astype(int)
    return table, of(table)


def of(table):
    f1 = []
    for k in sorted({*table["said"], *table["label"]}):
        hits = int(((table["said"] == k) & table["right"]).sum())
        f1.append(2 * hits / int((table["said"] == k).sum() + (table["label"] == k).sum()))
    drawers = table.groupby("drawer")
    gap = (drawers["sure"].mean() - drawers["right"].mean()).abs() * drawers.size()
    return table["right"].mean(), float(np.mean(f1)), gap.sum() / len(table)


@pytest.mark.parametrize("model", ["bayes", "cooled"])
def test_scores_of_the_whole_and_of_the_pages(committed, model):
    table, whole = scores(*predictions(model))
    name = f"{model}, noise 0.0"
    assert committed["whole"][name] == pytest.approx(whole, abs=2e-6)
    average = np.mean([of(one) for _, one in table.groupby("page")], axis=0)
    assert committed["average"][name] == pytest.approx(average, abs=2e-6)
    for size in (9, 100, 450, 1797):
        parts = [of(one)[2] for _, one in table.groupby(np.arange(len(table)) // size)]
        assert committed["by_size"][f"{name}, {size}"] == pytest.approx(np.mean(parts), abs=2e-6)


def test_the_repair_helps_and_the_average_says_it_harms(committed):
    assert committed["whole"][COOLED][2] < committed["whole"][BAYES][2] / 2
    assert committed["average"][COOLED][2] > 1.2 * committed["average"][BAYES][2]
    merged, averaged = committed["perfect"]
    _, sure = predictions("cooled")
    right = np.random.PCG64(1).random_raw(len(sure)) % 1000 < sure
    _, label, _ = digits()
    table, _ = scores(np.where(right, label, (label + 1) % 10), sure)
    assert merged == pytest.approx(of(table)[2], abs=2e-6)
    assert averaged == pytest.approx(np.mean([of(one)[2] for _, one in table.groupby("page")]), abs=2e-6)


def test_the_linear_model_is_the_minimum_of_its_loss(committed):
    optimize, special = pytest.importorskip("scipy.optimize"), pytest.importorskip("scipy.special")
    x, label, page = digits()
    rows, wanted = np.column_stack([x, np.ones(len(x))]), np.eye(10)[label]
    said, sure = np.zeros(len(x), int), np.zeros(len(x))

    def loss(flat, kept):
        weights = flat.reshape(65, 10)
        logs = special.log_softmax(rows[kept] @ weights, 1)
        inner = weights * np.r_[np.ones(64), 0][:, None]
        slope = rows[kept].T @ (np.exp(logs) - wanted[kept]) + inner
        return -(logs * wanted[kept]).sum() + (inner**2).sum() / 2, slope.ravel()

    for fold in range(FOLDS):
        asked = page % FOLDS == fold
        found = optimize.minimize(loss, np.zeros(650), (~asked,), "L-BFGS-B", jac=True, options={"maxiter": 300})
        chances = special.softmax(rows[asked] @ found.x.reshape(65, 10), 1)
        said[asked], sure[asked] = chances.argmax(1), chances.max(1)
    assert (said == label).mean() == pytest.approx(committed["whole"][LINEAR][0], abs=0.002)  # rows on the border
    assert sure.mean() == pytest.approx(committed["mean_confidence"][LINEAR], abs=0.002)
    pairs = np.zeros((10, 10), int)
    np.add.at(pairs, (label, said), 1)
    np.fill_diagonal(pairs, 0)
    true, wrong, times = committed["most_frequent"]
    assert (true, wrong) == np.unravel_index(pairs.argmax(), pairs.shape)
    assert abs(pairs[true, wrong] - times) <= 1
    assert abs(pairs.sum() - committed["mistakes_of_linear"]) <= 3


@pytest.mark.parametrize("read", [zarr_python_in_full, tensorstore_in_full])
def test_other_readers_find_the_counts_of_the_rows(left, read):
    pd = pytest.importorskip("pandas")
    out, facts, zarr_format = left
    confusion, chunks, kept = read(out / "evals.zarr", "confusion")
    assert (confusion.shape, chunks, kept) == ((facts["runs"], 72, 10, 10), (1, 72, 10, 10), zarr_format)
    assert confusion.sum() == facts["cells"] == facts["runs"] * facts["rows"]
    assert (confusion.sum((1, 2, 3)) == facts["rows"]).all()
    _, label, page = digits()
    said, _ = predictions("bayes")
    table = pd.crosstab([page, label], said).reindex(pd.MultiIndex.from_product([range(72), range(10)]), fill_value=0)
    assert np.array_equal(np.asarray(confusion[1]).reshape(720, 10), table.reindex(columns=range(10), fill_value=0))
    bins, _, _ = read(out / "evals.zarr", "bins")
    assert np.asarray(bins)[..., 0].sum((1, 2)).tolist() == [facts["rows"]] * facts["runs"]


def test_slices_a_missing_run_and_a_mixture(left):
    out, facts, _ = left
    _, label, page = digits()
    said, sure = zarr_python(out / "evals.zarr", "said"), zarr_python(out / "evals.zarr", "sure").astype(int)
    assert np.array_equal(said[1], predictions("bayes")[0])
    assert np.array_equal(sure[2], predictions("cooled")[1])
    assert facts["accuracy_on_eights"] == pytest.approx((said[2] == 8)[label == 8].mean(), abs=1e-6)
    assert facts["accuracy_on_36_pages"] == pytest.approx((said[2] == label)[page < 36].mean(), abs=1e-6)
    right = (said == label).mean(1)
    others = np.delete(right, facts["crashed"])
    assert facts["mean_of_there"] == pytest.approx(others.mean(), abs=1e-6)
    assert facts["mean_of_rates"] == pytest.approx(others.sum() / len(right), abs=1e-6)
    gap = np.zeros(10)
    np.add.at(gap, np.minimum(sure[:2] // 100, 9), sure[:2] / 1000 - (said[:2] == label))
    assert facts["together"] == pytest.approx(np.abs(gap).sum() / (2 * len(label)), abs=1e-6)
    assert facts["times_a_million"] == math.floor(1e6 / len(label) + 0.5)
    for name, (in_memory, stored) in facts["bytes"].items():
        one = zarr_python(out / "evals.zarr", name)[1]
        assert in_memory == one.nbytes
        assert 0 < stored < in_memory
    assert facts["bytes_stored"]["answers"] == sum(facts["bytes"][name][1] for name in ("said", "sure"))


def test_scikit_learn_finds_the_same(committed):
    metrics = pytest.importorskip("sklearn.metrics")
    calibration = pytest.importorskip("sklearn.calibration")
    _, label, _ = digits()
    said, sure = predictions("bayes")
    assert committed["whole"][BAYES][1] == pytest.approx(metrics.f1_score(label, said, average="macro"), abs=2e-6)
    assert np.trace(metrics.confusion_matrix(label, said)) == round(committed["whole"][BAYES][0] * len(label))
    edges = np.histogram(sure / 1000, np.linspace(0, 1, 11))[0]
    share, confidence = calibration.calibration_curve(said == label, sure / 1000, n_bins=10)
    error = (np.abs(share - confidence) * edges[edges > 0]).sum() / len(label)
    assert committed["whole"][BAYES][2] == pytest.approx(error, abs=0.001)  # its drawers are closed on the right
