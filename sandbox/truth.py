"""What a sync should find, worked out from the records in the plainest way; shares no code with the product."""

from decimal import Decimal

from sandbox.company import Company
from sandbox.hubspot import truth as hubspot
from sandbox.salesforce import truth as salesforce
from sandbox.salesforce.truth import Key


def salesforce_truth(company: Company) -> dict[Key, tuple[Decimal, int]]:
    """Live opportunities by quarter of the close date, currency and status: amount and number."""
    return salesforce.truth(company.salesforce)


def hubspot_truth(company: Company) -> dict[Key, tuple[Decimal, int]]:
    """Live deals by quarter of the close date in the portal's zone, currency and status: amount and number."""
    return hubspot.truth(company.hubspot)
