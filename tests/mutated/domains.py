"""Statistics of finance and energy, transforms of data.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

TAILS = "domains/finance/tails.py"
PATHS = "domains/finance/paths.py"
DYNAMICS = "domains/finance/dynamics.py"
ENERGY = "domains/energy/statistics.py"
TRANSFORMS = "data/transforms.py"
MUTATIONS = (
    ("finance: Hill's threshold x_(k+1) → x_(k)", TAILS, "np.log(side[:k] / side[k])", "np.log(side[:k] / side[k - 1])"),
    ("finance: Hill's tail the other one", TAILS, 'if tail == "upper" else', 'if tail != "upper" else'),
    ("finance: the boundary's loss in full", TAILS, "np.clip(share - np.arange(len(worst)), 0.0, 1.0)", "1.0 * (np.arange(len(worst)) < share)"),
    ("finance: losses as log returns", TAILS, "-np.expm1(np.minimum(sums_over", "-(np.minimum(sums_over"),
    ("finance: VaR of the gains", TAILS, "np.quantile(flat, 1.0 - q)", "np.quantile(flat, q)"),
    ("finance: drawdown without the first price", PATHS, "path = _log_prices(returns)", "path = _log_prices(returns)[:, 1:]"),
    ("finance: drawdown in logarithms", PATHS, "return -np.expm1(-deepest)", "return deepest"),
    ("finance: first passage a step early", PATHS, "reached.argmax(axis=1) + 1.0", "reached.argmax(axis=1) + 0.0"),
    ("finance: asymmetry with the drift", PATHS, "centred = returns - np.nanmean(returns)", "centred = returns"),
    ("finance: asymmetry with the sign turned", PATHS, "(up - down).mean()", "(down - up).mean()"),
    ("finance: leverage backwards in time", DYNAMICS, "centred[:, :-k] * squares[:, k:]", "centred[:, k:] * squares[:, :-k]"),
    ("finance: leverage over ⟨r²⟩", DYNAMICS, "float(np.nanmean(squares)) ** 2", "float(np.nanmean(squares))"),
    ("finance: clustering of the returns themselves", DYNAMICS, "centred**2 if", "centred if"),
    ("energy: ramps across one step at every lag", ENERGY, "windows[:, lag:] - windows[:, :-lag]", "windows[:, 1:] - windows[:, :-1]"),
    ("energy: nearly zero is zero", ENERGY, "(flat == 0)", "(flat < 1e-9)"),
    ("energy: load duration from the bottom", ENERGY, "np.nanquantile(windows, 1.0 - shares)", "np.nanquantile(windows, shares)"),
    ("energy: days of another length", "domains/energy/profiles.py", "whole = counts == usual", "whole = counts >= 0"),
    ("finance: returns as differences of prices", "domains/finance/returns.py", "np.diff(np.log(prices), axis=1)", "np.diff(prices, axis=1)"),
    ("finance: one bad price is overlooked", "domains/finance/returns.py", "if (prices <= 0).any():", "if (prices <= 0).all():"),
    ("field: of some columns as of all", "evaluation/field.py", "if self.made or len(self.columns) < count:", "if self.made:"),
    ("field: of prices as of returns", "evaluation/field.py", "if self.made or len(self.columns) < count:", "if len(self.columns) < count:"),
    ("field: columns averaged in their own units", "evaluation/numbers.py", "return self._moments[1][columns]", "return np.ones(len(columns))"),
    ("clock: weeks begin with 1970", "domains/energy/profiles.py", "_EPOCH = 3 * 24", "_EPOCH = 0"),
    ("clock: mean absolute gaps", "domains/energy/clock.py", "np.sqrt(np.square(gaps[there]).mean(0))", "np.abs(gaps[there]).mean(0)"),
    ("clock: hours of one set alone", "domains/energy/clock.py", "there = ~np.isnan(gaps).any(axis=1)", "there = np.ones(len(gaps), bool)"),
    ("transforms: volatility over n, not n − 1", TRANSFORMS, "ddof=1", "ddof=0"),
    ("transforms: annualised by m, not √m", TRANSFORMS, "np.sqrt(params.periods_per_year or 1.0)", "(params.periods_per_year or 1.0)"),
    ("transforms: columns aligned at the beginning", TRANSFORMS, "column[..., column.shape[-1] - rows :]", "column[..., :rows]"),
    ("align: a day that began in a gap", "data/splits.py", "begins[firsts] = stamps[firsts] == periods[firsts].start_time", "begins[firsts] = True"),
    ("align: the history on the day", "data/splits.py", "begins[a + options.history_len : b - options.predict_len + 1]", "begins[a : b - size + 1]"),
)  # fmt: skip
