"""What a text proposes: words that tell, days that can be read in one way, names in their script, or nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.files.proposing import KINDS, DocumentProposal, day_of, kind_of, language_of, name_in, proposal
from domain.core.personal import ERASED
from domain.stages.records.records import RecordKind

TODAY = date(2026, 11, 30)
REPORT = """HISTOPATHOLOGY REPORT of the biopsy with immunohistochemistry
Patient: Asha Rao, born 31.01.2020. Received on 12 Nov 2026 and reported on 2026-11-14.
The specimen is of a lymph node, and there is no doubt of it."""


def test_a_report_proposes_all_four() -> None:
    assert proposal(REPORT, "Asha Rao", "2020-01-31", TODAY) == DocumentProposal(
        "pathology", "en", date(2026, 11, 14), "stands"
    )


@pytest.mark.parametrize(
    ("text", "kind", "language"),
    [
        ("病理诊断报告 免疫组化结果显示肿瘤细胞阳性表达请结合临床进一步检查", "pathology", "zh"),
        ("血常规 血红蛋白 血小板 白细胞 均在参考范围之内请结合临床表现综合判断", "labs", "zh"),
        ("تقرير تشريح مرضي: خزعة من عقدة لمفاوية تظهر خلايا", "pathology", "ar"),
        ("Informe de alta: el paciente recibió quimioterapia y la evolución de los síntomas se controla con una pauta",
         "treatment_history", "es"),
        ("Echocardiography: ejection fraction 60 %. The left ventricle is of normal size with no defect.",
         "cardiac_lung", "en"),
        ("HBsAg negative, anti-HCV negative, HIV-1 negative", "infection_serology", ""),
        ("Flow cytometry of a biopsy", "", ""),
        ("a holiday photograph", "", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_kind_and_language_are_told_by_words(text: str, kind: str, language: str) -> None:
    assert (kind_of(text), language_of(text)) == (kind, language)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-14", date(2026, 11, 14)),
        ("14.11.2026", date(2026, 11, 14)),
        ("14/11/2026", date(2026, 11, 14)),
        ("11/14/2026", date(2026, 11, 14)),
        ("Nov 14, 2026 and 3 March 2025", date(2026, 11, 14)),
        ("2026 年 11 月 14 日", date(2026, 11, 14)),
        ("05/06/2026", None),
        ("05/05/2026", date(2026, 5, 5)),
        ("2026-12-01", None),
        ("1890-01-01", None),
        ("2026-02-30", None),
        ("2020-01-31", None),
    ],
)
def test_a_day_is_told_where_it_can_be_read_in_one_way(text: str, day: date | None) -> None:
    assert day_of(text.casefold(), "2020-01-31", TODAY) == day


@pytest.mark.parametrize(
    ("text", "patient", "stands"),
    [
        ("Patient RAO, ASHA", "Asha Rao", "stands"),
        ("Patient Mehta, Ravi of Pune", "Asha Rao", "not_found"),
        ("姓名 王小东 男", "王小东", "stands"),
        ("姓名 李明 男 五岁", "王小东", "not_found"),
        ("姓名 王小东 男", "Wang Xiaodong", "unknown"),
        ("Patient Wang Xiaodong, male", "王小东", "unknown"),
        ("Patient José Nuñez", "Jose Nunez", "stands"),
        ("", "Asha Rao", "unknown"),
        ("Patient RAO, ASHA", ERASED, "unknown"),
        ("Patient RAO, ASHA", None, "unknown"),
    ],
)
def test_whether_the_name_stands_in_it(text: str, patient: object, stands: str) -> None:
    assert name_in(text, patient) == stands


def test_only_kinds_that_can_be_asked_for_are_proposed() -> None:
    assert set(KINDS) < set(get_args(RecordKind))


@given(st.text(max_size=400), st.one_of(st.text(max_size=40), st.none()), st.dates())
def test_any_text_is_read_and_nothing_is_ever_to_come(text: str, patient: str | None, today: date) -> None:
    told = proposal(text, patient, None, today)
    assert told.day is None or told.day <= today


@given(st.dates(date(1990, 1, 1), TODAY - timedelta(days=1)))
def test_each_day_is_read_back(day: date) -> None:
    for text in (
        day.isoformat(),
        day.strftime("%d.%m.%Y"),
        day.strftime("%-d %b %Y"),
        f"{day:%Y}年{day.month}月{day.day}日",
    ):
        assert day_of(text.casefold(), None, TODAY) == day
