"""Names for components: the only place, besides `config`, that turns a name into an object.

A built-in component lives in a file of its own name in its kind's folder, so that the names are
known without importing anything, and a component is imported when it is first asked for.
Components of third parties come from a decorated class (`@register("noise", "mine")`), a file
named under `plugins:`, or an installed entry point of the group `undula.components`, named
`kind.name`.

The constructor's signature is a component's schema: values are checked against its annotations,
and a parameter annotated with a kind's base class (an ensemble's members) takes names and specs.
"""

from __future__ import annotations

__all__ = ["KINDS", "ComponentInfo", "Kind", "Registry", "register"]

import ast
import builtins
import functools
import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, overload

from .errors import ConfigError, UnknownNameError, did_you_mean, place_and_text
from .kinds import KINDS, Kind
from .signature import Parameter, parameters_model, parameters_of, problem_of
from .synonyms import with_type

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..diffusion.guidance import BaseGuidance
    from ..diffusion.objective import BaseObjective
    from ..diffusion.regulariser import BaseRegulariser
    from ..diffusion.sampler import BaseSampler
    from ..experiments.base import BaseExperiment
    from .architecture import BaseArchitecture
    from .baseline import BaseBaseline
    from .component import Component
    from .forecaster import BaseForecaster
    from .noise import BaseNoise
    from .operator import BaseOperator
    from .preprocessing import BasePreprocessor
    from .sde import BaseSDE
    from .source import BaseSource
    from .trend import BaseTrend

C = TypeVar("C", bound=type)
ENTRY_POINTS = "undula.components"


@dataclass(frozen=True)
class ComponentInfo:
    """What the registry knows of a component; read from its class."""

    kind: str
    name: str
    cls: type[Component]
    summary: str
    docs: str
    needs: str
    parameters: tuple[Parameter, ...]
    source: str


