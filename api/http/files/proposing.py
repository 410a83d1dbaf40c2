"""Proposes from a document's text what it may be: kind, language, day, name; a person decides [records.proposals].

It reads words, not meaning. Nothing of the text is kept, recorded or logged; what is found is shown and forgotten.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.core.names import folded

Stands = Literal["stands", "not_found", "unknown"]
_WORDS: Mapping[str, str] = {
    "passport": "passport no|nationality|place of birth|护照|جواز سفر|passeport|pasaporte",
    "pathology": (
        "histopathology|pathology report|biopsy|microscopic description|immunohistochemistry|病理|活检|"
        "免疫组化|تشريح مرضي|خزعة|anatomopathologi|histopatologi"
    ),
    "antigen": "flow cytometry|immunophenotyp|antigen expression|流式细胞|免疫分型|抗原表达|citometr",
    "marrow_mrd": (
        "bone marrow aspirat|minimal residual disease|measurable residual disease|marrow blasts|骨髓|"
        "微小残留|نخاع العظم|medula ósea|moelle osseuse"
    ),
    "imaging": (
        "computed tomography|ct scan|pet/ct|pet-ct|magnetic resonance|mri |radiology report|ultrasound|"
        "影像|断层|磁共振|超声|أشعة|tomograf|résonance"
    ),
    "labs": (
        "hemoglobin|haemoglobin|platelet count|white blood cell|complete blood count|creatinine|"
        "bilirubin|血红蛋白|血小板|白细胞|血常规|肌酐|تعداد الدم|الهيموغلوبين|hemoglobina|hémoglobine"
    ),
    "infection_serology": (
        "hbsag|anti-hcv|hiv 1|hiv-1|hepatitis b|hepatitis c|cytomegalovirus|syphilis|乙肝|丙肝|梅毒|艾滋|التهاب الكبد"
    ),
    "cardiac_lung": (
        "echocardiogra|ejection fraction|lvef|electrocardiogra|spirometry|fev1|dlco|心脏超声|射血分数|"
        "心电图|肺功能|تخطيط صدى القلب|ecocardiogra"
    ),
    "treatment_history": (
        "discharge summary|chemotherapy|treatment summary|course of treatment|cycle 1|出院小结|化疗|"
        "治疗经过|ملخص الخروج|العلاج الكيميائي|informe de alta|quimioterapia|chimiothérapie"
    ),
    "current_status": "ecog|performance status|karnofsky|lansky|clinical status|体能状态|一般情况",
    "consent_form": "informed consent|consent form|i consent|知情同意|موافقة مستنيرة|consentimiento",
}
KINDS: Mapping[str, Sequence[str]] = {kind: words.split("|") for kind, words in _WORDS.items()}
"""Kind of record → words that stand in documents of that kind, in lower case."""
COMMON: Mapping[str, frozenset[str]] = {
    "en": frozenset(["the", "of", "and", "with", "was", "is", "for", "no", "in", "to"]),
    "es": frozenset(["el", "la", "de", "los", "con", "y", "del", "se", "para", "una"]),
    "fr": frozenset(["le", "la", "les", "des", "et", "du", "avec", "une", "est", "pour"]),
    "de": frozenset(["der", "die", "und", "das", "mit", "von", "den", "ist", "eine", "kein"]),
    "pt": frozenset(["o", "a", "os", "de", "com", "e", "do", "da", "para", "uma"]),
    "it": frozenset(["il", "di", "che", "la", "con", "e", "del", "una", "per", "non"]),
    "tr": frozenset(["ve", "bir", "ile", "için", "bu", "olarak", "olan", "da", "de", "hasta"]),
    "id": frozenset(["dan", "yang", "di", "dengan", "untuk", "pada", "dari", "tidak", "ini", "pasien"]),
    "vi": frozenset(["và", "của", "là", "có", "không", "được", "cho", "các", "bệnh", "nhân"]),
}
"""Language → words that make up much of any text in it."""
SCRIPTS: Mapping[str, str] = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar", "DEVANAGARI": "hi",
    "BENGALI": "bn", "THAI": "th", "HEBREW": "he", "GREEK": "el", "CYRILLIC": "ru",
}  # fmt: skip
"""Script → the language most often written in it, the more telling first."""
LEAST_WORDS, LEAST_LETTERS = 4, 20
"""Common words, and letters of a script, below which nothing is said of a language."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = "|".join(MONTHS)
OLDEST = 1990
DAYS: Mapping[str, Callable[[re.Match[str]], tuple[int, int, int]]] = {
    r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b": lambda m: (int(m[1]), int(m[2]), int(m[3])),
    r"(\d{4})\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日": lambda m: (int(m[1]), int(m[2]), int(m[3])),
    rf"\b(\d{{1,2}})[ .-]+({_NAMED})[a-z]*[ .,-]+(\d{{4}})\b": lambda m: (int(m[3]), _month(m[2]), int(m[1])),
    rf"\b({_NAMED})[a-z]*\.? (\d{{1,2}}),? (\d{{4}})\b": lambda m: (int(m[3]), _month(m[1]), int(m[2])),
    r"\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b": lambda m: (int(m[3]), int(m[2]), int(m[1])),
    r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b": lambda m: _either(int(m[1]), int(m[2]), int(m[3])),
}
"""How days are written → year, month, day. With slashes only what can be read in one way."""


