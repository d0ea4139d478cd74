"""An operator's own entries: the page on which one is written, as a form and as TOML side by side, and its removal.

What is stored is the TOML. The form is made of it, and it of the form, whenever one of the two was changed; where both
were, the operator says which one counts. Each step is a round trip, so the page needs no script.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connections.admin.base import operator_behind
from connections.admin.catalogue.own_form import ConfirmForm, OwnForm, SlugForm
from connections.admin.catalogue.pages import MAY_DESCRIBE, catalogue_page, page
from connections.admin.proof import prove
from connections.asked_fields import asked_fields
from connections.lifecycle.provision.own_providers import (
    LARGEST_TEXT,
    PreparedEntry,
    edition_of,
    own_text,
    prepare_own_provider,
    remove_own_provider,
    store_own_provider,
)
from connections.refusals import InvalidRequest
from providers.catalog.loader import catalog_files, document_in
from providers.catalog.schema import CatalogEntry
from providers.catalog.toml_text import toml_text
from providers.catalog.usual_form import Document, document_with, values_of
from providers.strategies import strategies, strategy_for

_START = 'name = "Acme"\ncategory = "Other"\nbase_url = "https://api.acme.example"\n\n[bearer_token]\n'
_BOTH = (
    "Both the form and the TOML were changed, and they differ. Say which one counts: “Write the TOML” takes the form, "
    "“Fill in the form” takes the TOML."
)
_COMMENTS = "The TOML was written from the form, so its comments are gone."
_NOBODY = UUID(int=0)  # of a preview: there is no session


@dataclass
class Draft:
    """What the page shows: both sides, what is wrong with them, and the entry if nothing is.

    ``edition`` is that of the file with which the page began, None while it has begun with this request.
    """

    slug: str
    text: str
    form: OwnForm
    slug_form: SlugForm | None = None
    edition: str | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    prepared: PreparedEntry | None = None
    confirm: ConfirmForm | None = None


@catalogue_page
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Show an entry of the operator's own, or a new one, and check or store what was typed."""
    if not request.user.has_perm(MAY_DESCRIBE):
        raise PermissionDenied
    _find(slug)
    if request.method == "POST":
        draft = _typed(request, slug)
        if draft.prepared is not None and request.POST.get("act") == "save" and _is_confirmed(request, draft):
            try:
                return _stored(request, draft.prepared)
            except InvalidRequest as refusal:
                draft.problems.append(refusal.detail)
                draft.problems += refusal.extra.get("problems", [])
    else:
        draft = _beginning(request, slug)
    return _show(request, draft, is_new=not slug)


@catalogue_page
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask whether an entry of the operator's own shall go, and remove it."""
    if not request.user.has_perm(MAY_DESCRIBE):
        raise PermissionDenied
    _find(slug)
    problem = ""
    if request.method == "POST":
        try:
            remove_own_provider(slug, actor=operator_behind(request))
        except InvalidRequest as refusal:
            problem = refusal.detail
        else:
            messages.success(request, f"{slug} is removed.")
            return HttpResponseRedirect(reverse("catalogue:list"))
    return page(request, "own_remove", f"Remove {slug}?", slug=slug, problem=problem)


def _find(slug: str) -> None:
    """Answer 404 unless ``slug`` is an entry of the operator's own, in order or not, or "" for a new one."""
    try:
        if slug and own_text(slug) is None:
            raise Http404
    except InvalidRequest:
        return  # it is there, and the page says what is wrong with it


def _beginning(request: HttpRequest, slug: str) -> Draft:
    """Return the draft with which a page begins: the file, a copy of the entry ``from``, or an example."""
    model = str(request.GET.get("from", ""))
    try:
        text = own_text(slug) if slug else _text_of(model)
    except InvalidRequest as refusal:
        return Draft(slug, "", OwnForm(initial=_values_in("")), problems=[refusal.detail])
    slug_form = None if slug else SlugForm(initial={"slug": model if text is not None else ""})
    text = _START if text is None else text
    draft = Draft(slug, text, OwnForm(initial=_values_in(text)), slug_form)
    if slug:
        _check(draft)
    return draft


def _text_of(slug: str) -> str | None:
    """Return how an entry of the catalogue is written, None if there is no such entry."""
    if (text := own_text(slug)) is not None:
        return text
    file = catalog_files().get(slug)
    return None if file is None else file.read_text(encoding="utf-8")


