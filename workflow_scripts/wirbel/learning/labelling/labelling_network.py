"""The labelling network: a 3D DenseNet with several small classifiers (heads) on the same features.

Input: (batch, 1, P, I, R), normalised intensities around one vertebral body. Output: one vector of
logits per head. Huang et al., CVPR 2017, arXiv:1608.06993, in three dimensions; Möller et al. 2026,
arXiv:2601.14066. Module names are those of the published checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn

BLOCKS = {"DENSENET121": (6, 12, 24, 16), "DENSENET169": (6, 12, 32, 32)}
"""Backbone -> layers of each dense block."""
STEM_FEATURES = 64
GROWTH = 32
"""Features that each layer adds."""
BOTTLENECK = 4
SMALLEST_EDGE = 32
"""Stem and transitions halve an edge five times."""


@dataclass(frozen=True)
class LabellingNetwork:
    """Structure of the network: `heads` is name -> classes; `hidden` gives every head one hidden
    layer.
    """

    backbone: str
    heads: dict[str, int]
    hidden: bool = True
    channels: int = 1


class DenseLayer(nn.Module):
    """Append `GROWTH` new features, computed by a bottleneck and a 3 x 3 x 3 convolution."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        inner = BOTTLENECK * GROWTH
        parts = {
            "norm1": nn.BatchNorm3d(inputs),
            "relu1": nn.ReLU(),
            "conv1": nn.Conv3d(inputs, inner, 1, bias=False),
            "norm2": nn.BatchNorm3d(inner),
            "relu2": nn.ReLU(),
            "conv2": nn.Conv3d(inner, GROWTH, 3, padding=1, bias=False),
        }
        self.layers = nn.Sequential(OrderedDict(parts))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, ...) to (B, inputs + GROWTH, ...)."""
        return torch.cat([x, self.layers(x)], 1)


class DenseNet(nn.Module):
    """Compute the features, shape (B, `width`), of a cut-out."""

    def __init__(self, channels: int, blocks: tuple[int, ...]) -> None:
        super().__init__()
        width = STEM_FEATURES
        parts: dict[str, nn.Module] = {
            "conv0": nn.Conv3d(channels, width, 7, stride=2, padding=3, bias=False),
            "norm0": nn.BatchNorm3d(width),
            "relu0": nn.ReLU(),
            "pool0": nn.MaxPool3d(3, stride=2, padding=1),
        }
        for number, layers in enumerate(blocks, start=1):
            dense = {f"denselayer{i + 1}": DenseLayer(width + i * GROWTH) for i in range(layers)}
            parts[f"denseblock{number}"] = nn.Sequential(OrderedDict(dense))
            width += layers * GROWTH
            if number < len(blocks):
                parts[f"transition{number}"] = _transition(width)
                width //= 2
        parts["norm5"] = nn.BatchNorm3d(width)
        self.features = nn.Sequential(OrderedDict(parts))
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, channels, P, I, R) to (B, width)."""
        return torch.relu(self.features(x)).mean(dim=(2, 3, 4))


class LabellingClassifier(nn.Module):
    """Backbone and heads."""

    def __init__(self, settings: LabellingNetwork) -> None:
        super().__init__()
        self.net = DenseNet(settings.channels, BLOCKS[settings.backbone])
        self.classification_heads = nn.ModuleDict(
            {
                name: _head(self.net.width, classes, settings.hidden)
                for name, classes in settings.heads.items()
            }
        )

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Map (B, channels, P, I, R) to head -> logits (B, classes)."""
        features = self.net(x)
        return {name: head(features) for name, head in self.classification_heads.items()}


def _transition(width: int) -> nn.Sequential:
    """Return the layers between two blocks, which halve features and edges."""
    parts = {
        "norm": nn.BatchNorm3d(width),
        "relu": nn.ReLU(),
        "conv": nn.Conv3d(width, width // 2, 1, bias=False),
        "pool": nn.AvgPool3d(2, stride=2),
    }
    return nn.Sequential(OrderedDict(parts))


def _head(width: int, classes: int, hidden: bool) -> nn.Sequential:
    if not hidden:
        return nn.Sequential(nn.Linear(width, classes))
    return nn.Sequential(nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, classes))
