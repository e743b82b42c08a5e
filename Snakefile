# Wirbel: from T2-weighted scans of the spine to a table of measurements.
# `snakemake --profile profiles/default --config bids_dir=IN output_dir=OUT` runs everything.


include: "rules/common.smk"
include: "rules/chain.smk"
include: "rules/cohort.smk"
include: "rules/report.smk"
include: "rules/simulate.smk"
include: "rules/evaluate.smk"
include: "rules/train.smk"
include: "rules/annotate.smk"
include: "rules/translate.smk"
include: "rules/models.smk"


rule all:
    default_target: True
    input:
        study.manifests_to_make,
        study.receipt("cohort"),
        study.receipt("contact_sheet"),
        study.receipt("report"),


onstart:
    study.on_start()


onsuccess:
    study.on_end(0)


onerror:
    study.on_end(1)
