"""Every fault that the promises of refresh, liveness and the vault must withstand, each as a named test.

Against real PostgreSQL and Valkey, a real HTTP provider that is told to misbehave, and real processes wherever more
than one matters. What the provider's own log says and what the database says is asserted, both. ``test_matrix`` holds
the table to the truth. What is proven elsewhere is pointed at there, and not tested twice.

killed between the provider's 200 and the commit: promoted, else retried, else told as lost_in_flight
    tests/faults/test_killed_and_paused.py::test_killed_with_the_answer_in_hand_at_a_provider_with_grace_retries_the_old_token
    tests/faults/test_killed_and_paused.py::test_killed_with_the_answer_in_hand_at_a_strict_provider_is_told_as_lost_in_flight
    tests/faults/test_killed_and_paused.py::test_killed_between_store_and_promotion_is_promoted_without_another_request
    tests/faults/test_database.py::test_a_database_that_stays_away_gets_the_answer_from_the_spool_even_of_a_dead_worker
    tests/processes/test_presence.py::test_a_killed_process_s_refresh_is_retried_within_seconds
    tests/processes/test_restart.py::test_none_is_stuck_for_longer_than_twice_the_lease
the body trickles: left at the total deadline, in doubt
    tests/faults/test_answers.py::test_a_body_that_trickles_is_left_at_the_deadline_and_in_doubt
    tests/providers/test_egress_limits.py::test_deadline_holds_against_a_trickled_body
200 with HTML, invalid JSON, a list, null, no access_token: the current one kept, in doubt, evidence redacted
    tests/faults/test_answers.py::test_a_malformed_success_keeps_the_current_token_and_evidence_without_its_text
    tests/faults/test_answers.py::test_no_body_whatever_damages_the_state
    tests/providers/oauth/test_token_response.py::test_any_answer_is_a_token_or_a_named_failure
200 with an error field: as the catalogue says
    tests/faults/test_answers.py::test_an_error_in_a_200_means_what_the_catalogue_says
5xx: backoff with jitter, the valid token still vends
    tests/faults/test_answers.py::test_a_provider_that_is_down_is_asked_less_and_less_and_the_valid_token_is_vended
429: Retry-After obeyed in both forms, capped, for the whole provider app
    tests/faults/test_throttled.py::test_a_429_holds_back_the_whole_provider_app_and_no_other
    tests/faults/test_answers.py::test_a_429_is_obeyed_in_both_forms_and_capped
    tests/providers/oauth/test_classify.py::test_reads_retry_after_as_a_date_by_the_clock_of_the_answer
DNS, connect and TLS failures: not sent, so not in doubt; verification never skipped
    tests/faults/test_reach.py::test_a_name_that_does_not_exist_and_a_closed_port_are_not_in_doubt
    tests/faults/test_reach.py::test_a_server_that_does_not_accept_in_time_is_not_in_doubt
    tests/faults/test_reach.py::test_a_certificate_that_does_not_hold_gets_no_token
    tests/faults/test_reach.py::test_a_server_without_tls_gets_no_token
    tests/providers/test_egress_tls.py::test_environment_cannot_add_an_authority
a rotated token is lost at a strict provider: one honest state, one notice, no storm
    tests/faults/test_many.py::test_a_lost_answer_at_a_strict_provider_ends_in_one_honest_state_without_a_storm
two workers, two beats: one request, the others leave cleanly
    tests/processes/test_one_in_flight.py::test_many_workers_and_two_beats_never_overlap_on_hot_connections
    tests/processes/test_one_in_flight.py::test_many_vends_of_one_expired_connection_send_one_request
paused before the send: nothing is sent
    tests/faults/test_killed_and_paused.py::test_paused_before_the_send_it_sends_nothing_any_more
    tests/providers/test_send_window.py::test_the_time_that_connecting_takes_counts
paused after the send: the late answer is stored and promoted
    tests/faults/test_killed_and_paused.py::test_paused_after_the_send_its_late_answer_is_stored_and_promoted
    tests/faults/test_killed_and_paused.py::test_paused_and_overtaken_its_late_answer_is_used_when_the_current_one_is_refused
    tests/processes/test_presence.py::test_a_stopped_process_keeps_its_lock_and_its_refresh
the database restarts in the middle: stored on a new connection, else in the spool
    tests/faults/test_database.py::test_a_database_that_restarts_in_the_middle_takes_the_answer_on_a_new_connection
    tests/faults/test_database.py::test_a_database_that_stays_away_gets_the_answer_from_the_spool_even_of_a_dead_worker
    tests/processes/test_presence.py::test_no_living_process_is_taken_for_dead_when_the_database_comes_back
Redis is down, or flushed: vends go on, the next sweep catches up, nothing is doubled
    tests/faults/test_broker.py::test_without_a_broker_vends_go_on_and_the_next_sweep_catches_up
    tests/faults/test_broker.py::test_a_flush_in_the_middle_loses_and_doubles_nothing
    tests/connections/lifecycle/test_sweep.py::test_a_broker_that_is_down_loses_nothing
a poison message, a message delivered again: rejected; a no-op by version
    tests/faults/test_broker.py::test_poison_is_rejected_and_the_worker_goes_on
    tests/faults/test_broker.py::test_what_is_no_message_is_dropped_and_the_worker_goes_on
    tests/faults/test_broker.py::test_a_message_that_is_delivered_again_does_nothing_twice
an expiry of 0, negative, NaN, text, missing: clamped, and never a hot loop
    tests/faults/test_answers.py::test_an_odd_expiry_is_clamped_and_never_makes_a_hot_loop
    tests/faults/test_answers.py::test_a_caller_that_wants_more_time_than_the_provider_gives_makes_no_hot_loop
the scope is narrowed: stored, told, and vends that need it refused
    tests/faults/test_answers.py::test_a_narrowed_scope_is_stored_and_told_and_refuses_the_vends_that_need_it
a token type that is none: nothing is lost by it
    tests/faults/test_answers.py::test_an_odd_token_type_costs_nothing
a huge body, a gzip bomb: left at the cap on decoded bytes
    tests/faults/test_answers.py::test_a_gibibyte_is_left_at_the_cap
    tests/providers/test_egress_limits.py::test_gzip_bomb_stops_at_the_cap_on_decoded_bytes
a redirect at the token endpoint: refused, and nothing reaches its target
    tests/faults/test_answers.py::test_a_redirect_is_refused_and_its_target_sees_nothing
    tests/providers/test_egress.py::test_redirect_is_refused_and_nothing_reaches_its_target
very many expire together: spread by jitter, the provider's limit kept, and no vend queues behind the sweep
    tests/faults/test_throttled.py::test_many_that_expire_together_keep_to_the_provider_s_limit_and_a_vend_goes_first
    tests/faults/test_many.py::test_many_that_expire_together_are_spread_and_no_vend_queues_behind_them
a key is missing at boot, a ciphertext is damaged: unready; the row undecryptable, nothing marked dead
    tests/faults/test_keys.py::test_no_process_starts_without_its_keys
    tests/faults/test_keys.py::test_a_flipped_byte_sends_nothing_and_ends_nothing
    tests/faults/test_keys.py::test_a_row_that_does_not_open_is_not_swept_in_a_hot_loop
    tests/faults/test_keys.py::test_a_damaged_data_key_ends_nothing_and_works_again_when_it_is_restored
    tests/connections/lifecycle/test_undecryptable.py::test_a_vend_that_finds_it_tells_once_until_it_opens_again
    tests/connections/api/test_health.py::test_a_wrong_key_fails_readiness_and_ends_no_connection
invalid_client on every connection: one incident on the provider app, and no connection downgraded
    tests/faults/test_many.py::test_a_wrong_client_secret_is_one_incident_and_downgrades_nobody
"""
