"""Countries (ISO 3166-1 alpha-2) and languages (ISO 639-1): codes, their English names, and what else people type."""

from collections.abc import Mapping
from types import MappingProxyType

_COUNTRIES = """
AD Andorra|AE United Arab Emirates|AF Afghanistan|AG Antigua and Barbuda|AI Anguilla|AL Albania|AM Armenia|
AO Angola|AQ Antarctica|AR Argentina|AS American Samoa|AT Austria|AU Australia|AW Aruba|AX Åland Islands|
AZ Azerbaijan|BA Bosnia and Herzegovina|BB Barbados|BD Bangladesh|BE Belgium|BF Burkina Faso|BG Bulgaria|BH Bahrain|
BI Burundi|BJ Benin|BL Saint Barthélemy|BM Bermuda|BN Brunei|BO Bolivia|BQ Caribbean Netherlands|BR Brazil|
BS Bahamas|BT Bhutan|BV Bouvet Island|BW Botswana|BY Belarus|BZ Belize|CA Canada|CC Cocos Islands|
CD Congo, Democratic Republic|CF Central African Republic|CG Congo|CH Switzerland|CI Côte d’Ivoire|CK Cook Islands|
CL Chile|CM Cameroon|CN China|CO Colombia|CR Costa Rica|CU Cuba|CV Cabo Verde|CW Curaçao|CX Christmas Island|
CY Cyprus|CZ Czechia|DE Germany|DJ Djibouti|DK Denmark|DM Dominica|DO Dominican Republic|DZ Algeria|EC Ecuador|
EE Estonia|EG Egypt|EH Western Sahara|ER Eritrea|ES Spain|ET Ethiopia|FI Finland|FJ Fiji|FK Falkland Islands|
FM Micronesia|FO Faroe Islands|FR France|GA Gabon|GB United Kingdom|GD Grenada|GE Georgia|GF French Guiana|
GG Guernsey|GH Ghana|GI Gibraltar|GL Greenland|GM Gambia|GN Guinea|GP Guadeloupe|GQ Equatorial Guinea|GR Greece|
GS South Georgia and the South Sandwich Islands|GT Guatemala|GU Guam|GW Guinea-Bissau|GY Guyana|HK Hong Kong|
HM Heard Island and McDonald Islands|HN Honduras|HR Croatia|HT Haiti|HU Hungary|ID Indonesia|IE Ireland|IL Israel|
IM Isle of Man|IN India|IO British Indian Ocean Territory|IQ Iraq|IR Iran|IS Iceland|IT Italy|JE Jersey|JM Jamaica|
JO Jordan|JP Japan|KE Kenya|KG Kyrgyzstan|KH Cambodia|KI Kiribati|KM Comoros|KN Saint Kitts and Nevis|
KP North Korea|KR South Korea|KW Kuwait|KY Cayman Islands|KZ Kazakhstan|LA Laos|LB Lebanon|LC Saint Lucia|
LI Liechtenstein|LK Sri Lanka|LR Liberia|LS Lesotho|LT Lithuania|LU Luxembourg|LV Latvia|LY Libya|MA Morocco|
MC Monaco|MD Moldova|ME Montenegro|MF Saint Martin|MG Madagascar|MH Marshall Islands|MK North Macedonia|ML Mali|
MM Myanmar|MN Mongolia|MO Macao|MP Northern Mariana Islands|MQ Martinique|MR Mauritania|MS Montserrat|MT Malta|
MU Mauritius|MV Maldives|MW Malawi|MX Mexico|MY Malaysia|MZ Mozambique|NA Namibia|NC New Caledonia|NE Niger|
NF Norfolk Island|NG Nigeria|NI Nicaragua|NL Netherlands|NO Norway|NP Nepal|NR Nauru|NU Niue|NZ New Zealand|OM Oman|
PA Panama|PE Peru|PF French Polynesia|PG Papua New Guinea|PH Philippines|PK Pakistan|PL Poland|
PM Saint Pierre and Miquelon|PN Pitcairn Islands|PR Puerto Rico|PS Palestine|PT Portugal|PW Palau|PY Paraguay|
QA Qatar|RE Réunion|RO Romania|RS Serbia|RU Russia|RW Rwanda|SA Saudi Arabia|SB Solomon Islands|SC Seychelles|
SD Sudan|SE Sweden|SG Singapore|SH Saint Helena|SI Slovenia|SJ Svalbard and Jan Mayen|SK Slovakia|SL Sierra Leone|
SM San Marino|SN Senegal|SO Somalia|SR Suriname|SS South Sudan|ST São Tomé and Príncipe|SV El Salvador|
SX Sint Maarten|SY Syria|SZ Eswatini|TC Turks and Caicos Islands|TD Chad|TF French Southern Territories|TG Togo|
TH Thailand|TJ Tajikistan|TK Tokelau|TL Timor-Leste|TM Turkmenistan|TN Tunisia|TO Tonga|TR Türkiye|
TT Trinidad and Tobago|TV Tuvalu|TW Taiwan|TZ Tanzania|UA Ukraine|UG Uganda|UM United States Minor Outlying Islands|
US United States|UY Uruguay|UZ Uzbekistan|VA Vatican City|VC Saint Vincent and the Grenadines|VE Venezuela|
VG British Virgin Islands|VI US Virgin Islands|VN Vietnam|VU Vanuatu|WF Wallis and Futuna|WS Samoa|YE Yemen|
YT Mayotte|ZA South Africa|ZM Zambia|ZW Zimbabwe
"""

