"""Something that goes on in a thread beside a block."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(act: Callable[[threading.Event], None], *, name: str) -> Iterator[None]:
    """Run ``act`` in a thread; its event is set when the block ends, and then it is waited for."""
    over = threading.Event()
    thread = threading.Thread(target=act, args=(over,), name=name)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
