"""What three classifiers said about each of 1,797 handwritten digits: real digits, real predictions, real mistakes.

Real: the digits (see `digits`), in the order of the file and without copies, and everything that is said about them.
Five folds: each digit is judged by a model that was trained on the other four fifths. Before the training a share of
the training labels is replaced by other digits (`noise`); the judging is done by the labels of the file. Rows lie in
pages of 25, in the order of the file; a fold is every fifth page.

The models: "linear", a softmax regression as in scikit-learn with C = 1; "bayes", a Gaussian naive Bayes, known for
being too sure (Domingos and Pazzani 1997; Zadeh and Elkan 2001); and "cooled", the same one with its log-probabilities
divided by a temperature, which is chosen on a part of the training rows (Guo et al. 2017). Confidences are in
thousandths, as whole numbers, so that sums of them are exact.

Not real: the noise is spread evenly, and people who label digits confuse some pairs more than others.

>>> result = make("tiny")
>>> result.arrays["said"].shape, result.truth["run"][1]
((3, 1797), 'bayes, noise 0.0')
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

NOISE = {"tiny": (0.0,), "small": (0.0, 0.2, 0.4), "large": tuple(k / 50 for k in range(20))}
MODELS = ("linear", "bayes", "cooled")
PAGE, FOLDS, STEPS, TEMPERATURES = 25, 5, 100, (1, 2, 3, 4, 5, 6, 8)
Floats = np.ndarray


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Three models at each level of noise: "tiny" 3 runs without noise, "small" 9, "large" 60."""
    if size not in NOISE:
        raise ValueError(f"evals.make: size must be one of {', '.join(NOISE)}, got {size!r}; try size='small'")
    file = vendor.load("digits.npz")
    x, label = file["pixels"] / 16, file["label"].astype(int)
    page = np.arange(len(label)) // PAGE
    levels = NOISE[size]
    taught = np.stack([_mislabel(label, share, seed) for share in levels])
    chances = np.zeros((len(levels), 3, len(label), 10))
    for fold in range(FOLDS):
        asked, inner = page % FOLDS == fold, page % FOLDS == (fold + 1) % FOLDS
        for k, told in enumerate(taught):
            chances[k, 0, asked] = _linear(x[~asked], told[~asked], x[asked])
            chances[k, 1:, asked] = np.stack(_bayes(x, told, asked, inner), 1)
    run = [f"{model}, noise {share}" for share in levels for model in MODELS]
    flat = chances.reshape(len(run), len(label), 10)
    names = ("said", "sure", "label", "page")
    return GenResult(
        arrays={
            "said": flat.argmax(2).astype(np.uint8),
            "sure": np.rint(1000 * flat.max(2)).astype(np.uint16),
            "label": label.astype(np.uint8),
            "page": page.astype(np.uint8),
        },
        dims={"said": ("run", "row"), "sure": ("run", "row"), "label": ("row",), "page": ("row",)},
        units={**dict.fromkeys(names, "1"), "sure": "0.001"},
        truth={"run": run, "noise": [share for share in levels for _ in MODELS]},
        provenance={
            "source": "Optical Recognition of Handwritten Digits, through scikit-learn 1.9.1; models fitted here, "
            f"noise from PCG64, seed {seed}",
            "licence": "CC BY 4.0, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository",
        },
    )


def _mislabel(label: Floats, share: float, seed: int) -> Floats:
    """Labels of which a share is replaced by one of the nine other digits."""
    hit, other = np.random.PCG64(seed).random_raw(2 * len(label)).reshape(2, -1)
    return np.where((hit >> np.uint64(11)) * 2.0**-53 < share, (label + 1 + (other % 9).astype(int)) % 10, label)


def _linear(x: Floats, told: Floats, asked: Floats) -> Floats:
    """Chances by softmax regression with a penalty of half the squared weights.

    Each step divides by a bound of the curvature (Boehning 1992) and keeps some speed (Nesterov). The rows go in four
    parts: products as small as that stay in one thread, and on a busy machine threads would only wait for each other.
    """
    rows = np.column_stack([x, np.ones(len(x))]).T
    penalty = np.array([1.0] * x.shape[1] + [0.0])
    bound = np.linalg.inv(rows @ rows.T / 2 + np.diag(penalty + 1e-9))
    parts = list(zip(np.array_split(rows, 4, 1), np.array_split(np.eye(10)[:, told], 4, 1), strict=True))
    here = before = np.zeros((10, len(rows)))
    for step in range(STEPS):
        ahead = here + step / (step + 3) * (here - before)
        slope = sum((_softmax(ahead @ part, 0) - wanted) @ part.T for part, wanted in parts) + penalty * ahead
        before, here = here, ahead - slope @ bound
    return _softmax(here @ np.column_stack([asked, np.ones(len(asked))]).T, 0).T


def _bayes(x: Floats, told: Floats, asked: Floats, inner: Floats) -> tuple[Floats, Floats]:
    """Chances for the rows that are asked: as naive Bayes gives them, and cooled."""
    tried, held = _scores(x[~asked & ~inner], told[~asked & ~inner], x[inner]), told[inner]
    loss = [-np.log(_softmax(tried / t)[np.arange(len(held)), held]).mean() for t in TEMPERATURES]
    scores = _scores(x[~asked], told[~asked], x[asked])
    return _softmax(scores), _softmax(scores / TEMPERATURES[int(np.argmin(loss))])


def _scores(x: Floats, told: Floats, asked: Floats) -> Floats:
    """The log-probability of each digit, up to a constant, with every pixel taken for independent and normal."""
    made = []
    for digit in range(10):
        mine = x[told == digit]
        mean, variance = mine.mean(0), mine.var(0) + 0.01
        made.append(np.log(len(mine) / len(x)) - ((asked - mean) ** 2 / variance + np.log(variance)).sum(1) / 2)
    return np.stack(made, 1)


def _softmax(scores: Floats, axis: int = -1) -> Floats:
    raised = np.exp(scores - scores.max(axis, keepdims=True))
    return np.asarray(raised / raised.sum(axis, keepdims=True))


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    said, label = result.arrays["said"], result.arrays["label"]
    right, sure = said == label, result.arrays["sure"] / 1000
    accuracy, noise = right.mean(1), np.array(result.truth["noise"])
    linear, bayes, cooled = (int(np.flatnonzero(noise == 0)[k]) for k in range(3))
    mistakes = np.zeros((10, 10))
    np.add.at(mistakes, (label[~right[linear]], said[linear][~right[linear]]), 1)
    by_model = accuracy.reshape(-1, len(MODELS))
    bins = np.minimum(sure * 10, 9).astype(int)
    off = [np.abs(np.bincount(b, s - r, 10)).sum() / len(label) for b, s, r in zip(bins, sure, right, strict=True)]
    return {
        "accuracy of the linear model": (float(accuracy[linear]), 0.95, 0.98),
        "accuracy lost to the largest noise": (float((by_model[0] - by_model[-1]).max()), 0.0, 0.12),
        "share of mistakes on the most frequent pair": (float(mistakes.max() / mistakes.sum()), 0.1, 0.35),
        "how much too sure naive Bayes is": (float(sure[bayes].mean() - accuracy[bayes]), 0.04, 0.12),
        "calibration error that is left after cooling": (off[cooled] / off[bayes], 0.05, 0.6),
        "confidence of mistakes, less that of right answers": (
            float(sure[linear][~right[linear]].mean() - sure[linear][right[linear]].mean()),
            -0.6,
            -0.2,
        ),
    }
