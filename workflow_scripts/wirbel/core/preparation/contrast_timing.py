"""Whether a scan can be T2-weighted by its times."""

from __future__ import annotations

SHORTEST_ECHO_MS = 40.0
"""Short echo times are below 30 ms, long ones usually above 90 ms (imaios.com, e-MRI, signal weighting)."""
SHORTEST_REPETITION_MS = 1000.0
"""Short repetition times are usually below 500 ms, long ones above 1,500 ms (the same source)."""


def not_t2w(echo_ms: float | None, repetition_ms: float | None) -> str:
    """Return why a scan with these times is not T2-weighted; "" if it can be, or nothing is known.

    Examples
    --------
    >>> not_t2w(101, 3760), not_t2w(9.5, None)
    ('', 'an echo time of 9.5 ms (expected 40 ms or more)')
    """
    if echo_ms is not None and 0 < echo_ms < SHORTEST_ECHO_MS:
        return f"an echo time of {echo_ms:g} ms (expected {SHORTEST_ECHO_MS:g} ms or more)"
    if repetition_ms is not None and 0 < repetition_ms < SHORTEST_REPETITION_MS:
        expected = f"expected {SHORTEST_REPETITION_MS:g} ms or more"
        return f"a repetition time of {repetition_ms:g} ms ({expected})"
    return ""
