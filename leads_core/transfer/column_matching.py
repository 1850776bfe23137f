"""Which column of a file is which field of a lead: by its name in many languages, else by what stands in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from leads_core.errors import Invalid
from leads_core.leads.normalising import fold, normalise_country, normalise_domain, normalise_email, normalise_phone

_NAMES = {
    "email": "email emailaddress mailaddress mail mailadresse emailadresse courriel adressemail adresseemail "
    "adresseelectronique correo correoelectronico postaelettronica emailadres epost workemail businessemail "
    "adresemail adresaemail emailovaadresa enderecodeemail enderecoeletronico epostadress epostadresse saehkoeposti",
    "domain": "domain domaene domane domaine dominio domein domainname companydomain companydomainname hostname host",
    "company_name": "company companyname organisation organization organisationname organizationname account "
    "accountname firma firmenname unternehmen kunde kundenname entreprise societe raisonsociale empresa "
    "nombredelaempresa razonsocial azienda ditta bedrijf bedrijfsnaam foeretag yritys business businessname employer "
    "nazwafirmy nazevfirmy spolecnost nomedaempresa foeretagsnamn virksomhed firmanavn bedrift selskap",
    "contact_name": "contact contactname contactperson name fullname person leadname ansprechpartner "
    "ansprechpartnerin kontakt kontaktperson vollername nom nomcomplet interlocuteur personne contacto nombre "
    "nombrecompleto contatto nominativo contactpersoon naam "
    "osobakontaktowa imieinazwisko kontaktniosoba contato nomecompleto namn navn",
    "job_title": "jobtitle title position role jobposition funktion stellung berufsbezeichnung poste fonction cargo "
    "puesto ruolo qualifica functie "
    "stanowisko pozice funcao befattning stilling",
    "phone": "phone phonenumber telephone tel telefon telefonnummer telnr mobile mobilephone mobilenumber mobil handy "
    "rufnummer telefono telefonica telephonenumber numerodetelephone portable movil cellulare telefoon cell "
    "businessphone workphone "
    "numertelefonu telefone telefonnr puhelin",
    "website": "website web webseite webadresse homepage url site siteweb siteinternet sitioweb paginaweb sitoweb "
    "internet companyurl websiteurl internetseite "
    "www stronawww stronainternetowa webovastranka webbplats hemsida hjemmeside",
    "linkedin_url": "linkedin linkedinurl linkedinprofile linkedinprofil profillinkedin perfillinkedin companylinkedin",
    "industry": "industry sector branche industrie secteur secteurdactivite sectoractividad industria settore vertical "
    "branza obor setor bransch",
    "employee_count": "employees employeecount numberofemployees headcount companysize mitarbeiter mitarbeiterzahl "
    "anzahlmitarbeiter effectif nombredesalaries empleados numerodeempleados dipendenti medewerkers staff "
    "liczbapracownikow pocetzamestnancu funcionarios numerodefuncionarios antalanstaellda antalansatte",
    "city": "city town ort stadt ville commune ciudad localidad citta plaats place location "
    "miasto mesto cidade stad kaupunki",
    "country": "country countrycode land staat pays pais paese countryregion laendercode kraj zeme maa",
    "language": "language lang sprache langue idioma lingua taal",
    "description": "description about beschreibung descripcion descrizione summary companydescription",
    "notes": "notes note comment comments remarks notiz notizen bemerkung bemerkungen kommentar commentaire "
    "commentaires remarques notas comentarios observaciones "
    "uwagi notatki poznamka poznamky observacoes opmerkingen anteckningar noter",
    "tags": "tags tag label labels keywords schlagworte schlagwoerter stichworte etiquettes etiquetas etichette",
    "stage": "stage status leadstatus leadstage phase stufe etape etapa fase",
    "owner_id": "ownerid",
    "follow_up_on": "followupon followup followupdate nextfollowup wiedervorlage relance seguimiento nextstepdate "
    "followupdatum datarelance proximocontacto uppfoeljning opfolgning kontaktam",
    "is_manual": "ismanual",
    "source_detail": "sourcedetail leadsource herkunft origine origen",
}
#: Parts of a person's name: joined in the order of the file.
_NAME_PARTS = (
    "firstname forename givenname vorname prenom nombredepila lastname surname familyname nachname familienname "
    "nomdefamille apellido apellidos cognome voornaam achternaam"
)

#: Fields that more than one column may go to, and what joins their cells.
JOINED: Mapping[str, str] = MappingProxyType(
    {"contact_name": " ", "tags": ",", "notes": "\n", "description": "\n", "source_detail": ", "}
)
#: Every field that a column may go to.
FIELDS = tuple(_NAMES)

_SIGNS = re.compile(r"[\W_]+")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_DOMAIN = re.compile(r"(https?://)?([\w-]+\.)+[^\W\d_]{2,}([/?#]\S*)?", re.IGNORECASE)
_PHONE = re.compile(r"(\+|00?)[\d\s()/.-]{6,}")
#: Of the cells that are filled, so many must fit before a column goes to a field by its content.
_ENOUGH = 0.8


@dataclass(frozen=True, slots=True)
class Match:
    """Where a column goes, and in words how that was found. field is None for one that is left out."""

    name: str
    field: str | None
    how: str
    example: str = ""


def match_columns(names: Sequence[str], samples: Sequence[Sequence[str]]) -> list[Match]:
    """A proposal for each column: by name, else by content; no field twice, but for parts of a name and lists."""
    columns = [[row[place] for row in samples if row[place].strip()] for place in range(len(names))]
    found: list[tuple[str | None, str]] = []
    for name in names:
        field, how = _by_name(name, found, names)
        found.append((field, how))
    for place, cells in enumerate(columns):
        if found[place] == (None, ""):
            found[place] = _by_content(cells, taken={field for field, _ in found if field})
    return [
        Match(name, field, _in_words(field, how, cells), _example(cells))
        for name, (field, how), cells in zip(names, found, columns, strict=True)
    ]


def chosen_columns(names: Sequence[str], chosen: Mapping[str, str | None]) -> dict[str, str]:
    """Name -> field, as somebody chose; columns that are not named are left out. Raises Invalid in words."""
    for name, field in chosen.items():
        if name not in names:
            raise Invalid.of("columns", f"The file has no column “{name[:60]}”. It has: {', '.join(names)[:500]}.")
        if field and field not in FIELDS:
            raise Invalid.of("columns", f"“{str(field)[:60]}” is no field of a lead. Fields: {', '.join(FIELDS)}.")
    kept = {name: chosen[name] or "" for name in names if chosen.get(name)}
    for field in sorted(set(kept.values())):
        twice = [name for name in kept if kept[name] == field]
        if len(twice) > 1 and field not in JOINED:
            raise Invalid.of("columns", f"Two columns go to {field}: {', '.join(twice)}. Leave one of them out.")
    if not {"email", "domain"} & set(kept.values()):
        raise Invalid.of("columns", "No column goes to email or domain. A lead needs one of them: choose its column.")
    return kept


def _by_name(name: str, found: Sequence[tuple[str | None, str]], names: Sequence[str]) -> tuple[str | None, str]:
    key = _key(name)
    field = "contact_name" if key in _PART_KEYS else _FIELD_OF_KEY.get(key)
    if field == "website" and not any(_FIELD_OF_KEY.get(_key(other)) == "domain" for other in names):
        # Most files call it so; the domain is what a lead is known by.
        field = "domain"
    if field is None:
        return None, ""
    if field not in JOINED and any(field == taken for taken, _ in found):
        return None, "another column goes there"
    if field == "contact_name" and key not in _PART_KEYS and any(field == taken for taken, _ in found):
        return None, "another column goes there"
    return field, "by name"


def _by_content(cells: Sequence[str], taken: set[str]) -> tuple[str | None, str]:
    for field, fits in _CONTENT.items():
        if field not in taken and cells and sum(map(fits, cells)) >= _ENOUGH * len(cells):
            return field, "by content"
    return None, "no such field"


def _in_words(field: str | None, how: str, cells: Sequence[str]) -> str:
    """What happens to the first cell, where it does not stay as it is."""
    cleaning = _CLEANING.get(field or "")
    if cleaning is None or not cells or len(cells[0]) > 200:
        return how
    try:
        cleaned = cleaning(cells[0])
    except ValueError:
        return how
    return how if cleaned == cells[0].strip() else f"cleaned to {cleaned}"


def _example(cells: Sequence[str]) -> str:
    short = [cell.strip()[:40] for cell in dict.fromkeys(cells)]
    return " · ".join(short[:3]) if all(len(cell) <= 16 for cell in short[:3]) else (short[0] if short else "")


def _key(name: str) -> str:
    folded = name.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return _SIGNS.sub("", fold(folded))


def _is_country(cell: str) -> bool:
    try:
        return len(cell) <= 100 and bool(normalise_country(cell))
    except ValueError:
        return False


def _fits(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda cell: len(cell) <= 300 and pattern.fullmatch(cell.strip()) is not None


_FIELD_OF_KEY = {key: field for field, keys in _NAMES.items() for key in [_key(field), *keys.split()]}
_PART_KEYS = frozenset(_NAME_PARTS.split())
_CONTENT: Mapping[str, Callable[[str], bool]] = {
    "email": _fits(_EMAIL),
    "linkedin_url": lambda cell: "linkedin.com/" in cell,
    "domain": _fits(_DOMAIN),
    "phone": _fits(_PHONE),
    "country": _is_country,
}
_CLEANING: Mapping[str, Callable[[str], str]] = {
    "email": normalise_email,
    "domain": normalise_domain,
    "phone": normalise_phone,
    "country": normalise_country,
}
