# `snakemake annotate`: fuse several segmentations of each scan into one annotation. Not part of `all`. The rule has no
# outputs, so it runs whenever it is asked for; finished scans are kept, and Snakemake removes no reader's correction.


rule annotate:
    log:
        f"{study.logs}/annotate.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
    params:
        settings=config["annotate"] or str(ROOT / "config" / "annotate.yaml"),
    message:
        "Fusing the annotations of {params.settings}"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.annotate --settings {params.settings:q}"
        " --processes {threads} 2>&1 | tee {log:q}"
