"""What agents alone need is loaded when the first of them sends a message, and not before."""

import subprocess
import sys

LOADED = "import sys; import config.asgi; print('mcp_types' in sys.modules, 'connections.api.mcp' in sys.modules)"


def test_a_web_process_starts_without_the_types_of_the_protocol() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
