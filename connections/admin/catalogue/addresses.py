"""The addresses that our calls come from, for the operator who lists them at a provider."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from connections.admin.catalogue.pages import catalogue_page, page
from connections.database.pool import release_database
from connections.lifecycle.steer.outbound_addresses import outbound_addresses


@catalogue_page
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show what is known. A POST also asks the service that the operator has named, by one call (HTTP)."""
    asks = request.method == "POST"
    if asks:
        release_database()  # the service may take its time
    found = outbound_addresses(asks=asks)
    return page(request, "addresses", "Addresses we call from", found=found, was_asked=asks)
