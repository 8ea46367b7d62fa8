"""Several preprocessors, one after the other; lists in configs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from undula import DiffusionModel, ExperimentRunner, Registry
from undula.components.preprocessing.log_return import LogReturnPreprocessor
from undula.components.preprocessing.pipeline import PipelinePreprocessor
from undula.components.preprocessing.quantile import QuantilePreprocessor
from undula.components.preprocessing.raw import RawPreprocessor
from undula.config.json_schema import config_schema
from undula.config.loading import as_config, load_config
from undula.config.yaml12 import dump_yaml
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError
from undula.core.preprocessing import BasePreprocessor


class Halves(BasePreprocessor):
    """Two channels of half the length for each; scaled by what it was fitted on, shifted by the past."""

    pointwise = False
    any_length = False

    def fit(self, x, valid=None, condition=None):
        self.scale_ = x.abs().mean()
        self.past_ = torch.zeros(0) if condition is None or condition.past is None else condition.past
        return self

    def _shift(self, condition: Condition | None) -> Tensor | float:
        return (
            0.0 if condition is None or condition.past is None else condition.past[:, :, -1:].repeat(1, 2, 1)
        )

    def transform(self, x, condition=None):
        return torch.cat((x[..., ::2], x[..., 1::2]), dim=1) / self.scale_ - self._shift(condition)

    def inverse_transform(self, z, condition=None):
        z = (z + self._shift(condition)) * self.scale_
        channels = z.shape[1] // 2
        return torch.stack((z[:, :channels], z[:, channels:]), dim=-1).flatten(-2)

    def log_det(self, x, condition=None):
        return -x[0].numel() * torch.log(self.scale_).expand(len(x))

    def shape(self, channels, length):
        return 2 * channels, length // 2

    def condition(self, condition, like):
        coordinates = torch.arange(like.shape[2] // 2).expand(len(like), 1, -1).float()
        return Condition(
            aligned={"coordinates": coordinates}, past=None if condition is None else condition.past
        )


def series(seed: int = 0) -> Tensor:
    return torch.randn(40, 3, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).exp()


def test_each_step_is_fitted_on_what_the_step_before_returns() -> None:
    first, second = RawPreprocessor(method="minmax"), RawPreprocessor(method="standardise")
    x = series()
    z = PipelinePreprocessor([first, second]).fit(x).transform(x)
    scaled = first.transform(x)
    assert torch.allclose(second.location_[:, 0], scaled.mean((0, 2)))
    assert torch.equal(z, second.transform(scaled))


def test_shapes_conditions_and_pasts_compose() -> None:
    pipeline = PipelinePreprocessor(
        [RawPreprocessor(method="robust", snap=False), Halves(), QuantilePreprocessor()]
    )
    past = series(1)[..., :5]
    x, told = series(), Condition(past=past)
    pipeline.fit(x, None, told)
    assert torch.equal(pipeline.steps[1].past_, pipeline.steps[0].transform(past)), (
        "the past is in the step's units"
    )
    z = pipeline.transform(x, told)
    assert z.shape[1:] == pipeline.shape(3, 8) == (6, 4)
    assert torch.allclose(pipeline.inverse_transform(z, told), x, atol=1e-9)
    after = pipeline.condition(told, x)
    assert torch.equal(after.past, past), "the network's and the noise's past stays the user's"
    assert after.aligned["coordinates"].shape == (40, 1, 4)
    layout = pipeline.layout(Layout(channels=3, length=8))
    assert (layout.channels, layout.length) == (6, 4)
    assert not pipeline.pointwise and not pipeline.any_length and pipeline.snaps


def test_log_determinants_add() -> None:
    steps = [RawPreprocessor(method="minmax"), QuantilePreprocessor(), Halves()]
    pipeline = PipelinePreprocessor(steps).fit(series())
    x = series(2)[:1]
    jacobian = torch.autograd.functional.jacobian(
        lambda y: pipeline.transform(y.reshape(1, 3, 8)).flatten(), x.flatten()
    )
    assert torch.allclose(pipeline.log_det(x), torch.linalg.slogdet(jacobian).logabsdet)


def test_one_step_without_a_log_determinant_leaves_the_pipeline_without() -> None:
    class Doubled(Halves):
        log_det = BasePreprocessor.log_det

    assert PipelinePreprocessor([RawPreprocessor(), Halves()]).has_log_det
    assert not PipelinePreprocessor([RawPreprocessor(), Doubled()]).has_log_det
    with pytest.raises(NotImplementedError, match="Doubled has no log-determinant"):
        PipelinePreprocessor([Doubled()]).fit(series()).log_det(series(1))


def test_log_determinants_follow_the_history() -> None:
    """A later step's is taken where the series is after the steps before it, which depends on its past."""
    pipeline = PipelinePreprocessor([LogReturnPreprocessor(), QuantilePreprocessor()])
    past = series(5)[:, :, :6].exp()
    x = past[:, :, -1:] * (0.1 * series(6)).cumsum(-1).exp()
    pipeline.fit(x, None, Condition(past=past))
    one, told = x[:1], Condition(past=past[:1])
    jacobian = torch.autograd.functional.jacobian(
        lambda y: pipeline.transform(y.reshape(1, 3, 8), told).flatten(), one.flatten()
    )
    assert torch.allclose(pipeline.log_det(one, told), torch.linalg.slogdet(jacobian).logabsdet)
    assert not torch.allclose(pipeline.log_det(one, told), pipeline.log_det(one))


