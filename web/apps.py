"""What starts with the web surfaces."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class WebConfig(AppConfig):
    name = "web"

    def ready(self) -> None:
        from web.sessions import begin  # noqa: PLC0415  # models are there from now on

        user_logged_in.connect(begin, dispatch_uid="web.sessions.begin")
