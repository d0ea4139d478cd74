"""The zygote: imports the product once and forks the lean processes of the campaign.

A real worker takes seconds of CPU to boot, too dear for thousands of kills. This process opens no database connection
and starts no thread; each child is forked from it, opens its own connections, and runs the product's own functions
(``players``). Requests come as lines of JSON on standard input; the answer to each is the child's process id. The
children die with the zygote, and the zygote with the campaign.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path

import tests.campaigns.faults.unthrottled  # noqa: F401 (first: the apps must be ready)
from tests.campaigns.faults.marks import Marks
from tests.campaigns.faults.players import PLAYERS

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the product logs goes where the errors go
    libc = ctypes.CDLL(None)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _play(order)
        answers.write(f"{pid}\n")


def _play(order: dict[str, object]) -> None:
    try:
        result = PLAYERS[str(order["player"])](Marks(Path(str(order["marks"]))), order["arguments"])
        Path(str(order["result"])).write_text(json.dumps(result))
    # Whatever the player let out, or a broken order: it is told in logs/lean.log, and the missing result fails the row.
    except BaseException:  # noqa: BLE001 (a child must never go on as a second zygote)
        traceback.print_exc()
    os._exit(0)


if __name__ == "__main__":
    main()
