# The QC report: pictures batch by batch, then the pages from them and from the cohort's tables.


rule pictures:
    input:
        study.inputs_of(study.drawing.name),
    output:
        study.receipt("pictures/{batch}"),
    log:
        study.job_log(study.drawing.name),
    priority: 6
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        **study.needs(study.drawing),
    message:
        f"{study.drawing.doing}, batch {{wildcards.batch}}"
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
