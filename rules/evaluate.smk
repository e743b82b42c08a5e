# `snakemake evaluate`: compare the results with known label maps. Not part of `all`.

EVALUATION = [
    f"{OUT}/evaluation/{name}"
    for name in ("structures.csv", "instances.csv", "measures.csv", "summary.json")
]


rule evaluate:
    input:
        needs_reference,
        TABLES_RECEIPT,
    output:
        EVALUATION,
    log:
        f"{LOGS}/evaluate.log",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(3000),
        runtime=240,
    params:
        code=code_of("evaluate"),
        reference=REFERENCE,
        shows=config["reference_shows"],
    message:
        "Comparing the results with {params.reference}"
    shell:
        f"python -m wirbel.stages.evaluate{OUTPUT_ARGUMENT} --reference {{params.reference:q}}"
        " --shows {params.shows} 2>&1 | tee {log:q}"
