from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth import authenticate

from tenancy.models import User
from tenancy.services import people
from tests.factories import make_user

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


class TestCreateUser:
    def test_lets_them_sign_in_whatever_the_case_of_their_address(self) -> None:
        user = people.create_user(
            email="Admin@aurora.example", name="Ada", password=PASSWORD, at=AT
        )

        assert authenticate(email="admin@AURORA.example", password=PASSWORD) == user
        assert user.password.startswith("argon2$")

    def test_lets_nobody_in_without_a_password(self) -> None:
        user = people.create_user(email="a@aurora.example", name="", password=None, at=AT)

        assert not user.has_usable_password()
        assert authenticate(email="a@aurora.example", password="") is None

    def test_refuses_an_address_in_use_in_another_case(self) -> None:
        make_user("admin@aurora.example")

        with pytest.raises(people.EmailTaken):
            people.create_user(email="ADMIN@aurora.example", name="", password=PASSWORD, at=AT)

        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "email", ["", "admin", f"{'a' * 60}@{'b' * 62}.{'c' * 62}.{'d' * 62}.{'e' * 12}.org"]
    )
    def test_refuses_what_is_no_address(self, email: str) -> None:
        with pytest.raises(people.EmailRefused):
            people.create_user(email=email, name="", password=PASSWORD, at=AT)

        assert not User.objects.exists()

    def test_refuses_a_name_that_cannot_be_kept(self) -> None:
        with pytest.raises(people.NameRefused):
            people.create_user(email="a@b.example", name="x" * 201, password=PASSWORD, at=AT)

        assert not User.objects.exists()

    @pytest.mark.parametrize("password", ["short", "password1234", "zenith@aurora.example"])
    def test_refuses_a_password_that_is_easily_guessed(self, password: str) -> None:
        assert settings.AUTH_PASSWORD_VALIDATORS

        with pytest.raises(people.PasswordRefused):
            people.create_user(email="zenith@aurora.example", name="", password=password, at=AT)

        assert not User.objects.exists()
