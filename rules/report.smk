# The QC report: pictures batch by batch, then the pages from them and from the cohort's tables.


rule pictures:
    input:
        study.inputs_of("pictures", study.stages[-1]),
    output:
        study.receipt("pictures/{batch}"),
    log:
        study.job_log("pictures"),
    priority: 6
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=study.megabytes(3000),
        runtime=study.minutes(10, per_scan=1),
    message:
        "Drawing the scans of batch {wildcards.batch}"
    shell:
        f"python -m wirbel.stages.pictures{study.batch_arguments}"


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
