"""Parameters with which the laws of kind objective are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "score_matching": [
        {},
        {"loss_weight": "snr", "density": "stratified"},
        {"loss_weight": "min_snr", "min_snr_gamma": 3.0},
        {"loss_weight": "likelihood", "density": "log_snr"},
        {"loss_weight": "sigmoid", "density": "log_snr"},
        {"loss_weight": "sigmoid", "sigmoid_bias": -1.0},
        {"loss": "huber", "huber_delta": 0.3},
        {"regularisers": ["moments", {"type": "increments", "params": {"lags": [1, 4]}}]},
    ],
    "denoising": [
        {},
        {"loss_weight": "edm"},
        {"loss_weight": "uniform_x0"},
        {"loss": "l1"},
        {"loss": "pseudo_huber", "loss_weight": "snr", "regularisers": ["increments"]},
    ],
    "flow_matching": [
        {},
        {"density_mean": 0.5, "density_std": 0.7},
        {"prediction": "v"},
    ],
    "edm": [
        {},
        {"density_mean": -0.5, "density_std": 2.0},
    ],
}
