# `snakemake train`: the embedded models, from simulated scans to models/builtin. Every step resumes. Files named
# *.done stand for results: Snakemake removes a rule's outputs before it runs, and a network has to stay until then.

TRAINING = "train"
TRAINED = f"{TRAINING}/models"


rule train:
    input:
        f"{TRAINING}/registered.done",


rule training_data:
    input:
        settings=str(ROOT / "config" / "train.yaml"),
    output:
        touch(f"{TRAINING}/data.done"),
    log:
        f"{TRAINING}/logs/training_data.log",
    conda:
        "../envs/cpu.yaml"
    threads: 2
    resources:
        mem_mb=study.megabytes(6000),
        runtime=240,
    message:
        "Simulating the training scans"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.training_data --settings {input.settings:q}"
        f" --folder {TRAINING} > {{log:q}} 2>&1"


rule train_semantic:
    input:
        settings=str(ROOT / "config" / "train.yaml"),
        data=f"{TRAINING}/data.done",
    output:
        touch(f"{TRAINING}/semantic.done"),
    log:
        f"{TRAINING}/logs/train_semantic.log",
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
        gpu=1,
    message:
        "Training the semantic network"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_semantic --settings {input.settings:q}"
        f" --folder {TRAINING} --export {TRAINED}/semantic --threads {{threads}}"
        " > {log:q} 2>&1"


rule train_instance:
    input:
        settings=str(ROOT / "config" / "train.yaml"),
        data=f"{TRAINING}/data.done",
    output:
        touch(f"{TRAINING}/instance.done"),
    log:
        f"{TRAINING}/logs/train_instance.log",
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
        gpu=1,
    message:
        "Training the instance network"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_instance --settings {input.settings:q}"
        f" --folder {TRAINING} --export {TRAINED}/instance --threads {{threads}}"
        " > {log:q} 2>&1"


rule register_models:
    input:
        f"{TRAINING}/semantic.done",
        f"{TRAINING}/instance.done",
    output:
        touch(f"{TRAINING}/registered.done"),
    log:
        f"{TRAINING}/logs/register_models.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=study.megabytes(1000),
        runtime=10,
    message:
        "Copying the networks to models/builtin and their digests to config/models.yaml"
    shell:
        f"python -m wirbel.stages.register_models --trained {TRAINED} > {{log:q}} 2>&1"
