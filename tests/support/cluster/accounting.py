"""The accounting of a test cluster: slurmdbd and its database, as nearly all real clusters have them.

Needs Debian's packages slurmdbd, mariadb-server-core and mariadb-client-core. Both daemons are children of this process
and keep everything below the cluster's folder; the database listens on a socket there, and an installed database
server is left alone. Jobs run only for users with an account, as on clusters that enforce that: root has ACCOUNT.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from contextlib import suppress

from support.cluster.daemons import Daemons

PROGRAMS = (
    *("slurmdbd", "sacct", "sacctmgr"),
    *("mariadbd", "mariadb-install-db", "my_print_defaults"),
)
PACKAGES = "slurmdbd mariadb-server-core mariadb-client-core"
ACCOUNT = "spine"
SLURM_LINES = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={munge}
AccountingStorageEnforce=associations"""
CONFIGURATION = """\
AuthType=auth/munge
AuthInfo=socket={munge}
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
PidFile={root}/run/slurmdbd.pid
LogFile={root}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=accounts
"""
ROOT_WITHOUT_PASSWORD = "--auth-root-authentication-method=normal"
# Small, and without care for power failures: the database lives for minutes.
DATABASE_OPTIONS = (
    *("--skip-networking", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=64M"),
    *("--innodb-lock-wait-timeout=900", "--innodb-flush-log-at-trx-commit=0"),
)


class Accounting:
    """slurmdbd and its database."""

    def __init__(self, cluster: Daemons) -> None:
        self.cluster = cluster
        self.folder = cluster.root / "database"
        self.socket = cluster.root / "run" / "database.sock"

    def start_database(self) -> None:
        """Start an empty database."""
        shutil.rmtree(self.folder, ignore_errors=True)
        line = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.folder}"]
        line += ["--skip-test-db", "--skip-name-resolve", ROOT_WITHOUT_PASSWORD]
        subprocess.run(line, env=self.cluster.environment, check=True, capture_output=True)
        options = [f"--datadir={self.folder}", f"--socket={self.socket}", *DATABASE_OPTIONS]
        options += [f"--pid-file={self.cluster.root}/run/mariadbd.pid"]
        self.cluster.spawn("mariadbd", "mariadbd", "--no-defaults", "--user=root", *options)
        self.cluster.wait_until("database", self._greets)

    def configure(self, port: int) -> str:
        """Write slurmdbd.conf; return the lines that slurm.conf needs."""
        root, host = self.cluster.root, socket.gethostname().split(".")[0]
        places = {"root": root, "munge": root / "run" / "munge.sock", "port": port, "host": host}
        path = root / "slurmdbd.conf"
        path.write_text(CONFIGURATION.format(**places))
        path.chmod(0o600)  # slurmdbd asks for it
        return SLURM_LINES.format(**places)

    def start(self) -> None:
        """Start slurmdbd with an empty database; give root an account."""
        self.start_slurmdbd()
        self.manage("add", "cluster", "test")
        self.manage("add", "account", ACCOUNT)
        self.add_user()

    def add_user(self) -> None:
        """Give root the account."""
        self.manage("add", "user", "root", f"account={ACCOUNT}", f"defaultaccount={ACCOUNT}")

    def start_slurmdbd(self) -> None:
        """Start slurmdbd, with all it knew before."""
        self.cluster.spawn("slurmdbd", "slurmdbd", "-D", MYSQL_UNIX_PORT=str(self.socket))
        self.cluster.wait_until("slurmdbd", self._answers, "slurmdbd")

    def kill_slurmdbd(self) -> None:
        """slurmdbd dies at once; the controller keeps what it has to tell until it is back."""
        self.cluster.end("slurmdbd", signal.SIGKILL)

    def stop(self) -> None:
        """End both."""
        for name in ("slurmdbd", "mariadbd"):
            self.cluster.end(name)

    def manage(self, *command: str) -> None:
        """Change accounts with sacctmgr."""
        line = ["sacctmgr", "--immediate", *command]
        done = subprocess.run(line, env=self.cluster.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(line)}: {done.stdout}{done.stderr}")

    def _greets(self) -> bool:
        with socket.socket(socket.AF_UNIX) as database, suppress(OSError):
            database.settimeout(5)
            database.connect(str(self.socket))
            return bool(database.recv(1))
        return False

    def _answers(self) -> bool:
        line = ["sacctmgr", "--noheader", "show", "cluster"]
        return not subprocess.run(
            line, env=self.cluster.environment, capture_output=True
        ).returncode
