"""The words of the showcase: its companies, its people, and the providers that they use."""

from dataclasses import dataclass

COMPANIES = (
    "Northwind Freight",
    "Halden Robotics",
    "Bramble & Co",
    "Fjord Analytics",
    "Cobalt Kitchens",
    "Lumen Health",
    "Tidewater Legal",
    "Osprey Air",
    "Marigold Foods",
    "Quarry Stone Capital",
    "Pinecrest Schools",
    "Vantage Solar",
    "Harbor Insurance",
    "Juniper Labs",
    "Redwood Realty",
    "Atlas Couriers",
    "Kestrel Security",
    "Blue Heron Media",
    "Saffron Travel",
    "Ironbridge Steel",
    "Willow Clinics",
    "Meridian Shipping",
    "Copperfield Books",
    "Aurora Games",
    "Summit Outfitters",
    "Larkspur Design",
    "Granite Payments",
    "Everly Cosmetics",
    "Nordlicht Energie",
    "Corvid Software",
    "Silverline Rail",
    "Orchard Finance",
    "Beacon Charity",
    "Delta Ceramics",
    "Foxglove Pharma",
    "Monsoon Textiles",
    "Pebble Beach Hotels",
    "Rook & Castle",
    "Stellar Dental",
    "Thistle Brewing",
    "Umber Paints",
    "Velvet Theatre",
    "Wren Mobility",
    "Xenia Hosting",
    "Yarrow Gardens",
    "Zephyr Drones",
    "Anchor Fisheries",
    "Birch Furniture",
    "Cascade Water",
    "Driftwood Surf",
)

FIRST_NAMES = [
    "Amara",
    "Ben",
    "Chiara",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Jonas",
    "Kavya",
    "Liam",
    "Mei",
    "Noah",
    "Olivia",
    "Priya",
    "Quentin",
    "Rosa",
    "Samir",
    "Tessa",
    "Umar",
    "Vera",
    "Wei",
    "Ximena",
    "Yusuf",
    "Zoe",
    "Anton",
    "Bianca",
    "Carlos",
    "Daria",
]
LAST_NAMES = [
    "Adeyemi",
    "Brandt",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fontana",
    "Gupta",
    "Hoffmann",
    "Ito",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quinn",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
    "Almeida",
    "Baker",
    "Chen",
    "Duarte",
]

PURPOSES = ("nightly sync", "invoice export", "contact enrichment", "ticket triage", "calendar assistant", "")
AGENTS = ("", "", "", "scheduler-bot", "inbox-agent", "crm-copilot")
LABELS = ("", "", "", "", "", "work", "sandbox", "emea", "billing")
COLORS = ("#1f6f54", "#b3420b", "#2f4b8f", "#7a2e6b", "#8a5a00", "#0b6e8a", "#9b2335", "#3d5a1e")

# What providers send by themselves of other things than grants.
PUSHED = {
    "hubspot": ("contact.creation", "contact.propertyChange", "deal.creation"),
    "github": ("issues.opened", "pull_request.closed"),
    "shopify": ("orders/create", "products/update"),
    "stripe-connect": ("payout.paid", "charge.refunded"),
    "xero": ("INVOICE.UPDATE", "CONTACT.CREATE"),
    "zoom": ("meeting.ended", "recording.completed"),
}

# What the end user, or the provider, names for a connection, where the entry has neither a default nor an example.
NAMED = {
    "cloud_id": "11223344-a1b2-3b33-c444-def123456789",
    "tenant_id": "45e4708e-d862-4111-ab3a-dd8cd03913e1",
    "account_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "base_uri": "https://na3.docusign.net",
    "dc": "us21",
}


@dataclass(frozen=True, slots=True)
class Liked:
    """A provider of the showcase, and how many of its tenants' connections lead there, as a weight."""

    slug: str
    weight: int
    lifetime_seconds: int | None = 3600  # of its access tokens; None for a key, which has no end


LIKED = (
    Liked("hubspot", 60, 1800),
    Liked("slack", 58, 43_200),
    Liked("google-drive", 50),
    Liked("gmail", 44),
    Liked("google-calendar", 42),
    Liked("salesforce", 40, 7200),
    Liked("outlook", 34, 4500),
    Liked("jira-cloud", 28),
    Liked("github", 26, 28_800),
    Liked("notion", 24, None),
    Liked("zendesk", 22, 86_400),
    Liked("intercom", 18, None),
    Liked("shopify", 18, None),
    Liked("stripe-connect", 16, None),
    Liked("xero", 15, 1800),
    Liked("quickbooks", 14),
    Liked("mailchimp", 13, None),
    Liked("asana", 12),
    Liked("dropbox", 12, 14_400),
    Liked("onedrive", 11, 4500),
    Liked("zoom", 11),
    Liked("pipedrive", 10),
    Liked("airtable", 9),
    Liked("linear", 9, 86_400),
    Liked("docusign", 8, 28_800),
    Liked("bamboohr", 8, None),
    Liked("greenhouse-harvest", 7, None),
    Liked("datadog", 6, None),
    Liked("pagerduty", 5, None),
    Liked("openai", 5, None),
)
