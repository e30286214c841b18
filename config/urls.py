"""Every URL of the installation."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("webhooks/", include("web.webhooks")),
]
