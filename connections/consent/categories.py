"""What the catalogue's categories are called in the language of a page."""

from django.utils.translation import gettext_lazy as _

from connections.consent.words import Text


def category_shown(category: str) -> Text:
    """Return a category of the catalogue in the language of the page; one of an added entry as it is written there."""
    return _NAMES.get(category, category)


def is_translated(category: str) -> bool:
    """Whether ``category_shown`` gives the name in every language of the widget."""
    return category in _NAMES


_NAMES: dict[str, Text] = {
    "AI": _("AI"),
    "Accounting": _("Accounting"),
    "Analytics": _("Analytics"),
    "Banking": _("Banking"),
    "Billing": _("Billing"),
    "CRM": _("CRM"),
    "Communication": _("Communication"),
    "Data": _("Data"),
    "Databases": _("Databases"),
    "Design": _("Design"),
    "Development": _("Development"),
    "Documents": _("Documents"),
    "E-commerce": _("E-commerce"),
    "ERP": _("ERP"),
    "Field service": _("Field service"),
    "Generic": _("Other"),
    "HR": _("HR"),
    "Health": _("Health"),
    "IT": _("IT"),
    "Identity": _("Sign-in"),
    "Incidents": _("Incidents"),
    "Infrastructure": _("Infrastructure"),
    "Logistics": _("Logistics"),
    "MCP": _("MCP servers"),
    "Maps": _("Maps"),
    "Marketing": _("Marketing"),
    "Media": _("Media"),
    "Observability": _("Monitoring"),
    "Payments": _("Payments"),
    "Productivity": _("Productivity"),
    "Recruiting": _("Recruiting"),
    "Sales engagement": _("Sales"),
    "Scheduling": _("Appointments"),
    "Security": _("Security"),
    "Spending": _("Expenses"),
    "Storage": _("File storage"),
    "Surveys": _("Surveys"),
    "Ticketing": _("Customer support"),
    "Websites": _("Websites"),
    "Work management": _("Projects and tasks"),
}
