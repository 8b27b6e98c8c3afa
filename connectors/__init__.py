"""Outside systems, one folder each: they read and write, and know nothing of storage. Imports models only."""

from importlib import import_module

from connectors.base import Connector
from models.errors import UserError

KINDS: dict[str, str] = {
    "salesforce": "connectors.salesforce:Salesforce",
    "hubspot": "connectors.hubspot:HubSpot",
    "spreadsheet": "connectors.spreadsheet:Spreadsheet",
}
"""The registry: a kind of connection and where its class is. Imported only when used, since the SDKs are slow."""


def connector_class(kind: str) -> type[Connector]:
    """The class for a kind of connection; a UserError lists the kinds there are."""
    if kind not in KINDS:
        raise UserError(f"there is no connector of kind {kind!r}: use one of {', '.join(sorted(KINDS))}")
    module, name = KINDS[kind].split(":")
    found: type[Connector] = getattr(import_module(module), name)
    return found
