# The QC report: pictures batch by batch, then the pages from them and from the cohort's tables.


rule pictures:
    input:
        inputs_of("pictures", RUN_STAGES[-1]),
    output:
        PICTURES_RECEIPT,
    log:
        job_log("pictures"),
    priority: 5
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=minutes(10, per_scan=1),
    message:
        "Drawing the scans of batch {wildcards.batch}"
    shell:
        f"python -m wirbel.stages.pictures{BATCH_ARGUMENTS}{LOG_NO_MORE}"


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
