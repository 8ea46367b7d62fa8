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
    "pipeline": [
        {"steps": [{"type": "raw", "params": {"method": "none"}}, "quantile"]},
        {"steps": ["quantile", {"type": "raw", "params": {"method": "minmax", "snap": False}}]},
    ],
}