def test_columns_are_told_and_notes_collected() -> None:
    pipeline = PipelinePreprocessor([RawPreprocessor(method="none"), QuantilePreprocessor()])
    pipeline.columns = ["a", "b", "c"]
    pipeline.fit(series().round(decimals=2))
    assert pipeline.notes()[:3] == [
        "a: 2 decimals, above 0",
        "b: 2 decimals, above 0",
        "c: 2 decimals, above 0",
    ]


def test_a_list_is_a_pipeline() -> None:
    steps = [{"type": "raw", "params": {"method": "none"}}, "quantile"]
    made = Registry.resolve("preprocessing", steps)
    assert isinstance(made, PipelinePreprocessor)
    assert [Registry.name(step) for step in made.steps] == ["raw", "quantile"]
    assert Registry.spec(Registry.resolve("preprocessing", Registry.spec(made))) == Registry.spec(made)
    mixed = Registry.resolve("preprocessing", (RawPreprocessor(), ["quantile"]))
    assert isinstance(mixed.steps[1], PipelinePreprocessor)
    nested = Registry.get("preprocessing", "technical", mode="channels", price=["raw", "quantile"])
    assert isinstance(nested.price, PipelinePreprocessor)
    with pytest.raises(ConfigError, match="steps is empty"):
        Registry.resolve("preprocessing", [])
    with pytest.raises(ConfigError, match=r"sampler: .* is not a component"):
        Registry.resolve("sampler", ["heun", "euler"])


def test_a_config_takes_a_list(tmp_path: Path) -> None:
    text = "components:\n  preprocessing:\n    - {type: raw, params: {method: none}}\n    - quantile\n"
    (tmp_path / "a.yaml").write_text(text + "data: {dataset: ar1}\n")
    config = load_config(tmp_path / "a.yaml")
    made = DiffusionModel.from_config(config).compose().preprocessing
    (tmp_path / "b.yaml").write_text(dump_yaml(config.model_dump(mode="json")))
    assert load_config(tmp_path / "b.yaml") == config
    assert Registry.spec(made)["type"] == config.components.preprocessing.type == "pipeline"
    given = load_config("sp500", ["components.preprocessing=[raw, quantile]"])
    assert given.components.preprocessing.params == {"steps": ["raw", "quantile"]}
    with pytest.raises(ConfigError, match=r"components\.sampler.*expected one component.*not a list"):
        as_config({"components": {"sampler": ["heun"]}})
    with pytest.raises(ConfigError, match="did you mean 'quantile'"):
        DiffusionModel(preprocessing=["raw", "quantil"]).compose()


def test_the_schema_knows_lists() -> None:
    kinds = config_schema()["$defs"]["Components"]["properties"]
    (array,) = [s for s in kinds["preprocessing"]["anyOf"] if s.get("type") == "array"]
    assert {"enum": Registry.list("preprocessing")} in array["items"]["anyOf"]
    assert not [s for s in kinds["sampler"]["anyOf"] if s.get("type") == "array"]


@pytest.mark.parametrize(
    "preprocessing",
    [
        [{"type": "raw", "params": {"method": "none"}}, "quantile"],
        pytest.param("raw", marks=pytest.mark.slow),
        pytest.param("quantile", marks=pytest.mark.slow),
    ],
    ids=["pipeline", "raw", "quantile"],
)
def test_a_run_returns_possible_values_only(preprocessing: object, tmp_path: Path) -> None:
    """From a file to samples.parquet and back from the saved model: prices, a switch, counts."""
    r = np.random.default_rng(3)
    switch = np.cumsum(r.random(400) < 0.1) % 2
    close = (100 * np.exp(np.cumsum(r.normal(size=400)) / 100)).round(2)
    count = r.poisson(np.where(switch, 1.5, 0.2))
    pd.DataFrame({"close": close, "state": switch, "count": count}).to_csv(
        tmp_path / "values.csv", index=False
    )
    config = {
        "components": {
            "preprocessing": preprocessing,
            "architecture": {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}},
            "sampler": {"type": "heun", "params": {"num_steps": 3}},
        },
        "data": {"path": str(tmp_path / "values.csv"), "predict_len": 8},
        "training": {"batch_size": 64, "max_steps": 20},
        "evaluation": {"num_samples": 100, "metrics": ["std"], "bootstrap": 2, "baselines": []},
    }
    result = ExperimentRunner.from_config(config, out=tmp_path / "runs", quiet=True).run()
    samples = pd.read_parquet(result.folder / "samples.parquet")
    assert samples["close"].equals(samples["close"].round(2))
    assert set(samples["state"]) == {0.0, 1.0}
    assert set(samples["count"]) <= set(range(30)) and samples["count"].min() == 0
    notes = result.results["data"]["notes"]
    assert {"close: 2 decimals", "state: 0 or 1", "count: whole numbers, not below 0"} <= set(notes)
    loaded = DiffusionModel.load(result.folder)
    again = loaded.sample(20, seed=5)
    assert np.array_equal(again[..., 0], again[..., 0].round(2)) and set(again[..., 1].flat) == {0.0, 1.0}
