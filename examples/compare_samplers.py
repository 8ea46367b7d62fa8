"""How fast samplers converge, on a denoiser that is known exactly.

An AR(1) series is Gaussian, so its denoiser has a closed form and the error of a sampler is its own.

python examples/compare_samplers.py
"""

import torch

from undula import GaussianDenoiser, GaussianPath, Registry

path = GaussianPath(sde=Registry.get("sde", "vpsde"), noise=Registry.get("noise", "standard"))
steps = torch.arange(32)
covariance = 0.9 ** (steps[:, None] - steps).abs().double()
denoiser = GaussianDenoiser(path, torch.zeros(1, 32).double(), covariance)
start = torch.randn(256, 1, 32, dtype=torch.float64)


def end(name: str, num_steps: int) -> torch.Tensor:
    """Where a sampler takes the same noise."""
    sampler = Registry.get("sampler", name, num_steps=num_steps, grid="log_snr")
    return sampler.integrate(denoiser, start, sampler.levels(path))


exact = end("heun", 4000)
print(f"{'sampler':10}{'calls':>8}{'error':>12}")
for name in ("euler", "ddim", "heun", "dpm"):
    for num_steps in (10, 20, 40):
        calls = Registry.get("sampler", name, num_steps=num_steps).calls
        error = float((end(name, num_steps) - exact).square().mean().sqrt())
        print(f"{name:10}{calls:8}{error:12.2e}")
