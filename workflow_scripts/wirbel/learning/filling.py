"""Build a network from a file's tensors, comparing shapes before anything is allocated.

A network is first built on torch's device `meta`, where tensors have shapes but no memory. It is
built for real only if the file has the same shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from wirbel.learning.checkpoints import Weights, load_into
from wirbel.models.errors import ModelError
from wirbel.models.folders.weights import Shapes
from wirbel.models.folders.wording import short

AGAIN = "copy or fetch the model again"
VARIANCE = "running_var"
"""Tensors with this suffix are variances, of which the network takes the square root."""

Build = Callable[[], torch.nn.Module]


@dataclass(frozen=True)
class Skeleton:
    """The tensors of a network without their numbers.

    Attributes
    ----------
    shapes : dict of str to tuple
        Tensor -> shape.
    owner : dict of str to int
        Tensor -> a number that all names of one tensor share: nnU-Net's networks name most tensors
        twice.
    """

    shapes: Shapes
    owner: dict[str, int]


def skeleton(build: Build, source: Path) -> Skeleton:
    """Return the tensors of the network that `build` makes.

    Raises
    ------
    ModelError
        If `build` fails; `source` names the file with its settings.
    """
    try:
        with torch.device("meta"):
            state = build().state_dict(keep_vars=True)
    except Exception as error:  # layers refuse their arguments in many ways
        told = str(error).partition("\n")[0]
        raise ModelError(
            f"{source}: no network can be built from its settings: {told}; {AGAIN}"
        ) from error
    return Skeleton(
        {name: tuple(value.shape) for name, value in state.items()},
        {name: id(value) for name, value in state.items()},
    )


def check_fit(wanted: Skeleton, found: Shapes, source: Path) -> None:
    """Raise ModelError unless a file's tensors are those of the network; a shared one needs only one
    name.
    """
    unknown = [name for name in found if name not in wanted.shapes]
    known = {name: shape for name, shape in found.items() if name in wanted.shapes}
    given = {wanted.owner[name] for name in known}
    gaps = [name for name, owner in wanted.owner.items() if owner not in given]
    if gaps or unknown:
        raise _misfit(
            source,
            f"{len(gaps)} tensors are missing (such as {short(gaps[:1])}), "
            f"{len(unknown)} are unknown (such as {short(unknown[:1])})",
        )
    for name, shape in known.items():
        if shape != wanted.shapes[name]:
            size = f"expected {list(wanted.shapes[name])}, found {short(list(shape))}"
            raise _misfit(source, f"size mismatch for {name}: {size}")


def check_numbers(weights: Weights, source: Path) -> None:
    """Raise ModelError if weights are not finite; such a network would call everything background."""
    for name, value in weights.items():
        if not torch.isfinite(value).all():
            raise ModelError(
                f"{source}: expected finite weights, found NaN or infinite ones in {name}; {AGAIN}"
            )
        if name.endswith(VARIANCE) and (value < 0).any():
            raise ModelError(
                f"{source}: expected variances, found negative ones in {name}; {AGAIN}"
            )


def filled(build: Build, weights: Weights, source: Path) -> torch.nn.Module:
    """Return a network with weights that are known to fit; raise ModelError if they are not finite."""
    check_numbers(weights, source)
    network = build()
    load_into(network, weights)
    return network


def shapes_of(weights: Weights) -> Shapes:
    """Return tensor -> shape."""
    return {name: tuple(value.shape) for name, value in weights.items()}


def _misfit(source: Path, sentence: str) -> ModelError:
    return ModelError(f"{source}: the weights do not fit the network: {sentence}; {AGAIN}")
