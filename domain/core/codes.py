"""Codes from closed lists outside: countries (ISO 3166-1 alpha-2), currencies (ISO 4217), spans of days, addresses."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.core.errors import Reason, require

_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
_CURRENCIES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB "
    "RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD "
    "UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
COUNTRIES = frozenset(_COUNTRIES.split())
CURRENCIES = frozenset(_CURRENCIES.split())
"""What people pay with: funds codes, metals and test codes of the standard are left out."""

MOST_DAYS = 3660
"""Ten years: no stay, no window and no hold is longer."""


def require_country(code: str) -> None:
    """Refuse what is no country's code."""
    require(code in COUNTRIES, Reason.INVALID, "no such country: two capital letters (ISO 3166)", "country")


def require_currency(code: str) -> None:
    """Refuse what is no currency's code."""
    require(code in CURRENCIES, Reason.INVALID, "no such currency: three capital letters (ISO 4217)", "currency")


EASTMOST = timedelta(hours=14)
"""Where a day begins first, it does so that long before it does in UTC."""


def require_day_come(day: date, now: datetime, field: str) -> None:
    """Refuse a day that has begun nowhere yet: a morning in Beijing is still the day before in UTC. Raises Refused."""
    require(day <= (now + EASTMOST).date(), Reason.INVALID, "that lies in the future", field)


def require_days(days: int, field: str) -> None:
    """Refuse a number of days that would leave the calendar."""
    require(days <= MOST_DAYS, Reason.INVALID, f"at most {MOST_DAYS} days", field)


PLACED = re.compile(r"UTC|GMT|(?!posix/|right/)[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2}")
"""Zones that mean the same on every machine; "localtime" is whatever the machine's is."""


def require_zone(zone: str) -> None:
    """Refuse a time zone nobody could reckon with, and one that means something else on each machine."""
    try:
        known = PLACED.fullmatch(zone) is not None and ZoneInfo(zone) is not None
    except (KeyError, ValueError, OSError):
        known = False
    require(known, Reason.INVALID, "no such time zone: a region and a place, as Asia/Kolkata, or UTC", "zone")


LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""A language tag, as far as it can be told from its form; `und` where nobody knows."""


def require_language(code: str, field: str) -> None:
    """Refuse what is no language tag. Raises Refused that names the field."""
    words = "a language is a code of BCP 47, such as zh or pt-BR; und where it is not known"
    require(LANGUAGE.fullmatch(code), Reason.INVALID, words, field)


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@[^@]{{1,189}}\Z){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
"""An address that every mail server on the way takes: letters of the Latin alphabet, a host with a dot in it."""


def require_mail(text: str, field: str = "mail") -> None:
    """Refuse what is no mail address; empty is none at all. Raises Refused that names the field, never the text."""
    words = (
        "that is no mail address: a name, @ and a host in Latin letters, such as name@example.org, nothing around it"
    )
    require(not text or ADDRESS.fullmatch(text), Reason.INVALID, words, field)


PHONE = re.compile(r"[\w \t\xa0+()./,;:#*\uff0b\u2010-\u2015-]{3,60}")
"""On one line: it stands in lists, files and mail."""


def require_phone(text: str, field: str = "phone") -> None:
    """Refuse what nobody could dial; empty is none at all. Raises Refused that names the field, never the text."""
    dialled = PHONE.fullmatch(text) and sum(one.isdecimal() for one in text) >= FEWEST_DIGITS
    words = "that is no telephone number: digits, at most 60 characters, such as +91 22 5550 1234"
    require(not text or dialled, Reason.INVALID, words, field)


FEWEST_DIGITS = 3
"""Digits of the shortest numbers there are."""
LONGEST_NAME = 300
"""Characters of a name; whole names of several families are shorter."""
_TURNING = re.compile("[\u2028-\u202e\u2066-\u2069\ud800-\udfff\x00-\x1f\x7f-\x9f]")
"""With halves of characters, which no encoding can write."""


def require_name(text: str, field: str = "name") -> None:
    """Refuse a name that is longer than any, or would turn or break the text around it. Raises Refused."""
    require(len(text) <= LONGEST_NAME, Reason.INVALID, f"a name has at most {LONGEST_NAME} characters", field)
    require(not _TURNING.search(text), Reason.INVALID, "a name holds no line breaks and no marks that turn text", field)