class Registry:
    """All components, by kind and name."""

    _classes: ClassVar[dict[tuple[str, str], type[Component]]] = {}
    _names: ClassVar[dict[type[Component], str]] = {}

    # -- registering ---------------------------------------------------------------------------

    @classmethod
    def register(cls, kind: str, name: str) -> Callable[[C], C]:
        """Class decorator that gives a component its name.

        Raises:
            ConfigError: if the kind is unknown, the class is not of the kind, or the name is taken.
        """

        def decorate(component: C) -> C:
            base = cls.kind(kind).base_class()
            if not issubclass(component, base):
                raise ConfigError(
                    f"{component.__name__} cannot be registered as {kind} {name!r}: "
                    f"it is not a subclass of {base.__name__}"
                )
            own = f"{KINDS[kind].package}.{name}"
            if name in _modules(KINDS[kind].package) and component.__module__ != own:
                raise ConfigError(f"{kind} {name!r} is undula's own: choose another name")
            known = cls._classes.get((kind, name))
            identity = (component.__module__, component.__qualname__)
            if known is not None and (known.__module__, known.__qualname__) != identity:
                raise ConfigError(
                    f"{kind} {name!r} is already registered by {known.__module__}: choose another name"
                )
            cls._classes[kind, name] = component
            cls._names[component] = name
            return component

        return decorate

    @classmethod
    def load_plugin(cls, path: str | Path) -> None:
        """Import a Python file that registers components.

        Raises:
            ConfigError: if the file does not exist or fails to import.
        """
        path = Path(path).resolve()
        if not path.is_file():
            raise ConfigError(f"plugin file {path} does not exist: check `plugins` in the config")
        name = f"undula_plugin_{path.stem}_{hashlib.blake2b(bytes(path), digest_size=4).hexdigest()}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ConfigError(f"plugin {path} is not a Python file")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except ConfigError:
            raise
        except Exception as error:
            del sys.modules[name]
            raise ConfigError(f"plugin fails to import: {place_and_text(error, path)}") from error

    # -- finding -------------------------------------------------------------------------------

    @classmethod
    def kind(cls, kind: str) -> Kind:
        """The kind of that name; UnknownNameError if there is none."""
        if kind not in KINDS:
            raise UnknownNameError(
                f"unknown kind of component {kind!r}{did_you_mean(kind, KINDS)} (known: {', '.join(KINDS)})"
            )
        return KINDS[kind]

    @classmethod
    def list(cls, kind: str) -> builtins.list[str]:
        """The names of a kind's components, sorted; nothing is imported."""
        names = {name for k, name in cls._classes if k == kind}
        return sorted(names | set(_modules(cls.kind(kind).package)) | set(_entry_points(kind)))

    @classmethod
    def find(cls, kind: str, name: str) -> type[Component]:
        """The class of a component; UnknownNameError if there is none."""
        if (kind, name) not in cls._classes:
            if name in _modules(cls.kind(kind).package):
                importlib.import_module(f"{KINDS[kind].package}.{name}")
            elif name in _entry_points(kind):
                cls.register(kind, name)(_entry_points(kind)[name].load())
        if (kind, name) not in cls._classes:
            names = cls.list(kind)
            raise UnknownNameError(
                f"unknown {kind} {name!r}{did_you_mean(name, names)} (known: {', '.join(names)}; "
                "components of your own need `plugins: [file.py]` in the config, --plugin file.py, or in "
                "Python their module imported)"
            )
        return cls._classes[kind, name]

    @classmethod
    def name(cls, component: Component | type[Component]) -> str:
        """The name under which a component's class is registered."""
        component_class = component if isinstance(component, type) else type(component)
        if component_class not in cls._names:
            raise ConfigError(
                f"{component_class.__name__} has no name: decorate it with "
                f'@register("{component_class.kind}", "a_name"), in a file that you name under `plugins` '
                "(a saved model holds names, not code)"
            )
        return cls._names[component_class]

    # -- making --------------------------------------------------------------------------------

    @overload
    @classmethod
    def get(cls, kind: Literal["preprocessing"], name: str, **params: Any) -> BasePreprocessor: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["architecture"], name: str, **params: Any) -> BaseArchitecture: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["noise"], name: str, **params: Any) -> BaseNoise: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["sde"], name: str, **params: Any) -> BaseSDE: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["objective"], name: str, **params: Any) -> BaseObjective: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["sampler"], name: str, **params: Any) -> BaseSampler: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["trend"], name: str, **params: Any) -> BaseTrend: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["operator"], name: str, **params: Any) -> BaseOperator: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["guidance"], name: str, **params: Any) -> BaseGuidance: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["regulariser"], name: str, **params: Any) -> BaseRegulariser: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["dataset"], name: str, **params: Any) -> BaseSource: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["baseline"], name: str, **params: Any) -> BaseBaseline: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["forecaster"], name: str, **params: Any) -> BaseForecaster: ...
    @overload
    @classmethod
    def get(cls, kind: Literal["experiment"], name: str, **params: Any) -> BaseExperiment: ...
    @overload
    @classmethod
    def get(cls, kind: str, name: str, **params: Any) -> Component: ...

    @classmethod
    def get(cls, kind: str, name: str, **params: Any) -> Component:
        """Make a component.

        Args:
            kind: such as "sde".
            name: such as "vpsde".
            params: arguments of its constructor.

        Raises:
            UnknownNameError: if there is no such component or parameter.
            ConfigError: if a value does not fit.
        """
        component = cls.find(kind, name)
        values = cls._validated(component, f"{kind} {name!r}", params)
        made = component(**values)
        for parameter in inspect.signature(component).parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD and not hasattr(made, parameter.name):
                named = inspect.signature(component).parameters
                extra = {key: value for key, value in values.items() if key not in named}
                object.__setattr__(made, parameter.name, extra)
        return made

    @classmethod
    def resolve(cls, kind: str, spec: Any) -> Any:
        """Make a component from a spec: a name, {type: name, params: {…}}, or a component itself.

        A list of specs is the component that stands for one (`Kind.of_list`): of preprocessors, a
        pipeline.
        """
        if isinstance(spec, cls.kind(kind).base_class()):
            return spec
        if isinstance(spec, builtins.list | tuple):
            spec = cls.kind(kind).spec_of_list(spec) or spec
        if isinstance(spec, str):
            return cls.get(kind, spec)
        spec = with_type(kind, spec)
        if isinstance(spec, Mapping) and "type" in spec and set(spec) <= {"type", "params"}:
            return cls.get(kind, spec["type"], **(spec.get("params") or {}))
        raise ConfigError(
            f"{kind}: {spec!r} is not a component: give a name such as {cls.list(kind)[0]!r}, "
            "or {type: name, params: {…}}"
        )

    @classmethod
    def spec(cls, component: Component) -> dict[str, Any]:
        """The spec from which `resolve` makes an equal component."""

        def plain(value: Any) -> Any:
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return cls.spec(value) if hasattr(type(value), "kind") and hasattr(value, "params") else value

        return {
            "type": cls.name(component),
            "params": {name: plain(value) for name, value in component.params.items()},
        }

    # -- describing ----------------------------------------------------------------------------

    @classmethod
    def inspect(cls, kind: str, name: str) -> ComponentInfo:
        """Signature, defaults, documentation, needs and source file of a component."""
        component = cls.find(kind, name)
        docs = inspect.getdoc(inspect.getmodule(component)) or ""
        own = inspect.getdoc(component) or ""
        return ComponentInfo(
            kind=kind,
            name=name,
            cls=component,
            summary=own.partition("\n")[0],
            docs=docs,
            needs=component.needs,
            parameters=parameters_of(component),
            source=inspect.getsourcefile(component) or "",
        )

    @classmethod
    def summary(cls, kind: str, name: str) -> str:
        """The first line of a component's docstring; nothing is imported for a built-in one."""
        if (kind, name) not in cls._classes and name in _modules(cls.kind(kind).package):
            return _summary_in_file(f"{KINDS[kind].package}.{name}")
        return (inspect.getdoc(cls.find(kind, name)) or "").partition("\n")[0]

    @classmethod
    def parameters_model(cls, kind: str, name: str) -> type[BaseModel]:
        """The pydantic model of a component's parameters; its JSON schema is the component's."""
        component: Any = cls.find(kind, name)
        return parameters_model(component, _nested_spec)

    @classmethod
    def _validated(cls, component: Any, who: str, params: dict[str, Any]) -> dict[str, Any]:
        from pydantic import ValidationError

        model = parameters_model(component, _nested_spec)
        try:
            values = model(**params)
        except ValidationError as error:
            raise ConfigError("; ".join(problem_of(e, who, model) for e in error.errors())) from None
        return {name: getattr(values, name) for name in values.model_fields_set} | (values.model_extra or {})


