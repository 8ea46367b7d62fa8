"""Parameters with which the laws of kind sde are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "custom": [
        {"alpha_of_t": "1 - t**2", "sigma_of_t": "t"},
        {"alpha_of_t": "cos(pi*t/2)**2", "sigma_of_t": "sin(pi*t/2)"},
        {"alpha_of_t": "exp(-5*t**2)", "sigma_of_t": "sqrt(1-exp(-10*t**2))"},
    ],
    "vpsde": [
        {},
        {"beta_min": 0.0, "beta_max": 12.0},
    ],
}
