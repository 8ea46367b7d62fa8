"""Parameters with which the laws of kind preprocessing are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "residual": [
        {"trend": "last"},
        {"trend": {"type": "seasonal_naive", "params": {"period": 4}}},
        {"trend": "linear"},
    ],
    "raw": [
        {"method": "standardise"},
        {"method": "minmax"},
        {"method": "robust"},
        {"method": "quantile"},
        {"method": "none"},
        {"snap": False},
    ],
    "quantile": [
        {},
        {"tails": "gpd", "tail": 0.05, "atom": 0.02},
        {"snap": False},
        {"knots": 33, "wander": 0.9},
    ],
    "technical": [
        {
            "mode": "channels",
            "close": 0,
            "high": 1,
            "low": 1,
            "returns": [1, 3],
            "volatility": [5],
            "rsi": [4],
            "macd": [3, 6, 2],
            "bollinger": [5],
            "atr": [4],
            "momentum": [3],
            "sma": [4],
            "ema": [4],
        },
        {
            "mode": "channels",
            "price": {"type": "raw", "params": {"method": "quantile"}},
            "close": 1,
            "volatility": [],
            "rsi": [4],
            "macd": [],
            "bollinger": [],
            "atr": [],
            "momentum": [],
            "sma": [],
            "ema": [],
        },
    ],
    "pipeline": [
        {"steps": [{"type": "raw", "params": {"method": "none"}}, "quantile"]},
        {"steps": ["quantile", {"type": "raw", "params": {"method": "minmax", "snap": False}}]},
    ],
    "difference": [
        {},
        {"lag": 5},
    ],
    "wavelet": [
        {},
        {"wavelet": "haar", "level": 2},
        {"wavelet": "sym3", "level": 1},
        {"wavelet": "db2", "level": 2, "boundary": "periodic"},
    ],
    "multi_scale": [
        {},
        {"scales": [1, 3, 5]},
        {"scales": [4]},
    ],
    "vae": [
        {"latent_dim": 3, "hidden_dim": 16, "steps": 8, "kl_warmup": 4, "batch_size": 32},
        {"latent_dim": 2, "latent_length": 5, "hidden_dim": 8, "encoder": "conv", "steps": 4},
    ],
    "gaussianise": [
        {},
        {"strength": 1.0, "knots": 33},
        {"basis": {"type": "wavelet", "params": {"wavelet": "haar", "level": 2}}, "strength": 0.0},
        {"basis": "fourier", "atom": 0.02},
    ],
    "decorrelate": [
        {},
        {"strength": 0.5, "over": "time"},
        {"over": "features", "floor": 0.1},
        {"strength": 0.0},
        {"strength": 0.5, "over": "window", "calibrate": True},
    ],
}
