"""Notices: what has happened is mailed to the operator's people, once for one cause.

Promise: a notice is mailed at most once by itself. It is tried until the mail server has taken it or three days are
over; where a process dies or the line breaks while the server may be taking it, nobody can know what came of it, and
it is *perhaps sent*, which the admin shows, instead of sent twice. No work waits for a mail server. Comes in: notices
(``journal.notices``). Goes out: plain text by the mail server of ``EMAIL_URL``. Changes: notices.

- ``send``: hands over what is due, one at a time in each process · ``hand_over``: one mail, and what came of it
- ``order``: what operators order: a test mail, and a notice once more
"""
