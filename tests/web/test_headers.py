import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.factories import make_provider, make_staff

# Documents become PDFs and are sent to no browser.
TEMPLATES = sorted(
    path
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
    if "documents" not in path.parts
)


@pytest.mark.django_db
class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/sign-in/", "/none/", "/static/css/tollgate.css"])
    def test_forbids_inline_script_style_and_framing(self, client: Client, path: str) -> None:
        headers = client.get(path).headers

        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "style-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"

    def test_to_people_signed_in_is_kept_by_no_cache(self, client: Client) -> None:
        client.force_login(make_staff(make_provider()))

        assert client.get("/console/").headers["Cache-Control"] == "private, no-store"

    def test_with_a_static_file_needs_no_database(self, client: Client) -> None:
        response = client.get("/static/css/tollgate.css")

        assert response.status_code == 200
        assert b"--accent" in b"".join(response)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
class TestATemplate:
    def test_has_no_inline_script_or_style(self, template: Path) -> None:
        text = template.read_text()

        # JSON for a script to read is no script: browsers never run it.
        inline = r"<script(?![^>]*(\bsrc=|type=\"application/json\"))"
        assert not re.search(rf"{inline}|<style|\sstyle=|\son\w+=|javascript:", text)
