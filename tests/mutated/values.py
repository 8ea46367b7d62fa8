"""Value grids, the quantile map, indicators, pipelines.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

GRID = "components/preprocessing/_grid.py"
LATTICE = "components/preprocessing/_lattice.py"
ROWS = "components/preprocessing/_rows.py"
QUANTILE = "components/preprocessing/_quantile.py"
INDICATORS = "components/preprocessing/_indicators.py"
MUTATIONS = (
    ("values: a wall of 20 visits → 2", GRID, "_WALL, _ZEROS, _CROSSINGS = 20.0", "_WALL, _ZEROS, _CROSSINGS = 2.0"),
    ("values: decimals without evidence", GRID, "_DIGITS, _STEP_DIGITS = 10.0", "_DIGITS, _STEP_DIGITS = 0.0"),
    ("values: tails that do not bend", GRID, " * bend.clamp(max=1.0)", ""),
    ("values: float32 taken for float64", GRID, "if single else 4.0", "if False else 4.0"),
    ("values: rounded down, not to the nearest", GRID, "/ step).round() * step", "/ step).floor() * step"),
    ("values: no offset", GRID, "(exact - offset)", "exact"),
    ("values: no gradient through the snap", GRID, "nearest.to(x.dtype) + (x - x.detach())", "nearest.to(x.dtype)"),
    ("values: multiples of real steps not rounded", GRID, "(nearest * unit).round() / unit", "nearest"),
    ("values: a value off the lattice that is come back to", GRID, "seen_once = len(odd) == 0 or", "seen_once = True or"),
    ("values: above 0 where 0 is not on the grid", GRID, "if decimals >= 0 and round(offset) == 0 else", "if decimals >= 0 else"),
    ("lattice: no evidence", LATTICE, "_DIGITS = 10.0", "_DIGITS = -1e3"),
    ("lattice: no value may be off", LATTICE, "_ODD = 10, 0.01", "_ODD = 10, 0.0"),
    ("lattice: 5 % may be off", LATTICE, "_ODD = 10, 0.01", "_ODD = 10, 0.05"),
    ("lattice: the highest peak, not the first", LATTICE, "_AS_HIGH = 2**18, 8, 0.96", "_AS_HIGH = 2**18, 8, 1.0"),
    ("lattice: the least gap counts, not the usual", LATTICE, "2 * _ODD, method", "0.0, method"),
    ("lattice: least squares, not the least deviation", LATTICE, "for _ in range(80)", "for _ in range(0)"),
    ("lattice: no fractions", LATTICE, "_SIMPLE, _DENOMINATORS = 16, range(1, 1001)", "_SIMPLE, _DENOMINATORS = 16, range(0)"),
    ("lattice: fractions only where they are as good", LATTICE, "_SIMPLE, _DENOMINATORS = 16", "_SIMPLE, _DENOMINATORS = 0"),
    ("lattice: offsets beside 0", LATTICE, "0.0 if abs(offset) <= room else", "0.0 if False else"),
    ("lattice: values up to a unit off", LATTICE, "room = 0.5 +", "room = 1.0 +"),
    ("values: rows of overlapping windows counted often", ROWS, "return steps >= length - new[:, None]", "return steps >= 0 * new[:, None] "),
    ("values: rests counted as visits", ROWS, "self.values[self.arrivals]", "self.values"),
    ("values: any overlap believed", ROWS, "if 2 * int((agree & changes).sum()) > int(changes.sum())", "if bool(agree.any())"),
    ("quantile: middle of the mass → its end", QUANTILE, "0.5 * (lower + upper)", "0.5 * (lower + lower.roll(-1))"),
    ("quantile: slope upside down", QUANTILE, "/ _as_series(_slope(left, right), x)", "* _as_series(_slope(left, right), x)"),
    ("quantile: the Pareto law's scale without 1 − ξ", QUANTILE, "scale = mean * (1.0 - shape)", "scale = mean"),
    ("quantile: ξ from 2 → 1", QUANTILE, "(2.0 - mean /", "(1.0 - mean /"),
    ("indicators: Wilder's n → n + 1", INDICATORS, "faded = (1.0 - 1.0 / n)", "faded = (1.0 - 1.0 / (n + 1))"),
    ("indicators: EMA's span 2/(n+1) → 1/n", INDICATORS, "share = 2.0 / (n + 1)", "share = 1.0 / n"),
    ("indicators: a step too much in simple means", INDICATORS, "(j > t - n)", "(j >= t - n)"),
    ("indicators: volatility over n, not n − 1", INDICATORS, "correction=1)", "correction=0)"),
    ("indicators: looking ahead", INDICATORS, "torch.where(j <= t, weights, 0.0)", "torch.where(j <= t + 1, weights, 0.0)"),
    ("pipeline: the past in the user's units", "components/preprocessing/pipeline.py", "step.transform(condition.past) if", "condition.past if"),
    ("pipeline: a log-determinant if one step has it", "components/preprocessing/pipeline.py", "all(step.has_log_det", "any(step.has_log_det"),
    ("pipeline: log-determinants without the history", "components/preprocessing/pipeline.py", "step.transform(x, condition), _told(step, condition, x)\n        return total", "step.transform(x), _told(step, condition, x)\n        return total"),
    ("pipeline: log-determinants of the data, not of the images", "components/preprocessing/pipeline.py", "            x, condition = step.transform(x, condition), _told(step, condition, x)\n        return total", "        return total"),
)  # fmt: skip
