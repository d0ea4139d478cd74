"""A believable installation to look at and to measure: many tenants, thousands of connections, and a week behind them.

Everything is made up, and nothing is a provider's: no secret works anywhere. It is sealed as real ones are, so that
every page and call finds what it would find. What chance decides follows from a seed; ciphertexts alone never repeat.

- ``names``: the words · ``chance``: what a seed decides · ``rows``: many rows at once, with their own moments
- ``ground``: tenants, brands, provider apps, API clients, webhook endpoints
- ``grants``: the connections and their credentials · ``troubles``: which are unwell, and why
- ``history``: a week of refreshes, vends, probes and events · ``visits``: connect sessions, failed ones too
- ``beside``: access grants, approvals, deliveries, offboardings, imports, background jobs
- ``noticed``: incidents, suspicious use, canaries, pushes of providers, and the mail about them
- ``lay_out``: all of it, in order
"""
