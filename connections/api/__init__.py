"""The internal JSON API, ``/api/v1/``: for the operator's own services and agents.

- ``urls``: the API and its document · ``auth``: who calls, and for which tenant · ``routers``: one resource a file
- ``schemas``: the bodies · ``texts``: what a text may hold · ``representations``: from rows to bodies
- ``problems``: errors, each with a stable code
- ``direct``: a shorter way to the vend · ``health``: the health checks, which need no key
"""
