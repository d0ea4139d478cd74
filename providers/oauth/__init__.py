"""OAuth 2.0 and OpenID Connect, as a client: what is sent, and what an answer means.

- ``pkce`` (RFC 7636) · ``pushed_authorization`` (RFC 9126) · ``authorization_response`` (RFC 6749 §4.1.2, RFC 9207)
- ``token_endpoint`` (RFC 6749 §3.2) · ``client_authentication`` (§2.3) · ``token_response`` (§5.1)
- ``client_assertion`` (RFC 7523 §2.2)
- ``expiry``: when a token ends · ``unread``: an answer that cannot be read · ``classify``: what an answer means
- ``device`` (RFC 8628) · ``subject_token`` (RFC 8693) · ``registration`` (RFC 7591 and 7592)
- ``revocation`` (RFC 7009) · ``introspection`` (RFC 7662) · ``identity`` (OpenID Connect) ·
  ``issuer_keys`` (RFC 7517): who has signed a token
- ``discovery`` (RFC 8414) · ``protected_resource`` (RFC 9728): which server stands before an MCP server ·
  ``challenge``: with which it refuses a request
"""
