from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.gateways.protocol import WebhookForged
from payments.gateways.sandbox.signing import check, sign

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
BODY = b'{"id": "1"}'


class TestCheck:
    @given(body=st.binary(max_size=200), provider_id=st.integers(1, 10**9))
    def test_takes_what_was_signed_for_the_same_provider(
        self, body: bytes, provider_id: int
    ) -> None:
        check(sign(body, provider_id=provider_id, at=AT), body, provider_id=provider_id, at=AT)

    @given(body=st.binary(max_size=50), other=st.binary(max_size=50))
    def test_refuses_other_bytes(self, body: bytes, other: bytes) -> None:
        signature = sign(body, provider_id=1, at=AT)

        if body != other:
            with pytest.raises(WebhookForged):
                check(signature, other, provider_id=1, at=AT)

    def test_refuses_what_was_signed_for_another_provider(self) -> None:
        with pytest.raises(WebhookForged):
            check(sign(BODY, provider_id=1, at=AT), BODY, provider_id=2, at=AT)

    def test_refuses_a_time_that_was_not_signed(self) -> None:
        signature = sign(BODY, provider_id=1, at=AT)
        later = signature.replace(str(int(AT.timestamp())), str(int(AT.timestamp()) + 1))

        with pytest.raises(WebhookForged):
            check(later, BODY, provider_id=1, at=AT)

    @pytest.mark.parametrize("seconds", [-300, 300])
    def test_takes_a_clock_five_minutes_off(self, seconds: int) -> None:
        signature = sign(BODY, provider_id=1, at=AT)

        check(signature, BODY, provider_id=1, at=AT + timedelta(seconds=seconds))

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_refuses_a_message_sent_again_later(self, seconds: int) -> None:
        signature = sign(BODY, provider_id=1, at=AT)

        with pytest.raises(WebhookForged, match="last minutes"):
            check(signature, BODY, provider_id=1, at=AT + timedelta(seconds=seconds))

    @pytest.mark.parametrize("signature", ["", "t=1", "v1=00", "t=x,v1=" + "0" * 64, "t=1,v1=ZZ"])
    def test_refuses_what_is_no_signature(self, signature: str) -> None:
        with pytest.raises(WebhookForged):
            check(signature, BODY, provider_id=1, at=AT)
