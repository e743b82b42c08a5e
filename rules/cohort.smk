# What is made once from all scans. The stages find the manifests of all batches below the output folder
# themselves: thousands of file names would not fit on a command line.


# Quick enough for the machine that the workflow itself runs on.
localrules:
    verify,
    unlock,


rule cohort:
    input:
        all_manifests(*RUN_STAGES),
    output:
        COHORT_TABLES,
    log:
        f"{LOGS}/cohort.log",
    benchmark:
        f"{LOGS}/benchmarks/cohort.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(4000),
        runtime=60,
    params:
        code=code_of("cohort"),
        bids_dir=SETTINGS.bids_dir,
        data_set=data_set_mark(),
        stages=f"--stages {' '.join(ALL_STAGES)}" if NAMING == LABEL else "",
    message:
        "Collecting the tables of the cohort"
    shell:
        f"python -m wirbel.stages.cohort{OUTPUT_ARGUMENT} --bids-dir {{params.bids_dir:q}}"
        " {params.stages} --threads {threads} > {log:q} 2>&1"


rule contact_sheet:
    input:
        all_manifests(NAMING),
    output:
        CONTACT_SHEET,
    log:
        f"{LOGS}/contact_sheet.log",
    benchmark:
        f"{LOGS}/benchmarks/contact_sheet.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=60,
    params:
        code=code_of("contact_sheet"),
        naming=f"--stage {LABEL}" if NAMING == LABEL else "",
    message:
        "Drawing the contact sheet"
    shell:
        f"python -m wirbel.stages.contact_sheet{OUTPUT_ARGUMENT} --sheet {{output:q}}"
        " {params.naming} > {log:q} 2>&1"


# `snakemake verify`: compare every recorded result with what is on the disk, and forget those that are
# missing or cut short, so that the next run computes them again.
rule verify:
    log:
        f"{LOGS}/verify.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    message:
        "Comparing the recorded results with the disk"
    shell:
        f"python -m wirbel.runner.verify{OUTPUT_ARGUMENT} 2>&1 | tee {{log:q}}"


# `snakemake unlock`: forget a run that was killed on another machine and could not clear its lock.
rule unlock:
    log:
        f"{LOGS}/unlock.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    message:
        "Clearing the lock that a killed run left behind"
    shell:
        f"python -m wirbel.runner.run_lock{OUTPUT_ARGUMENT} 2>&1 | tee {{log:q}}"
