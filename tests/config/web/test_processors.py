"""Which processor a web process is kept on: real processes of one parent."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

_CHILD = "from config.web.processors import keep_to_one; print(keep_to_one(), flush=True); input()"
_PARENT = f"""
import json, os, subprocess, sys

def start():
    child = subprocess.Popen([sys.executable, "-c", {_CHILD!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return child, child.stdout.readline().decode().strip()

started = [start() for _ in range(4)]
kept = [sorted(os.sched_getaffinity(child.pid)) for child, _ in started]
started[1][0].kill()
started[1][0].wait()
started.append(start())
print(json.dumps({{"told": [told for _, told in started], "kept": kept}}), flush=True)
for child, _ in started:
    child.kill()
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system keeps no process on a processor")
@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: [0])(0)) < 2, reason="there is one processor")
def test_processes_of_one_parent_are_spread_and_a_new_one_takes_the_place_of_one_that_ended():
    ran = subprocess.run([sys.executable, "-c", _PARENT], capture_output=True, text=True, timeout=60, check=False)
    assert not ran.returncode, ran.stderr
    said = json.loads(ran.stdout)

    *numbers, again = (int(number) for number in said["told"])
    assert said["kept"] == [[number] for number in numbers]
    counts = Counter(numbers)
    assert max(counts.values()) - min(counts.get(number, 0) for number in os.sched_getaffinity(0)) <= 1
    assert again == numbers[1] or counts[again] == min(counts.values())


def test_a_process_that_may_use_one_processor_alone_is_left_as_it_is():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from config.web.processors import keep_to_one; print(keep_to_one(), len(os.sched_getaffinity(0)))"
    )
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("the system keeps no process on a processor")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["None", "1"]
