"""Parameters with which the laws of kind preprocessing are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
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
}
