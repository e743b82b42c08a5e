"""Runs on a part of a data set, and on a table of scans."""


def test_a_narrower_run_computes_nothing_and_a_wider_one_only_the_rest(workflow):
    """Two runs of sub-01, one is enough; sub-02 comes with the next command."""
    for name in ("sub-01_run-1", "sub-01_run-2"):
        path = workflow.scan("sub-01", name)
        path.rename(path.with_name(f"{name}_T2w.nii.gz"))
    workflow.scan("sub-02", "two")
    told = workflow.run(one_per_session="true", where="{}", participants="sub-01")
    assert "1 scan is left out because another of their session was chosen" in told
    assert "1 scan measured, 0 failed" in told
    assert {line.split()[1] for line in workflow.computed()} == {"sub-01_run-2"}
    workflow.run(one_per_session="true")
    assert {line.split()[1] for line in workflow.computed()} == {"sub-02"}


def test_a_table_of_scans_takes_the_place_of_a_bids_folder(workflow):
    deliveries = workflow.data / "odd place; $(touch x)"
    deliveries.mkdir(parents=True)
    (deliveries / "a'b.nii").write_text("first")
    table = workflow.data / "scans.tsv"
    rows = [
        "participant_id\tsession_id\tpath",
        f"7\tbase\t{deliveries.name}/a'b.nii",
        "8\t\tgone.nii",
    ]
    table.write_text("\n".join(rows) + "\n")
    told = workflow.run(bids_dir="", scans=table)
    assert "1 scan measured, 1 failed" in told and "content_missing" in told
    scans = (workflow.output / "cohort" / "scans.csv").read_text().splitlines()
    assert scans[1:] == ["sub-7_ses-base,firstRSIMF", "sub-8,content_missing"]
