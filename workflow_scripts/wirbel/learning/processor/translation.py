"""A network of torch as one of OpenVINO, from its weights in memory; nothing is read from or written to a file.

OpenVINO's own converters are not used: they run the network once on the way, and start its telemetry.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import openvino.opset15 as ops
from openvino import Model
from torch import fx, nn

from wirbel.learning.processor.layers import (
    FUNCTIONS,
    LAYERS,
    Untranslatable,
    Value,
    add,
    multiply,
    value,
)

ARITHMETIC = {
    operator.add: add,
    operator.iadd: add,
    operator.mul: multiply,
    operator.imul: multiply,
}
PLAIN = (getattr, operator.getitem)
"""Functions on shapes, which are known here."""


def translated(network: nn.Module, shape: tuple[int, ...]) -> Model:
    """Return a network for inputs of one shape.

    Parameters
    ----------
    network : Module
        In evaluation mode; one input, one output.
    shape : tuple of int
        Shape of the input: batch, channels, then space.

    Raises
    ------
    Untranslatable
        If there is a layer in it that `layers` does not have.
    """
    try:
        graph = fx.symbolic_trace(network)
    except Exception as error:  # a network that decides by the values of its input
        raise Untranslatable(f"{type(network).__name__}: {error}") from error
    given = ops.parameter(list(shape), np.float32)
    found = _Translator(graph).run(value(given))
    return Model([ops.result(found.output)], [given], type(network).__name__)


class _Translator(fx.Interpreter):
    """Runs a network's operations one by one, on values that are operations of OpenVINO."""

    def call_module(self, target: Any, args: tuple, kwargs: dict) -> Value:
        """Translate a layer."""
        layer = self.fetch_attr(target)
        if type(layer) not in LAYERS or kwargs:
            raise Untranslatable(str(layer))
        return LAYERS[type(layer)](layer, *args)

    def call_function(self, target: Any, args: tuple, kwargs: dict) -> Any:
        """Translate a function."""
        if target in PLAIN:
            return target(*args, **kwargs)
        known = FUNCTIONS | ARITHMETIC
        if target not in known:
            raise Untranslatable(getattr(target, "__name__", str(target)))
        try:
            return known[target](*args, **kwargs)
        except TypeError as error:  # an argument that is not translated
            raise Untranslatable(f"{target.__name__}: {error}") from error

    def call_method(self, target: Any, args: tuple, kwargs: dict) -> Any:
        """Refuse methods of arrays; the networks have none."""
        raise Untranslatable(f"method {target}")

    def get_attr(self, target: Any, args: tuple, kwargs: dict) -> Any:
        """Refuse arrays that belong to no layer; the networks have none."""
        raise Untranslatable(f"array {target}")