def _typed(request: HttpRequest, slug: str) -> Draft:
    """Return what was typed, with one side made of the other as far as that was asked for or is needed."""
    posted = OwnForm(request.POST)
    text = str(request.POST.get("toml", "")).replace("\r\n", "\n")[: LARGEST_TEXT + 1].removeprefix("\ufeff")
    act = request.POST.get("act", "check")
    is_asked = act in ("check", "save") or bool(request.POST.get("slug"))
    slug_form = None if slug else SlugForm(request.POST if is_asked else None)
    draft = Draft(slug, text, posted, slug_form, request.POST.get("file_was") if slug else None)
    if not posted.is_valid():
        draft.problems.append("A field of the form cannot be read: mend it first.")
        return draft
    if draft.slug_form is not None and draft.slug_form.is_bound and draft.slug_form.is_valid():
        draft.slug = draft.slug_form.cleaned_data["slug"]
    if (document := document_in(text)) is None:
        _check(draft)
        return draft
    values = _plain(posted.cleaned_data)
    form_changed = _digest(values) != request.POST.get("form_was")
    text_changed = _digest(text) != request.POST.get("toml_was")
    if act == "to_toml" or (act != "to_form" and form_changed and not text_changed):
        draft.text = _rewritten(draft, values, document)
    elif act != "to_form" and form_changed and _plain(values_of(document)) != values:
        draft.problems.append(_BOTH)
        return draft
    draft.form = OwnForm(initial=_values_in(draft.text))
    if draft.slug and draft.slug_form is not None and own_text(draft.slug) is not None:
        draft.slug_form.add_error("slug", "There is an entry of your own by this name: change that one.")
    elif draft.slug:
        _check(draft)
    return draft


def _rewritten(draft: Draft, values: Mapping[str, Any], document: Document) -> str:
    """Return the TOML with the form's ``values``; the text itself if they say the same already."""
    changed = document_with(values, document)
    if changed == document:
        return draft.text
    if "#" in draft.text:
        draft.notes.append(_COMMENTS)
    return toml_text(changed)


def _check(draft: Draft) -> None:
    try:
        draft.prepared = prepare_own_provider(draft.slug or "entry", draft.text, edition=draft.edition)
    except InvalidRequest as refusal:
        draft.problems += refusal.extra.get("problems") or [refusal.detail]


def _is_confirmed(request: HttpRequest, draft: Draft) -> bool:
    """Whether it may be stored now: what moves secrets or hides an entry takes a word, and a proof of who says it."""
    prepared = draft.prepared
    if prepared is None or not (prepared.moves or (prepared.hides_built_in and draft.slug_form is not None)):
        return prepared is not None
    draft.confirm = ConfirmForm(request.POST if "asked" in request.POST else None)
    if not draft.confirm.is_bound:
        return False
    draft.confirm.is_valid()
    if not draft.confirm.cleaned_data["understood"]:
        draft.confirm.add_error("understood", "Say so first.")
        return False
    try:
        prove(request)
    except ValidationError as error:
        draft.confirm.add_error(None, error)
        return False
    return True


def _stored(request: HttpRequest, prepared: PreparedEntry) -> HttpResponse:
    stored = store_own_provider(prepared, actor=operator_behind(request))
    told = f"{stored.name} is stored, and in force on every server within seconds."
    if prepared.forgets:
        told += f" {prepared.forgets} provider app(s) need their client secrets again."
    messages.success(request, told)
    return HttpResponseRedirect(reverse("catalogue:own", args=[stored.slug]))


def _show(request: HttpRequest, draft: Draft, *, is_new: bool) -> HttpResponse:
    found = draft.prepared.entry if draft.prepared is not None else None
    kept = request.POST if draft.form.is_bound else {}  # as long as the two sides differ
    return page(
        request,
        "own",
        "Describe a provider" if is_new else f"Your own entry: {draft.slug}",
        draft=draft,
        is_new=is_new,
        prepared=draft.prepared,
        form_was=kept.get("form_was") or _digest(_plain(draft.form.initial)),
        file_was=_file_was(draft),
        toml_was=kept.get("toml_was") or _digest(draft.text),
        previews=[] if found is None else [_preview(found, style) for style in found.auth_styles],
    )


def _file_was(draft: Draft) -> str:
    """Return the edition of the file with which the page began, "" for a new entry, or where it cannot be read."""
    try:
        return edition_of(draft.slug) if draft.edition is None and draft.slug_form is None else draft.edition or ""
    except InvalidRequest:
        return ""


def _preview(found: CatalogEntry, style: str) -> tuple[str, str, int]:
    """Return the style's title, the page of the widget that asks for its fields, and how many these are."""
    fields = asked_fields(found, style)
    method = found.methods[style]
    context: dict[str, Any] = {"entry": found, "provider": found.name, "fields": fields}
    context |= {"session": {"id": _NOBODY}, "app": {"id": _NOBODY}}
    context |= {"leaves": method.redirects, "shows_code": method.shows_code}
    template = "connect/fields.html" if fields else "admin/catalogue/preview.html"
    invitation = strategy_for(style).invitation.format(name=found.name)
    return f"{strategies()[style].title}: “{invitation}”", render_to_string(template, context), len(fields)


def _values_in(text: str) -> dict[str, Any]:
    """Return what the form shows of a text; of one that is no TOML, nothing."""
    return values_of(document_in(text) or {})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a browser gives them back: without the space around them, and with one kind of line end."""
    return {
        name: value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
        for name, value in sorted(values.items())
    }


def _digest(said: Mapping[str, Any] | str) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]
