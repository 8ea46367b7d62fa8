"""Coefficients of samplers, losses, regularisers and guidance.

A line is (what it is, file under src/undula, text that is there exactly once, what it becomes).
"""

EXPONENTIAL = "components/samplers/_exponential.py"
MUTATIONS = (
    ("exponential: ∫u^k by parts, k → 1", EXPONENTIAL, "1.0 - k / h * found[-1]", "1.0 - 1 / h * found[-1]"),
    ("exponential: the series' sign", EXPONENTIAL, "h * sum((-h) ** m", "h * sum(h**m"),
    ("exponential: 1 + η² → 1 in the step", EXPONENTIAL, "(1.0 + eta**2) * _step(", "1.0 * _step("),
    ("exponential: 1 + η² → 1 + η in the sum", EXPONENTIAL, "** (1.0 + eta**2))\n", "** (1.0 + eta))\n"),
    ("exponential: the noise's variance q² → q", EXPONENTIAL, "1.0 - kept**2", "1.0 - kept"),
    ("exponential: midpoint ½ → ⅓", EXPONENTIAL, "[total / (k + 1) for", "[total / (2 * k + 1) for"),
    ("exponential: the inner level from α = 0", EXPONENTIAL, "else math.log(share) + _log_ratio(end)", "else _log_ratio(end)"),
    ("dpm: ⅔ → ½ in singlestep 3", "components/samplers/dpm.py", "(1 / 3, 2 / 3)", "(1 / 3, 1 / 2)"),
    ("dpm: the first step of 3M of order 1", "components/samplers/dpm.py", "if sampler.order == 3:\n", "if sampler.order == 4:\n"),
    ("unipc: the corrector left out", "components/samplers/unipc.py", "x = advance(x, values, correct)", "x = predicted"),
    ("unipc: the corrector without the oldest value", "components/samplers/unipc.py", "[end, *nodes])", "[end, *nodes[: order - 1 or 1]])"),
    ("ddpm: σ_s² → σ_s in the posterior", "components/samplers/ddpm.py", "variance = v * end.sigma**2", "variance = v * end.sigma"),
    ("ddpm: upper without α_s²", "components/samplers/ddpm.py", "v * (end.alpha**2 + end.sigma**2)", "v * (1.0 + end.sigma**2)"),
    ("pc: θ 2 → 1", "components/samplers/pc.py", "math.exp(-2.0 * self.snr**2)", "math.exp(-1.0 * self.snr**2)"),
    ("pc: the noise's √ left out", "components/samplers/pc.py", "spread = math.sqrt(1.0 - stay**2)", "spread = 1.0 - stay**2"),
    ("heun: churn without √ of the variance", "components/samplers/heun.py", "factor * math.sqrt(variance)", "factor * variance"),
    ("heun: churn not shared by the steps", "components/samplers/heun.py", "sampler.churn / len(starts)", "sampler.churn"),
    ("heun: churn's limit √2 − 1 → 1", "components/samplers/heun.py", "math.sqrt(2.0) - 1.0", "1.0"),
    ("adaptive: ½ → 1 in Heun", "components/samplers/adaptive.py", "difference = 0.5 *", "difference = 1.0 *"),
    ("adaptive: every step is taken", "components/samplers/adaptive.py", "(error <= 1.0) | (tried == 1)", "(error <= 1e9) | (tried == 1)"),
    ("adaptive: a refused step is not shortened", "components/samplers/adaptive.py", "factor.clamp(max=0.5)", "factor.clamp(max=0.99)"),
    ("sigmoid: λ → λ/2", "diffusion/weighting.py", "bias - 2.0 * torch.log", "bias - 1.0 * torch.log"),
    ("huber: 2 δ|r| − δ² → 2 δ|r|", "diffusion/robust.py", "(2.0 * size - delta)", "(2.0 * size)"),
    ("pseudo-Huber: 2 → 1", "diffusion/robust.py", "2.0 * delta**2 * (torch.sqrt", "1.0 * delta**2 * (torch.sqrt"),
    ("regularisers see x_0 + F's error", "diffusion/objective.py", "x_0 + like(c_out, x_0) * residual", "x_0 + residual"),
    ("moments: spread not compared", "components/regularisers/moments.py", "+ (deviation - deviation_0).square()", "+ 0.0"),
    ("spectrum: log ½ → 1", "components/regularisers/spectrum.py", "0.5 * torch.log(power", "1.0 * torch.log(power"),
    ("cfg: from the wrong end", "components/guidance/cfg.py", "torch.lerp(null, cond, scale)", "torch.lerp(cond, null, scale)"),
    ("cfg: a ratio of variances", "components/guidance/cfg.py", "* ratio.sqrt()", "* ratio"),
    ("cfg: the interval's upper end", "components/guidance/cfg.py", "(level.tau >= interval[0]) & (level.tau <= interval[1])", "(level.tau >= interval[0])"),
    ("cfg: the nulls in the wrong half", "components/guidance/cfg.py", "doubled.drop(name, index >= size if", "doubled.drop(name, index < size if"),
)  # fmt: skip
