"""Identify: who is behind a token that an API client brings, by what an issuer has signed that is trusted for it.

Promise: nobody is believed but the trusted issuers, each for its own use, audience and tenant; no token makes an issuer
be asked more often than ``providers.oauth.issuer_keys`` allows; a refusal never says which part was wrong, and leaves a
bounded number of audit rows that do. In: a token. Out: the API client, end user or agent that it names. Changes: what
was proven, and which assertions are used up.

- ``tokens``: reads a token, and verifies it for one trusted issuer
- ``conditions``: what claims have to say, for a caller's token
- ``callers``: the API client that a workload's token is
- ``parties``: the end user and the agent for whom a client calls
- ``assertions``: a client that signs for itself (RFC 7523 §2.2)
"""
