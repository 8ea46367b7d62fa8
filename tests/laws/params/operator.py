"""Parameters with which the laws of kind operator are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "selection": [
        {"steps": [(0, 5), (-3, None)]},
        {"channels": [0, 2]},
        {"steps": [(2, -2)], "channels": [1]},
    ],
    "low_pass": [{"components": 5}, {"cutoff": 10.0, "rate": 100.0}],
    "decimation": [
        {"factor": 5, "offset": 2},
        {"factor": 4, "method": "mean"},
    ],
    "channel_mix": [{"matrix": [[1.0, 1.0, 0.0]]}, {"matrix": [[1.0, 0.5, 0.0], [2.0, 1.0, 0.0]]}],
    "blur": [
        {"sigma": 0.7},
        {"sigma": 1.5, "boundary": "periodic"},
        {"sigma": [0.5 + 0.02 * i for i in range(24)], "boundary": "zero"},
        {"kernel": [0.5, 1.0, -0.25], "boundary": "reflect"},
    ],
    "chain": [
        {
            "parts": [
                {"type": "blur", "params": {"sigma": 0.8}},
                {"type": "decimation", "params": {"factor": 3}},
            ]
        },
        {
            "parts": [
                {"type": "selection", "params": {"steps": [(0, 12)]}},
                {"type": "channel_mix", "params": {"matrix": [[1.0, 2.0, 0.0]]}},
                {"type": "low_pass", "params": {"components": 4}},
            ]
        },
    ],
}
