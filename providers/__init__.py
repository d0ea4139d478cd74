"""What is known of providers and how to talk to them: no ORM, no request of Django's, no clock of ours.

- ``catalog``: one entry a provider, and how entries are read · ``strategies``: one auth style a file
- ``oauth``: the endpoints of RFC 6749 and its family
- ``egress``: the one way out; ``addresses``: which may be called; ``timed_socket``: one deadline;
  ``send_window``: until when a request may leave; ``quiet``: libraries that would log it
- ``response``: an answer, read with bounds; ``answer_text``: its text
- ``values``: what crosses to the lifecycle · ``errors``: the named failures · ``vocabulary``: the closed sets of words
- ``sandbox``: an authorization server to run and to break; nothing of production imports it
"""
