"""Every fault that the promises of refresh, liveness and the vault must withstand, each as a named test.

A fault and what must hold after it are defined once, in ``connections/drills``, and played here by
``test_scenarios``: against real PostgreSQL and Valkey, a real HTTP provider that is told to misbehave, and a process
that is really killed or stopped. The other tests of this folder need what a drill does not have: random bodies, another
catalogue, a trusted authority (``test_answers``, ``test_reach``), a process that does not start (``test_keys``), a
worker, a beat and a broker to break (``test_broker``). ``tests/campaigns`` plays the same faults many times over, at
random instants. ``test_matrix`` holds the table to the truth. What is proven elsewhere is pointed at, not tested twice.

killed between the provider's 200 and the commit: promoted, else retried, else told as lost_in_flight
    tests/faults/test_scenarios.py::test_the_promise_is_kept[killed]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[killed-strict]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[killed-stored]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[together-killed-claimed]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[together-killed-stored]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[database-away]
    tests/processes/test_presence.py::test_a_killed_process_s_refresh_is_retried_within_seconds
    tests/processes/test_restart.py::test_none_is_stuck_for_longer_than_twice_the_lease
the body trickles: left at the total deadline, in doubt
    tests/faults/test_scenarios.py::test_the_promise_is_kept[trickle]
    tests/providers/test_egress_limits.py::test_deadline_holds_against_a_trickled_body
200 with HTML, invalid JSON, a list, null, no access_token: the current one kept, in doubt, evidence redacted
    tests/faults/test_scenarios.py::test_the_promise_is_kept[malformed]
    tests/faults/test_answers.py::test_no_body_whatever_damages_the_state
    tests/providers/oauth/test_token_response.py::test_any_answer_is_a_token_or_a_named_failure
200 with an error field: as the catalogue says
    tests/faults/test_scenarios.py::test_the_promise_is_kept[error-in-200]
    tests/faults/test_answers.py::test_an_error_in_a_200_means_what_the_catalogue_says
5xx: backoff with jitter, the valid token still vends
    tests/faults/test_scenarios.py::test_the_promise_is_kept[server-errors]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[no-verdict]
429: Retry-After obeyed in both forms, capped, for the whole provider app
    tests/faults/test_scenarios.py::test_the_promise_is_kept[rate-limited-app]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[rate-limited]
    tests/providers/oauth/test_classify.py::test_reads_retry_after_as_a_date_by_the_clock_of_the_answer
DNS, connect and TLS failures: not sent, so not in doubt; verification never skipped
    tests/faults/test_scenarios.py::test_the_promise_is_kept[unreachable]
    tests/faults/test_reach.py::test_a_certificate_that_does_not_hold_gets_no_token
    tests/faults/test_reach.py::test_the_authority_is_trusted_where_the_certificate_holds
    tests/faults/test_scenarios.py::test_the_promise_is_kept[unverified]
    tests/providers/test_egress_tls.py::test_environment_cannot_add_an_authority
a rotated token is lost at a strict provider: one honest state, one notice, no storm
    tests/faults/test_scenarios.py::test_the_promise_is_kept[lost-answer]
the grant is revoked without a word: suspected, decided by a second refusal, told once
    tests/faults/test_scenarios.py::test_the_promise_is_kept[revoked]
    tests/campaigns/test_faults_short.py::test_the_promise_holds_at_scale[revocation]
two workers, two beats: one request, the others leave cleanly
    tests/faults/test_scenarios.py::test_the_promise_is_kept[rivals]
    tests/processes/test_one_in_flight.py::test_many_workers_and_two_beats_never_overlap_on_hot_connections
    tests/processes/test_one_in_flight.py::test_many_vends_of_one_expired_connection_send_one_request
paused before the send: nothing is sent
    tests/faults/test_scenarios.py::test_the_promise_is_kept[stopped-before-send]
    tests/providers/test_send_window.py::test_the_time_that_connecting_takes_counts
paused after the send: the late answer is stored and promoted
    tests/faults/test_scenarios.py::test_the_promise_is_kept[stopped-after-send]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[overtaken]
    tests/processes/test_presence.py::test_a_stopped_process_keeps_its_lock_and_its_refresh
the database restarts in the middle: stored on a new connection, else in the spool
    tests/faults/test_scenarios.py::test_the_promise_is_kept[database-cut]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[together-cut]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[database-away]
    tests/campaigns/test_faults_short.py::test_the_promise_holds_at_scale[restarts]
    tests/processes/test_presence.py::test_no_living_process_is_taken_for_dead_when_the_database_comes_back
Redis is down, or flushed: vends go on, the next sweep catches up, nothing is doubled
    tests/faults/test_scenarios.py::test_the_promise_is_kept[broker-away]
    tests/faults/test_broker.py::test_without_a_broker_vends_go_on_and_the_next_sweep_catches_up
    tests/faults/test_broker.py::test_a_flush_in_the_middle_loses_and_doubles_nothing
    tests/connections/lifecycle/test_sweep.py::test_a_broker_that_is_down_loses_nothing_and_keeps_nobody_waiting
a poison message, a message delivered again: rejected; a no-op by version
    tests/faults/test_broker.py::test_poison_is_rejected_and_the_worker_goes_on
    tests/faults/test_broker.py::test_what_is_no_message_is_dropped_and_the_worker_goes_on
    tests/faults/test_scenarios.py::test_the_promise_is_kept[redelivered]
    tests/faults/test_broker.py::test_a_message_that_is_delivered_again_does_nothing_twice
an expiry of 0, negative, NaN, text, missing: clamped, and never a hot loop
    tests/faults/test_scenarios.py::test_the_promise_is_kept[odd-lifetimes]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[impatient-caller]
the scope is narrowed: stored, told, and vends that need it refused
    tests/faults/test_scenarios.py::test_the_promise_is_kept[narrowed-scope]
a token type that is none: nothing is lost by it
    tests/faults/test_scenarios.py::test_the_promise_is_kept[odd-token-types]
a huge body, a gzip bomb: left at the cap on decoded bytes
    tests/faults/test_scenarios.py::test_the_promise_is_kept[huge]
    tests/providers/test_egress_limits.py::test_gzip_bomb_stops_at_the_cap_on_decoded_bytes
a redirect at the token endpoint: refused, and nothing reaches its target
    tests/faults/test_scenarios.py::test_the_promise_is_kept[redirect]
    tests/providers/test_egress.py::test_redirect_is_refused_and_nothing_reaches_its_target
an import is killed in the middle, again and again: the report is right, no token lost, none sent twice
    tests/campaigns/test_faults_short.py::test_the_promise_holds_at_scale[imports]
very many expire together: spread by jitter, the provider's limit kept, and no vend queues behind the sweep
    tests/campaigns/test_faults_short.py::test_the_promise_holds_at_scale[herd]
a key is missing at boot, a ciphertext is damaged: unready; the row undecryptable, nothing marked dead
    tests/faults/test_keys.py::test_no_process_starts_without_its_keys
    tests/faults/test_scenarios.py::test_the_promise_is_kept[corrupt-row]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[corrupt-row-swept]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[corrupt-key]
    tests/faults/test_scenarios.py::test_the_promise_is_kept[missing-key]
    tests/connections/lifecycle/health/test_undecryptable.py::test_a_vend_that_finds_it_tells_once_until_it_opens_again
    tests/connections/api/test_health.py::test_a_wrong_key_fails_readiness_and_ends_no_connection
invalid_client on every connection: one incident on the provider app, and no connection downgraded
    tests/faults/test_scenarios.py::test_the_promise_is_kept[client-rejected]
"""
