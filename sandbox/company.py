"""The whole pretend company: its Salesforce org and its HubSpot portal, and days that pass in both."""

from dataclasses import dataclass
from datetime import date

from sandbox.cast import TODAY
from sandbox.hubspot import data as hubspot
from sandbox.hubspot.portal import Portal
from sandbox.salesforce import data as salesforce
from sandbox.salesforce.org import SalesforceOrg


@dataclass
class Company:
    """Both systems of the company; the same seed gives the same company, byte by byte."""

    seed: int
    salesforce: SalesforceOrg
    hubspot: Portal
    days: int = 0

    @classmethod
    def generate(
        cls, seed: int = 7, deals: int | None = None, reps: int | None = None, today: date = TODAY
    ) -> "Company":
        """The cast's own company, or one with so many deals in each system over so many numbered reps."""
        org = salesforce.generate(seed, today, deals, reps)
        return cls(seed, org, hubspot.generate(seed, today, deals, reps))

    def advance(self, days: int = 1) -> None:
        """Let days pass: people win, push, change, hand over, delete and merge deals."""
        for _ in range(days):
            self.days += 1
            salesforce.advance(self.salesforce, self.seed, self.days)
            hubspot.advance(self.hubspot, self.seed, self.days)
