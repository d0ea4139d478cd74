"""The hosted widget: the pages that an end user sees while connecting; white-label, with no third-party asset.

- ``urls``: the addresses · ``views``: from the invitation to the provider · ``callback_views``: the provider's answer
- ``device_views``: a code to enter at the provider · ``outcome_views``: where a session stands ·
  ``workspace_views``: the choice of a workspace · ``mend_views``: what is wrong with a connection ·
  ``approval_views``: where an approval is given
- ``manage_views``: an end user's own connections; ``manage_pages``: rendering them, for one browser alone;
  ``manage_words``: their words
- ``script_views``: the script that opens the widget over a product's own page
- ``picture_views``: logos and favicons · ``preview_views``: pages under a brand that is not saved yet
- ``language``: which language a page is in
- ``finish``: the return to the operator · ``pages``: one function a page · ``words``: the words of every failure
- ``categories``: what the catalogue's categories are called
- ``decorators``: the headers of every page, and what every POST must bring · ``cookies``: one session, one browser
- ``icon_views``: the icons of providers, by address
- ``sender``: whether our own page sent a form
"""
