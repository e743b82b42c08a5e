# `snakemake evaluate`: compare the results with known label maps. Not part of `all`. The rule has no outputs, so it
# runs whenever it is asked for, and Snakemake does not remove earlier tables before there are new ones.


rule evaluate:
    input:
        study.needs_reference,
        study.receipt("cohort"),
    log:
        f"{study.logs}/evaluate.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=study.megabytes(3000),
        runtime=240,
    params:
        reference=study.reference,
        shows=config["reference_shows"],
        bids_dir=study.settings.bids_dir,
        scheme=config["reference_scheme"],
    message:
        "Comparing the results with {params.reference}"
    shell:
        f"python -m wirbel.stages.evaluate{study.output_argument} --reference {{params.reference:q}}"
        " --shows {params.shows} --bids-dir {params.bids_dir:q} --scheme {params.scheme:q} 2>&1 | tee {log:q}"
