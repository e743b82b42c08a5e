# The per-scan stages. One job per stage and batch of scans; scans fail and resume one by one. Later stages go
# first, so that batches are finished, and their intermediate results dropped, before new ones are begun.


rule resample:
    input:
        inputs_of("resample", None),
    output:
        manifest=manifest("resample"),
    log:
        job_log("resample"),
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=minutes(10, per_scan=2),
    message:
        "Resampling batch {wildcards.batch} to the model's grid"
    shell:
        "python -m wirbel.stages.resample" + BATCH_ARGUMENTS + LOG_NO_MORE


rule semantic:
    input:
        inputs_of("semantic", "resample"),
    output:
        manifest=manifest("semantic"),
    log:
        job_log("semantic"),
    priority: 1
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(6000),
        runtime=minutes(15, per_scan=2),
        gpu=1,
    message:
        "Segmenting the structures of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.semantic"
        + BATCH_ARGUMENTS
        + LOG_NO_MORE


rule instance:
    input:
        inputs_of("instance", "semantic"),
    output:
        manifest=manifest("instance"),
    log:
        job_log("instance"),
    priority: 2
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(6000),
        runtime=minutes(15, per_scan=2),
        gpu=1,
    message:
        "Separating the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.instance"
        + BATCH_ARGUMENTS
        + LOG_NO_MORE


rule merge:
    input:
        inputs_of("merge", "instance"),
    output:
        manifest=manifest("merge"),
    log:
        job_log("merge"),
    priority: 3
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(10, per_scan=2),
    message:
        "Merging and naming the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.stages.merge" + BATCH_ARGUMENTS + LOG_NO_MORE


# Only where the setting `models` names a labelling network.
rule label:
    input:
        inputs_of("label", "merge"),
    output:
        manifest=manifest("label"),
    log:
        job_log("label"),
    priority: 4
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(6000),
        runtime=minutes(15, per_scan=1),
        gpu=1,
    message:
        "Naming the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.label"
        + BATCH_ARGUMENTS
        + LOG_NO_MORE


rule features:
    input:
        inputs_of("features", NAMING),
    output:
        manifest=manifest("features"),
    log:
        job_log("features"),
    priority: 4
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=minutes(10, per_scan=1),
    message:
        "Measuring the scans of batch {wildcards.batch}"
    shell:
        "python -m wirbel.stages.features" + BATCH_ARGUMENTS + LOG_NO_MORE
