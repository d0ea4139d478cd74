"""``make screens``: real Chromium, with a picture of each page at desktop and phone width.

It goes through the running demo, and through every screen and state of the widget on three sites over TLS. Those, and
the pages of the catalogue, of webhooks and of imports, are taken in light and in dark.

    python -m tests.campaigns.screens [--folder DIR]      pictures of everything, to look at
    python -m tests.campaigns.screens --widget            those of the widget alone
    python -m tests.campaigns.screens --admin [--pages R] every page of the admin, with the showcase (R: a pattern)
    python -m tests.campaigns.screens --readme            the pictures of the README

The browser tests (``tests/browser``) take the same steps.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from config.local.demo.stack import LocalStack
from tests.browser import LEAN, PATIENCE
from tests.browser.tls_stack import three_sites
from tests.browser.walk import Walk
from tests.campaigns.admin_screens import pictures_of_admin, showcase_stack

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
README = Path(__file__).parents[2] / ".readme"

Look = Callable[[Page, str], None]
Scheme = Literal["light", "dark"]

OWN_ENTRY = """name = "Acme ERP"
category = "ERP"
colour = "#1f6f54"
base_url = "https://{subdomain}.acme.example/api"

[[params]]
name = "subdomain"
label = "Your Acme subdomain"
help = "The part before .acme.example."
example = "north"

[[api_key.fields]]
name = "api_key"
label = "API key"
help = "In Acme, Settings, API access."

