"""What a page says of its company in JSON-LD (schema.org). Pure; tolerates what real pages get wrong."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

MAX_BLOCKS = 20
MAX_BLOCK = 256 << 10
MAX_NODES = 2000
# Where a page's own company may stand. Not in reviews, customers, parent companies or brands: those are others.
_WAYS = ("@graph", "mainEntity", "mainEntityOfPage", "publisher", "about", "isPartOf")
_TEXT_KEYS = ("@value", "name", "url", "@id")
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|\]\]>|/\*\s*\]\]>\s*\*/)\s*$|;\s*$"
)

ORGANIZATIONS = frozenset(
    {"Organization", "Corporation", "LocalBusiness", "NGO", "OnlineBusiness", "OnlineStore", "EducationalOrganization",
     "GovernmentOrganization", "Project", "Airline", "NewsMediaOrganization", "ResearchOrganization"}
)  # fmt: skip
INDUSTRIES = {
    "AccountingService": "Accounting", "Airline": "Airlines", "Attorney": "Legal services", "AutoDealer": "Car dealers",
    "AutoRepair": "Car repair", "Bakery": "Bakery", "BankOrCreditUnion": "Banking", "BarOrPub": "Bars and pubs",
    "BeautySalon": "Beauty", "BookStore": "Book trade", "CafeOrCoffeeShop": "Cafés", "ClothingStore": "Fashion retail",
    "CollegeOrUniversity": "Higher education", "Dentist": "Dentistry", "Electrician": "Electrical installation",
    "EmploymentAgency": "Recruiting", "FinancialService": "Financial services", "Florist": "Floristry",
    "FurnitureStore": "Furniture", "GeneralContractor": "Construction", "HairSalon": "Hairdressing",
    "HomeAndConstructionBusiness": "Construction", "Hospital": "Health care", "Hotel": "Hospitality",
    "HVACBusiness": "Heating and ventilation", "InsuranceAgency": "Insurance", "LegalService": "Legal services",
    "LodgingBusiness": "Hospitality", "MedicalBusiness": "Health care", "MedicalClinic": "Health care",
    "MovingCompany": "Removals", "NewsMediaOrganization": "Media", "NGO": "Non-profit", "Notary": "Legal services",
    "OnlineStore": "E-commerce", "Pharmacy": "Pharmacy", "Physician": "Health care", "Plumber": "Plumbing",
    "ProfessionalService": "Professional services", "RealEstateAgent": "Real estate",
    "ResearchOrganization": "Research",
    "Restaurant": "Restaurants", "RoofingContractor": "Roofing", "School": "Education", "SportsClub": "Sports",
    "Store": "Retail", "TravelAgency": "Travel", "VeterinaryCare": "Veterinary care", "Winery": "Wine",
}  # fmt: skip


def organizations(blocks: Iterable[str]) -> list[Node]:
    """Every organization in these scripts that may be the page's own, in their order; references resolved."""
    nodes = [node for block in list(blocks)[:MAX_BLOCKS] for node in _nodes(_parsed(block))][:MAX_NODES]
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return [_resolved(node, by_id) for node in nodes if types_of(node) & (ORGANIZATIONS | INDUSTRIES.keys())]


def types_of(node: Node) -> frozenset[str]:
    """The short names of its types: `Dentist` for `https://schema.org/Dentist`."""
    kinds = node.get("@type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return frozenset(kind.rpartition("/")[2].removeprefix("schema:") for kind in listed[:20] if isinstance(kind, str))


def texts(value: Any) -> list[str]:
    """The texts of a value that may be one text, a list of them, or objects with @value, name or @id."""
    found: list[str] = []
    for item in (value if isinstance(value, list) else [value])[:50]:
        plain = next((item[key] for key in _TEXT_KEYS if key in item), None) if isinstance(item, Mapping) else item
        if isinstance(plain, str):
            found.append(html.unescape(plain[:10_000]))
        elif isinstance(plain, int) and not isinstance(plain, bool) and abs(plain) < 10**12:
            found.append(str(plain))
    return found


def objects(value: Any) -> list[Node]:
    """The objects of a value that may be one or a list of them."""
    return [item for item in (value if isinstance(value, list) else [value])[:50] if isinstance(item, Mapping)]


def _parsed(block: str) -> Any:
    if len(block) > MAX_BLOCK:
        return None
    for _ in range(3):
        block = _WRAPPING.sub("", block)
    for text in (block, html.unescape(block), re.sub(r",(\s*[}\]])", r"\1", block)):
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(parsed: Any) -> Iterator[Node]:
    waiting, left = [parsed], MAX_NODES
    while waiting and left:
        item = waiting.pop()
        left -= 1
        if isinstance(item, list):
            waiting.extend(reversed(item[:MAX_NODES]))
        elif isinstance(item, Mapping):
            yield item
            waiting.extend(item[way] for way in reversed(_WAYS) if isinstance(item.get(way), list | Mapping))


def _resolved(node: Node, by_id: Mapping[str, Node]) -> Node:
    def full(value: Any) -> Any:
        if isinstance(value, Mapping) and set(value) == {"@id"} and isinstance(value["@id"], str):
            return by_id.get(value["@id"], value)
        return value

    return {
        key: [full(item) for item in value[:50]] if isinstance(value, list) else full(value)
        for key, value in node.items()
    }
