"""The endpoint for agents, ``POST /mcp``: what the API does for them, as tools of the Model Context Protocol.

Promise: an agent finds what it may use, calls it through the proxy and gets the link that heals, and never a
credential; it decides neither for whom it calls nor for which tenant, because both stand in headers of its host. Every
request stands by itself: there is no session and no stream, and no answer of one request is in another.

- ``first_message``: makes the desk when it is needed · ``desk``: takes the HTTP requests, in the event loop
- ``envelope``: what the HTTP around a message has to say
- ``messages``: JSON-RPC, in and out · ``protocol``: the methods that are answered, by version
- ``admission``: who calls, for whom
- ``tools``: the tools, their arguments and what they return · ``lookups``: those that read · ``calling``: the one that
  calls a provider · ``results``: the results of tools, refusals among them
- ``resource``: which authorization servers give tokens for this endpoint (RFC 9728)
"""
