"""The addresses of pages, for whoever is not on the host that answers them: mails, products, providers. No I/O."""

from django.conf import settings
from django.urls import get_script_prefix, reverse

PATH_OF_AGENTS = "/mcp"


def address_of_agents() -> str:
    """Return the whole address of the endpoint to which agents speak the Model Context Protocol."""
    return f"{settings.API_URL}{PATH_OF_AGENTS}"


def widget_address(view: str, *named: object) -> str:
    """Return the whole address of a page of the widget's, by the name of its view."""
    return settings.WIDGET_URL + _path_of(view, named)


def admin_address(view: str, *named: object) -> str:
    """Return the whole address of a page of the admin's, by the name of its view."""
    return settings.ADMIN_URL + _path_of(view, named)


def _path_of(view: str, named: tuple[object, ...]) -> str:
    """Return the path below the installation's own. Whether ``reverse`` adds that depends on the thread."""
    return f"/{reverse(view, args=named).removeprefix(get_script_prefix())}"
