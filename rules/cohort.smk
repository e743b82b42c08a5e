# What is made once from all scans. The stages find the manifests of all batches below the output folder
# themselves: thousands of file names would not fit on a command line.


# Quick enough for the machine that the workflow itself runs on.
localrules:
    verify,
    unlock,


rule cohort:
    input:
        study.gathered_by("cohort"),
    output:
        study.receipt("cohort"),
    log:
        f"{study.logs}/cohort.log",
    benchmark:
        f"{study.logs}/benchmarks/cohort.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=study.megabytes(4000),
        runtime=60,
    message:
        "Collecting the tables of the cohort"
    shell:
        f"python -m wirbel.stages.cohort{study.plan_argument} > {{log:q}} 2>&1"


rule contact_sheet:
    input:
        study.gathered_by("contact_sheet"),
    output:
        study.receipt("contact_sheet"),
    log:
        f"{study.logs}/contact_sheet.log",
    benchmark:
        f"{study.logs}/benchmarks/contact_sheet.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=study.megabytes(3000),
        runtime=60,
    message:
        "Drawing the contact sheet"
    shell:
        f"python -m wirbel.stages.contact_sheet{study.plan_argument} > {{log:q}} 2>&1"


# `snakemake verify`: read every recorded result, and forget those that are missing or no longer what was written, so that
# the next run makes them again.
rule verify:
    log:
        f"{study.logs}/verify.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    message:
        "Comparing the recorded results with the disk"
    shell:
        f"python -m wirbel.study.verify{study.output_argument} 2>&1 | tee {{log:q}}"


# `snakemake unlock`: forget a run that was killed on another machine and could not clear its lock.
rule unlock:
    log:
        f"{study.logs}/unlock.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    message:
        "Clearing the lock that a killed run left behind"
    shell:
        f"python -m wirbel.study.run_lock{study.output_argument} 2>&1 | tee {{log:q}}"