@dataclass(frozen=True, slots=True)
class DocumentProposal:
    """Holds what a text seems to say; empty = nothing could be told. `day` is the newest that is no birth date."""

    kind: str = ""
    language: str = ""
    day: date | None = None
    name: Stands = "unknown"


def proposal(text: str, patient: object, birth: object, today: date) -> DocumentProposal:
    """Propose from a text; `patient` and `birth` are the patient's as the case has them, where they can be read."""
    plain = unicodedata.normalize("NFKC", text)
    return DocumentProposal(kind_of(plain), language_of(plain), day_of(plain, birth, today), name_in(plain, patient))


def kind_of(text: str) -> str:
    """Return the kind whose words stand in it most; empty where none does, or two do alike."""
    lower = text.casefold()
    counted = Counter({kind: sum(word in lower for word in words) for kind, words in KINDS.items()}).most_common(2)
    (kind, most), (_, next_) = counted
    return kind if most > next_ else ""


def language_of(text: str) -> str:
    """Return the language by its script, or by its most common words; empty where there is too little."""
    letters = [one for one in text if one.isalpha()]
    scripts = Counter(unicodedata.name(one, "").split(" ", 1)[0].removesuffix("-A") for one in letters)
    found = next((s for s in SCRIPTS if scripts[s] >= LEAST_LETTERS and scripts[s] * 4 >= len(letters)), "")
    if found:
        return SCRIPTS[found]
    words = Counter(text.casefold().split())
    counted = Counter({code: sum(words[one] for one in common) for code, common in COMMON.items()}).most_common(2)
    (code, most), (_, next_) = counted
    return code if most >= LEAST_WORDS and most > next_ else ""


def day_of(text: str, birth: object, today: date) -> date | None:
    """Return the newest day that stands in it and is neither to come nor the patient's day of birth."""
    found = [day for day in _days(text.casefold()) if day.year >= OLDEST and day <= today and day.isoformat() != birth]
    return max(found, default=None)


def _days(text: str) -> Iterator[date]:
    for pattern, read in DAYS.items():
        for match in re.finditer(pattern, text):
            try:
                yield date(*read(match))
            except ValueError:
                continue


def _month(word: str) -> int:
    return MONTHS.index(word[:3]) + 1


def _either(first: int, second: int, year: int) -> tuple[int, int, int]:
    """Day and month with slashes: told apart only where one of them is no month, or both are the same."""
    if first == second or second > 12:  # noqa: PLR2004 - months
        return year, first, second
    return (year, second, first) if first > 12 else (0, 0, 0)  # noqa: PLR2004


def name_in(text: str, patient: object) -> Stands:
    """Say whether every word of the patient's name stands in the text; unknown where either cannot be read."""
    ours = folded(patient) if isinstance(patient, str) else ()
    theirs = folded(text)
    if not ours or not theirs:
        return "unknown"
    if set(ours) <= set(theirs):
        return "stands"
    together = "".join(ours)
    if not together.isascii() and together in "".join(theirs):
        return "stands"  # scripts without spaces
    return "not_found" if together.isascii() == _latin(theirs) else "unknown"  # in another script it is spelt anew


def _latin(words: Sequence[str]) -> bool:
    """Return whether most of a text is in Latin letters."""
    return sum(word.isascii() and word.isalpha() for word in words) * 2 > len(words)
