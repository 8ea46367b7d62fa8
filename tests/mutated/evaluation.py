"""Coefficients of figures: scores of answers, distances, judges, representations.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

CRPS, DISTANCES, TS2VEC = ("evaluation/probabilistic.py", "evaluation/distances.py", "evaluation/ts2vec.py")
STATISTICS, CROWD, FID = ("evaluation/statistics.py", "evaluation/recurrent.py", "evaluation/context_fid.py")
MUTATIONS = (
    ("CRPS: wrong sign of the spread", CRPS, ".mean(0) - spread", ".mean(0) + spread"),
    ("CRPS: never fair", CRPS, "max(count - 1, 1) if fair else count", "count"),
    ("TS2Vec: channels taken as time", TS2VEC, ".amax(1) for i", ".amax(2) for i"),
    ("TS2Vec: scales of channels", TS2VEC, "F.max_pool1d(view.mT, 2).mT", "F.max_pool1d(view, 2)"),
    ("TS2Vec: instances taken as steps", TS2VEC, "_contrast(a.transpose(0, 1), b.transpose(0, 1))", "_contrast(a, b)"),
    ("TS2Vec: views of other steps", TS2VEC, "crop(left, last)[:, :overlap]", "crop(left, last)[:, -overlap:]"),
    ("TS2Vec: a crop that is not moved with its pair", TS2VEC, "steps = moved[:, None] +", "steps = moved[torch.randperm(size), None] +"),
    ("Fréchet distance: the cross term once", FID, "- 2.0 * np.sqrt(np.maximum(cross", "- 1.0 * np.sqrt(np.maximum(cross"),
    ("energy distance: E|X − Y| once", DISTANCES, "2.0 * _gaps(x, y)", "1.0 * _gaps(x, y)"),
    ("energy distance: not by √d", DISTANCES, "_MOST_WINDOWS) / np.sqrt(x.shape[1])", "_MOST_WINDOWS) / x.shape[1]"),
    ("MMD: h² for 2h² in frequencies", DISTANCES, "np.exp(-0.5 * frequencies", "np.exp(-1.0 * frequencies"),
    ("MMD: h² for 2h²", DISTANCES, "np.exp(-0.5 * (a", "np.exp(-1.0 * (a"),
    ("MMD: a period without the kernel's width", DISTANCES, "- low + _FAR", "- low + 1.0"),
    ("MMD: the cross term once", DISTANCES, "- 2.0 * kernel(x, y)", "- 1.0 * kernel(x, y)"),
    ("spectrum: 20 log for 10 log", DISTANCES, "10.0 * np.log10", "20.0 * np.log10"),
    ("cross-correlation: lags the other way", DISTANCES, "x[:, : length - k], x[:, k:]", "x[:, k:], x[:, : length - k]"),
    ("correlational score: /5", DISTANCES, ".sum() / 10.0", ".sum() / 5.0"),
    ("KS: ties below", STATISTICS, 'np.searchsorted(a, points, side="right")', 'np.searchsorted(a, points, side="left")'),
    ("leverage: volatility first", STATISTICS, "_lagged(x, deviations(x), lags)", "_lagged(deviations(x), x, lags)"),
    ("GRU: update the other way", CROWD, "torch.lerp(new, h, update)", "torch.lerp(h, new, update)"),
    ("LSTM: forget and enter", CROWD, "forget * c + enter *", "enter * c + forget *"),
    ("judges: groups split", "evaluation/pairs.py", "inside = np.isin(groups, chosen)", "inside = rng.random(n) < train"),
    ("judges: accuracy below a half", "evaluation/discriminative.py", "np.abs(0.5 - accuracy)", "(0.5 - accuracy)"),
    ("words: columns cancel", "report/words.py", "if off and value >", "if not off and value >"),
    ("words: baselines by the model's columns", "report/words.py", '(figure, who or "generated")', '(figure, "generated")'),
    ("words: intervals of many columns as of one", "report/words.py", "(1 - _SURE / 2 / count)", "(1 - _SURE / 2)"),
    ("command line: an interrupt forgotten", "cli/__init__.py", "found.append(number)", "found.clear()"),
    ("halves: windows across an edge", "evaluation/blocks.py", "starts + length <= edges", "starts <= edges"),
)  # fmt: skip
