"""Loads a web process without garbage collections, which would find nothing: a sixth of the time until it works.

``config.asgi`` imports this before all else, and calls ``end`` when it has loaded everything.
"""

import gc

gc.disable()


def end() -> None:
    """Collect garbage again, but never look at what has been loaded: it stays as long as the process."""
    gc.freeze()
    gc.enable()
