"""Sources against their own formulas."""

import numpy as np
import scipy.stats

from undula.data.sources.jump_diffusion import JumpDiffusionSource


def test_jump_diffusion_has_the_moments_that_it_states() -> None:
    source = JumpDiffusionSource(num_steps=400_000, seed=1)
    returns = source.returns()
    assert abs(returns.mean() - source.mean) < 4 * np.sqrt(source.variance / len(returns))
    assert abs(returns.var() / source.variance - 1) < 0.02
    assert abs(scipy.stats.kurtosis(returns) / source.excess_kurtosis - 1) < 0.1


def test_a_jump_diffusions_price_gives_its_centred_returns_back() -> None:
    source = JumpDiffusionSource(num_steps=1000)
    price = source.load()["price"].to_numpy()
    assert price[0] == 100
    assert np.allclose(np.diff(np.log(price)), (source.returns() - source.mean)[1:])
