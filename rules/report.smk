# The QC report, from the cohort's tables.


rule report:
    input:
        study.gathered_by("report"),
    output:
        study.receipt("report"),
    log:
        f"{study.logs}/report.log",
    benchmark:
        f"{study.logs}/benchmarks/report.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=study.megabytes(4000),
        runtime=60,
    message:
        "Making the QC report"
    shell:
        f"python -m wirbel.stages.report{study.plan_argument} > {{log:q}} 2>&1"
