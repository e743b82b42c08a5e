# `snakemake models`: fetch and verify the networks that the setting `models` names, then list all known ones.
# Not part of `all`, and run where Snakemake itself runs: compute nodes have no internet.


rule models:
    log:
        f"{study.logs}/models.log",
    retries: 0
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    params:
        wanted=study.models_to_fetch,
    message:
        "Fetching and verifying {params.wanted}"
    shell:
        "python -m wirbel.stages.models fetch {params.wanted:q} --log {log:q}"
