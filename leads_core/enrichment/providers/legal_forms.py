"""Whether a line of text is a company's full name, by the legal form in it. Pure."""

from __future__ import annotations

from leads_core.enrichment.providers.page_text import letters_of

# Without dots and spaces, as letters_of gives them: `gmbhcokg` is `GmbH & Co. KG`, `spzoo` is `Sp. z o.o.`
_AT_THE_END = frozenset(
    {"gmbh", "ggmbh", "gmbhcokg", "gmbhcokgaa", "gmbhcoohg", "ag", "se", "ug", "ughaftungsbeschrankt", "kg", "kgaa",
     "ohg", "gbr", "ek", "ekfr", "eg", "ev", "partg", "partgmbb", "sarl", "ltd", "limited", "llc", "llp", "lp",
     "plc", "inc", "incorporated", "corp", "corporation", "pvtltd", "ptyltd", "pteltd", "sas", "sasu", "eurl", "sa",
     "sci", "scop", "snc", "sl", "slu", "sll", "srl", "srls", "spa", "sapa", "sapadecv", "sadecv", "ltda", "lda",
     "eireli", "bv", "nv", "vof", "bvba", "oy", "oyj", "ky", "ab", "hb", "as", "asa", "ans", "aps", "ehf", "hf",
     "spzoo", "spk", "spj", "sro", "vos", "doo", "dd", "kft", "zrt", "nyrt", "bt", "ood", "eood", "ad", "uab", "sia",
     "ltdsti"}
)  # fmt: skip
_AT_THE_START = frozenset({"ооо", "оао", "пао", "ао", "зао", "тоо", "тов", "ип", "pt"})
_ANYWHERE = ("株式会社", "有限会社", "合同会社", "有限公司", "股份公司", "주식회사", "(주)")
_LONGEST = 5  # words of a legal form: `Sp. z o. o.`, `GmbH & Co. KG`


def has_legal_form(name: str) -> bool:
    """Whether name ends, begins or is marked as a company's does: `Brandt Werkzeuge GmbH & Co. KG`, `ООО Север`."""
    words = name.split()
    if len(words) < 2:
        return any(form in name for form in _ANYWHERE)
    endings = {letters_of("".join(words[-count:])) for count in range(1, min(_LONGEST, len(words) - 1) + 1)}
    return bool(
        endings & _AT_THE_END or letters_of(words[0]) in _AT_THE_START or any(form in name for form in _ANYWHERE)
    )
