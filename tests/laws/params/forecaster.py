"""Parameters with which the laws of kind forecaster are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "seasonal_naive": [
        {"period": 5},
    ],
    "climatology": [
        {"period": 7},
        {"period": 1},
    ],
    "ets": [
        {"period": 4, "max_rows": 100},
    ],
    "arima": [
        {"max_p": 1, "max_q": 0, "max_rows": 150},
        {"max_p": 0, "max_q": 1, "differences": True, "max_rows": 150},
    ],
    "garch": [
        {},
        {"leverage": True, "lags": 1, "differences": True},
    ],
    "residual_bootstrap": [
        {},
        {"lags": 2},
    ],
    "quantile_regression": [
        {"lags": 2, "period": 4, "seasons": 1, "max_windows": 80},
    ],
    "deepar": [
        {"width": 4, "layers": 1, "steps": 5, "batch_size": 16},
        {"width": 4, "layers": 2, "steps": 5, "batch_size": 16, "errors": "gaussian"},
    ],
}
