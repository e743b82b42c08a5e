"""What pyproject.toml cannot say: a wheel carries the workflow's own files as `wirbel/workflow/`.

They keep their places relative to each other, so rules, schemas and models are found as in a checkout
(`wirbel.io.installation`). An editable installation uses the checkout itself.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
CARRIED = ("Snakefile", "rules", "config", "profiles", "envs", "models/builtin")


class BuildWithWorkflow(build_py):
    """Copies the workflow's files beside the package's modules."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for target, source in self._carried().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._carried()]

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), *self._carried().values()]

    def _carried(self) -> dict[str, str]:
        """Return target -> source of every file."""
        folder = Path(self.build_lib) / "wirbel" / "workflow"
        named = [path for name in CARRIED for path in (HERE / name, *(HERE / name).rglob("*"))]
        sources = sorted(path.relative_to(HERE) for path in named if path.is_file())
        return {str(folder / source): str(source) for source in sources}


setup(cmdclass={"build_py": BuildWithWorkflow})
