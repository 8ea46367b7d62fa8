"""Expressions, conditions, files, processes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from undula.core.condition import Condition
from undula.core.errors import ConfigError, RunError, did_you_mean
from undula.core.expression import Expression
from undula.core.files import read_tensors, write_json, write_tensors, write_text
from undula.core.processes import is_main_process


def test_an_expression_is_its_formula() -> None:
    t = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    found = Expression("exp(-2*t**2) + sin(pi*t)/(1 + t) - 3", "t")(t)
    assert torch.allclose(found, torch.exp(-2 * t**2) + torch.sin(torch.pi * t) / (1 + t) - 3)
    assert torch.equal(Expression("1", "t")(t), torch.ones_like(t))
    assert torch.equal(Expression("sqrt(4)", "t")(t), 2 * torch.ones_like(t))


def test_an_expression_is_differentiable() -> None:
    t = torch.tensor([0.3], requires_grad=True, dtype=torch.float64)
    (slope,) = torch.autograd.grad(Expression("t**3", "t")(t).sum(), t)
    assert float(slope) == pytest.approx(3 * 0.09)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "t.real",
        "(lambda: 1)()",
        "[t]",
        "t if t else 1",
        "exp(t, t)",
        "exp",
        "open('x')",
        "'t'",
        "t = 1",
        "1 +",
        "t @ t",
        "True and t",
        "x + 1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Expression(text, "t")


def test_a_misspelt_function_gives_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'sqr' in 'sqr\(t\)' is not known; did you mean 'sqrt'"):
        Expression("sqr(t)", "t")


@given(st.text(max_size=30))
def test_no_text_does_anything_but_parse(text: str) -> None:
    with contextlib.suppress(ConfigError, ZeroDivisionError, OverflowError):
        Expression(text, "t")(torch.ones(1))


def test_a_condition_keeps_its_parts_together() -> None:
    condition = Condition(
        sequence={"h": torch.randn(4, 2, 7)},
        aligned={"a": torch.randn(4, 1, 5)},
        static={"s": torch.randn(4, 3)},
        exists=torch.ones(4, 1, 5, dtype=torch.bool),
        valid=torch.ones(4, 2, 5, dtype=torch.bool),
    )
    assert list(condition.parts) == ["h", "a", "s"]
    part = condition.drop("a", torch.tensor([True, False, True, False]))[torch.tensor([1, 2])]
    assert part.sequence["h"].shape == (2, 2, 7)
    assert part.dropped["a"].tolist() == [False, True]
    assert part.valid is not None and part.valid.shape == (2, 2, 5)
    assert part.exists is not None and part.exists.shape == (2, 1, 5)
    everything = condition.unconditional()
    assert all(bool(where.all()) for where in everything.dropped.values())
    assert set(everything.dropped) == {"h", "a", "s"}
    assert set(condition.unconditional(["s"]).dropped) == {"s"}
    assert condition.to("cpu").static["s"] is condition.static["s"]


def test_files_are_whole_or_absent(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.json"
    write_json(file, {"a": 1})
    assert json.loads(file.read_text()) == {"a": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(file, {"a": float("nan")})
    assert json.loads(file.read_text()) == {"a": 1}
    assert [p.name for p in file.parent.iterdir()] == ["a.json"]


def test_tensors_return_with_their_header(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.randn(4, 4).mT}
    write_tensors(tmp_path / "x.safetensors", tensors, {"step": 7})
    again, header = read_tensors(tmp_path / "x.safetensors")
    assert header == {"step": 7}
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_damaged_tensors_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    with pytest.raises(RunError, match="does not exist"):
        read_tensors(file)
    write_tensors(file, {"a": torch.randn(30)}, {})
    whole = file.read_bytes()
    for broken in (b"", b"nonsense", whole[:-7], whole[:20]):
        file.write_bytes(broken)
        with pytest.raises(RunError, match="damaged"):
            read_tensors(file)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "no permission: choose another"),
        (errno.ENOSPC, "no space is left on the device"),
    ],
)
def test_no_permission_and_no_space_are_one_sentence(
    number: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "a", "before")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(RunError, match=message):
        write_text(tmp_path / "a", "x")
    monkeypatch.undo()
    assert (tmp_path / "a").read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError, match="cannot write"):
        write_text(tmp_path / "file" / "a", "x")


def test_the_main_process_is_known_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert is_main_process()
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_main_process()
    monkeypatch.setenv("RANK", "0")
    assert is_main_process()


def test_nearest_names() -> None:
    assert did_you_mean("traning", ["training", "data"]) == "; did you mean 'training'?"
    assert did_you_mean("zzz", ["training", "data"]) == ""
