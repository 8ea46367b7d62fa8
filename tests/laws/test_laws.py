"""Every registered component obeys every law of its kind."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from undula.core.registry import KINDS, Registry
from undula.testing import laws_of

PARAMS: dict[tuple[str, str], list[dict[str, Any]]] = {
    (file.stem, name): params
    for file in (Path(__file__).parent / "params").glob("*.py")
    for name, params in runpy.run_path(str(file))["PARAMS"].items()
}

CASES = [
    (kind, name, index)
    for kind in KINDS
    for name in Registry.list(kind)
    for index in range(len(PARAMS.get((kind, name), [{}])))
]


@pytest.mark.parametrize(("kind", "name", "index"), CASES)
def test_laws(kind: str, name: str, index: int) -> None:
    params = PARAMS.get((kind, name), [{}])[index]
    failures = []
    for law in laws_of(kind):
        try:
            law(Registry.get(kind, name, **params))
        except AssertionError as error:
            failures.append(f"{law.__name__}: {error}")
    assert not failures, f"{kind} {name} {params}: " + "; ".join(failures)
