"""Coefficients of guidance by an observation, of operators, and of what is asked of a model with them.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

LIKELIHOOD, PRIOR, KRYLOV = (
    "components/guidance/_likelihood.py",
    "diffusion/prior.py",
    "diffusion/krylov.py",
)
OPERATORS, GUIDANCE = "components/operators", "components/guidance"
MUTATIONS = (
    ("guidance: no strength", LIKELIHOOD, "d + self.guidance.strength * change", "d + change"),
    ("guidance: C without 1/α", LIKELIHOOD, "* (sigma**2 / alpha)", "* sigma**2"),
    ("guidance: C without Σ", LIKELIHOOD, "return self._path.noise.apply(found, self._condition) * (sigma**2 / alpha)", "return found * (sigma**2 / alpha)"),
    ("guidance: the prior's C whatever is seen", PRIOR, "variances * sigma**2 / (alpha**2 * variances + sigma**2)", "variances"),
    ("guidance: the prior not turned back", PRIOR, "return noise.colour(self._left_of(whitened, level), condition)", "return self._left_of(whitened, level)"),
    ("guidance: directions that are left count twice", PRIOR, "((inner - rest) * along)", "(inner * along)"),
    ("Krylov: the observation without noise", KRYLOV, "image = (weight * (noise * scaled + ahead(move))).flatten(1)", "image = (weight * ahead(move)).flatten(1)"),
    ("Krylov: unscaled right-hand side", KRYLOV, "right = (weight * residual).flatten(1)", "right = residual.flatten(1)"),
    ("conjugate gradients: without noise", KRYLOV, "image = noise * direction + ahead(moved)", "image = ahead(moved)"),
    ("conjugate gradients: steepest descent", KRYLOV, "direction, size = z + ratio * direction", "direction, size = z"),
    ("pseudo-inverse: no variance", f"{GUIDANCE}/pseudo_inverse.py", "lambda v: variance * at.tangent.back(v)", "lambda v: at.tangent.back(v)"),
    ("projection: half the way", f"{GUIDANCE}/projection.py", "        return 1.0", "        return 0.5"),
    ("ramp: not to the end", f"{GUIDANCE}/ramp.py", "- last) / (first - last)", ") / first"),
    ("low pass: half the components", f"{OPERATORS}/low_pass.py", "math.ceil(2 * length * self.cutoff", "math.ceil(length * self.cutoff"),
    ("blur: weights that do not add up", f"{OPERATORS}/blur.py", "weights = weights / weights.sum(1, keepdim=True)", "weights = weights / weights.sum(1, keepdim=True).amax()"),
    ("blur: mirrored about the first point", f"{OPERATORS}/blur.py", "2 * length - 1 - column", "(2 * length - column) % length"),
    ("decimation: the mean's adjoint is a copy", f"{OPERATORS}/decimation.py", "repeat_interleave(self.factor, -1) / self.factor", "repeat_interleave(self.factor, -1)"),
    ("holes: what nothing follows does not wait", "data/holes.py", "start + 3 * self.length // 4", "start + self.length"),
    ("holes: long holes from both ends", "data/holes.py", "or (start > 0 and blank[start])", "or (start > 0 and blank[start] and False)"),
    ("observations: precision for variance", "data/observation.py", '1.0 / numbers if name == "ivar"', 'numbers if name == "ivar"'),
    ("forecasts: returns are not summed", "data/transforms.py", "np.exp(np.cumsum(values[..., j], axis=-1))", "np.exp(values[..., j])"),
    ("calibration: the median factor", "model/origins.py", "math.ceil(_LEVEL * (len(ordered) + 1))", "math.ceil(0.5 * (len(ordered) + 1))"),
    ("calibration: about zero", "model/origins.py", "return middle + factor * (paths - middle)", "return factor * paths"),
    ("trend: another phase", "components/trend/seasonal_naive.py", "past[..., -self.period :]", "past[..., -self.period - 1 : -1]"),
    ("trend: a ridge without its constant", "components/trend/linear.py", "_Fit(weight, mean - middle @ weight)", "_Fit(weight, 0.0 * mean)"),
)  # fmt: skip
