"""Names, parameters, plugins, specs, descriptions."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated

import pytest
from annotated_types import Gt

import undula
from undula.core import registry
from undula.core.errors import ConfigError, UnknownNameError
from undula.core.noise import BaseNoise
from undula.core.registry import KINDS, Registry, register
from undula.core.sde import BaseSDE

PLUGIN = '''
"""A path of the user's own."""
from dataclasses import dataclass
from undula import BaseSDE, register

@register("sde", "{name}")
@dataclass(frozen=True, kw_only=True)
class Mine(BaseSDE):
    """A straight path with a bend.

    Args:
        bend: how much.
    """
    bend: float = 0.5

    def alpha(self, t):
        """1 - t."""
        return 1 - t

    def sigma(self, t):
        """t^bend."""
        return t ** self.bend
'''


def test_every_kind_lists_its_files() -> None:
    assert set(Registry.list("sampler")) >= {"ddim", "dpm", "euler", "heun"}
    assert set(Registry.list("sde")) >= {"vpsde", "vesde", "subvpsde", "rectified", "cosine", "custom"}
    for kind in KINDS:
        assert Registry.list(kind), kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_components_name_is_its_files(kind: str) -> None:
    for name in Registry.list(kind):
        component = Registry.find(kind, name)
        if component.__module__.startswith("undula."):
            assert component.__module__.rpartition(".")[2] == name
            assert Registry.name(component) == name


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from undula.core.registry import KINDS, Registry\n"
        "[Registry.summary(k, n) for k in KINDS for n in Registry.list(k)]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_names_give_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'vpsde'\?"):
        Registry.get("sde", "vpsd")
    with pytest.raises(UnknownNameError, match=r"did you mean 'sampler'\?"):
        Registry.list("samplers")
    with pytest.raises(ConfigError, match=r"no parameter 'num_step'; did you mean 'num_steps'\?"):
        Registry.get("sampler", "heun", num_step=3)


@pytest.mark.parametrize(
    ("kind", "name", "params", "message"),
    [
        ("sampler", "heun", {"num_steps": "many"}, "num_steps = 'many': input should be a valid integer"),
        ("sampler", "heun", {"num_steps": 0}, "num_steps = 0: input should be greater than 0"),
        ("sampler", "ddim", {"eta": 1.5}, "eta = 1.5: input should be less than or equal to 1"),
        ("sampler", "ddim", {"grid": "karas"}, "grid = 'karas': input should be 'uniform'"),
        ("sde", "custom", {"alpha_of_t": "1-t"}, "needs the parameter 'sigma_of_t'"),
        ("sde", "vpsde", {"beta_min": 30.0}, "beta_min = 30 is above beta_max = 20: swap them"),
    ],
)
def test_values_are_checked(kind: str, name: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get(kind, name, **params)


def test_specs_make_components() -> None:
    a = Registry.resolve("sde", {"type": "vpsde", "params": {"beta_max": 15.0}})
    assert Registry.spec(a) == {
        "type": "vpsde",
        "params": {"t_min": 0.001, "beta_min": 0.1, "beta_max": 15.0},
    }
    assert Registry.resolve("sde", a) is a
    assert Registry.resolve("sde", Registry.spec(a)) == a
    with pytest.raises(ConfigError, match="is not a component"):
        Registry.resolve("sde", {"name": "vpsde"})


def test_nested_specs_are_resolved_from_the_annotation() -> None:
    class Blend(BaseNoise):
        """Several noises.

        Args:
            members: of the blend.
            weight: of the first.
        """

        def __init__(self, members: list[BaseNoise], weight: Annotated[float, Gt(0)] | None = None) -> None:
            self.members, self.weight = members, weight

    Blend.__abstractmethods__ = frozenset()
    register("noise", "blend_for_test")(Blend)
    blend = Registry.get(
        "noise",
        "blend_for_test",
        members=["standard", {"type": "standard", "params": {"schedule": "cosine"}}],
    )
    assert [m.schedule for m in blend.members] == ["linear", "cosine"]
    assert Registry.resolve("noise", Registry.spec(blend)).members == blend.members
    with pytest.raises(ConfigError, match=r"unknown noise 'standrd'"):
        Registry.get("noise", "blend_for_test", members=["standrd"])


def test_a_plugin_file_registers(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN.format(name="bent_for_test"))
    with pytest.raises(UnknownNameError, match="plugins"):
        Registry.get("sde", "bent_for_test")
    Registry.load_plugin(file)
    Registry.load_plugin(file)  # twice is once
    assert "bent_for_test" in Registry.list("sde")
    assert Registry.get("sde", "bent_for_test", bend=2.0).bend == 2.0
    assert Registry.inspect("sde", "bent_for_test").parameters[-1].description == "how much."
    assert Registry.summary("sde", "bent_for_test") == "A straight path with a bend."


def test_a_broken_plugin_says_so(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("import nothing_like_this")
    with pytest.raises(
        ConfigError, match=r"plugin fails to import: .*broken\.py, line 1: ModuleNotFoundError: No module"
    ):
        Registry.load_plugin(file)
    with pytest.raises(ConfigError, match="does not exist"):
        Registry.load_plugin(tmp_path / "absent.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os\n\nos.environ['NO_SUCH_NAME']\n", r"mine\.py, line 3: KeyError: 'NO_SUCH_NAME'"),
        ("x = 1\nassert x == 2\n", r"mine\.py, line 2: AssertionError$"),
        ("def f():\n    raise ValueError('no')\n\nf()\n", r"mine\.py, line 2: ValueError: no"),
        ("x = (1,\n\ny = = 2", r"mine\.py, line 1: SyntaxError: '\(' was never closed"),
        ("import json\njson.loads('x')", r"mine\.py, line 2: JSONDecodeError: Expecting value"),
    ],
)
def test_a_broken_plugin_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    """The last line of the file itself that was running, the error's type and its text."""
    file = tmp_path / "mine.py"
    file.write_text(text)
    before = set(sys.modules)
    with pytest.raises(ConfigError, match=message):
        Registry.load_plugin(file)
    assert not [name for name in set(sys.modules) - before if name.startswith("undula_plugin")]


def test_an_entry_point_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "third_party.py").write_text(
        PLUGIN.format(name="x").replace('@register("sde", "x")\n', "").replace(", register", "")
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("sde.third_party_for_test", "third_party:Mine", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "_all_entry_points", lambda: {point.name: point})
    assert "third_party_for_test" in Registry.list("sde")
    assert "third_party" not in sys.modules
    assert isinstance(Registry.get("sde", "third_party_for_test"), BaseSDE)


def test_a_name_is_taken_once() -> None:
    class Other(BaseSDE):
        """Another."""

    with pytest.raises(ConfigError, match="undula's own"):
        register("sde", "vpsde")(Other)
    with pytest.raises(ConfigError, match="not a subclass of BaseSDE"):
        register("sde", "no_sde")(int)
    with pytest.raises(ConfigError, match="decorate it with"):
        Registry.name(Other)


def test_inspect_reads_the_class() -> None:
    info = Registry.inspect("sampler", "euler")
    assert "reverse SDE" in info.docs
    assert "alpha > 0" in info.needs
    assert info.source.endswith("euler.py")
    (eta,) = [p for p in info.parameters if p.name == "eta"]
    assert (eta.default, eta.required) == (0.0, False)
    assert "drawn anew" in eta.description


def test_public_names_are_there() -> None:
    for name in undula.__all__:
        assert getattr(undula, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = undula.nothing


def test_a_built_in_name_is_taken_before_it_is_imported() -> None:
    code = (
        "from undula import BaseSDE, register\n"
        "from undula.core.errors import ConfigError\n"
        "class Mine(BaseSDE):\n    alpha = sigma = lambda self, t: t\n"
        "try:\n    register('sde', 'vpsde')(Mine)\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "sde 'vpsde' is undula's own" in said


def test_free_keywords_survive_a_spec() -> None:
    class Free(BaseSDE):
        """A path with free keywords.

        Args:
            a: a number.
        """

        def __init__(self, a: float = 1.0, **kwargs: float) -> None:
            object.__setattr__(self, "a", a)
            object.__setattr__(self, "b", kwargs.get("b", 1.0))

        def alpha(self, t):
            return 1 - t

        def sigma(self, t):
            return t

    register("sde", "free_for_test")(Free)
    try:
        made = Registry.get("sde", "free_for_test", a=2.0, b=3.0)
        spec = Registry.spec(made)
        assert spec["params"] == {"a": 2.0, "b": 3.0}
        assert Registry.resolve("sde", spec).b == 3.0
    finally:
        del Registry._classes["sde", "free_for_test"]
