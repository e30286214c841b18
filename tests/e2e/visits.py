"""One person's window: going places, and looking whether a page is as it should be."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

from tenancy.models import User

SIZES: dict[str, ViewportSize] = {
    "1280": {"width": 1280, "height": 800},
    "390": {"width": 390, "height": 844},
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# What axe is asked: everything once; in the other theme what differs there, which is the colours.
_OPTIONS = {"resultTypes": ["violations"], "preload": False}
AXE = Axe().axe_script
# Only what we ask for comes back: all that axe found to be well is as long as the page.
VIOLATIONS = "options => axe.run(options).then(results => results.violations)"
RULES: dict[str, dict[str, dict[str, object]]] = {
    "1280": {"light": {**_OPTIONS}, "dark": {**_OPTIONS, "runOnly": ["color-contrast"]}}
}
PICTURES = Path(settings.BASE_DIR, "var", "screenshots")
# Asked for by `make pictures`. So few colours make a tenth of the bytes, and nobody sees it.
GUIDE_PICTURES = Path(os.environ["GUIDE_PICTURES"]) if "GUIDE_PICTURES" in os.environ else None
COLOURS = 128
PATIENCE = 30_000  # milliseconds
WIDER_THAN_ITS_WINDOW = "document.documentElement.scrollWidth > window.innerWidth"


class Visit:
    """A browser window of a user who has signed in, or of a stranger; `page` is Playwright's."""

    def __init__(self, browser: Browser, origin: str, user: User | None, **options: Any) -> None:
        self._has_scripts = options.get("java_script_enabled", True)
        self._context = browser.new_context(
            base_url=origin, viewport=SIZES["1280"], reduced_motion="reduce", **options
        )
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._origin = origin
        self.become(user)

    def become(self, user: User | None) -> None:
        """Have somebody else sit down here, which is cheaper than another window."""
        self._context.clear_cookies()
        self.complaints.clear()
        if user is not None:
            self._sign_in(user)

    def close(self) -> None:
        self._context.close()

    def open(self, path: str) -> Page:
        """Go to an address, which must answer well."""
        response = self.page.goto(path)
        assert response is not None
        assert response.ok, f"{path} answers {response.status}"
        return self.page

    def look_at(self, path: str, name: str) -> None:
        """Open a page and look at it in both sizes and themes, see `look`."""
        self.open(path)
        self.look(name)

    def look(self, name: str) -> None:
        """Keep pictures `var/screenshots/<name>-<size>-<theme>.png` of the page as it is now.

        It must not be wider than the window, have no serious finding of axe's, and make the
        browser complain about nothing, such as a style that the headers forbid.
        """
        assert self._has_scripts, "axe would wait for ever where scripts are off"
        assert not self.complaints, self.complaints
        PICTURES.mkdir(parents=True, exist_ok=True)
        for size, viewport in SIZES.items():
            self.page.set_viewport_size(viewport)
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme=scheme)
                picture = PICTURES / f"{name}-{size}-{scheme}.png"
                self.page.screenshot(path=picture, full_page=True)
                if size in RULES:
                    found = findings(self.page, RULES[size][scheme])
                    assert found == [], f"axe on {name}, {size}, {scheme}"
            assert not self.page.evaluate(WIDER_THAN_ITS_WINDOW), f"{name} overflows at {size}"
        self.page.set_viewport_size(SIZES["1280"])
        self.page.emulate_media(color_scheme="light")
        self.page.wait_for_timeout(50)
        self.complaints.clear()  # of the style and requests that taking pictures and axe bring

    def illustrate(self, name: str) -> None:
        """Keep a picture for the guides, `docs/pictures/<name>.png`, where they are asked for."""
        if GUIDE_PICTURES is None:
            return
        GUIDE_PICTURES.mkdir(parents=True, exist_ok=True)
        with Image.open(BytesIO(self.page.screenshot())) as picture:
            reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            reduced.save(GUIDE_PICTURES / f"{name}.png", optimize=True)

    def _sign_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        self._context.add_cookies(
            [{"name": cookie.key, "value": cookie.value, "url": self._origin}]
        )

    def _note(self, message: ConsoleMessage) -> None:
        # Chromium asks for an icon of files that it shows, such as PDFs, which name none.
        is_of_a_file = message.location["url"].endswith("/favicon.ico")
        if message.type in ("error", "warning") and not is_of_a_file:
            self.complaints.append(message.text)


def findings(page: Page, options: dict[str, object]) -> list[str]:
    """What axe finds serious or critical, with the element it found it on."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    violations = page.evaluate(VIOLATIONS, options)
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:240]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
