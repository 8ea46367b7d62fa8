"""Every combination works or is refused with the remedy; the counts are printed at the end.

By default every pair or triple of kinds that act on one another; marked slow, the full product.
"""

from __future__ import annotations

import pytest

from undula.core.errors import IncompatibleError

from .cells import HISTORY, Combination, combinations, name_of, outcome, sampled, specs, trained

GROUPS = (
    ("architecture", "objective", "sde"),
    ("preprocessing", "noise"),
    ("sampler", "sde"),
    ("sampler", "noise"),
    ("architecture", "preprocessing"),
)
CELLS = [
    pytest.param(combination, history, id=f"{name_of(combination, *kinds)}{'-given' if history else ''}")
    for kinds in GROUPS
    for combination in combinations(*kinds)
    for history in ((0, HISTORY) if kinds == ("preprocessing", "noise") else (0,))
]


@pytest.mark.parametrize(("combination", "history"), CELLS)
def test_it_runs_or_is_refused(combination: Combination, history: int, record_property: object) -> None:
    record_property("matrix", outcome(combination, history))


@pytest.mark.slow
@pytest.mark.parametrize(
    "combination",
    [
        pytest.param(combination, id=name_of(combination, "architecture", "objective", "sde"))
        for combination in combinations("architecture", "objective", "sde")
    ],
)
def test_the_full_product(combination: Combination, record_property: object) -> None:
    """Each is trained with every preprocessing and noise, and sampled with every sampler."""
    for preprocessing in specs("preprocessing"):
        for noise in specs("noise"):
            parts = {**combination, "preprocessing": preprocessing, "noise": noise}
            try:
                model = trained(parts, HISTORY)
            except IncompatibleError:
                record_property("matrix", "refused")
                continue
            for sampler in specs("sampler"):
                try:
                    sampled(model, sampler)
                    record_property("matrix", "ran")
                except IncompatibleError:
                    record_property("matrix", "refused")
