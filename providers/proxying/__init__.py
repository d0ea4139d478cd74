"""Proxied calls, as far as they need no database: what may be asked of a provider, and what comes back of its answer.

- ``paths``: which addresses below an origin a caller may name, and what is refused as a trick
- ``body_methods``: the method that a body asks for in the place of the request's
- ``request_headers``, ``answer_headers``: which headers pass, either way
- ``redaction``: takes a secret out of an answer that repeats it · ``unpacking``: undoes the coding of an answer first
- ``exchange``: one request and its answer, streamed, within the limits of the entry
"""