[presentation.api_key.headers]
X-Api-Key = "{api_key}"
"""

HOOK = "https://hooks.billing.example.com/latchkey/tenants/acme/a-rather-long-path-to-deliver-to"
BROUGHT = """provider,end_user,access_token,refresh_token,expires_at
sandbox,ann,at-1,rt-1,2030-01-01T00:00:00Z
sandbox,ben,at-2,rt-1,2030-01-01T00:00:00Z
a-provider-that-nobody-knows,cleo-with-a-rather-long-id-of-hers@example.com,at-3,rt-3,
sandbox,,at-4,rt-4,
sandbox,dan,,,soon
"""


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Run the system's Chromium without a window, with further ``arguments``."""
    path = next((path for path in CHROMIUM if Path(path).exists()), None)
    if path is None:
        raise SystemExit("There is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*LEAN, *arguments])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser, size: str, scheme: Scheme = "light") -> Iterator[tuple[BrowserContext, Page, list[str]]]:
    """Open a fresh browser profile; collects what its console complains about, policy violations among it."""
    context = browser.new_context(viewport=SIZES[size], is_mobile=size == "phone", color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield context, page, complaints
    finally:
        context.close()


def connect_as(page: Page, stack: LocalStack, user: str, account: str, look: Look) -> None:
    """Log in at the customer app as ``user`` and connect ``account``'s account at the sandbox."""
    page.goto(stack.urls["customer_app"])
    page.get_by_label("Name").fill(user)
    page.get_by_label("Password").fill(user)
    look(page, "1-login")
    page.get_by_role("button", name="Log in").click()
    look(page, "2-home")
    page.get_by_role("button", name="Connect Sandbox").first.click()
    go_on = page.get_by_role("button", name="Continue")
    expect(go_on).to_be_enabled()
    look(page, "3-widget")
    go_on.click()
    page.get_by_role("button", name="Sign in with Sandbox").click()
    page.wait_for_url(re.compile(re.escape(stack.urls["sandbox"])))
    page.locator("input[name=username]").fill(account)
    page.locator("input[name=password]").fill(account)
    look(page, "4-provider-login")
    page.locator("input[name=password]").press("Enter")
    page.get_by_role("button", name="Allow").wait_for()
    look(page, "5-provider-consent")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(re.compile(re.escape(stack.urls["customer_app"])))
    look(page, "6-connected")


def look_at_own_connections(page: Page, stack: LocalStack, look: Look) -> None:
    """Go from the customer app to the page of the user's own connections, and look at each of its screens."""
    page.goto(stack.urls["customer_app"])
    page.get_by_role("button", name="Manage connections").click()
    go_on = page.get_by_role("button", name="Continue")
    expect(go_on).to_be_enabled()
    look(page, "6a-manage-start")
    go_on.click()
    page.get_by_role("heading", name="Your connections").wait_for()
    look(page, "6b-manage-list")
    page.get_by_role("link", name="Sandbox").first.click()
    page.get_by_role("heading", name="Who used it").wait_for()
    look(page, "6c-manage-connection")
    page.get_by_role("link", name="Disconnect").click()
    page.get_by_role("link", name="Keep it").wait_for()
    look(page, "6d-manage-disconnect")
    page.go_back()
    page.get_by_role("link", name="Your connections").click()
    page.get_by_role("button", name="Done").click()
    page.wait_for_url(re.compile(re.escape(stack.urls["customer_app"])))


def log_in_as_operator(page: Page, stack: LocalStack) -> None:
    """Log in at the admin."""
    operator = stack.seeded["operator"]
    page.goto(f"{stack.urls['web']}/admin/")
    page.locator("input[name=username]").fill(operator["username"])
    page.locator("input[name=password]").fill(operator["password"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(re.compile("/admin/$"))


def look_at_admin(page: Page, stack: LocalStack, look: Look, user: str = "") -> None:
    """Log in as the operator and look at the pages that matter; of the connections, at the newest one of ``user``."""
    log_in_as_operator(page, stack)
    look(page, "7-admin-index")
    page.goto(f"{stack.urls['web']}/admin/connections/connection/")
    look(page, "8-admin-connections")
    page.locator("#result_list tbody tr", has_text=user).locator("th a").first.click()
    page.wait_for_load_state()
    look(page, "9-admin-connection")
    page.goto(f"{stack.urls['web']}/admin/connections/tenant/")
    page.get_by_role("link", name="acme").first.click()
    page.get_by_role("link", name=re.compile("Delete")).first.click()
    look(page, "10-admin-tenant-delete")


def look_at_catalogue(page: Page, stack: LocalStack, look: Look) -> None:
    """Look at the catalogue as the operator who is logged in, and begin an entry without storing it."""
    page.goto(f"{stack.urls['web']}/admin/providers/")
    look(page, "11-admin-catalogue")
    page.get_by_label("Name").fill("salesforce")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Salesforce CRM").click()
    page.get_by_role("heading", name="How it is proven").wait_for()
    look(page, "12-admin-entry")
    page.get_by_role("link", name="Addresses we call from").first.click()
    page.get_by_role("button", name="Ask from where").wait_for()
    look(page, "13-admin-addresses")
    page.goto(f"{stack.urls['web']}/admin/providers/own/")
    page.get_by_label("Slug").fill("acme-erp")
    page.get_by_label("As TOML").fill(OWN_ENTRY.replace('name = "Acme ERP"', "name = "))
    page.get_by_role("button", name="Check and preview").click()
    page.get_by_role("alert").wait_for()
    look(page, "14-admin-own-mistake")
    page.get_by_label("As TOML").fill(OWN_ENTRY)
    page.get_by_role("button", name="Check and preview").click()
    page.frame_locator("iframe").get_by_label("API key").wait_for()
    # What is out of sight is not drawn, in a frame.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": page.evaluate("window.innerWidth"), "height": height})
    page.locator("iframe").screenshot()  # now it is
    look(page, "15-admin-own")


def look_at_webhooks(page: Page, stack: LocalStack, look: Look) -> None:
    """As the operator who is logged in, add a webhook endpoint, and look at it and at what is delivered."""
    admin = f"{stack.urls['web']}/admin/connections"
    page.goto(f"{admin}/webhookendpoint/add/")
    page.locator("input[name=password]").fill(stack.seeded["operator"]["password"])
    page.locator("input[name=password]").press("Enter")
    page.get_by_label("Address").wait_for()
    look(page, "16-admin-webhook-add")
    page.get_by_label("Address").fill(HOOK)
    page.get_by_label("Description").fill("The billing service")
    page.get_by_role("button", name="Add a webhook endpoint").click()
    page.get_by_text("whsec_").wait_for()
    look(page, "17-admin-webhook-secret")
    page.goto(f"{admin}/webhookendpoint/")
    look(page, "18-admin-webhooks")
    page.locator("#result_list tbody tr th a").first.click()
    page.get_by_role("button", name="Test", exact=True).wait_for()
    look(page, "19-admin-webhook")
    page.goto(f"{admin}/webhookdelivery/")
    look(page, "20-admin-deliveries")


def look_at_imports(page: Page, stack: LocalStack, look: Look) -> None:
    """As the operator who is logged in, look at an import and at its rows."""
    admin = f"{stack.urls['web']}/admin/connections"
    page.goto(f"{admin}/importrun/")
    look(page, "21-admin-imports")
    page.locator("#result_list tbody tr th a").first.click()
    page.get_by_text("What came of the rows").wait_for()
    look(page, "22-admin-import")
    page.goto(f"{admin}/importrow/")
    look(page, "23-admin-import-rows")
    page.locator("#result_list tbody tr th a").first.click()
    page.wait_for_load_state()
    look(page, "24-admin-import-row")


def bring(stack: LocalStack, folder: Path) -> None:
    """Look at some connections of another system, good ones and others, and have what happens from now on delivered."""
    file = folder / "brought.csv"
    file.write_text(BROUGHT, encoding="utf-8")
    brought = [sys.executable, "manage.py", "connections", "import", str(file), "--tenant", "acme", "--dry-run"]
    subprocess.run(brought, env=stack.environment, check=False, capture_output=True)  # some rows are not in order
    stack.run("webhook", "manage.py", "webhooks", "add", HOOK, "--description", "The billing service")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "latchkey-screens")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--widget", action="store_true")
    parser.add_argument("--admin", action="store_true")
    parser.add_argument("--pages", default="", metavar="PATTERN", help="with --admin: only pages of such a name")
    options = parser.parse_args()
    folder = README if options.readme else options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="latchkey-screens-", dir="/var/tmp") as state:
        if not options.widget:
            _pictures_of_the_showcase(Path(state) / "showcase", folder, only=options.pages, is_readme=options.readme)
        if not (options.widget or options.admin):
            _pictures_of_the_demo(Path(state) / "demo", folder, is_readme=options.readme)
        if not (options.readme or options.admin):
            _pictures_of_the_widget(Path(state), folder)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _pictures_of_the_demo(state: Path, folder: Path, *, is_readme: bool) -> None:
    with LocalStack(state_dir=state, durable=False, fixed_ports=is_readme) as stack, chromium() as browser:
        if is_readme:
            _readme_pictures(browser, stack, folder)
        else:
            bring(stack, state)
            for size in SIZES:
                _all_pictures(browser, stack, folder, size)
                for scheme in get_args(Scheme):
                    _pictures_of_the_catalogue(browser, stack, folder, size, scheme)
    stack.destroy()


def _pictures_of_the_showcase(state: Path, folder: Path, *, only: str, is_readme: bool) -> None:
    with showcase_stack(state) as stack, chromium() as browser, visitor(browser, "desktop") as (context, page, _):
        log_in_as_operator(page, stack)
        if not is_readme:
            pictures_of_admin(context, page, stack, folder, SIZES, only)
            return
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{stack.urls['web']}/admin/")
        page.screenshot(path=folder / "dashboard.png")
        page.goto(f"{stack.urls['web']}/admin/connections/connection/")
        page.screenshot(path=folder / "connections.png")


def _pictures_of_the_widget(state: Path, folder: Path) -> None:
    with three_sites(state) as sites, chromium(*sites.certificate.chromium_arguments) as browser:
        context = browser.new_context(viewport=SIZES["desktop"])
        context.set_default_timeout(PATIENCE)
        with Walk(sites, context.new_page()) as walk:
            for screen in walk.screens():
                screen.arrive()
                for size, window in SIZES.items():
                    walk.page.set_viewport_size(window)
                    for scheme in get_args(Scheme):
                        walk.page.emulate_media(color_scheme=scheme)
                        walk.page.screenshot(path=folder / f"widget-{screen.name}-{size}-{scheme}.png", full_page=True)
        context.close()
    sites.stack.destroy()


def _readme_pictures(browser: Browser, stack: LocalStack, folder: Path) -> None:
    names = {"3-widget": "widget.png", "6c-manage-connection": "manage.png", "9-admin-connection": "admin.png"}

    def look(page: Page, name: str) -> None:
        if name in names:
            page.screenshot(path=folder / names[name])

    with visitor(browser, "desktop") as (_, page, _complaints):
        page.set_viewport_size({"width": 1000, "height": 620})
        connect_as(page, stack, "ann", "alice", look)
        page.set_viewport_size({"width": 1000, "height": 860})
        look_at_own_connections(page, stack, look)
        page.set_viewport_size({"width": 1280, "height": 860})
        look_at_admin(page, stack, look)


def _all_pictures(browser: Browser, stack: LocalStack, folder: Path, size: str) -> None:
    def look(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)

    with visitor(browser, size) as (_, page, complaints):
        connect_as(page, stack, {"desktop": "ann", "phone": "ben"}[size], "alice", look)
        look_at_own_connections(page, stack, look)
        look_at_admin(page, stack, look)
        for complaint in complaints:
            print(f"{size}: the console complains: {complaint}")


def _pictures_of_the_catalogue(browser: Browser, stack: LocalStack, folder: Path, size: str, scheme: Scheme) -> None:
    def look(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)

    with visitor(browser, size, scheme) as (_, page, complaints):
        log_in_as_operator(page, stack)
        look_at_catalogue(page, stack, look)
        look_at_webhooks(page, stack, look)
        look_at_imports(page, stack, look)
        for complaint in complaints:
            print(f"{size}, {scheme}: the console complains: {complaint}")


if __name__ == "__main__":
    main()
