# Wirbel: from T2-weighted scans of the spine to a table of measurements.
# `snakemake --profile profiles/default --config bids_dir=IN output_dir=OUT` runs everything.


include: "rules/common.smk"
include: "rules/chain.smk"
include: "rules/cohort.smk"
include: "rules/report.smk"
include: "rules/simulate.smk"
include: "rules/evaluate.smk"
include: "rules/train.smk"
include: "rules/models.smk"


rule all:
    default_target: True
    input:
        manifests_to_make,
        TABLES_RECEIPT,
        SHEET_RECEIPT,
        REPORT_RECEIPT,


onstart:
    prepare_slurm()


onsuccess:
    print_summary(0)


onerror:
    print_summary(1)
