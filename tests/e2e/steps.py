"""What people do again and again, step by step as the pages ask it."""

from playwright.sync_api import Locator, Page, expect

from payments.services.sandbox import Card

# What a label stands beside, all of them in one instant: a page may renew itself meanwhile.
PAIRS = """rows => rows.map(row =>
    ["dt", "dd"].map(part => row.querySelector(part).innerText.trim()))"""


def go_to(page: Page, *names: str) -> None:
    """Follow links of the menu."""
    for name in names:
        click(page.get_by_label("Main").get_by_role("link", name=name, exact=True).first)


def follow(page: Page, name: str) -> None:
    """Follow a link of the page itself, the first of such a name."""
    click(page.locator("#content").get_by_role("link", name=name).first)


def press(page: Page, name: str) -> None:
    """Press a button that sends a form."""
    click(page.locator("#content").get_by_role("button", name=name, exact=True))


def click(what: Locator) -> None:
    """Click on what leads to another page, and wait till that is there as a whole.

    A click alone is over before the page is, so that what reads it at once would find nothing.
    """
    with what.page.expect_navigation():
        what.click()


def fill(page: Page, fields: dict[str, str]) -> None:
    """Fill in fields by the first words of their labels."""
    for label, value in fields.items():
        page.get_by_label(label).first.fill(value)


def sign_in(page: Page, email: str, password: str) -> None:
    fill(page, {"E-mail": email})
    page.get_by_label("Password", exact=True).fill(password)
    press(page, "Sign in")


def pay_by_card(page: Page, card: Card) -> None:
    """Choose a card on the payment company's page, which stands open, and pay."""
    expect(page.get_by_text("Play money")).to_be_visible()
    page.get_by_label(card.value).check()
    press(page, "Pay now")


def upload_usage(page: Page, name: str, content: bytes) -> None:
    """Send a file of xDRs from the page that lists them."""
    follow(page, "Upload a file")
    page.get_by_label("Source").select_option(index=1)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    press(page, "Upload")


def facts(page: Page, heading: str = "") -> dict[str, str]:
    """Labels and values shown in pairs; of one section where its heading is given."""
    area = page.locator("section", has=page.get_by_role("heading", name=heading, exact=True))
    where = area.first if heading else page.locator("main")
    return dict(where.locator("dl > div").evaluate_all(PAIRS))
