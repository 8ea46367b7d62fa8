"""Parameters with which the laws of kind sampler are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "euler": [
        {},
        {"eta": 1.0, "num_steps": 30},
    ],
    "ddim": [
        {},
        {"eta": 1.0},
        {"grid": "karras"},
    ],
    "heun": [
        {"num_steps": 7},
        {"grid": "log_snr"},
        {"num_steps": 9, "churn": 3.0},
        {"churn": 40.0, "churn_min": 0.05, "churn_max": 5.0, "churn_noise": 1.01, "grid": "karras"},
    ],
    "dpm": [
        {},
        {"grid": "karras", "rho": 5.0},
        {"num_steps": 2},
        {"order": 1},
        {"order": 3},
        {"method": "singlestep", "num_steps": 7},
        {"method": "singlestep", "order": 3, "grid": "log_snr"},
        {"eta": 1.0},
        {"eta": 0.5, "order": 1},
    ],
    "unipc": [
        {},
        {"order": 1, "grid": "karras"},
        {"order": 3, "num_steps": 8},
    ],
    "ddpm": [
        {"num_steps": 20},
        {"num_steps": 20, "variance": "upper", "grid": "log_snr"},
    ],
    "pc": [
        {"num_steps": 10},
        {"num_steps": 6, "predictor": "ode", "corrector_steps": 3, "snr": 0.3, "grid": "karras"},
    ],
    "adaptive": [
        {"num_steps": 60},
        {"num_steps": 200, "rtol": 1e-3, "atol": 1e-3, "grid": "log_snr"},
    ],
}
