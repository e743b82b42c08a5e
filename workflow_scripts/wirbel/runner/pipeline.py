"""Load, compute and save at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from wirbel.runner.stage import Work

Step = Callable[[Work], object]


def overlap(todo: Iterable[Work], load: Step, compute: Step, save: Step) -> None:
    """Take every scan through the three steps in order.

    One thread loads a scan ahead of the one that the main thread computes, another saves one
    behind, so that at most three scans are in memory. An exception in a step ends the loop; a scan
    that is being saved is finished.
    """
    waiting = iter(todo)
    loading: deque[tuple[Work, Future]] = deque()
    saving: deque[Future] = deque()
    loader, saver = ThreadPoolExecutor(1, "load"), ThreadPoolExecutor(1, "save")
    try:
        loading.extend((work, loader.submit(load, work)) for work in _take(waiting, 1))
        while loading:
            work, loaded = loading.popleft()
            loaded.result()
            loading.extend((item, loader.submit(load, item)) for item in _take(waiting, 1))
            compute(work)
            saving.append(saver.submit(save, work))
            del work, loaded
            while len(saving) > 1:
                saving.popleft().result()
        while saving:
            saving.popleft().result()
    finally:
        loader.shutdown(cancel_futures=True)
        saver.shutdown()


def _take(items: Iterator[Work], number: int) -> list[Work]:
    return [item for _, item in zip(range(number), items, strict=False)]
