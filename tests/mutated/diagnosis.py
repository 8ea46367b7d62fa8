"""Coefficients of the diagnosis by noise level and of exported graphs."""

MUTATIONS = (
    ("diagnosis: slope without the mean of squares", "diffusion/diagnosis.py", "return float((x * y).mean()) / variance", "return float((x * y).mean())"),
    ("diagnosis: error without s²", "diffusion/diagnosis.py", '"error": float(masked_mean((d - x_0) ** 2, valid).mean()) / s**2', '"error": float(masked_mean((d - x_0) ** 2, valid).mean()) / s'),
    ("diagnosis: excess over D's own error", "diffusion/diagnosis.py", '"gaussian_excess": float((d - exact).square().mean()) / least', '"gaussian_excess": float((d - x_0).square().mean()) / least'),
    ("diagnosis: slope of the Gaussian on D", "diffusion/diagnosis.py", "_slope(exact - mean, d - mean, valid, about=0.0)", "_slope(d - mean, exact - mean, valid, about=0.0)"),
    ("diagnosis: expected spread without s", "diffusion/diagnosis.py", "math.sqrt((alpha * s) ** 2 + sigma**2)", "math.sqrt(alpha**2 + sigma**2)"),
    ("diagnosis: 2 → 1 in λ", "diffusion/diagnosis.py", "log_snr = 2.0 * math.log(alpha / sigma)", "log_snr = 1.0 * math.log(alpha / sigma)"),
    ("attention maps: without √d", "nn/attention_maps.py", "q @ k.mT / math.sqrt(q.shape[-1])", "q @ k.mT"),
    ("export: scale of conditions left out", "export/graph.py", "(values - self.location[columns]) / self.scale[columns]", "(values - self.location[columns])"),
    ("export: series from x_t", "export/graph.py", "inverse_transform(denoised.double(), condition)", "inverse_transform(x_t.double(), condition)"),
    ("export: bisection without its last bit", "export/translations.py", "reversed(range(bits))", "reversed(range(1, bits))"),
)  # fmt: skip