register = Registry.register


def _nested_spec(annotation: type) -> Any:
    """For a kind's base class, "a name or spec of that kind"; for other classes None."""
    from pydantic import BeforeValidator, WithJsonSchema

    kind = getattr(annotation, "kind", None)
    if kind not in KINDS:
        return None
    schema = {"description": f"name or {{type, params}} of {KINDS[kind].summary}"}
    return Annotated[Any, BeforeValidator(functools.partial(_resolve_nested, kind)), WithJsonSchema(schema)]


def _resolve_nested(kind: str, spec: Any) -> Component:
    try:
        return Registry.resolve(kind, spec)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def _modules(package: str) -> tuple[str, ...]:
    """The modules of a package; a sub-package holds another kind's."""
    found = importlib.util.find_spec(package)
    locations = [] if found is None else list(found.submodule_search_locations or [])
    return tuple(
        m.name for m in pkgutil.iter_modules(locations) if not m.ispkg and not m.name.startswith("_")
    )


def _summary_in_file(module: str) -> str:
    """The first line of the docstring of the class that a module registers."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any("register" in ast.dump(d) for d in node.decorator_list):
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


@functools.cache
def _all_entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    prefix = f"{kind}."
    return {
        name.removeprefix(prefix): point
        for name, point in _all_entry_points().items()
        if name.startswith(prefix)
    }
