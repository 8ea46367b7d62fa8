"""Protocols, copies, overlap, ordered columns.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

JUDGE = "evaluation/judge.py"
COPYING = "evaluation/memorisation.py"
OVERLAP = "data/overlap.py"
ORDER = "components/preprocessing/order.py"
MUTATIONS = (
    ("protocols: one half for three", JUDGE, "default_rng([self.seed, k]) for k", "default_rng([self.seed, 0]) for k"),
    ("protocols: training windows not grouped", JUDGE, "_side(train.windows, train.segments) if", "Side(train.windows) if"),
    ("protocols: a shift floor of train = test", JUDGE, 'if self.protocol == "held-out":', "if True:"),
    ("protocols: the size of all samples", JUDGE, "Side(self.samples[: len(half)])", "Side(self.samples)"),
    ("protocols: a spread with n", JUDGE, "np.std(value, ddof=1)", "np.std(value, ddof=0)"),
    ("copying: neighbours counted alone", COPYING, "(1 / (separate or len(ratios))", "(1 / len(ratios)"),
    ("overlap: any agreement believed", OVERLAP, "_DIGITS = 3.0", "_DIGITS = -99.0"),
    ("overlap: rests count as much as moves", OVERLAP, "np.where(rests, rested[:, 1:], moved[:, 1:])", "moved[:, 1:]"),
    ("overlap: a step too far", OVERLAP, "rows.append(windows[follower][length - step :])", "rows.append(windows[follower][step:])"),
    ("order: the least of the columns below", ORDER, ".amax(1) if len(under)", ".amin(1) if len(under)"),
    ("order: a gap below 0 stays", ORDER, "columns[a].clamp(min=0.0)", "columns[a].clamp(min=-9e9)"),
    ("order: no gradient below 0", ORDER, "columns[a] + (columns[a].clamp(min=0.0) - columns[a]).detach()", "columns[a].clamp(min=0.0)"),
    ("order: from the top down", ORDER, "below.sum(1).argsort(stable=True)", "below.sum(1).argsort(stable=True, descending=True)"),
    ("order: columns that only lie apart", ORDER, "_MOST_SPREAD = 0.5", "_MOST_SPREAD = 9.0"),
    ("twins: of two changes", "components/preprocessing/_grid.py", "_FEWEST_CHANGES = 20", "_FEWEST_CHANGES = 1"),
)  # fmt: skip
