"""The hosted widget: the pages that an end user sees while connecting; white-label, with no third-party asset.

- ``urls``: the addresses · ``views``: from the invitation to the provider · ``callback_views``: the provider's answer
- ``outcome_views``: where a session stands · ``workspace_views``: which workspace? · ``finish``: the end of the widget
- ``pages``: one function a page · ``words``: what they say when something does not go on
- ``decorators``: what every page sends along · ``cookies``: one session, one browser
- ``sender``: did our page send this?
"""
