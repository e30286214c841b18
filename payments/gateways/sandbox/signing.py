"""Signatures of sandbox messages: a time and an HMAC-SHA256 over that time and the raw body."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from payments.gateways.protocol import WebhookForged

HEADER = "Sandbox-Signature"
# A captured message cannot be sent again later; clocks of two companies differ by less.
TOLERANCE = timedelta(minutes=5)
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(body: bytes, *, provider_id: int, at: datetime) -> str:
    """The header value for `body` sent at `at` to `provider_id`."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={_digest(body, stamp, provider_id)}"


def check(signature: str, body: bytes, *, provider_id: int, at: datetime) -> None:
    """Compare in constant time.

    :raises WebhookForged: `signature` is no header value, too far from `at`, or of other bytes.
    """
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise WebhookForged("The message carries no signature.")
    stamp, digest = match.groups()
    if abs(int(at.timestamp()) - int(stamp)) > TOLERANCE.total_seconds():
        raise WebhookForged("The signature is not of the last minutes.")
    if not hmac.compare_digest(digest, _digest(body, stamp, provider_id)):
        raise WebhookForged("The signature does not fit the message.")


def _digest(body: bytes, stamp: str, provider_id: int) -> str:
    return hmac.new(_key(provider_id), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _key(provider_id: int) -> bytes:
    # Derived from SECRET_KEY, as there is nobody to agree a secret with and none to keep.
    return salted_hmac("payments.sandbox", str(provider_id), algorithm="sha256").digest()
