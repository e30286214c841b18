"""Every URL of the installation."""

from django.urls import include, path

urlpatterns = [path("", include("web.urls"))]
