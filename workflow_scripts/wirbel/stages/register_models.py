"""Copy trained networks to models/<name>/ and write their SHA-256 digests to config/models.yaml."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.models.publish import publish
from wirbel.models.registry import REGISTRY_FILE, ModelError


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.register_models", description=__doc__)
    parser.add_argument(
        "--trained",
        type=Path,
        required=True,
        help="folder with semantic/ and instance/, also labelling/, or translator/",
    )
    parser.add_argument("--name", default="builtin", help="how the models are to be called")
    parser.add_argument("--licence", default="Apache-2.0", help="SPDX name of their licence")
    parser.add_argument(
        "--registry", type=Path, default=REGISTRY_FILE, help="config/models.yaml to write"
    )
    parser.add_argument(
        "--toy",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="trained almost only on simulated scans: results say that they are for trying the software",
    )
    args = parser.parse_args(argv)
    try:
        digests = publish(args.trained, args.name, args.licence, args.registry, args.toy)
    except ModelError as error:
        print(f"register_models: {error}", file=sys.stderr)
        return 1
    for file, digest in sorted(digests.items()):
        print(f"{digest}  models/{args.name}/{file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
