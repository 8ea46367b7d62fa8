"""The page and the pictures: several columns, no request, every figure shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from undula.evaluation.blocks import RealWindows
from undula.evaluation.judge import judge
from undula.report.page import PageContent, write_page
from undula.report.plots import save_dynamics, save_marginals, save_windows
from undula.report.words import rows

COLUMNS = ["temperature", "pressure", "<b>flow</b>"]


@pytest.fixture(scope="module")
def content() -> PageContent:
    rng = np.random.default_rng(0)
    scale = np.array([1.0, 1e5, 1e-3])

    def windows(n: int) -> np.ndarray:
        return scale * (5 + rng.normal(size=(n, 20, 3)).cumsum(1))

    train, held_out = (RealWindows(windows(n), np.arange(n) * 20) for n in (300, 80))
    generated, baselines = windows(100), {"gaussian": windows(100), "block_bootstrap": windows(100)}
    judgement = judge(generated, held_out, train, baselines, draws=10)
    return PageContent(
        title="plant",
        description="Three sensors & a valve",
        facts=[("model", "mlp, 10 parameters")],
        notes=["rows were newest first, sorted by 'date'"],
        columns=COLUMNS,
        real=held_out.windows,
        train=train.windows,
        generated=generated,
        baselines=baselines,
        judgement=judgement,
        curve=[{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "val_loss": 1.5}],
        config="experiment:\n  name: plant\n",
    )


def test_the_page_needs_no_connection(content: PageContent, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", content)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!data:|#)', own)
    assert not re.search(r"<script[^>]+src=", page)
    assert "<b>flow</b>" not in own
    assert "Three sensors &amp; a valve" in own
    assert "newest first" in own


def test_every_figure_stands_in_the_table(content: PageContent, tmp_path: Path) -> None:
    write_page(tmp_path / "report.html", content)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for row in rows(content.judgement):
        assert row.name.replace("&", "&amp;").replace("<", "&lt;") in page
        assert row.verdict in page
    for chart in ("windows", "marginals", "quantiles", "dynamics", "curve"):
        assert f'id="chart-{chart}"' in page


def test_pictures_show_every_column(content: PageContent, tmp_path: Path) -> None:
    save_windows(tmp_path / "w.png", list(content.real[:5]), list(content.generated[:5]), COLUMNS, "t")
    save_marginals(tmp_path / "m.png", content.real, content.generated, COLUMNS)
    save_dynamics(tmp_path / "d.png", content.real, content.generated, COLUMNS)
    one = tmp_path / "one.png"
    save_windows(one, list(content.real[:5, :, :1]), list(content.generated[:5, :, :1]), COLUMNS[:1], "t")
    for name in ("w", "m", "d"):
        pixels = image.imread(tmp_path / f"{name}.png")[..., :3]
        assert pixels.std() > 0.05
    assert image.imread(tmp_path / "w.png").shape[0] > 2 * image.imread(one).shape[0]
