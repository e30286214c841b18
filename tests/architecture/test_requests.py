from django.conf import settings

# They read or write the database.
NEEDS_THE_ROLE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "web.access.ScopeMiddleware",
)


class TestEveryRequest:
    def test_takes_on_the_web_role_before_anything_reads_the_database(self) -> None:
        order = settings.MIDDLEWARE

        role = order.index("web.access.WebRoleMiddleware")
        assert all(order.index(name) > role for name in NEEDS_THE_ROLE)

    def test_has_its_scope_found_after_its_user(self) -> None:
        order = settings.MIDDLEWARE

        assert order.index("web.access.ScopeMiddleware") > order.index(
            "django.contrib.auth.middleware.AuthenticationMiddleware"
        )

    def test_gets_its_security_headers_whoever_answers(self) -> None:
        """Static files and refusals too; only the health checks come before."""
        assert settings.MIDDLEWARE[:2] == [
            "web.health.HealthMiddleware",
            "web.headers.SecurityHeadersMiddleware",
        ]
