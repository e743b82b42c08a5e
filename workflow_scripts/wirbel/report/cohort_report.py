"""The QC report of a cohort: from the tables in `cohort/` to the pages and data in `qc/`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wirbel.core.pictures.colours import subregion_colours
from wirbel.io.maps.sidecar_entries import TOY_WEIGHTS
from wirbel.io.tabular.parquet_columns import ParquetColumns
from wirbel.report.ageing import CENTILES, FEWEST, WINDOW_YEARS, age_curves
from wirbel.report.attention import LOW_CONFIDENCE
from wirbel.report.distributions import PERCENTILES, distribution, norms
from wirbel.report.measures import MEASURED_TABLES, LevelTable, Measure
from wirbel.report.scan_table import ScanTable
from wirbel.report.site import MEASURES_FOLDER, Site
from wirbel.report.words import code_meanings, flag_meanings, reason_meanings, title, unit

READ = (*MEASURED_TABLES, "failures")
"""Tables that the report is made from."""


@dataclass(frozen=True)
class Study:
    """What a report says about its cohort beside the tables.

    `identity` tells this cohort's reviews from another's in one browser; `pictures` is scan -> what its panel is
    made of, as the batches' pictures say; `agreement` are sentences about readers' agreement,
    `warnings` scan -> flag -> a sentence.
    """

    name: str
    identity: str
    pictures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    agreement: tuple[str, ...] = ()
    warnings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def write_report(output_dir: Path, study: Study) -> list[Path]:
    """Write `qc/index.html`, the page of a scan and all that they load; return the files.

    Raises OSError where the tables are not there.
    """
    tables = {name: ParquetColumns(output_dir / "cohort" / f"{name}.parquet") for name in READ}
    scans = ScanTable(tables)
    site = Site(output_dir / "qc")
    site.assets()
    site.data("scans", {"n": len(scans.scan_ids), "columns": scans.columns()})
    site.data("pictures", _pictures(scans, study))
    listed = _write_measures(site, tables, scans)
    facts = _facts(scans, tables, study) | {"measures": listed}
    site.data("study", facts)
    for page in ("scan.html", "index.html"):  # the index last: with it all is there
        site.page(page, study=facts, toys=[m for m in scans.models if TOY_WEIGHTS in m])
    return site.written


def _facts(scans: ScanTable, tables: Mapping[str, ParquetColumns], study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "identity": study.identity,
        "models": scans.models,
        "versions": scans.versions,
        "scans": len(scans.scan_ids),
        "failed": int(scans.failed.sum()),
        "failures": _failure_counts(tables["failures"]),
        "flag_meanings": flag_meanings(),
        "warnings": {scan: dict(told) for scan, told in study.warnings.items()},
        "codes": code_meanings(),
        "colours": {"structures": subregion_colours()},
        "percentiles": list(PERCENTILES),
        "centiles": list(CENTILES),
        "window_years": WINDOW_YEARS,
        "fewest": FEWEST,
        "low_confidence": LOW_CONFIDENCE,
        "agreement": list(study.agreement),
    }


def _failure_counts(failures: ParquetColumns) -> list[dict[str, Any]]:
    """Return stage, reason, its meaning and how many, the most frequent first."""
    pairs = zip(failures.values("stage"), failures.values("reason"), strict=True)
    meanings = reason_meanings()
    counted = sorted(Counter(pairs).items(), key=lambda item: (-item[1], item[0]))
    return [
        {"stage": stage, "reason": reason, "meaning": meanings.get(reason, ""), "n": n}
        for (stage, reason), n in counted
    ]


def _pictures(scans: ScanTable, study: Study) -> dict[str, Any]:
    """Return where the thumbnail and the panel of every scan are, in the order of the scans; null without."""
    return {"scans": [study.pictures.get(scan) for scan in scans.scan_ids]}


def _write_measures(
    site: Site, tables: Mapping[str, ParquetColumns], scans: ScanTable
) -> list[dict[str, Any]]:
    """Write a data file for each measure, and the norms of all; return what the page lists."""
    ages, sexes, listed, normal = scans.ages(), scans.sexes(), [], {}
    for table in MEASURED_TABLES:
        rows = LevelTable(table, tables[table], scans.scan_ids)
        for measure in rows.measures():
            levels = list(rows.values(measure))
            if not levels:
                continue
            content = distribution(levels) | {"curves": age_curves(levels, ages, sexes)}
            site.data(measure.key, content, MEASURES_FOLDER)
            normal[measure.key] = norms(levels)
            listed.append(_described(measure) | {"curves": bool(content["curves"])})
    site.forget_others(MEASURES_FOLDER)
    site.data("norms", normal)
    return listed


def _described(measure: Measure) -> dict[str, Any]:
    column = measure.column
    return {
        "key": measure.key,
        "table": measure.table,
        "name": column.name,
        "title": title(column.name),
        "unit": unit(column),
        "description": column.description,
        "definition": column.definition,
        "status": column.status,
    }
