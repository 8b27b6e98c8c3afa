"""What the org says of its objects and fields: names, types, and what may be done with them."""

from collections.abc import Iterable
from typing import Any

from sandbox.salesforce.schema import EXTERNAL, NUMBERS, REFERENCES, kind, relationship

AUDIT = {"Id", "CreatedDate", "CreatedById", "LastModifiedDate", "SystemModstamp", "IsDeleted"}
"""Fields that only the service itself writes."""

LENGTHS = {"id": 18, "reference": 18, "string": 255, "picklist": 255, "email": 80, "url": 255, "textarea": 32_000}
SOAP = {"id": "tns:ID", "reference": "tns:ID", "currency": "xsd:double", "percent": "xsd:double", "int": "xsd:int",
        "double": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime", "boolean": "xsd:boolean",
        "anyType": "xsd:anyType"}  # fmt: skip


OLDEST, NEWEST = 31, 68
RESOURCES = ("composite", "jobs", "limits", "query", "queryAll", "sobjects")


def versions() -> list[dict[str, str]]:
    """Every version of the API that is served, as anybody may ask."""
    return [
        {"label": f"Version {n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
        for n in range(OLDEST, NEWEST + 1)
    ]


def resources(version: str) -> dict[str, str]:
    """Where the resources of a version are."""
    return {name: f"/services/data/v{version}/{name}" for name in RESOURCES}


def field(name: str, values: Iterable[Any], formula: bool) -> dict[str, Any]:
    """One field as describe tells it."""
    found = kind(name, values)
    number = found in NUMBERS
    own = name in AUDIT or formula
    return {
        "name": name, "label": name, "type": found, "soapType": SOAP.get(found, "xsd:string"),
        "custom": name.endswith("__c"), "calculated": formula, "calculatedFormula": None, "autoNumber": False,
        "nillable": name not in AUDIT and found != "boolean", "createable": not own, "updateable": not own,
        "referenceTo": [REFERENCES[name]] if name in REFERENCES else [], "relationshipName": relationship(name),
        "length": LENGTHS.get(found, 0), "byteLength": LENGTHS.get(found, 0) * 3, "precision": 18 if number else 0,
        "scale": NUMBERS.get(found, 0), "digits": 0, "filterable": found != "textarea",
        "sortable": found != "textarea", "groupable": found not in ("currency", "percent", "double", "textarea"),
        "aggregatable": found not in ("boolean", "textarea", "anyType"), "compoundFieldName": None,
        "picklistValues": [], "deprecatedAndHidden": False, "defaultedOnCreate": own or found == "boolean",
        "idLookup": name in EXTERNAL | {"Id"}, "externalId": name in EXTERNAL, "unique": name in EXTERNAL,
        "caseSensitive": False, "encrypted": False, "nameField": name == "Name", "permissionable": not own,
    }  # fmt: skip


def summary(name: str, prefix: str) -> dict[str, Any]:
    """One object as the list of all objects tells it."""
    below = f"/services/data/v66.0/sobjects/{name}"
    return {
        "name": name, "label": name, "labelPlural": f"{name}s", "custom": name.endswith("__c"), "keyPrefix": prefix,
        "queryable": True, "retrieveable": True, "replicateable": True, "searchable": True, "createable": True,
        "updateable": True, "deletable": True, "undeletable": True, "layoutable": True, "triggerable": True,
        "mergeable": name == "Account", "activateable": False, "deprecatedAndHidden": False, "customSetting": False,
        "feedEnabled": False, "associateEntityType": None, "associateParentEntity": None, "isInterface": False,
        "urls": {"sobject": below, "describe": f"{below}/describe", "rowTemplate": f"{below}/{{ID}}"},
    }  # fmt: skip
