# `snakemake translate`: tomograms of MR scans, and label maps of these, as a source for `annotate`. Not part of `all`. The
# rule has no outputs, so it runs whenever it is asked for; finished scans are kept.


rule translate:
    log:
        f"{study.logs}/translate.log",
    conda:
        "../envs/gpu.yaml"
    threads: 4
    resources:
        mem_mb=study.megabytes(8000),
        runtime=720,
        gpu=1,
    params:
        settings=config["translate"] or str(ROOT / "config" / "translate.yaml"),
    message:
        "Translating the scans of {params.settings}"
    shell:
        "OMP_NUM_THREADS=1 python -m wirbel.stages.translate --settings {params.settings:q}"
        " --threads {threads} 2>&1 | tee {log:q}"
