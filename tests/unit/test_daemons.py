"""The small cluster's daemons, which end with the tests and not before."""

import os
import threading
import time

from support.cluster.daemons import Daemons


def test_a_daemon_that_a_timer_starts_outlives_the_timer(tmp_path):
    """A node that crashed is started again by a timer; the kernel ends children with the thread that started them."""
    (tmp_path / "log").mkdir()
    daemons = Daemons(tmp_path, dict(os.environ))
    timer = threading.Timer(0.0, lambda: daemons.spawn("node", "sleep", "60"))
    timer.start()
    timer.join()
    time.sleep(0.2)
    assert daemons._daemons["node"].poll() is None
    daemons.end("node")
