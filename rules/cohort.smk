# What is made once from all scans. The stages find the batches' manifests below the output folder
# themselves: thousands of file names would not fit on a command line.


rule cohort:
    input:
        all_manifests("features"),
    output:
        COHORT_TABLES,
    log:
        f"{LOGS}/cohort.log",
    benchmark:
        f"{LOGS}/benchmarks/cohort.tsv"
    threads: 1
    resources:
        mem_mb=megabytes(4000),
        runtime=60,
    params:
        output_dir=OUT,
        code=code_of("cohort"),
    message:
        "Collecting the cohort's tables"
    shell:
        "python -m wirbel.stages.cohort --output-dir {params.output_dir:q} > {log:q} 2>&1"


rule contact_sheet:
    input:
        all_manifests("merge"),
    output:
        CONTACT_SHEET,
    log:
        f"{LOGS}/contact_sheet.log",
    benchmark:
        f"{LOGS}/benchmarks/contact_sheet.tsv"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=60,
    params:
        output_dir=OUT,
        code=code_of("contact_sheet"),
    message:
        "Drawing the contact sheet"
    shell:
        "python -m wirbel.stages.contact_sheet --output-dir {params.output_dir:q}"
        " --sheet {output:q} > {log:q} 2>&1"


# `snakemake verify`: compare every recorded result with what is on the disk, and forget those that are
# missing or cut short, so that the next run computes them again.
rule verify:
    params:
        output_dir=OUT,
    message:
        "Checking the results in {params.output_dir}"
    shell:
        "python -m wirbel.runner.verify --output-dir {params.output_dir:q}"
