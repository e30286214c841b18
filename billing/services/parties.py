"""What an invoice copies of its seller and its buyer: the law fixes it, their records move on."""

from customers.models import Customer
from resellers.models import Reseller
from tenancy.models import BillerEntity

Party = dict[str, str]


def biller_as_seller(entity: BillerEntity) -> Party:
    """The provider's legal entity, with what is printed for payers."""
    return {
        "name": entity.name,
        "address": entity.address,
        "country": entity.country,
        "tax_number": entity.tax_number,
        "registration": entity.registration,
        "email": entity.email,
        "phone": entity.phone,
        "bank_details": entity.bank_details,
        "accent_colour": entity.accent_colour,
    }


def reseller_as_seller(reseller: Reseller, entity: BillerEntity) -> Party:
    """A reseller who bills its sub-reseller; the provider issues on its behalf, in its style."""
    return reseller_as_buyer(reseller) | {
        "registration": "",
        "bank_details": "",
        "accent_colour": entity.accent_colour,
    }


def customer_as_buyer(customer: Customer) -> Party:
    """The customer; `contact` is the person where the name is an organisation's."""
    person = f"{customer.first_name} {customer.last_name}".strip()
    return {
        "number": str(customer.number),
        "name": customer.name,
        "contact": person if customer.organisation else "",
        "address": customer.address,
        "country": customer.country,
        "tax_number": customer.tax_number,
        "email": customer.email,
        "phone": customer.phone,
        "tax_category": customer.tax_category,
    }


def reseller_as_buyer(reseller: Reseller) -> Party:
    """The reseller who owes a settlement invoice."""
    return {
        "number": str(reseller.number),
        "name": reseller.organisation,
        "contact": f"{reseller.first_name} {reseller.last_name}".strip(),
        "address": reseller.address,
        "country": reseller.country,
        "tax_number": reseller.tax_number,
        "email": reseller.email,
        "phone": reseller.phone,
        "tax_category": Customer.TaxCategory.STANDARD,
    }
