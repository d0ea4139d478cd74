"""``make contract``: Schemathesis against a running stack of its own, each call by itself and in sequences.

It calls every operation of the OpenAPI document with what the schemas allow and what they do not, and follows what one
answer offers to the next call. Its seed and its findings are printed; the exit code is 0 only if it found nothing.
``tests/connections/api/test_contract.py`` is the short form, without a stack.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from config.local.demo.stack import LocalStack

# A schema cannot say that a provider is in the catalogue, or that a return URL is one of the tenant's.
_NOT_CHECKED = "positive_data_acceptance"


def main() -> int:
    """Start the stack, attack it for as long as is wanted, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.contract", description=__doc__)
    parser.add_argument("--seconds", type=int, default=900, help="at the most (default: %(default)s)")
    parser.add_argument("--examples", type=int, default=100, help="of each operation (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=".*", help="a regular expression of paths")
    parser.add_argument("--key", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.key:
        _print_key()
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-contract-", dir="/var/tmp") as folder,
        LocalStack(state_dir=Path(folder) / "stack", processes=("web", "worker", "sandbox")) as stack,
    ):
        key = stack.run("key", "-m", "tests.campaigns.contract", "--key").strip().splitlines()[-1]
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{stack.urls['web']}/api/v1/openapi.json"]
        command += [f"--header=Authorization: Bearer {key}", "--generation-with-security-parameters=false"]
        command += [f"--exclude-checks={_NOT_CHECKED}", f"--seed={options.seed}", f"--max-examples={options.examples}"]
        command += [f"--max-time={options.seconds}", f"--include-path-regex={options.only}", "--continue-on-failure"]
        command += ["--generation-database=none", "--no-color", "--suppress-health-check=all", "--request-timeout=60"]
        return subprocess.run(command, cwd=folder, check=False).returncode


def _print_key() -> None:
    """Print a key of acme's that may do everything at acme. Runs under the stack's environment."""
    import django

    django.setup()

    from connections.models import ApiClient, Permission, Tenant
    from tests.connections.api.stored import make_connection
    from tests.factories import make_caller, make_tenant

    tenant = Tenant.objects.filter(slug="acme").first() or make_tenant("acme")
    make_connection(tenant, end_user="contract")
    caller = make_caller(tenant, "contract", [])
    ApiClient.objects.filter(id=caller.client.id).update(permissions=list(Permission))
    print(caller.key)


if __name__ == "__main__":
    sys.exit(main())
