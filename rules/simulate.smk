# `snakemake simulate`: a BIDS folder of phantoms with their true measurements, written to bids_dir.

SIMULATED = f"{study.settings.bids_dir}/derivatives/truth/truth.json"


rule simulate:
    input:
        study.needs_bids_dir,
    output:
        SIMULATED,
    log:
        f"{study.logs}/simulate.log",
    conda:
        "../envs/cpu.yaml"
    threads: 4
    resources:
        mem_mb=study.megabytes(6000),
        runtime=240,
    params:
        bids_dir=study.settings.bids_dir,
        code=study.code_of("simulate"),
        scans=config["simulate"]["count"],
        seed=config["simulate"]["seed"],
        regions=config["simulate"]["regions"],
        broken=config["simulate"]["broken"],
        stations="--stations" if config["simulate"]["stations"] else "",
    message:
        "Simulating {params.scans} scans"
    shell:
        "python -m wirbel.stages.simulate --bids-dir {params.bids_dir:q} --count {params.scans}"
        " --seed {params.seed} --regions {params.regions:q} --broken {params.broken} {params.stations}"
        " --processes {threads} > {log:q} 2>&1"
