"""Coefficients of paths, parametrizations, weights and samplers.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

PARAMETRIZATION = "diffusion/parametrization.py"
MUTATIONS = (
    ("x0: c_out 1 → 0.99", PARAMETRIZATION, "1.0 + 0.0 * alpha, c_in", "0.99 + 0.0 * alpha, c_in"),
    ("eps: the sign of c_out", PARAMETRIZATION, "(1.0 / alpha, -sigma / alpha", "(1.0 / alpha, sigma / alpha"),
    ("eps: c_skip 1/α → 1", PARAMETRIZATION, "(1.0 / alpha, -sigma", "(1.0 + 0 * alpha, -sigma"),
    ("score: the sign of c_out", PARAMETRIZATION, "(1.0 / alpha, sigma / alpha", "(1.0 / alpha, -sigma / alpha"),
    ("v: without α² + σ²", PARAMETRIZATION, "(alpha / norm, -sigma / norm", "(alpha, -sigma"),
    ("velocity: σ' → α' in c_skip", PARAMETRIZATION, "-level.sigma_dot / norm, sigma", "level.alpha_dot / norm, sigma"),
    ("edm: c_skip without s²", PARAMETRIZATION, "(alpha * s**2 / variance", "(alpha / variance"),
    ("edm: c_out without s", PARAMETRIZATION, "sigma * s * c_in", "sigma * c_in"),
    ("c_in: σ² → σ", PARAMETRIZATION, "alpha**2 * s**2 + sigma**2", "alpha**2 * s**2 + sigma"),
    ("target: the sign of ε", PARAMETRIZATION, "-c_skip * level.sigma / c_out", "c_skip * level.sigma / c_out"),
    ("velocity: paths that stand still are taken", "diffusion/parametrization.py", "abs(norm) < 1e-9", "abs(norm) < -1.0"),
    ("weights: c_out² → c_out on F", "diffusion/weighting.py", "bias=bias) * c_out**2", "bias=bias) * c_out"),
    ("weights: snr without the square", "diffusion/weighting.py", "return (alpha / sigma) ** 2", "return alpha / sigma"),
    ("weights: edm with α instead of α²", "diffusion/weighting.py", "(alpha**2 * s**2 + sigma**2)", "(alpha * s**2 + sigma**2)"),
    ("weights: likelihood ½ → 1", "diffusion/weighting.py", "0.5 * minus_snr_slope(level) / density.pdf(t)\n", "1.0 * minus_snr_slope(level) / density.pdf(t)\n"),
    ("weights: SNR' with σ² for σ³", "diffusion/weighting.py", "/ sigma**3", "/ sigma**2"),
    ("min_snr: max for min", "diffusion/weighting.py", "clamp(max=gamma)", "clamp(min=gamma)"),
    ("g²: 2 → 1", "core/sde.py", "2.0 * sigma * (sigma_dot - sigma", "1.0 * sigma * (sigma_dot - sigma"),
    ("λ: 2 → 1", "core/sde.py", "return 2.0 * (torch.log", "return 1.0 * (torch.log"),
    ("sub-VP: σ → √σ (the VP's)", "components/sde/subvpsde.py", "-torch.expm1(-self.integral(t))", "torch.sqrt(-torch.expm1(-self.integral(t)))"),
    ("score: σ² → σ", "diffusion/path.py", "like(level.sigma, x_t) ** 2\n", "like(level.sigma, x_t)\n"),
    ("prior: without σ(1)", "diffusion/path.py", "return sigma * self.noise.colour", "return self.noise.colour"),
    ("transition: a² → a", "diffusion/path.py", "end.sigma**2 - a**2", "end.sigma**2 - a"),
    ("ddim: γ without the SNRs' ratio", "components/samplers/ddim.py", "math.sqrt(1.0 - start.snr / end.snr)", "1.0"),
    ("ddim: γ with √ left out", "components/samplers/ddim.py", "math.sqrt(1.0 - start.snr / end.snr)", "(1.0 - start.snr / end.snr)"),
    ("euler: (1 + η²) → 1", "components/samplers/euler.py", "from_x += self.eta**2 * rate * dt", "from_x += 0 * rate * dt"),
    ("euler: 2 → 1 in the noise", "components/samplers/euler.py", "math.sqrt(-2.0 * dt * rate)", "math.sqrt(-1.0 * dt * rate)"),
    ("heun: ½ → 0.45", "components/samplers/heun.py", "half = 0.5 *", "half = 0.45 *"),
    ("dpm: ½ → ⅔ of the slope in 2M", "components/samplers/_exponential.py", "[total / (k + 1) for k", "[total / (k / 2 + 1) for k"),
    ("bound: prior ½ → 1", "diffusion/bound.py", "prior = 0.5 *", "prior = 1.0 *"),
    ("bound: density left out", "diffusion/bound.py", "/ density.pdf(t)", "/ 1.0"),
)  # fmt: skip
