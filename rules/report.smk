# The QC report, from the cohort's tables.


rule report:
    input:
        gathered_by("report"),
    output:
        REPORT_RECEIPT,
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{LOGS}/benchmarks/report.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(4000),
        runtime=60,
    message:
        "Making the QC report"
    shell:
        f"python -m wirbel.stages.report{PLAN_ARGUMENT} > {{log:q}} 2>&1"
