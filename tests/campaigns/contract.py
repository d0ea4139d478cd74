"""``make contract``: Schemathesis against a running stack of its own, each call by itself and in sequences.

It calls every operation of the OpenAPI document with what the schemas allow and what they do not, and follows what one
answer offers to the next call, as an operator-wide client with every permission: ``contract_aim`` keeps it from taking
its own rights away. Its seed and its findings are printed, how often each kind of answer came, and which operations
never succeeded; the exit code is 0 only if it found nothing. ``tests/connections/api/test_contract.py`` is the short
form, without a stack.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from config.local.demo.stack import LocalStack
from tests.campaigns.contract_aim import COUNTS, TARGETS

# A schema cannot say that a provider is in the catalogue, or that a return URL is one of the tenant's.
_NOT_CHECKED = "positive_data_acceptance"


def main() -> int:
    """Start the stack, attack it for as long as is wanted, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.contract", description=__doc__)
    parser.add_argument("--seconds", type=int, default=900, help="at the most (default: %(default)s)")
    parser.add_argument("--examples", type=int, default=100, help="of each operation (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=".*", help="a regular expression of paths")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful", help="(default: %(default)s)")
    parser.add_argument("--targets", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.targets:
        _print_targets()
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-contract-", dir="/var/tmp") as folder,
        LocalStack(state_dir=Path(folder) / "stack", processes=("web", "worker", "sandbox")) as stack,
    ):
        printed = stack.run("targets", "-m", "tests.campaigns.contract", "--targets").strip().splitlines()[-1]
        targets = json.loads(printed)
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{stack.urls['web']}/api/v1/openapi.json"]
        command += [f"--header=Authorization: Bearer {targets.pop('key')}", f"--phases={options.phases}"]
        command += [f"--exclude-checks={_NOT_CHECKED}", f"--seed={options.seed}", f"--max-examples={options.examples}"]
        command += [f"--max-time={options.seconds}", f"--include-path-regex={options.only}", "--continue-on-failure"]
        command += ["--generation-database=none", "--no-color", "--suppress-health-check=all", "--request-timeout=60"]
        command += ["--generation-with-security-parameters=false"]
        counts = Path(folder) / "counts.json"
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path.cwd()),
            "SCHEMATHESIS_HOOKS": "tests.campaigns.contract_aim",
            TARGETS: json.dumps(targets),
            COUNTS: str(counts),
        }
        code = subprocess.run(command, cwd=folder, env=environment, check=False).returncode
        print(summary(json.loads(counts.read_text())))
        return code


def summary(answers: dict[str, dict[str, int]]) -> str:
    """Say how often each kind of answer came, by operations and their statuses, and what never succeeded."""
    kinds, operations = Counter[str](), Counter[str]()
    for statuses in answers.values():
        for status, count in statuses.items():
            kinds[f"{status[0]}xx"] += count
        operations.update({f"{status[0]}xx" for status in statuses})
    total = sum(kinds.values())
    lines = [f"{total} answers of {len(answers)} operations:"]
    lines += [
        f"  {kind}  {kinds[kind]:6}  {kinds[kind] / total:4.0%}  of {operations[kind]} operations"
        for kind in sorted(kinds)
    ]
    for name, statuses in sorted(answers.items()):
        if not any(status.startswith(("2", "3")) for status in statuses):
            told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
            lines.append(f"  never succeeded: {name} ({told})")
    return "\n".join(lines)


def _print_targets() -> None:
    """Make three victims and the run's own client, and print what there is to aim at. Under the stack's environment."""
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()  # the victims' own calls name the host that tests call

    from connections.models import ApiClient, Permission
    from tests.connections.api.own_entries import ENTRY
    from tests.connections.api.victim import NAMED, SHARED, make_victim
    from tests.factories import RETURN_URL, make_caller

    caller = make_caller(None, "contract", list(Permission))
    ApiClient.objects.filter(id=caller.client.id).update(proxy_rules=["* * /**"])
    victims = {name: make_victim(name) for name in ("kept", "spent", "spare")}
    targets = {
        name: {place: value(victim) for place, value in NAMED.items()} | SHARED for name, victim in victims.items()
    }
    # What no schema can say: members that mean something only if they name what there is.
    members = {
        name: {
            "provider": "sandbox",
            "end_user": victim.ids["person"],
            "return_url": RETURN_URL.format(slug=victim.tenant.slug),
            "origin": "",
            "connection": None,
            "label": None,
            "client": victim.ids["api_client"],
            "url": "http://127.0.0.1:9/in",
            "toml": ENTRY,
            "scopes": [],
            "groups": [],
        }
        for name, victim in victims.items()
    }
    own = {"key": caller.key, "own_client": str(caller.client.id), "shared": [*SHARED], "members": members}
    print(json.dumps(targets | own))


if __name__ == "__main__":
    sys.exit(main())
