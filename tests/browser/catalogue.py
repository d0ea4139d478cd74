"""The catalogue of the browser tests: the sandbox plays several providers, each with an entry of its own."""

from pathlib import Path

from tests.connections.consent.code_entry import CODES
from tests.connections.consent.teams import TEAMS

# A provider that has to know something before it can be gone to.
SHOPS = """
name = "Shops"
category = "E-commerce"
colour = "#5b3fd6"
base_url = "{issuer}"

[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = '^http://[0-9.:]+$'

[[params]]
name = "shop"
label = "Name of your shop"
help = "The part before .shops.example in the address of your shop."
example = "north-star"
pattern = '^[a-z0-9-]{1,40}$'

[[scopes]]
name = "profile.read"
description = "See your name and account number"
default = true

[[scopes]]
name = "files.read"
description = "Read your files"

[authorization_code]
issuer = "{issuer}"
authorization_url = "{issuer}/authorize"
token_url = "{issuer}/token"
iss_parameter = "required"

[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


def write_catalogue(folder: Path, *, provider: str = "{issuer}") -> Path:
    """Write the entries into a new ``folder`` and return it. Browsers alone find the sandbox at ``provider``."""
    folder.mkdir()
    for name, entry in (("teams", TEAMS), ("codes", CODES), ("shops", SHOPS)):
        seen = entry.replace('"{issuer}/authorize"', f'"{provider}/authorize"')
        (folder / f"{name}.toml").write_text(seen, encoding="utf-8")
    return folder
