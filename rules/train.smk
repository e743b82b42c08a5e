# `snakemake train`: networks from simulated and real scans, as the settings file says, to models/<name>, with a section
# `labelling` in it also one that names the levels; with the setting `translator`, one that translates MR images to
# tomograms, and one that segments those. Every step resumes. Files named *.done stand for results: Snakemake removes a
# rule's outputs before it runs, and a network has to stay until then.

TRAIN = config["train"]
TRAINING = TRAIN["folder"]
TRAIN_SETTINGS = TRAIN["settings"] or str(ROOT / "config" / "train.yaml")


rule train:
    input:
        f"{TRAINING}/registered.done",


rule training_data:
    input:
        settings=TRAIN_SETTINGS,
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
    params:
        folder=lambda wildcards: TRAINING,
    message:
        "Making the training scans"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.training_data --settings {input.settings:q}"
        " --folder {params.folder:q} > {log:q} 2>&1"


rule train_semantic:
    input:
        settings=TRAIN_SETTINGS,
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
    params:
        folder=lambda wildcards: TRAINING,
    message:
        "Training the semantic network"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_semantic --settings {input.settings:q}"
        " --folder {params.folder:q} --export {params.folder:q}/models/semantic"
        " --published {params.folder:q}/published/semantic --threads {threads} > {log:q} 2>&1"


rule train_instance:
    input:
        settings=TRAIN_SETTINGS,
        data=f"{TRAINING}/data.done",
        semantic=f"{TRAINING}/semantic.done",
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
    params:
        folder=lambda wildcards: TRAINING,
    message:
        "Training the instance network"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_instance --settings {input.settings:q}"
        " --folder {params.folder:q} --export {params.folder:q}/models/instance"
        " --semantic {params.folder:q}/models/semantic --threads {threads} > {log:q} 2>&1"


rule train_labelling:
    input:
        settings=TRAIN_SETTINGS,
        data=f"{TRAINING}/data.done",
    output:
        touch(f"{TRAINING}/labelling.done"),
    log:
        f"{TRAINING}/logs/train_labelling.log",
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
        gpu=1,
    params:
        folder=lambda wildcards: TRAINING,
    message:
        "Training the labelling network"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_labelling --settings {input.settings:q}"
        " --folder {params.folder:q} --export {params.folder:q}/models/labelling"
        " --threads {threads} > {log:q} 2>&1"


rule train_translator:
    input:
        settings=TRAIN["translator"] or str(ROOT / "config" / "translator.yaml"),
    output:
        touch(f"{TRAINING}/translator.done"),
    log:
        f"{TRAINING}/logs/train_translator.log",
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
        gpu=1,
    params:
        folder=lambda wildcards: TRAINING,
    message:
        "Training the translator of MR images to tomograms"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.train_translator --settings {input.settings:q}"
        " --folder {params.folder:q} --export {params.folder:q}/models/translator"
        " --threads {threads} > {log:q} 2>&1"


rule register_models:
    input:
        study.trained(TRAINING, TRAIN_SETTINGS),
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
    params:
        folder=lambda wildcards: TRAINING,
        name=TRAIN["name"],
        licence=TRAIN["licence"],
        toy="--toy" if TRAIN["name"] == "builtin" else "--no-toy",
    message:
        "Copying the networks to models/{params.name} and their digests to config/models.yaml"
    shell:
        "python -m wirbel.stages.register_models --trained {params.folder:q}/models --name {params.name:q}"
        " --licence {params.licence:q} {params.toy} > {log:q} 2>&1"
