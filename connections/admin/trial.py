"""Trials of provider apps: the button that begins one, the page to which it leads back, and the one that ends it."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from connections.access.staff import Staff, visible
from connections.admin import show
from connections.admin.base import operator_behind
from connections.admin.buttons import answer_by_form, press_url
from connections.database.clock import database_now
from connections.lifecycle.connect.exchange import ChoiceDue
from connections.lifecycle.steer.on_demand import Told
from connections.lifecycle.steer.trial import begin_trial, end_trial, finish_trial
from connections.models import ConnectSession, ProviderApp, SessionState, Tenant
from providers.catalog.loader import load_catalog

FINISH = "finish"
_PARAM = "param_"
ENDS_ASKS = "What the trial holds is destroyed. If it made a connection, that is disconnected, and the grant revoked."


class TrialForm(forms.Form):
    """Under which tenant's brand and rules, and what a product's backend would say with the session."""

    def __init__(self, app: ProviderApp, user: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._app, self._user = app, user
        if app.tenant_id is None:
            self.fields["tenant"] = forms.CharField(
                label="Tenant (slug)",
                help_text="Whose brand the pages have, and to whom the connection belongs until you end the trial.",
                max_length=64,
            )
        entry = load_catalog().get(app.provider)
        for param in () if entry is None else entry.invited_params(app.auth_style):
            self.fields[_PARAM + param.name] = forms.CharField(
                label=param.label,
                required=not param.default,
                initial=param.default,
                help_text=param.help or (f"Like {param.example}" if param.example else ""),
            )

    def clean_tenant(self) -> Tenant:
        """Return the tenant of that slug, if this operator may see it."""
        found = visible(self._user, Tenant.objects.all()).filter(slug=self.cleaned_data["tenant"].strip()).first()
        if found is None:
            raise forms.ValidationError("There is no such tenant.")
        return found

    @property
    def whose(self) -> Tenant:
        """The tenant for which it is tried."""
        tenant: Tenant = self._app.tenant or self.cleaned_data["tenant"]
        return tenant

    @property
    def params(self) -> Mapping[str, str]:
        """What was typed for the entry's parameters."""
        return {
            name.removeprefix(_PARAM): value
            for name, value in self.cleaned_data.items()
            if name.startswith(_PARAM) and value
        }


def try_app(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or begin a trial of ``app`` and answer with its link."""

    def done(form: TrialForm) -> HttpResponse:
        begun = begin_trial(
            app,
            tenant=form.whose,
            params=form.params,
            return_to=partial(_finish_url, request),
            now=database_now(),
            actor=operator_behind(request),
        )
        return _page(request, begun.session, title="Try it", url=begun.connect_url, app=app)

    return answer_by_form(request, app, TrialForm(app, request.user, request.POST or None), done, title="Try it")


def finish(request: HttpRequest, session: ConnectSession) -> HttpResponse | Told:
    """Ask whether to finish a trial, as a product's backend would by itself; or finish it."""
    if session.tried_by != operator_behind(request).operator:
        return Told(False, "not_yours", "Only the operator who began a trial finishes it.")
    if request.method != "POST":
        code = request.GET.get("completion_code", "")
        if session.state != SessionState.HELD or not code:
            return HttpResponseRedirect(show.page_url(session))
        return _page(request, session, title="Finish the trial", completion_code=code, app=session.provider_app)
    code = request.POST.get("completion_code", "")
    done = finish_trial(session, completion_code=code, actor=operator_behind(request))
    if isinstance(done, ChoiceDue):
        return _page(request, session, title="Choose a workspace", url=done.continue_url, app=session.provider_app)
    return Told(True, "finished", "The trial went through: below is each step. End it when you have seen enough.")


def end(request: HttpRequest, session: ConnectSession) -> Told:
    """End a trial, and clean up after it."""
    return end_trial(session, now=database_now(), actor=operator_behind(request))


def is_trial(session: ConnectSession) -> bool:
    """Whether an operator tries an app with it. Its page of the end is also for whoever comes back too late."""
    return bool(session.tried_by)


def may_end(session: ConnectSession) -> bool:
    """Whether a trial has left something to clean up."""
    return is_trial(session) and session.state != SessionState.FAILED


def _finish_url(request: HttpRequest, session_id: UUID) -> str:
    return request.build_absolute_uri(press_url(ConnectSession(id=session_id), FINISH))


def _page(request: HttpRequest, session: ConnectSession, *, title: str, **context: Any) -> HttpResponse:
    context |= {
        **admin.site.each_context(request),
        "title": title,
        "session": session,
        "session_url": show.page_url(session),
        "finish_url": press_url(session, FINISH),
    }
    response = TemplateResponse(request, "admin/connections/trial.html", context)
    response["Cache-Control"] = "no-store"
    return response
