from tests.web.matrix import Page, staff

PAGES = {
    "console_home": Page(staff()),
    "console_components": Page(staff()),
}
