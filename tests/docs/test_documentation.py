"""What the documentation shows works: Python runs, configs are valid, commands parse, links lead somewhere.

Trainings are cut to one epoch; nothing else is changed.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import typer
import yaml

from undula.cli import app
from undula.config.loading import load_config
from undula.config.search import search_of
from undula.config.yaml12 import parse_yaml
from undula.core.registry import Registry

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted(set((ROOT / "examples").glob("*.py")) - {ROOT / "examples" / "numpy_sampler.py"})
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block."""

    language: str
    title: str | None
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [Block(*match) for match in FENCE.findall(page.read_text(encoding="utf-8"))]
    return [block for block in found if block.language in languages]


SLOW = ("configs", "evaluate", "own_experiment", "scenarios", "swap_one_part")
"""Pages and examples that take longest."""


def marked(files: Iterable[Path]) -> list[object]:
    """Files as cases, the slowest marked slow."""
    return [
        pytest.param(p, id=str(p.relative_to(ROOT)), marks=[pytest.mark.slow] * (p.stem in SLOW))
        for p in files
    ]


def with_blocks(*languages: str) -> list[object]:
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES if blocks(p, *languages)]


def shortened(text: str) -> str:
    text = re.sub(r'(num_epochs"?[:=] ?)\d+', r"\g<1>1", text)
    return re.sub(r'(num_samples"?[:=] ?)\d+', r"\g<1>100", text)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the `my.csv` of the documentation, and no component left behind."""
    days = pd.date_range("2020-01-01", periods=900, freq="D").strftime("%Y-%m-%d")
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(size=900)) / 100)
    frame = pd.DataFrame({"date": days, "price": prices, "volume": prices**2})
    frame[::-1].to_csv(tmp_path / "my.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("undula.baselines.gaussian_mixture._MOST_ITERATIONS", 1)
    yield tmp_path
    sys.modules.pop("my_parts", None)
    for key, component in list(Registry._classes.items()):
        if not component.__module__.startswith("undula."):
            del Registry._classes[key]


@pytest.mark.parametrize("page", marked(p for p in PAGES if blocks(p, "python")))
def test_python_runs(page: Path, desk: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "python"):
        if block.title:
            (desk / block.title).write_text(block.text)
        else:
            exec(compile(shortened(block.text), str(page), "exec"), names)


@pytest.mark.parametrize("example", marked(EXAMPLES))
def test_examples_run(example: Path, desk: Path) -> None:
    exec(compile(shortened(example.read_text()), str(example), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", with_blocks("yaml"))
def test_configs_are_valid(page: Path, desk: Path) -> None:
    for block in blocks(page, "python"):
        if block.title:
            (desk / block.title).write_text(block.text)
    for block in blocks(page, "yaml"):
        given = yaml.safe_load(block.text)
        text = block.text
        if "parameters" in given:
            search_of(parse_yaml(text, page.name), page.name)
            continue
        if "extends" not in given:
            text = "experiment: {name: shown}\n" + text
            if "data" not in given:
                text += "data: {dataset: ar1}\n"
        path = desk / "shown.yaml"
        path.write_text(text)
        config = load_config(str(path))
        for kind, specs in config.component_specs().items():
            for spec in specs if isinstance(specs, list) else [specs]:
                if spec is not None:
                    Registry.resolve(kind, spec)


@pytest.mark.parametrize("page", with_blocks("sh"))
def test_commands_parse(page: Path) -> None:
    group = typer.main.get_command(app)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for block in blocks(page, "sh"):
        for line in block.text.splitlines():
            words = shlex.split(line.split(">")[0], comments=True)
            if words and words[0] == "make":
                assert set(words[1:]) <= set(targets), line
            if not words or words[0] != "undula":
                continue
            with group.make_context("undula", words[1:], resilient_parsing=True) as context:
                command = group.get_command(context, words[1])
                assert command is not None, line
                command.make_context(words[1], words[2:], parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_concept_and_guide_is_in_the_navigation() -> None:
    shown = (ROOT / "mkdocs.yml").read_text()
    for page in [*(ROOT / "docs" / "concepts").glob("*.md"), *(ROOT / "docs" / "guides").glob("*.md")]:
        assert f"{page.parent.name}/{page.name}" in shown


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "index.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert page.name in index
