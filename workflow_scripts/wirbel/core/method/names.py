"""The names of the methods, as the setting `compatibility`, the plan and the sidecars have them."""

from __future__ import annotations

OWN = "none"
"""Wirbel's own steps."""
PUBLISHED = "published"
"""SPINEPS' steps, so that masks are identical; Wirbel names the vertebrae."""
SPINEPS = "spineps"
"""SPINEPS' steps and its numbers: the topmost vertebra counts as C2."""
TORCH, OPENVINO = "torch", "openvino"
"""What computes networks on a processor; a GPU always computes with torch."""
