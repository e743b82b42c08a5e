# The per-scan stages. One job per stage and batch of scans, or per stages that share a start; scans fail and resume one by one. Later stages go
# first, so that batches are finished, and their intermediate results dropped, before new ones are begun.
# What each stage needs is in the table of wirbel/plan/chain.py. A shell command holds no name of the loop:
# Snakemake looks it up again when a job runs, and the loop has ended by then.

for place, stage in enumerate(study.chain):

    rule:
        name:
            stage.name
        input:
            study.inputs_of(stage.name),
        output:
            study.manifests(stage.name),
        log:
            study.job_log(stage.name),
        priority: place
        conda:
            f"../envs/{stage.environment}.yaml"
        threads: stage.threads
        resources:
            **study.needs(stage),
        params:
            stages=study.program(stage.name),
        message:
            f"{stage.doing}, batch {{wildcards.batch}}"
        shell:
            f"python -m wirbel.stages{{params.stages}}{study.batch_arguments}"
