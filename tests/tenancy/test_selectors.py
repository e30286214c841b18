import pytest

from tenancy import selectors
from tests.factories import make_provider

pytestmark = pytest.mark.django_db


class TestProviderBySlug:
    def test_names_the_providers_there_are_when_there_is_no_such_one(self) -> None:
        make_provider("borealis")
        make_provider("aurora")

        with pytest.raises(
            selectors.UnknownProvider,
            match=r"^There is no provider 'auroa'\. Providers: aurora, borealis\.$",
        ):
            selectors.provider_by_slug("auroa")
