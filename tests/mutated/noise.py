"""Coefficients of the noises' covariances, warps and checks.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

FOLDER = "components/noise/"
MUTATIONS = (
    ("noise ar: φ² left out", FOLDER + "correlated.py", "+ value**2)", "+ value)"),
    ("noise ar: k/L → k/(L − 1)", FOLDER + "correlated.py", "k / length)", "k / max(length - 1, 1))"),
    ("noise power law: β → β/2", FOLDER + "correlated.py", "clamp(min=1.0) ** -value", "clamp(min=1.0) ** (-0.5 * value)"),
    ("noise floor: not divided by the mean", FOLDER + "correlated.py", "* s / s.mean() + floor", "* s / s.max() + floor"),
    ("noise ar: fitted without the half", FOLDER + "correlated.py", "total = 0.5 *", "total = 1.0 *"),
    ("noise whiten: without the transform's order", FOLDER + "correlated.py", "return self._power(x, -0.5) * dct(x)", "return dct(self._power(x, -0.5) * x)"),
    ("noise log det: one channel", FOLDER + "correlated.py", "return channels * float", "return 1 * float"),
    ("noise pattern: mean → sum", FOLDER + "_pattern.py", "/ count * self._sums(x)", "* self._sums(x)"),
    ("noise pattern: block for season", FOLDER + "_pattern.py", '== "block" else -2', '== "season" else -2'),
    ("noise pattern: log det without n", FOLDER + "_pattern.py", "alone.log()) / count)", "alone.log()))"),
    ("noise features: floor left out", FOLDER + "_features.py", "clamp(min=0.0) + floor", "clamp(min=0.0) + 0.0 * floor"),
    ("noise features: sum for the mean diagonal", FOLDER + "_features.py", "covariance.diagonal().mean()", "covariance.diagonal().sum()"),
    ("noise elements: ivar → var", FOLDER + "_elements.py", '"ivar": -1', '"ivar": 1'),
    ("noise elements: sigma not squared", FOLDER + "_elements.py", '"sigma": 2', '"sigma": 1'),
    ("noise elements: unknown → floor", FOLDER + "_elements.py", "torch.where(told.isnan(), 1.0, v)", "torch.where(told.isnan(), self.floor, v)"),
    ("noise elements: weights left out", FOLDER + "_elements.py", "known = weights[:, None] * ~told.isnan()", "known = torch.ones_like(weights)[:, None] * ~told.isnan()"),
    ("noise structured: log det of V halved", FOLDER + "structured.py", "return total + v.log()", "return total + 0.5 * v.log()"),
    ("noise structured: F's log det without L", FOLDER + "structured.py", "total += length * float", "total += float"),
    ("noise warp: error without the variance", FOLDER + "_even.py", "(eigenvalues / (1.0 +", "(1.0 / (1.0 +"),
    ("noise warp: floor left out", FOLDER + "_even.py", "+ floor * t", "+ 0.0 * t"),
    ("noise scale: c² → c", FOLDER + "adaptive.py", "c2 = (ratio.square() /", "c2 = (ratio /"),
    ("noise scale: dropped histories count", FOLDER + "adaptive.py", "c2.masked_fill(dropped, 1.0)", "c2.masked_fill(dropped & False, 1.0)"),
    ("noise scale: limit 4 → 40", FOLDER + "adaptive.py", "_LIMIT = 4.0", "_LIMIT = 40.0"),
    ("noise scale: missing values are zeros", FOLDER + "adaptive.py", "known = ~past.isnan()", "known = torch.ones_like(past, dtype=torch.bool)"),
    ("noise terminal: α → α²", FOLDER + "_terminal.py", "level.snr * power", "level.snr**2 * power"),
    ("noise analytic: bound without log det's condition", "diffusion/bound.py", "log_det(channels, length, condition)", "log_det(channels, length)"),
    ("sde: a class's shape unchecked", "diffusion/path.py", "if shape != tuple(t.shape):", "if False:"),
    ("sde: a class's derivative unchecked", "diffusion/path.py", "if not value.requires_grad and", "if False and"),
)  # fmt: skip