_OTHER_COUNTRY_NAMES = """
AE UAE|AE Emirates|AE الإمارات|AT Österreich|BE België|BE Belgique|BE Belgien|BG България|BN Brunei Darussalam|
BO Plurinational State of Bolivia|BR Brasil|CD DR Congo|CD DRC|CD Democratic Republic of the Congo|
CG Republic of the Congo|CH Schweiz|CH Suisse|CH Svizzera|CH Svizra|CI Ivory Coast|CN 中国|CN PRC|
CN People's Republic of China|CV Cape Verde|CZ Česko|CZ Czech Republic|CZ Česká republika|DE Deutschland|
DE Allemagne|DE Alemania|DE Federal Republic of Germany|DK Danmark|DZ الجزائر|EE Eesti|EG مصر|ES España|ES Espagne|
ES Spanien|FI Suomi|FR Frankreich|FR Francia|GB UK|GB Great Britain|GB Britain|GB England|GB Scotland|GB Wales|
GB Northern Ireland|GB Royaume-Uni|GR Ελλάδα|GR Hellas|HK 香港|HK Hong Kong SAR|HR Hrvatska|HU Magyarország|IE Éire|
IE Republic of Ireland|IL ישראל|IN भारत|IN Bharat|IR Islamic Republic of Iran|IS Ísland|IT Italia|IT Italie|
IT Italien|JP 日本|JP Nippon|KH Kampuchea|KP Korea (North)|KR Korea|KR 한국|KR 대한민국|KR Republic of Korea|
KR Korea (South)|LA Lao PDR|LT Lietuva|LU Luxemburg|LU Lëtzebuerg|LV Latvija|MA المغرب|MD Republic of Moldova|
MK Macedonia|MM Burma|MO Macau|MX México|NL Nederland|NL Holland|NL The Netherlands|NL Pays-Bas|NL Niederlande|
NO Norge|NO Noreg|NZ Aotearoa|PH Pilipinas|PL Polska|PS State of Palestine|RO România|RS Srbija|RS Србија|RU Россия|
RU Russian Federation|SA السعودية|SA KSA|SE Sverige|SI Slovenija|SK Slovensko|SY Syrian Arab Republic|SZ Swaziland|
TH ประเทศไทย|TH ไทย|TL East Timor|TR Turkey|TW 台灣|TW 臺灣|TZ United Republic of Tanzania|UA Україна|US USA|US U.S.|
US U.S.A.|US United States of America|US America|US Vereinigte Staaten|US États-Unis|US Estados Unidos|VA Holy See|
VA Vatican|VE Bolivarian Republic of Venezuela|VN Việt Nam
"""

