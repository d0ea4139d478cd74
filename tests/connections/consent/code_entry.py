"""A provider that offers a code to enter and nothing else: the sandbox, with a catalogue entry of its own."""

CODES = """
name = "Codes"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[device_authorization]
device_authorization_url = "{issuer}/device_authorization"
token_url = "{issuer}/token"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""
