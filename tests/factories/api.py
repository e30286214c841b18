"""Programs that call the API: a token, and a client that shows it."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from catalogue.models import Product
from cdr.models import Source
from resellers.models import Vendor
from tenancy.models import ApiToken, Membership, Provider, Role
from tenancy.rules.scopes import SCOPES
from tenancy.services.api_tokens import create_token
from tests import factories

API = "/api/v1/"


def make_token(
    provider: Provider, *scopes: str, role: str = "", at: datetime | None = None, **terms: Any
) -> tuple[ApiToken, str]:
    """A token of an Admin's own with these scopes (all, without any), or of a service account."""
    admin = factories.make_staff(provider)
    at = at or timezone.now()
    values = {
        "name": "Switch",
        "role_id": Role.objects.get(provider=provider, name=role).pk if role else None,
        "scopes": scopes or tuple(SCOPES),
        "networks": (),
        "expires_at": at + timedelta(days=30),
    }
    return create_token(provider_id=provider.pk, at=at, actor_id=admin.pk, **values | terms)


class Program:
    """Calls the API with a token, and reads JSON."""

    def __init__(self, secret: str | None, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = dict(headers)
        if secret is not None:
            self.headers["Authorization"] = f"Bearer {secret}"

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(API + path, query, headers=self.headers)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
        """Send an object as JSON, or bytes as they are."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json", **self.headers, **(headers or {})}
        content_type = named.pop("Content-Type")
        return self.client.post(API + path, sent, content_type=content_type, headers=named)


def program_of(provider: Provider, *scopes: str, **terms: Any) -> Program:
    """A program with a token of the provider's."""
    return Program(make_token(provider, *scopes, **terms)[1])


def make_json_source(product: Product, vendor: Vendor | None, **fields: Any) -> Source:
    """A source that single xDRs come to."""
    return factories.make_source(
        product, vendor, **{"slug": "api", "format": Source.Format.TOLLGATE_JSON, **fields}
    )


def member_of(token: ApiToken) -> Membership:
    """Whose token it is."""
    assert token.membership is not None
    return token.membership
