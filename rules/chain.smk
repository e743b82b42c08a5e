# The per-scan stages. One job per stage and batch of scans; scans fail and resume one by one. Later stages go
# first, so that batches are finished, and their intermediate results dropped, before new ones are begun.


rule resample:
    input:
        batch=batch_list(),
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
    params:
        code=code_of("resample"),
        retry=failures_to_retry("resample"),
        max_failed_fraction=config["max_failed_fraction"],
        model=SETTINGS.models["semantic"],
        fingerprint=fingerprint_of("semantic"),
        n4="--n4" if SETTINGS.n4 else "--no-n4",
        compatibility=SETTINGS.compatibility,
        later=later_than("resample"),
    message:
        "Resampling batch {wildcards.batch} to the model's grid"
    shell:
        "python -m wirbel.stages.resample"
        + BATCH_ARGUMENTS
        + " --model {params.model:q} {params.n4}"
        " --compatibility {params.compatibility:q} --later {params.later:q} >> {log:q} 2>&1"
        + LOG_NO_MORE


rule semantic:
    input:
        previous=manifest("resample"),
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
    params:
        code=code_of("semantic"),
        retry=failures_to_retry("semantic"),
        max_failed_fraction=config["max_failed_fraction"],
        model=SETTINGS.models["semantic"],
        fingerprint=fingerprint_of("semantic"),
        compatibility=SETTINGS.compatibility,
        later=later_than("semantic"),
    message:
        "Segmenting the structures of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.semantic"
        + BATCH_ARGUMENTS
        + " --previous {input.previous:q} --model {params.model:q}"
        " --compatibility {params.compatibility:q} --later {params.later:q} >> {log:q} 2>&1"
        + LOG_NO_MORE


rule instance:
    input:
        previous=manifest("semantic"),
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
    params:
        code=code_of("instance"),
        retry=failures_to_retry("instance"),
        max_failed_fraction=config["max_failed_fraction"],
        model=SETTINGS.models["instance"],
        fingerprint=fingerprint_of("instance"),
        compatibility=SETTINGS.compatibility,
        later=later_than("instance"),
    message:
        "Separating the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.instance"
        + BATCH_ARGUMENTS
        + " --previous {input.previous:q} --model {params.model:q}"
        " --compatibility {params.compatibility:q} --later {params.later:q} >> {log:q} 2>&1"
        + LOG_NO_MORE


rule merge:
    input:
        previous=manifest("instance"),
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
    params:
        code=code_of("merge"),
        retry=failures_to_retry("merge"),
        max_failed_fraction=config["max_failed_fraction"],
        model=SETTINGS.models["semantic"],
        instance_model=SETTINGS.models["instance"],
        n4="--n4" if SETTINGS.n4 else "--no-n4",
        naming=NAMING_FOLLOWS,
        compatibility=SETTINGS.compatibility,
        later=later_than("merge"),
        drop=dropped_results("merge"),
    message:
        "Merging and naming the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.stages.merge"
        + BATCH_ARGUMENTS
        + " --previous {input.previous:q} --model {params.model:q}"
        " --instance-model {params.instance_model:q} {params.n4} {params.naming}"
        " --compatibility {params.compatibility:q} --later {params.later:q} {params.drop} >> {log:q} 2>&1"
        + LOG_NO_MORE


# Only where the setting `models` names a labelling network.
rule label:
    input:
        previous=manifest("merge"),
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
    params:
        code=code_of("label"),
        retry=failures_to_retry("label"),
        max_failed_fraction=config["max_failed_fraction"],
        model=SETTINGS.models.get("labelling", ""),
        fingerprint=fingerprint_of("labelling"),
        semantic_model=SETTINGS.models["semantic"],
        instance_model=SETTINGS.models["instance"],
        n4="--n4" if SETTINGS.n4 else "--no-n4",
        compatibility=SETTINGS.compatibility,
        drop=dropped_results(LABEL),
    message:
        "Naming the vertebrae of batch {wildcards.batch}"
    shell:
        "python -m wirbel.runner.one_gpu python -m wirbel.stages.label"
        + BATCH_ARGUMENTS
        + " --previous {input.previous:q} --model {params.model:q}"
        " --semantic-model {params.semantic_model:q} --instance-model {params.instance_model:q}"
        " {params.n4} --compatibility {params.compatibility:q} {params.drop} >> {log:q} 2>&1"
        + LOG_NO_MORE


rule features:
    input:
        previous=manifest(NAMING),
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
    params:
        code=code_of("features"),
        retry=failures_to_retry("features"),
        max_failed_fraction=config["max_failed_fraction"],
    message:
        "Measuring the scans of batch {wildcards.batch}"
    shell:
        "python -m wirbel.stages.features"
        + BATCH_ARGUMENTS
        + " --previous {input.previous:q} >> {log:q} 2>&1"
        + LOG_NO_MORE
