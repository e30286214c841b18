"""What people do again and again, step by step as the pages ask it."""

from playwright.sync_api import Page, expect

from payments.services.sandbox import Card


def go_to(page: Page, *names: str) -> None:
    """Follow links of the menu."""
    for name in names:
        page.get_by_label("Main").get_by_role("link", name=name, exact=True).first.click()


def follow(page: Page, name: str) -> None:
    """Follow a link of the page itself, the first of such a name."""
    page.locator("#content").get_by_role("link", name=name).first.click()


def press(page: Page, name: str) -> None:
    page.locator("#content").get_by_role("button", name=name, exact=True).click()


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
    pairs = where.locator("dl > div").all()
    return {
        pair.locator("dt").inner_text().strip(): pair.locator("dd").first.inner_text().strip()
        for pair in pairs
    }
