"""What computes a loaded network: torch, or OpenVINO on a processor."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec

import torch

from wirbel.core.method.names import OPENVINO, TORCH
from wirbel.errors import InfrastructureError

Forward = Callable[[torch.Tensor], torch.Tensor]
MISSING = (
    "OpenVINO, which the plan computes networks with, is not installed here: install "
    "wirbel[cpu-engine], or run with engine=torch"
)


class Engine:
    """A network ready to be called.

    Parameters
    ----------
    network : Module
        In evaluation mode, on the device.
    shape : tuple of int
        Shape of its inputs: 1, channels, then space.
    device : torch.device
        Only a CPU can do without torch.
    threads : int
        How many calls may come at a time.
    wanted : str
        "torch" or "openvino". A network with layers that are not translated is computed by torch.

    Raises
    ------
    InfrastructureError
        If OpenVINO is wanted and not installed.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        shape: tuple[int, ...],
        device: torch.device,
        threads: int,
        wanted: str,
    ) -> None:
        self.name = TORCH
        self.forward: Forward = network
        self._renew: Callable[[], None] = lambda: None
        if wanted == OPENVINO and device.type == "cpu":
            self._compile(network, shape, threads)

    def _compile(self, network: torch.nn.Module, shape: tuple[int, ...], threads: int) -> None:
        if find_spec("openvino") is None:
            raise InfrastructureError(MISSING)
        from wirbel.learning.processor.compiled import CompiledNetwork
        from wirbel.learning.processor.layers import Untranslatable

        compiled = CompiledNetwork(network, threads)
        try:
            compiled.prepare(shape)
        except Untranslatable as error:
            print(f"computed by torch, as OpenVINO lacks a layer: {error}", file=sys.stderr)
            return
        self.name, self.forward, self._renew = OPENVINO, compiled, compiled.renew

    def renew(self) -> None:
        """Take over weights that were loaded into the network; no call may be running."""
        self._renew()
