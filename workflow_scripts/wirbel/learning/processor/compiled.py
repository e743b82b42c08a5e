"""A network compiled by OpenVINO, which is called like the one it was made from."""

from __future__ import annotations

import threading

import openvino
import torch
from torch import nn

from wirbel.learning.processor.translation import translated

SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",  # else half precision wherever the processor has it
    "ENABLE_CPU_PINNING": False,  # other programs may have these cores
}


class CompiledNetwork:
    """A network for inputs of the shape that it meets first; several threads may call it at a time.

    Every call is computed by one thread, so results do not depend on how many there are.

    Parameters
    ----------
    network : Module
        In evaluation mode, on the CPU.
    threads : int
        How many calls are computed at a time; further ones wait.
    """

    def __init__(self, network: nn.Module, threads: int) -> None:
        self._network, self._threads = network, threads
        self._compiled: openvino.CompiledModel | None = None
        self._shape: tuple[int, ...] = ()
        self._lock, self._here = threading.Lock(), threading.local()

    def prepare(self, shape: tuple[int, ...]) -> None:
        """Compile for inputs of a shape; raise Untranslatable if the network has a layer that is not translated."""
        with self._lock:
            if self._compiled is None or self._shape != shape:
                self._compiled, self._shape = self._compile(shape), shape

    def renew(self) -> None:
        """Take over weights that were loaded into the network; no call may be running."""
        self._compiled = None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Map (1, channels, x, y, z) to scores (1, heads, x, y, z), float32."""
        request = self._request(tuple(x.shape))
        given = x.float().contiguous()
        scores = torch.empty(tuple(request.model_outputs[0].shape))
        request.set_input_tensor(openvino.Tensor(given.numpy(), shared_memory=True))
        request.set_output_tensor(openvino.Tensor(scores.numpy(), shared_memory=True))
        request.infer()
        return scores

    def _request(self, shape: tuple[int, ...]) -> openvino.InferRequest:
        """Return this thread's request; a request keeps the memory of one call."""
        self.prepare(shape)
        compiled = self._compiled
        assert compiled is not None
        if getattr(self._here, "compiled", None) is not compiled:
            self._here.compiled, self._here.request = compiled, compiled.create_infer_request()
        return self._here.request

    def _compile(self, shape: tuple[int, ...]) -> openvino.CompiledModel:
        threads = {"NUM_STREAMS": self._threads, "INFERENCE_NUM_THREADS": self._threads}
        model = translated(self._network, shape)
        return openvino.Core().compile_model(model, "CPU", SETTINGS | threads)
