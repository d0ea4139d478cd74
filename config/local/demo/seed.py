"""``python -m config.local.demo.seed``: lay out the demo's data and print it as one JSON object, for the supervisor.

Run in the local stack's environment, with the sandbox up. Repeating it changes nothing that people have changed since;
what is laid out is in ``demo_data``.
"""

import json
import os
import sys
from pathlib import Path

import django
import requests


def main() -> int:
    """Seed, print ``{tenant, operator, api_key, notes}`` and return the exit code; faults are one line."""
    django.setup()
    from config.local.demo.demo_data import Addresses, NotForDemos, SandboxClient, lay_out  # noqa: PLC0415 (after setup)
    from connections.vault.sealing import Unreadable  # noqa: PLC0415 (likewise)

    try:
        seeded = lay_out(
            state=Path(os.environ["LATCHKEY_STATE"]),
            addresses=Addresses(
                web=os.environ["PUBLIC_URL"],
                sandbox=os.environ["SANDBOX_URL"],
                customer_app=os.environ["CUSTOMER_APP_URL"],
            ),
            client=SandboxClient(
                id=os.environ["SANDBOX_CLIENT_ID"],
                secret=os.environ["SANDBOX_CLIENT_SECRET"],
                access_seconds=int(os.environ["SANDBOX_ACCESS_SECONDS"]),
            ),
        )
    except NotForDemos as error:
        sys.exit(str(error))
    except Unreadable:
        sys.exit(
            "The database holds secrets sealed under other keys than those in LATCHKEY_STATE: "
            "use the state folder that it was made with, or an empty database."
        )
    except requests.RequestException as error:
        sys.exit(f"The sandbox does not take its client's registration ({type(error).__name__}).")
    print(json.dumps(seeded))
    return 0


if __name__ == "__main__":
    sys.exit(main())
