"""Proxy: a caller's request goes to the provider with the credential attached here, and the answer comes back.

Promise: no caller gets the credential, or reaches more than its API client or an access grant says, method by method
and path by path; an audit row is committed before the first byte leaves; what is switched off stops, also in the
middle; nothing is held in memory but a few parts of each stream. In: an API key, an order and a body. Out: the
provider's answer as a stream, or a named refusal. Changes: audit rows,
approvals, what is kept for subjects, and of connections when they were last used and when they are probed.

- ``order``: what a caller asks; ``request``: what leaves for it
- ``permit``: who may; ``outgoing``: opens the credential, and says with what the request leaves
- ``record_end``: how it ended, and what a refusal of the credential means
- ``reachable``: for whoever asks what there is, the connections that they may have requests proxied to
- ``carry``: the use case, in an event loop: sends it, repeats it once after a refresh, follows the provider's redirects
- ``caller_body``: the body that the caller sends; ``answer``: what of the provider's answer comes back
- ``turns``: each caller of one credential waits for its turn at the provider
- ``watch``: stops what is under way when somebody switches it off
"""
