"""A provider whose grants open several teams: the sandbox, with a catalogue entry of its own."""

TEAMS = """
name = "Teams"
base_url = "{issuer}/{team}"

[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = '^http://[0-9.:]+$'

[[params]]
name = "team"
label = "Team"
scope = "workspace"
pattern = '^[a-z]{1,20}$'

[workspaces]
label = "Team"
url = "{issuer}/workspaces"
items = "/workspaces"
id = "/id"
name = "/name"
param = "team"

[[scopes]]
name = "profile.read"
description = "See your name"
default = true

[authorization_code]
issuer = "{issuer}"
authorization_url = "{issuer}/authorize"
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
iss_parameter = "required"

[probe]
url = "{issuer}/me"
account_id = "/sub"
account_name = "/name"
"""
NORTH_AND_SOUTH = {"north": "Team North", "south": "Team South"}
