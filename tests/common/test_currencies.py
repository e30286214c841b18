from common.currencies import CURRENCIES, is_currency
from common.money import minor_digits


class TestACurrency:
    def test_is_one_of_iso_4217(self) -> None:
        assert all(map(is_currency, ("EUR", "USD", "CHF", "JPY", "KWD", "CLF")))
        assert not any(map(is_currency, ("12A", "EUX", "eur", "XXX", "XTS", "XAU", "")))

    def test_has_three_capital_letters(self) -> None:
        assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
        assert len(CURRENCIES) > 150

    def test_is_known_where_its_minor_unit_is_no_hundredth(self) -> None:
        odd = "BHD IQD JOD KWD LYD OMR TND CLF UYW BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI"
        assert all(map(is_currency, odd.split()))
        assert all(minor_digits(code) != 2 for code in odd.split())
