"""participants.tsv may spell its columns `Age` and `SEX`; the page knows them all the same."""

import numpy as np
import pandas as pd
from support.browser.tables_of_scans import write_tables

from wirbel.io.tabular.parquet_columns import ParquetColumns
from wirbel.report.cohort_report import READ
from wirbel.report.scan_table import ScanTable


def test_age_and_sex_are_known_however_they_are_spelt(tmp_path):
    write_tables(tmp_path, 6)
    path = tmp_path / "cohort" / "scans.parquet"
    frame = pd.read_parquet(path)
    frame.rename(columns={"age": "Age", "sex": "SEX"}).to_parquet(path, index=False)
    tables = {name: ParquetColumns(tmp_path / "cohort" / f"{name}.parquet") for name in READ}
    scans = ScanTable(tables)
    np.testing.assert_array_equal(scans.ages(), frame["age"])
    codes, names = scans.sexes()
    assert [names[code] for code in codes] == frame["sex"].tolist()
    assert {"age", "sex"} <= {column["name"] for column in scans.columns()}
