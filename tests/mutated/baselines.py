"""Coefficients of baselines.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

BLOCK, MIXTURE, VAR = ("baselines/block_bootstrap.py", "baselines/gaussian_mixture.py", "baselines/var.py")
ARIMA, GARCH, TIMEGAN = ("baselines/arima.py", "baselines/garch.py", "baselines/timegan.py")
SERIES = "baselines/_series.py"
MUTATIONS = (
    ("block bootstrap: twice the jumps", BLOCK, "< 1.0 / self._mean_length", "< 2.0 / self._mean_length"),
    ("block bootstrap: over the end of a stretch", BLOCK, "jumps[:, t] | self._last[rows[:, t - 1]]", "jumps[:, t]"),
    ("mixture: equal weights", MIXTURE, "np.cumsum(self._weights)", "np.cumsum(np.full_like(self._weights, 1 / len(self._weights)))"),
    ("mixture: roots turned", MIXTURE, "@ self._roots[k].T", "@ self._roots[k]"),
    ("mixture: components of a few windows", MIXTURE, "_LEAST_WINDOWS = 50, 20", "_LEAST_WINDOWS = 50, 1"),
    ("VAR: lags the wrong way round", VAR, "[:, :, ::-1]", "[:, :, :]"),
    ("VAR: a criterion without its penalty", VAR, "2 * order * channels**2", "0 * order * channels**2"),
    ("VAR: residuals by column", VAR, "np.cov(self._residuals, rowvar=False, bias=True)", "np.diag(self._residuals.var(0))"),
    ("VAR: a level too late", VAR, "s[self._order - 1 : -1]", "s[self._order :]"),
    ("ARIMA: residuals without moving average", ARIMA, "np.r_[1.0, self._ma[:, c]]", "np.r_[1.0, 0 * self._ma[:, c]]"),
    ("ARIMA: sign of the autoregression in residuals", ARIMA, "np.r_[1.0, -self._ar[:, c]]", "np.r_[1.0, self._ar[:, c]]"),
    ("ARIMA: no moving average in samples", ARIMA, "(self._ma * past_noise", "(0 * self._ma * past_noise"),
    ("GARCH: no β", GARCH, "self._beta * variance", "0 * self._beta * variance"),
    ("GARCH: leverage of rises", GARCH, "(error < 0)", "(error > 0)"),
    ("GARCH: σ for σ²", GARCH, "np.sqrt(variance) * z", "variance * z"),
    ("GARCH: ω in other units", GARCH, "values[1 + self.lags] * unit**2", "values[1 + self.lags] * unit"),
    ("TimeGAN: supervision of the same step", TIMEGAN, "(h[:, 1:] - next_h[:, :-1])", "(h - next_h)"),
    ("TimeGAN: the discriminator told the reverse", TIMEGAN, "float(real))", "1.0 - float(real))"),
    ("series: levels not summed up", SERIES, "np.cumsum(steps, axis=1), steps)", "steps, steps)"),
)  # fmt: skip
