# Wirbel: from T2-weighted scans of the spine to a table of measurements.
# `snakemake --profile profiles/default --config bids_dir=IN output_dir=OUT` runs everything.


include: "rules/common.smk"
include: "rules/chain.smk"
include: "rules/cohort.smk"
include: "rules/simulate.smk"
include: "rules/evaluate.smk"
include: "rules/train.smk"
include: "rules/models.smk"


rule all:
    default_target: True
    input:
        # Of all stages: Snakemake removes a manifest before its job, and if that is stopped, nothing else asks for it.
        all_manifests(*RUN_STAGES),
        COHORT_TABLES,
        CONTACT_SHEET,


onstart:
    prepare_slurm()


onsuccess:
    print_summary()


onerror:
    print_summary()
