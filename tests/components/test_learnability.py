"""Every network learns AR(1): after a short training its loss is near the exact denoiser's.

Marked figures are measured ratios (three seeds) with room above; a network that does not mix time
steps stays above 1.6, one that ignores its noise level above 1.3.
"""

from __future__ import annotations

from typing import Any

import pytest

from .ar1 import loss_beside_the_exact

SMALL: dict[str, Any] = {"model_dim": 32, "num_layers": 1}
CNN: dict[str, Any] = {"model_dim": 32, "num_layers": 4, "dilation_cycle": 4}
GRU: dict[str, Any] = {"type": "gru", "params": {"model_dim": 16, "num_layers": 1}}
slow = pytest.mark.slow
