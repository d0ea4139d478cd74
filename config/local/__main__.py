"""``python -m config.local`` (``make demo``): run the whole of Latchkey on this machine until Ctrl-C."""

import os
import signal
import sys
import time
from types import FrameType
from typing import Any

from config.local.demo.stack import LocalStack
from config.local.supervisor.processes import signals_that_end
from config.local.supervisor.state import LocalStackError, default_state_folder

_MOST_WORKERS = 4  # one a processor; a demo needs no more, and each takes memory and database connections


class _Stopped(BaseException):
    """Raised in the main thread by the first signal that asks the stack to stop."""


def main() -> int:
    """Start the stack, say where it is, and stop it at a signal; returns the exit code."""
    begun = time.monotonic()
    signals_seen = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal signals_seen
        signals_seen += 1
        if signals_seen == 1:
            raise _Stopped
        stack.hurry()

    code = 0
    workers = min(os.cpu_count() or 1, _MOST_WORKERS)
    stack = LocalStack(state_dir=default_state_folder(), quiet=False, fixed_ports=True, workers=workers)
    try:
        for number in signals_that_end():
            signal.signal(number, on_signal)
        stack.start()
        print(_banner(stack, time.monotonic() - begun), flush=True)
        while True:
            signal.pause()
    except _Stopped:
        print("\nStopping… (again to kill)", flush=True)
    except LocalStackError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        code = 1
    finally:
        # A signal from here on must not interrupt the stopping, only speed it up.
        signals_seen += 1
        stack.stop()
    return code


def _banner(stack: LocalStack, seconds: float) -> str:
    operator: dict[str, Any] = stack.seeded.get("operator") or {}
    lines = [f"Latchkey is ready ({seconds:.1f} s). Ctrl-C stops it.", ""]
    lines.append(f"  Demo customer app   {stack.urls['customer_app']}")
    lines.append(f"  Operators' admin    {operator.get('url') or stack.urls['web'] + '/admin/'}")
    if operator.get("username"):
        password = operator.get("password") or "(as shown at the first start)"
        lines.append(f"                      user {operator['username']}, password {password}")
    lines.append(f"  JSON API            {stack.urls['web']}/api/v1/")
    if api_key := stack.seeded.get("api_key"):
        lines.append(f"                      key {api_key}")
    lines.append(f"  Sandbox provider    {stack.urls['sandbox']}")
    lines += [f"  {note}" for note in stack.seeded.get("notes") or []]
    rule = "─" * max(len(line) for line in lines)
    return "\n".join(["", rule, *lines, rule])


if __name__ == "__main__":
    sys.exit(main())
