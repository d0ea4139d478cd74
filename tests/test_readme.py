"""The README and the pages to which it leads say what is true: their tables are those of the code."""

import re
from pathlib import Path

from connections.api.problems import STATUS_OF
from connections.models import MAY_BECOME, REASONS_OF, VENDS, Status
from providers.catalog.facts import Confidence
from providers.catalog.loader import entry, load_catalog
from providers.catalog.resolve import resolve
from providers.catalog.schema import sections
from providers.strategies import strategies
from providers.values import ClientRegistration

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "OPERATIONS.md",
    ROOT / "SECURITY.md",
    ROOT / "config/deploy/README.md",
    *sorted(ROOT.glob("connections/*/README.md")),
    *sorted(ROOT.glob("providers/**/README.md")),
]
README = "\n".join(page.read_text() for page in PAGES)
MOST_LINES = 500  # a newcomer reads it in one sitting


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table whose header begins with ``heading``, by their first cell."""
    lines = README.split(f"| {heading} |", 1)[1].splitlines()[2:]
    table = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip().strip("*`") for cell in line.strip("|").split("|")]
        table[cells[0]] = cells
    return table


def test_the_state_table_is_the_code_s() -> None:
    table = rows("status | reasons")
    assert set(table) == set(Status)
    for status in Status:
        _, reasons, vends, may_become = table[status]
        assert reasons.split(", ") == list(REASONS_OF[status])
        assert (vends == "no") == (status not in VENDS)
        others = [other for other in MAY_BECOME[status] if other != status]
        assert may_become.split(", ") == (others or ["none"])


def test_every_setting_is_described() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert set(rows("variable | default")) == read


def test_every_code_of_the_table_exists() -> None:
    for cells in rows("status | code").values():
        for code in re.findall(r"[a-z_]+", cells[1]):
            assert code in STATUS_OF


def test_the_table_of_styles_says_which_there_are_and_what_each_can_do() -> None:
    """Asked of the sandbox's entry, which describes every style with all that it can do."""
    table = {cells[1].strip("`"): cells for cells in rows("style | section").values()}
    assert set(table) == {strategy.method.section() for strategy in strategies().values()}
    ours = ClientRegistration("latchkey", params={"issuer": "http://127.0.0.1:9"})
    for style, strategy in strategies().items():
        _, _, refreshed, probed, revoked = table[strategy.method.section()]
        target = resolve(entry=entry("sandbox"), style=style, registration=ours, discovered={}, params={})
        can = strategy.capabilities(target)
        assert (not refreshed.startswith("no")) == can.refreshes, style
        assert ("refresh token" in refreshed) == can.needs_refresh_token, style
        assert ("entry's call" in probed, "introspection" in probed) == (can.probes, can.introspects), style
        assert (not revoked.startswith("no")) == can.revokes, style


def test_the_entries_are_counted_by_style_and_confidence() -> None:
    described = [found for found in load_catalog().values() if found.facts is not None]
    names = sum(1 + len(found.aliases) for found in described)
    assert README.count(f"The catalogue describes {len(described)} providers under {names} names") == 2
    table = {cells[0]: [int(cell) for cell in cells[1:]] for cells in rows("how it connects | entries").values()}
    for section, kind in sections().items():
        sure = [found.confidence_of(kind.style) for found in described if kind.style in found.methods]
        counts = [len(sure), *(sure.count(Confidence(level)) for level in ("high", "medium", "low"))]
        assert table.pop(section, [0, 0, 0, 0]) == counts, section
    assert table == {}


def test_the_readme_is_for_newcomers() -> None:
    assert PAGES[0].read_text().count("\n") <= MOST_LINES


def test_every_link_leads_to_a_file_and_a_heading_that_are_there() -> None:
    dead = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"\s*\n\s*", " ", text)):
            path, _, anchor = link.partition("#")
            if "://" in path:
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert dead == []


def anchors(page: Path) -> set[str]:
    """Return the names by which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
