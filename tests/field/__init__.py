"""What providers and people really do: each failure that was reported of software of this kind, as tests of its kind.

The provider is a real HTTP server with the habit in question. Rows tell what was done; the tests below show what comes
of it here. ``test_cases`` holds the table to the truth. What is proven elsewhere is pointed at there.

a plain answer, for comparison
    tests/field/test_token_answers.py::test_a_plain_answer_connects_refreshes_and_vends
an expiry of 0, "0", -1 or null that means "never", or that means nothing
the tokens inside an envelope, on the refresh as on the exchange
    tests/field/test_token_answers.py::test_tokens_in_an_envelope_are_found_on_refresh_as_on_exchange
    tests/field/test_token_answers.py::test_tokens_at_the_top_of_a_refresh_are_found_although_the_code_brought_them_within
    tests/field/test_token_answers.py::test_a_machine_s_token_is_read_the_same_way
a token response in Latin-1, with a letter beyond ASCII beside the tokens
    tests/field/test_token_answers.py::test_no_charset_and_no_coding_costs_a_token
a token response that is form-encoded
    tests/field/test_token_answers.py::test_a_form_or_a_wrapper_is_read_as_every_client_reads_it
    tests/field/test_token_answers.py::test_a_form_encoded_refusal_is_a_refusal
a token so fresh that the first call with it is refused
a code exchange that the provider never saw, or turned away with a 429
a dead refresh token told as invalid_request, and other codes of RFC 6749 that nobody expects there
a second consent that brings no refresh token
one of several connections to one account is disconnected
scopes that imply others, and are answered without them
an account without any site or workspace
parameters that only the callback carries, such as a company's id
a callback that names the host to ask
an approval that was requested and not yet given
a callback that is delivered twice
a client secret of special characters, at a server that decodes none
an entry that spells out habits which discovery says otherwise
scopes are separated by %20
a probe in GraphQL, with braces
an API key that travels as Basic, made of two fields
a host that a call after consent names
several values of the chosen workspace
a server that takes only private_key_jwt or mutual TLS
"""
