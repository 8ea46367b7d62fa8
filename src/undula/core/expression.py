"""Formulas in configs: parsed with a whitelist, evaluated with torch, never executed as Python."""

from __future__ import annotations

__all__ = ["Expression"]

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .errors import ConfigError, did_you_mean

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    name: getattr(torch, name)
    for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid")
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}

_LARGEST = 1e300


class Expression:
    """A differentiable function of one variable.

    Args:
        text: such as "exp(-5*t**2)".
        variable: the variable's name.

    Raises:
        ConfigError: if the text is not a formula of the allowed kind.
    """

    def __init__(self, text: str, variable: str) -> None:
        self.text, self.variable = text, variable
        try:
            self._tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            raise ConfigError(f"{text!r} is not a formula of {variable}") from None
        self._check(self._tree)

    def __call__(self, x: Tensor) -> Tensor:
        """The formula at x, in the shape and type of x."""
        value: Tensor = self._value(self._tree, x) + 0.0 * x
        return value

    def _check(self, node: ast.AST) -> None:
        names = {self.variable, "pi"}
        match node:
            case ast.Constant(value=int() | float() as number) if abs(number) < _LARGEST:
                return
            case ast.Name(id=name) if name in names:
                return
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self._check_all(left, right)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return self._check(operand)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
                return self._check(argument)
            case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
                hint = did_you_mean(name, names | set(_FUNCTIONS))
                raise ConfigError(f"{name!r} in {self.text!r} is not known{hint}")
            case _:
                part = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
                raise ConfigError(
                    f"{part!r} in {self.text!r} is not allowed: use numbers, {self.variable}, pi, "
                    f"+ - * / ** and {', '.join(_FUNCTIONS)}"
                )

    def _check_all(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self._check(node)

    def _value(self, node: ast.AST, x: Tensor) -> Any:
        match node:
            case ast.Constant(value=int() | float() as number):
                return x.new_tensor(float(number))
            case ast.Name(id=name):
                return x if name == self.variable else x.new_tensor(math.pi)
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](self._value(left, x), self._value(right, x))
            case ast.UnaryOp(op=op, operand=operand):
                return _UNARY[type(op)](self._value(operand, x))
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return _FUNCTIONS[name](self._value(argument, x))
        raise AssertionError(f"unchecked node {node!r}")
