"""An entry of the operator's own, as tests describe one."""

ENTRY = """name = "Acme ERP"
base_url = "https://api.acme.example"
website = "https://acme.example"

[authorization_code]
authorization_url = "https://acme.example/authorize"
token_url = "https://acme.example/token"

[probe]
url = "https://api.acme.example/me"
"""
