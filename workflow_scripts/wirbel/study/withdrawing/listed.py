"""Take withdrawn people out of what was found in a data set."""

from __future__ import annotations

import os
from collections.abc import Collection

from wirbel.io.dataset.listing import Listing


def forget_listed(listing: Listing, people: Collection[str]) -> None:
    """Remove everything of these participants from a listing, in place."""
    if not people:
        return
    listing.scans = [scan for scan in listing.scans if scan.participant_id not in people]
    listing.findings = [found for found in listing.findings if found.participant_id not in people]
    listing.misspelt = [p for p in listing.misspelt if p.split(os.sep)[0] not in people]
    listing.session_files = [path for path in listing.session_files if _owner(path) not in people]
    listing.unlisted = {name for name in listing.unlisted if name not in people}
    listing.present = [name for name in listing.present if name not in people]


def _owner(path: str) -> str:
    return os.path.basename(os.path.dirname(path))
