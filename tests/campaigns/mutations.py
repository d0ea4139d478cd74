"""Every entry of the catalogue changed in each way that its fixture could notice, and how many changes it noticed.

Prints a line of JSON for each kind of change, with what went unnoticed and the reason for each, one for what no fixture
or no entry knows, and one for all. Nothing is started.
"""

import json
import sys
from collections import defaultdict

from providers.dialects.fixture import fixtures
from tests.dialects.mutations import is_noticed, mutants
from tests.dialects.test_every_entry import KNOWN, life_of, unlived

LEAST_NOTICED = 0.95
# Changes that leave the entry as right as it was.
HARMLESS = {
    ("aws-sigv4", "probe"): "AWS takes its actions by GET and by POST",
    ("slack-user", "probe"): "Slack takes auth.test by GET and by POST",
}


def main() -> int:
    """Run the campaign; return 1 if too much went unnoticed, or something without a reason."""
    tried: dict[str, int] = defaultdict(int)
    unnoticed: dict[str, list[str]] = defaultdict(list)
    for slug in KNOWN:
        life = life_of(KNOWN[slug])
        for mutant in mutants(life):
            tried[mutant.what] += 1
            if not is_noticed(life, mutant):
                unnoticed[mutant.what].append(slug)
    unexplained = 0
    for what, number in tried.items():
        reasons = {slug: HARMLESS.get((slug, what), "") for slug in sorted(unnoticed[what])}
        unexplained += sum(not reason for reason in reasons.values())
        print(json.dumps({"change": what, "tried": number, "unnoticed": reasons}))
    without_entry = sorted(fixtures().keys() - KNOWN.keys())
    print(json.dumps({"ways without a fixture": unlived(), "fixtures without an entry": without_entry}))
    noticed = 1 - sum(map(len, unnoticed.values())) / max(1, sum(tried.values()))
    print(json.dumps({"entries": len(KNOWN), "tried": sum(tried.values()), "noticed": round(noticed, 4)}))
    return int(noticed < LEAST_NOTICED or unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
