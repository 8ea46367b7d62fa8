"""Coefficients of forecasters and of their scores.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

FOLDER = "baselines/forecasting/"
WINDOWS, BOOTSTRAP, CLIMATE = FOLDER + "_windows.py", FOLDER + "_bootstrap.py", FOLDER + "climatology.py"
DRIFT, SEASON, RIDGE = FOLDER + "drift.py", FOLDER + "seasonal_naive.py", FOLDER + "residual_bootstrap.py"
ARIMA, GARCH, ETS = FOLDER + "arima.py", FOLDER + "garch.py", FOLDER + "ets.py"
QUANTILE, GRU, DEEPAR = FOLDER + "quantile_regression.py", FOLDER + "_gru.py", FOLDER + "deepar.py"
SCORES, JOINT = "evaluation/probabilistic.py", "evaluation/joint.py"
MUTATIONS = (
    ("forecasters: numbers by place", WINDOWS, 'int.from_bytes(h, "little") for h in hashes', "i for i, h in enumerate(hashes)"),
    ("forecasters: windows at even distances", WINDOWS, "np.arange(most) * _GOLDEN % 1.0", "np.zeros(most)"),
    ("forecasters: a future one row late", WINDOWS, "history=found[:, : self.history_len,", "history=found[:, 1 : self.history_len,"),
    ("forecasters: errors the other way", BOOTSTRAP, "windows.future - self._point", "-windows.future + self._point"),
    ("drift: one step too many", DRIFT, "np.arange(1, self._horizon + 1)", "np.arange(2, self._horizon + 2)"),
    ("seasonal naive: the next phase", SEASON, "- self.period + np.arange", "- self.period + 1 + np.arange"),
    ("climatology: the phase of the history", CLIMATE, "+ history.shape[1]) % self.period", "+ 0) % self.period"),
    ("climatology: no spread in the likelihood", CLIMATE, "/ spread) ** 2 / 2 + np.log(spread)", "/ spread) ** 2 / 2"),
    ("ridge: errors of the windows it has seen", RIDGE, "design[~out], targets[~out, h]", "design, targets[:, h]"),
    ("ridge: a penalty on all", RIDGE, "free = 1 + self._channels", "free = 1"),
    ("ARIMA forecasts: no moving average", ARIMA, "lfilter([1.0], ma, errors", "lfilter([1.0], ma[:1], errors"),
    ("ARIMA forecasts: the oldest first", ARIMA, "self.max_q, 1) - 1 : -1]", "self.max_q, 1) :]"),
    ("GARCH forecasts: the mean volatility", GARCH, "for t in range(errors.shape[1] - 1)", "for t in range(0)"),
    ("ETS: φ once", ETS, "f[0, 1] = f[1, 1] = w[1] = self.phi", "f[0, 1] = w[1] = self.phi"),
    ("ETS: seasons the wrong way", ETS, "np.roll(np.eye(self.period), 1, axis=1)", "np.roll(np.eye(self.period), -1, axis=1)"),
    ("ETS: an error a step late", ETS, "responses[:h][::-1]", "responses[:h]"),
    ("quantile regression: levels turned", QUANTILE, "(1 - level) * total", "level * total"),
    ("quantile regression: tails twice as long", QUANTILE, "low = (quantiles[..., 1] - quantiles[..., 0]) / np.log(2)", "low = (quantiles[..., 1] - quantiles[..., 0]) * 2"),
    ("quantile regression: steps apart", QUANTILE, "weight = size / (size + count)", "weight = 1.0"),
    ("DeepAR: features of the row before", GRU, "self(values[:, :-1], known[:, 1:], log_scale)", "self(values[:, :-1], known[:, :-1], log_scale)"),
    ("DeepAR: features a step late in drawing", GRU, "known[:, rows + h + 1]", "known[:, rows + h]"),
    ("DeepAR: not in units", DEEPAR, "np.concatenate(found) * scale[:, None, None]", "np.concatenate(found)"),
    ("pinball: sides exchanged", SCORES, "np.maximum(level * gap, (level - 1) * gap)", "np.maximum((1 - level) * gap, -level * gap)"),
    ("weighted quantile loss: once", SCORES, "float(2 * np.mean(losses) / size)", "float(np.mean(losses) / size)"),
    ("PIT: ties below", SCORES, "share * (same + 1)", "share"),
    ("spread: not of one more member", SCORES, "(len(x) + 1) / len(x) *", "1.0 *"),
    ("Wilson: z for z²", SCORES, "k + z**2 / 2", "k + z / 2"),
    ("energy score: never fair", JOINT, "max(count * (count - 1), 1) if fair else count**2", "count**2"),
    ("joint coverage: units of the samples alone", JOINT, "spread = x.std(0)", "spread = x[:-1].std(0)"),
    ("joint coverage: raw units", JOINT, "np.where(spread > 0.0, spread, 1.0)", "1.0"),
    ("joint coverage: a rank too high", JOINT, "[rank - 1]", "[rank]"),
)  # fmt: skip
