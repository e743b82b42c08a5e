"""Lay out the public SPIDER data set, as it is downloaded, as a BIDS folder with masks; finished scans are kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.io.references.spider import list_spider, write_spider_as_bids


def main(argv: list[str] | None = None) -> int:
    """Run the stage; return the exit code."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.spider", description=__doc__)
    parser.add_argument(
        "--spider-dir", type=Path, required=True, help="images/, masks/, overview.csv"
    )
    parser.add_argument("--bids-dir", type=Path, required=True, help="where to write the data set")
    parser.add_argument("--subset", default="", help="training or validation; default: all")
    args = parser.parse_args(argv)
    try:
        scans = list_spider(args.spider_dir, args.subset)
    except ValueError as error:
        print(f"spider: {error}", file=sys.stderr)
        return 1
    faults = write_spider_as_bids(scans, args.bids_dir)
    for fault in faults:
        print(f"spider: {fault}", file=sys.stderr)
    print(f"spider: {len(scans) - len(faults)} scans in {args.bids_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
