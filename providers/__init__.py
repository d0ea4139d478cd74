"""Knowledge of providers, and how to talk to them. Uses no ORM, no Django request and no database clock.

- ``catalog``: one entry a provider, and how entries are read · ``strategies``: one auth style a file
- ``oauth``: the endpoints of RFC 6749 and its family
- ``brought``: connections from another system's export
- ``signing``: key pairs, certificates, and what is signed with them
- ``pushes``: what providers send by themselves: whether it is theirs, and what it says
- ``custodians``: the operator's own key management services and vaults
- ``proxying``: requests of callers, and the answers to them, as streams
- ``egress``: the only module that opens connections; ``egress_policy``: what the operator allows;
  ``http_exchange``: a request and its answer; ``lookup``: the addresses of a name; ``addresses``: which of them may
  be called; ``tls``: certificates and sessions; ``timed_socket``: one deadline for a whole call; ``send_window``: until
  when a request may leave; ``quiet``: silences libraries that would log secrets
- ``mcp_server``: what we say to an MCP server
- ``response``: an answer, read with bounds; ``answer_text``: its text; ``lines``: text of one line, for people;
  ``strict_json``: JSON that has one meaning
- ``values``: values exchanged with the lifecycle · ``errors``: the named failures · ``vocabulary``: the enumerations
- ``spans``: what takes time, for traces
- ``recording``: what calls sent and got, redacted · ``rehearsal``: something that stands in for the network
- ``dialects``: what vendors document of theirs, and stand-ins to rehearse an entry with; no production code imports it
- ``sandbox``: an authorization server to run and to break; no production code imports it
"""