_LANGUAGES = """
aa Afar|ab Abkhazian|ae Avestan|af Afrikaans|ak Akan|am Amharic|an Aragonese|ar Arabic|as Assamese|av Avaric|
ay Aymara|az Azerbaijani|ba Bashkir|be Belarusian|bg Bulgarian|bi Bislama|bm Bambara|bn Bengali|bo Tibetan|
br Breton|bs Bosnian|ca Catalan|ce Chechen|ch Chamorro|co Corsican|cr Cree|cs Czech|cu Church Slavonic|cv Chuvash|
cy Welsh|da Danish|de German|dv Divehi|dz Dzongkha|ee Ewe|el Greek|en English|eo Esperanto|es Spanish|et Estonian|
eu Basque|fa Persian|ff Fulah|fi Finnish|fj Fijian|fo Faroese|fr French|fy Western Frisian|ga Irish|
gd Scottish Gaelic|gl Galician|gn Guarani|gu Gujarati|gv Manx|ha Hausa|he Hebrew|hi Hindi|ho Hiri Motu|hr Croatian|
ht Haitian|hu Hungarian|hy Armenian|hz Herero|ia Interlingua|id Indonesian|ie Interlingue|ig Igbo|ii Sichuan Yi|
ik Inupiaq|io Ido|is Icelandic|it Italian|iu Inuktitut|ja Japanese|jv Javanese|ka Georgian|kg Kongo|ki Kikuyu|
kj Kuanyama|kk Kazakh|kl Greenlandic|km Khmer|kn Kannada|ko Korean|kr Kanuri|ks Kashmiri|ku Kurdish|kv Komi|
kw Cornish|ky Kyrgyz|la Latin|lb Luxembourgish|lg Ganda|li Limburgish|ln Lingala|lo Lao|lt Lithuanian|
lu Luba-Katanga|lv Latvian|mg Malagasy|mh Marshallese|mi Maori|mk Macedonian|ml Malayalam|mn Mongolian|mr Marathi|
ms Malay|mt Maltese|my Burmese|na Nauru|nb Norwegian Bokmål|nd North Ndebele|ne Nepali|ng Ndonga|nl Dutch|
nn Norwegian Nynorsk|no Norwegian|nr South Ndebele|nv Navajo|ny Chichewa|oc Occitan|oj Ojibwa|om Oromo|or Oriya|
os Ossetian|pa Punjabi|pi Pali|pl Polish|ps Pashto|pt Portuguese|qu Quechua|rm Romansh|rn Rundi|ro Romanian|
ru Russian|rw Kinyarwanda|sa Sanskrit|sc Sardinian|sd Sindhi|se Northern Sami|sg Sango|si Sinhala|sk Slovak|
sl Slovenian|sm Samoan|sn Shona|so Somali|sq Albanian|sr Serbian|ss Swati|st Southern Sotho|su Sundanese|sv Swedish|
sw Swahili|ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen|tl Tagalog|tn Tswana|to Tongan|tr Turkish|
ts Tsonga|tt Tatar|tw Twi|ty Tahitian|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek|ve Venda|vi Vietnamese|vo Volapük|
wa Walloon|wo Wolof|xh Xhosa|yi Yiddish|yo Yoruba|za Zhuang|zh Chinese|zu Zulu
"""

_OTHER_LANGUAGE_NAMES = """
ar العربية|cs Čeština|da Dansk|de Deutsch|el Ελληνικά|es Español|es Castellano|fa Farsi|fi Suomi|fr Français|
he עברית|hr Hrvatski|hu Magyar|it Italiano|ja 日本語|ko 한국어|nb Bokmål|nl Nederlands|nl Flemish|no Norsk|pl Polski|
pt Português|ro Română|ru Русский|sv Svenska|tr Türkçe|uk Українська|zh 中文|zh Mandarin
"""


def _pairs(table: str) -> list[tuple[str, str]]:
    entries = (entry for line in table.strip().splitlines() for entry in line.strip("|").split("|"))
    return [(code, name) for code, _, name in (entry.partition(" ") for entry in entries)]


COUNTRY_NAMES: Mapping[str, str] = MappingProxyType(dict(_pairs(_COUNTRIES)))
"""Code to English name, for display too."""

LANGUAGE_NAMES: Mapping[str, str] = MappingProxyType(dict(_pairs(_LANGUAGES)))
"""Code to English name, for display too."""

OTHER_COUNTRY_NAMES: tuple[tuple[str, str], ...] = tuple(_pairs(_OTHER_COUNTRY_NAMES))
OTHER_LANGUAGE_NAMES: tuple[tuple[str, str], ...] = tuple(_pairs(_OTHER_LANGUAGE_NAMES))
