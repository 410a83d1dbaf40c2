"""Names of made-up people: a given name of their country, and what is said there for "so-and-so" or "example"."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

NAMES: Mapping[str, tuple[str, Sequence[str]]] = {
    "IN": ("{} Falana", ("Aarav", "Asha", "Dev", "Ishaan", "Kavya", "Lakshmi", "Meera", "Rohan", "Sunita", "Vikram")),
    "BD": ("{} অমুক", ("আনিকা", "আরিফ", "জাহিদ", "তানিয়া", "নাসরিন", "ফারহান", "রহিমা", "রাকিব", "শিরিন", "সোহেল")),
    "PK": ("{} فلاں", ("آمنہ", "احمد", "بلال", "حسن", "زینب", "سارہ", "عائشہ", "عمران", "فاطمہ", "یوسف")),
    "VN": ("{} Mẫu", ("Lê Văn", "Nguyễn Thị", "Nguyễn Văn", "Phạm Thị", "Trần Văn", "Đặng Thị", "Hoàng Văn", "Vũ Thị")),
    "ID": ("{} Contoh", ("Agus", "Ayu", "Budi", "Dewi", "Eko", "Fitri", "Putri", "Rizky", "Siti", "Wahyu")),
    "GB": (
        "{} Bloggs",
        ("Alfie", "Charlotte", "Freya", "George", "Harriet", "Isla", "Jack", "Oliver", "Poppy", "Rhys"),
    ),
    "DE": ("{} Mustermann", ("Anke", "Björn", "Emilia", "Felix", "Hannah", "Jürgen", "Lena", "Max", "Paul", "Sophie")),
    "US": ("{} Doe", ("Abigail", "Ethan", "Grace", "Jackson", "Jane", "John", "Logan", "Madison", "Mason", "Zoe")),
    "CN": ("{}某某", ("陈", "黄", "李", "刘", "王", "吴", "徐", "杨", "张", "赵")),
}
"""Country → how a name is put together, and what goes into it."""
ELSEWHERE = NAMES["GB"]


def made_up(country: str, seed: str) -> str:
    """Return a name nobody has; the same for the same seed."""
    pattern, given = NAMES.get(country, ELSEWHERE)
    return pattern.format(random.Random(f"names/{seed}").choice(given))  # noqa: S311 - nothing is secret
