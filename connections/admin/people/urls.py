"""The addresses of people's own accounts, below ``/admin/``. There are no others of django-allauth's.

Names are theirs where they are looked up by them. There is no signing up, no e-mail, and no password by mail.
"""

from allauth.account import views as account
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from connections.admin.people import account_page, first, sso_pages

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("first/", first.first_operator, name="first_operator"),
    path("password_change/", admin.site.admin_view(account_page.change_password), name="own_password"),
    path("account/prove/", account.reauthenticate, name="account_reauthenticate"),
    path("account/sessions/<int:session_id>/end/", account_page.end_session, name="end_session"),
    path("account/sessions/end-others/", account_page.end_others, name="end_other_sessions"),
    path("account/sso/", sso_pages.login, name="staff_sso"),
    path("account/sso/prove/", sso_pages.prove, name="staff_sso_prove"),
    path("account/sso/link/", sso_pages.link, name="staff_sso_link"),
    path("account/sso/<int:link_id>/cut/", account_page.cut, name="staff_sso_cut"),
    path("account/sso/callback/", sso_pages.callback, name="staff_sso_callback"),
    path("account/", account_page.account, name="mfa_index"),
    path("account/webauthn/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("account/", include("allauth.mfa.urls")),
]
