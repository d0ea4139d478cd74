"""What providers and people really do: each failure that was reported of software of this kind, as tests of its kind.

The provider is a real HTTP server with the habit in question. Rows tell what was done; the tests below show what comes
of it here. ``test_cases`` holds the table to the truth. What is proven elsewhere is pointed at there.

a plain answer, for comparison
    tests/field/test_token_answers.py::test_a_plain_answer_connects_refreshes_and_vends
an expiry of 0, "0", -1 or null that means "never", or that means nothing
    tests/field/test_lifetimes.py::test_an_expiry_that_says_nothing_ends_nothing_while_probes_prove_it
    tests/field/test_lifetimes.py::test_an_expiry_that_says_nothing_leaves_the_catalogue_s_word
    tests/field/test_lifetimes.py::test_an_entry_can_say_that_a_value_means_never
    tests/field/test_lifetimes.py::test_any_unit_field_and_moment_can_be_said
    tests/field/test_lifetimes.py::test_a_proof_of_life_is_worth_more_than_an_end_that_was_announced
    tests/field/test_lifetimes.py::test_a_proof_of_life_makes_nothing_endless_that_is_to_end
    tests/field/test_lifetimes.py::test_what_cannot_be_refreshed_is_probed_as_soon_as_it_has_ended
    tests/field/test_lifetimes.py::test_the_announced_end_of_a_refresh_token_is_kept_shown_and_met_in_time
    tests/field/test_lifetimes.py::test_an_end_that_later_answers_do_not_repeat_counts_down
    tests/field/test_lifetimes.py::test_an_idle_time_begins_anew_with_each_refresh_and_the_grant_s_end_does_not
    tests/field/test_lifetimes.py::test_an_entry_can_say_where_the_end_of_the_refresh_token_is_told
the tokens inside an envelope, on the refresh as on the exchange
    tests/field/test_unread_answers.py::test_an_unread_answer_is_kept_and_the_used_refresh_token_is_not_shown_again
    tests/field/test_unread_answers.py::test_the_valid_token_is_vended_while_an_answer_waits
    tests/field/test_unread_answers.py::test_a_renewal_that_brings_no_refresh_token_keeps_the_answer_that_waits
    tests/field/test_unread_answers.py::test_it_is_read_by_the_command_once_the_entry_is_mended
    tests/field/test_unread_answers.py::test_it_is_read_by_itself_once_the_entry_is_mended
    tests/field/test_unread_answers.py::test_what_is_read_has_the_scopes_of_its_parent_unless_it_names_its_own
    tests/field/test_unread_answers.py::test_an_operator_reads_or_discards_it_on_its_page
    tests/field/test_unread_answers.py::test_a_vend_that_needs_it_reads_it_too
    tests/field/test_unread_answers.py::test_a_discarded_answer_lets_the_refresh_go_on_and_its_refusal_is_not_called_lost
    tests/field/test_unread_answers.py::test_a_page_for_people_is_kept_and_holds_nothing_back
    tests/field/test_unread_answers.py::test_a_refusal_after_a_page_for_people_is_not_called_lost
    tests/field/test_unread_answers.py::test_a_provider_with_a_grace_is_asked_again_while_it_lasts
    tests/field/test_unread_answers.py::test_a_page_for_people_does_not_take_the_place_of_an_answer_with_tokens
    tests/field/test_unread_answers.py::test_where_nothing_rotates_a_plain_retry_stays_right
    tests/field/test_unread_answers.py::test_a_machine_simply_asks_again
    tests/field/test_unread_answers.py::test_a_reconnect_and_a_disconnection_destroy_it
    tests/field/test_unread_answers.py::test_nothing_of_it_is_shown_anywhere
    tests/field/test_unread_answers.py::test_what_came_for_a_code_is_kept_and_the_same_confirmation_reads_it
    tests/field/test_unread_answers.py::test_what_came_for_a_code_is_read_for_the_party_alone_that_gave_it
    tests/field/test_unread_answers.py::test_where_nobody_confirms_what_came_for_a_code_is_not_kept
    tests/field/test_unread_answers.py::test_a_page_for_people_ends_the_session_as_before
    tests/field/test_token_answers.py::test_tokens_in_an_envelope_are_found_on_refresh_as_on_exchange
    tests/field/test_token_answers.py::test_tokens_at_the_top_of_a_refresh_are_found_although_the_code_brought_them_within
    tests/field/test_token_answers.py::test_a_machine_s_token_is_read_the_same_way
a token response in Latin-1, with a letter beyond ASCII beside the tokens
    tests/field/test_token_answers.py::test_no_charset_and_no_coding_costs_a_token
a token response that is form-encoded
    tests/field/test_token_answers.py::test_a_form_or_a_wrapper_is_read_as_every_client_reads_it
    tests/field/test_token_answers.py::test_an_error_that_says_there_is_none_is_none
    tests/field/test_token_answers.py::test_tokens_within_a_page_are_not_taken_from_beside_an_error
    tests/field/test_token_answers.py::test_a_form_encoded_refusal_is_a_refusal
a token so fresh that the first call with it is refused
    tests/field/test_fresh_tokens.py::test_a_token_that_is_refused_at_first_is_looked_at_again
    tests/field/test_fresh_tokens.py::test_a_refusal_by_the_entrys_own_sign_is_looked_at_again
    tests/field/test_fresh_tokens.py::test_a_token_that_stays_refused_connects_nothing_and_is_not_revoked
    tests/field/test_fresh_tokens.py::test_a_provider_that_fails_at_the_second_look_decides_nothing
    tests/field/test_fresh_tokens.py::test_the_list_of_workspaces_is_asked_for_again
    tests/field/test_fresh_tokens.py::test_what_was_kept_is_tried_at_the_party_alone_that_gave_it
    tests/field/test_fresh_tokens.py::test_a_typed_key_is_tried_twice
    tests/field/test_fresh_tokens.py::test_a_token_that_stays_refused_is_told_on_the_page_where_nobody_confirms
a code exchange that the provider never saw, or turned away with a 429
    tests/field/test_unspent_codes.py::test_a_code_that_was_never_sent_is_exchanged_later
    tests/field/test_unspent_codes.py::test_nothing_that_fails_before_the_request_spends_a_code
    tests/field/test_unspent_codes.py::test_a_code_that_was_turned_away_unread_is_exchanged_later
    tests/field/test_unspent_codes.py::test_a_code_that_may_be_spent_is_never_sent_twice
    tests/field/test_unspent_codes.py::test_a_rule_of_the_entry_that_blames_us_spends_no_code_unless_the_server_fails
    tests/field/test_unspent_codes.py::test_a_refused_registration_spends_no_code
    tests/field/test_unspent_codes.py::test_an_app_that_lost_its_client_id_spends_no_code
    tests/field/test_unspent_codes.py::test_what_is_put_back_ends_with_the_hold
    tests/field/test_unspent_codes.py::test_what_is_put_back_answers_to_its_own_user_alone
    tests/field/test_unspent_codes.py::test_where_nobody_confirms_the_same_browser_may_try_again
    tests/field/test_unspent_codes.py::test_a_session_that_needs_a_confirmation_is_not_finished_by_the_browser
a dead refresh token told as invalid_request, and other codes of RFC 6749 that nobody expects there
    tests/field/test_refused_without_end.py::test_a_connection_that_cannot_be_refreshed_is_not_green_when_its_token_has_run_out
    tests/field/test_refused_without_end.py::test_a_refresh_that_wants_the_end_user_is_the_grants_end_at_the_second_time
    tests/field/test_refused_without_end.py::test_an_oauth_error_answers_the_attempt_and_leaves_no_doubt
    tests/field/test_refused_without_end.py::test_refusals_without_end_are_the_end_of_the_grant
    tests/field/test_refused_without_end.py::test_a_page_or_a_ban_is_never_the_end_of_a_grant
    tests/field/test_refused_without_end.py::test_a_grant_whose_token_still_works_is_not_given_up
    tests/field/test_refused_without_end.py::test_a_provider_that_is_away_is_told_once_and_is_no_suspicion
    tests/field/test_refused_without_end.py::test_it_recovers_with_the_first_refresh_that_succeeds
    tests/field/test_refused_without_end.py::test_what_all_connections_of_an_app_are_told_ends_none_of_them
    tests/field/test_refused_without_end.py::test_a_client_refused_for_one_connection_alone_is_no_incident_of_the_app
    tests/field/test_refused_without_end.py::test_a_rule_of_the_entry_wins
    tests/field/test_refused_without_end.py::test_a_code_that_is_refused_in_other_words_ends_the_session_and_says_so
a grant whose end can be foreseen, and one that refreshes keep alive
    tests/field/test_forecast.py::test_an_absolute_lifetime_is_told_once_and_anew_of_a_new_grant
    tests/field/test_forecast.py::test_an_idle_limit_is_kept_alive_by_a_refresh_and_not_told
    tests/field/test_forecast.py::test_an_announced_end_that_counts_down_is_the_end_of_the_grant
    tests/field/test_forecast.py::test_an_announced_end_that_each_answer_moves_is_no_end
scopes that change at the provider while the connection lives
    tests/field/test_scope_drift.py::test_a_refresh_that_widens_or_narrows_is_told_once_each
    tests/field/test_scope_drift.py::test_other_names_of_the_same_scopes_are_no_drift
    tests/field/test_scope_drift.py::test_what_a_probe_names_is_told_once_in_each_direction
    tests/field/test_scope_drift.py::test_what_a_probe_has_told_a_refresh_does_not_tell_again
    tests/field/test_scope_drift.py::test_a_vend_that_needs_a_scope_that_is_gone_is_refused_until_it_is_back
    tests/field/test_scope_drift.py::test_a_refusal_for_want_of_a_granted_scope_shows_that_it_is_gone
    tests/field/test_scope_drift.py::test_a_refusal_that_proves_nothing_drifts_nothing
    tests/field/test_scope_drift.py::test_a_refusal_that_names_what_the_token_has_counts_as_such
    tests/field/test_scope_drift.py::test_connecting_again_forgets_what_was_observed_before
    tests/field/test_scope_drift.py::test_without_a_scope_that_the_app_requires_nothing_is_vended
    tests/field/test_scope_drift.py::test_an_app_that_begins_to_require_a_scope_stops_the_vends_that_lack_it
a second consent that brings no refresh token
    tests/field/test_second_consents.py::test_the_same_account_keeps_its_refresh_token
    tests/field/test_second_consents.py::test_a_new_refresh_token_takes_the_place_of_the_old_one
    tests/field/test_second_consents.py::test_what_is_known_of_the_kept_tokens_end_counts_from_when_it_came
    tests/field/test_second_consents.py::test_tokens_of_two_accounts_are_never_put_together
    tests/field/test_second_consents.py::test_a_refresh_token_is_not_kept_for_another_party_than_gave_it
    tests/field/test_second_consents.py::test_a_healthy_connection_of_an_unknown_account_stays_as_it_was
    tests/field/test_second_consents.py::test_a_refresh_token_that_was_refused_is_not_kept
    tests/field/test_second_consents.py::test_a_kept_token_that_waits_because_the_database_was_put_back_waits_on
    tests/field/test_second_consents.py::test_a_refresh_that_is_under_way_meanwhile_loses_no_rotated_token
    tests/field/test_second_consents.py::test_an_unreadable_answer_that_comes_meanwhile_holds_the_kept_token_back
    tests/field/test_second_consents.py::test_a_doubt_about_the_kept_token_stays_one
    tests/field/test_second_consents.py::test_a_connection_without_a_refresh_token_says_so_at_once
    tests/field/test_second_consents.py::test_only_a_refresh_token_that_was_to_be_expected_is_missed
    tests/field/test_second_consents.py::test_a_later_consent_that_brings_one_ends_the_notice
one of several connections to one account is disconnected
    tests/field/test_shared_grants.py::test_the_other_connection_of_the_account_lives_on
    tests/field/test_shared_grants.py::test_the_api_says_at_once_that_nothing_is_revoked
    tests/field/test_shared_grants.py::test_the_last_one_to_leave_revokes_the_grant
    tests/field/test_shared_grants.py::test_two_that_leave_at_once_do_not_rely_on_each_other
    tests/field/test_shared_grants.py::test_another_account_is_revoked_as_ever
    tests/field/test_shared_grants.py::test_one_that_connects_between_the_ending_and_its_revocation_lives_on
    tests/field/test_shared_grants.py::test_the_tenant_next_door_keeps_its_connection
    tests/field/test_shared_grants.py::test_where_nobody_knows_the_account_the_tenants_others_are_spared
    tests/field/test_shared_grants.py::test_where_an_account_is_a_workspace_its_people_are_taken_for_one
    tests/field/test_shared_grants.py::test_one_persons_grant_may_open_several_workspaces
    tests/field/test_shared_grants.py::test_one_whose_account_nobody_knows_is_spared_in_the_tenant
    tests/field/test_shared_grants.py::test_a_connection_that_is_over_keeps_nobody_from_revoking
    tests/field/test_shared_grants.py::test_one_token_alone_is_revoked_where_the_provider_can
    tests/field/test_shared_grants.py::test_an_entry_may_say_that_each_consent_stands_alone
    tests/field/test_shared_grants.py::test_what_was_withheld_stays_told_when_the_connection_goes_for_good
scopes that imply others, and are answered without them
    tests/field/test_scopes.py::test_a_connection_that_lacks_nothing_is_not_listed_as_lacking
    tests/field/test_scopes.py::test_a_scope_that_goes_by_another_name_is_not_missing
    tests/field/test_scopes.py::test_the_narrower_scope_never_stands_for_the_wider
    tests/field/test_scopes.py::test_a_scope_that_is_never_named_is_granted_only_where_it_was_asked_for
    tests/field/test_scopes.py::test_offline_access_is_missing_where_no_refresh_token_came
    tests/field/test_scopes.py::test_an_entry_that_learns_of_an_implication_mends_what_is_there
    tests/field/test_scopes.py::test_only_what_is_really_lost_on_a_refresh_is_told
    tests/field/test_scopes.py::test_only_what_is_really_gone_drifts
    tests/field/test_scopes.py::test_an_empty_list_of_scopes_is_empty_and_not_all
    tests/field/test_scopes.py::test_an_empty_list_means_all_where_the_entry_says_so
    tests/field/test_scopes.py::test_a_refresh_that_names_no_scopes_changes_none
    tests/field/test_scopes.py::test_a_session_that_asks_for_no_scopes_is_not_given_the_default_ones
an account without any site or workspace
    tests/field/test_end_users_conditions.py::test_an_account_that_has_nothing_to_connect_to_is_told_so
    tests/field/test_end_users_conditions.py::test_the_page_tells_the_end_user_what_to_do
    tests/field/test_end_users_conditions.py::test_sites_that_the_entry_cannot_name_are_not_blamed_on_the_account
    tests/field/test_end_users_conditions.py::test_once_there_is_a_site_connecting_works
    tests/field/test_end_users_conditions.py::test_a_call_that_the_account_may_not_make_is_no_refusal_of_the_credential
    tests/field/test_end_users_conditions.py::test_a_renewal_by_an_account_that_may_not_say_who_it_is_changes_nothing
parameters that only the callback carries, such as a company's id
    tests/field/test_callback.py::test_a_companys_id_from_the_callback_is_the_connections
    tests/field/test_callback.py::test_without_a_companys_id_nothing_is_sent_and_the_next_try_works
    tests/field/test_callback.py::test_a_companys_id_that_is_there_twice_is_refused
    tests/field/test_callback.py::test_two_companies_of_one_person_are_two_connections
    tests/field/test_callback.py::test_a_reconnect_to_another_company_is_another_account
    tests/field/test_callback.py::test_a_reconnect_that_is_told_no_company_keeps_its_own
    tests/field/test_callback.py::test_a_company_that_the_session_fixes_is_not_replaced
    tests/field/test_callback.py::test_a_code_and_a_state_may_have_other_names
a callback that names the host to ask
    tests/field/test_callback.py::test_a_host_is_chosen_by_the_callback_out_of_the_entrys_list
    tests/field/test_callback.py::test_a_host_that_is_not_on_the_list_is_refused_before_any_request
an approval that was requested and not yet given
    tests/field/test_callback.py::test_a_requested_approval_is_told_as_that_and_can_be_tried_again
    tests/field/test_callback.py::test_an_entry_may_say_what_means_approval
a callback that is delivered twice
    tests/field/test_callback.py::test_the_same_browser_gets_the_same_completion_code_while_the_first_one_is_held
    tests/field/test_callback.py::test_after_the_connection_is_made_the_same_browser_is_told_so
    tests/field/test_callback.py::test_a_refusal_that_is_delivered_twice_is_told_twice
    tests/field/test_callback.py::test_a_session_that_has_failed_says_so_again
    tests/field/test_callback.py::test_while_it_is_exchanged_the_same_browser_is_sent_back_with_the_same_code
    tests/field/test_callback.py::test_a_stranger_who_brings_the_same_answer_is_refused_under_nobodys_brand
a client secret of special characters, at a server that decodes none
    tests/field/test_entry_language.py::test_basic_goes_encoded_or_as_it_is_as_the_entry_says
an entry that spells out habits which discovery says otherwise
    tests/field/test_discovery.py::test_what_the_entry_spells_out_wins_over_the_metadata
    tests/field/test_discovery.py::test_a_promise_of_iss_is_kept_to_unless_the_entry_knows_better
    tests/field/test_discovery.py::test_what_is_overruled_is_told_by_the_commands
    tests/field/test_discovery.py::test_metadata_that_lists_no_s256_does_not_switch_pkce_off
a second consent that brings the new scopes alone
    tests/field/test_added_scopes.py::test_only_the_new_scope_is_asked_for_where_the_provider_adds
    tests/field/test_added_scopes.py::test_an_answer_that_names_less_than_the_connection_has_is_not_used
    tests/field/test_added_scopes.py::test_a_wider_scope_loses_nothing
    tests/field/test_added_scopes.py::test_a_grant_that_is_over_is_asked_for_whole_even_where_the_provider_adds
    tests/field/test_added_scopes.py::test_where_a_grant_replaces_the_earlier_one_everything_is_asked_for
    tests/field/test_added_scopes.py::test_an_ordinary_session_adds_nothing
scopes are separated by %20
    tests/field/test_scopes.py::test_spaces_in_the_authorization_request_are_percent_20
    tests/field/test_scopes.py::test_spaces_in_the_query_of_a_call_are_percent_20
a probe in GraphQL, with braces
    tests/field/test_entry_language.py::test_a_probe_posts_json_with_braces_and_nesting
    tests/field/test_entry_language.py::test_a_probe_posts_a_form_and_headers_of_its_own
    tests/field/test_entry_language.py::test_a_probe_that_can_never_work_is_refused
an API key that travels as Basic, made of two fields
    tests/field/test_entry_language.py::test_a_key_travels_as_basic_made_of_its_fields
    tests/field/test_entry_language.py::test_a_template_that_can_never_work_is_refused
a host that a call after consent names
    tests/field/test_entry_language.py::test_a_call_after_consent_names_the_host
    tests/field/test_entry_language.py::test_a_host_that_the_entry_does_not_allow_is_never_taken
    tests/field/test_entry_language.py::test_what_the_entry_looks_for_in_vain_is_told_as_the_entry_s_fault
    tests/field/test_typed_hosts.py::test_a_shared_secret_never_goes_to_a_host_that_an_end_user_types
    tests/field/test_typed_hosts.py::test_a_host_that_an_end_user_typed_opens_no_incident_for_others
several values of the chosen workspace
    tests/field/test_entry_language.py::test_an_entry_that_begins_to_need_what_was_never_kept_is_told_and_ends_nothing
    tests/field/test_entry_language.py::test_a_nested_value_of_the_token_response_is_kept
    tests/field/test_entry_language.py::test_several_values_of_the_only_workspace_are_taken
    tests/field/test_entry_language.py::test_several_values_of_the_chosen_workspace_are_taken
    tests/field/test_entry_language.py::test_a_workspace_at_a_foreign_host_is_never_taken
    tests/field/test_entry_language.py::test_values_of_a_workspace_are_checked
a server that takes only private_key_jwt or mutual TLS
    tests/field/test_discovery.py::test_a_server_that_wants_what_we_do_not_speak_is_told_so
    tests/field/test_discovery.py::test_a_token_that_is_bound_to_a_key_is_told_and_not_vended_as_a_bearer_s
    tests/field/test_discovery.py::test_a_refresh_that_brings_a_bound_token_loses_no_refresh_token
    tests/field/test_discovery.py::test_a_server_that_wants_a_proof_by_a_key_blames_no_grant
an account that only a signature tells: an ID token, a signed userinfo
    tests/field/test_identity.py::test_the_account_is_the_id_token_s_where_nothing_else_tells_it
    tests/field/test_identity.py::test_every_public_algorithm_is_taken
    tests/field/test_identity.py::test_what_the_specification_allows_is_believed
    tests/field/test_identity.py::test_an_id_token_that_does_not_hold_names_no_account
    tests/field/test_identity.py::test_keys_that_cannot_be_had_cost_the_account_and_not_the_connection
    tests/field/test_identity.py::test_new_keys_are_looked_for_when_one_is_not_known
    tests/field/test_identity.py::test_a_reconnect_is_compared_with_the_account_that_was_signed_for
    tests/field/test_identity.py::test_a_reconnect_waits_for_keys_that_cannot_be_had
    tests/field/test_identity.py::test_a_better_source_comes_first
    tests/field/test_identity.py::test_a_userinfo_that_cannot_answer_is_stood_in_for_by_the_id_token
    tests/field/test_identity.py::test_a_userinfo_about_another_account_than_the_id_token_connects_nothing
    tests/field/test_identity.py::test_a_signed_userinfo_names_the_account
    tests/field/test_identity.py::test_a_userinfo_whose_signature_does_not_hold_proves_nothing
    tests/field/test_identity.py::test_the_id_token_is_in_no_row_and_no_log
an ID token that belongs to another authorization request
    tests/field/test_nonce.py::test_each_request_of_openid_has_a_nonce_of_its_own
    tests/field/test_nonce.py::test_a_nonce_goes_where_an_id_token_is_asked_for
    tests/field/test_nonce.py::test_an_id_token_that_repeats_the_nonce_names_the_account
    tests/field/test_nonce.py::test_an_id_token_of_another_request_connects_nothing
    tests/field/test_nonce.py::test_a_code_of_another_session_is_recognized_without_pkce
    tests/field/test_nonce.py::test_a_server_that_repeats_no_nonce_is_believed_where_pkce_binds_the_code
    tests/field/test_nonce.py::test_what_is_no_id_token_costs_nothing
    tests/field/test_nonce.py::test_where_no_id_token_was_asked_for_its_nonce_says_nothing
    tests/field/test_nonce.py::test_an_answer_that_is_read_later_has_to_repeat_it_too
a provider with a way to sign in that no standard describes
    tests/field/test_a_new_style.py::test_it_is_connected_through_the_widget_and_vended
    tests/field/test_a_new_style.py::test_a_wrong_password_is_told_and_nothing_is_held
    tests/field/test_a_new_style.py::test_it_is_refreshed_by_the_same_call
    tests/field/test_a_new_style.py::test_a_password_that_is_refused_twice_ends_it
    tests/field/test_a_new_style.py::test_it_is_probed_with_what_it_has
    tests/field/test_a_new_style.py::test_operators_see_it_and_what_comes_next
    tests/field/test_a_new_style.py::test_callers_are_told_what_its_form_asks
    tests/field/test_a_new_style.py::test_it_is_disconnected_though_nothing_can_revoke_it
a grant that grows or shrinks at a refresh, at a probe, or behind everybody's back
    tests/field/test_scope_drift.py::test_a_refresh_that_widens_or_narrows_is_told_once_each
    tests/field/test_scope_drift.py::test_other_names_of_the_same_scopes_are_no_drift
    tests/field/test_scope_drift.py::test_what_a_probe_names_is_told_once_in_each_direction
    tests/field/test_scope_drift.py::test_what_a_probe_has_told_a_refresh_does_not_tell_again
    tests/field/test_scope_drift.py::test_a_vend_that_needs_a_scope_that_is_gone_is_refused_until_it_is_back
    tests/field/test_scope_drift.py::test_a_refusal_for_want_of_a_granted_scope_shows_that_it_is_gone
    tests/field/test_scope_drift.py::test_a_refusal_that_proves_nothing_drifts_nothing
    tests/field/test_scope_drift.py::test_a_refusal_that_names_what_the_token_has_counts_as_such
    tests/field/test_scope_drift.py::test_connecting_again_forgets_what_was_observed_before
    tests/field/test_scope_drift.py::test_without_a_scope_that_the_app_requires_nothing_is_vended
    tests/field/test_scope_drift.py::test_an_app_that_begins_to_require_a_scope_stops_the_vends_that_lack_it
an end user who is asked for more than was granted before
    tests/field/test_added_scopes.py::test_only_the_new_scope_is_asked_for_where_the_provider_adds
    tests/field/test_added_scopes.py::test_an_answer_that_names_less_than_the_connection_has_is_not_used
    tests/field/test_added_scopes.py::test_a_wider_scope_loses_nothing
    tests/field/test_added_scopes.py::test_a_grant_that_is_over_is_asked_for_whole_even_where_the_provider_adds
    tests/field/test_added_scopes.py::test_where_a_grant_replaces_the_earlier_one_everything_is_asked_for
    tests/field/test_added_scopes.py::test_an_ordinary_session_adds_nothing
whatever may happen while an end user is asked for more
    tests/field/test_added_scopes_races.py::test_a_refresh_of_the_grant_before_that_is_answered_late_takes_nothing_back
    tests/field/test_added_scopes_races.py::test_a_late_answer_to_the_refresh_token_that_is_kept_loses_no_scope
    tests/field/test_added_scopes_races.py::test_a_late_answer_to_the_refresh_token_that_is_kept_brings_no_scope_back
    tests/field/test_added_scopes_races.py::test_a_connection_that_ends_while_its_end_user_allows_more_stays_ended
    tests/field/test_added_scopes_races.py::test_a_connection_that_ends_while_the_code_is_exchanged_stays_ended
    tests/field/test_added_scopes_races.py::test_what_was_allowed_for_one_account_is_not_added_to_another
    tests/field/test_added_scopes_races.py::test_of_two_additions_at_once_neither_costs_what_the_other_brought
    tests/field/test_added_scopes_races.py::test_an_answer_that_names_no_scopes_grants_what_was_asked_for_and_no_more
    tests/field/test_added_scopes_races.py::test_what_an_operator_changes_meanwhile_was_not_asked_for
    tests/field/test_added_scopes_races.py::test_a_refresh_that_narrows_meanwhile_does_not_narrow_what_is_allowed_anew
a grant that will end on a day that can be known
    tests/field/test_forecast.py::test_an_absolute_lifetime_is_told_once_and_anew_of_a_new_grant
    tests/field/test_forecast.py::test_an_idle_limit_is_kept_alive_by_a_refresh_and_not_told
    tests/field/test_forecast.py::test_an_announced_end_that_counts_down_is_the_end_of_the_grant
    tests/field/test_forecast.py::test_an_announced_end_that_each_answer_moves_is_no_end
"""
