# The search path, the settings, and what all rules are made of; functions are in wirbel/study/workflow.

import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
# In a checkout the package lies beside the rules; otherwise it is installed together with them.
if (ROOT / "workflow_scripts").is_dir():
    sys.path.insert(0, str(ROOT / "workflow_scripts"))

from wirbel.study.workflow.rules import StudyRules


configfile: str(ROOT / "config" / "config.yaml")


study = StudyRules(workflow, config, ROOT)

if config["container"]:

    container: config["container"]


wildcard_constraints:
    batch=study.batch_pattern,
