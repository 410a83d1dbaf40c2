"""What the pinned files and the pure layers promise, read from the files themselves."""

import ast
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.drawing import TIMES, constants, draws, found, profiles

TOP = Path(__file__).parents[1]
PINNED = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)
INSTALLS = re.compile(r"pip install .*")
LOCKS = {"requirements.txt": ["build"], "requirements-dev.txt": ["build", "dev"]}
"""The lock → the extras of ours that it holds beside what is shipped."""
MACHINES = [
    {"python_version": version, "python_full_version": f"{version}.0", "platform_machine": machine}
    for version, machine in product(("3.11", "3.12", "3.13"), ("x86_64", "aarch64"))
]


def needed(extras: list[str], machine: Mapping[str, str]) -> Iterator[Requirement]:
    """Everything our project needs on that machine, extras of its needs followed to the end."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    ours = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    ahead = [(Requirement(line), {"extra": ""}) for lines in ours for line in lines]
    seen = set()
    while ahead:
        need, of = ahead.pop()
        if need.marker and not need.marker.evaluate({**machine, **of}):
            continue
        yield need
        for wanted in {"", *need.extras}:
            known = (canonicalize_name(need.name), wanted)
            if known not in seen:
                seen.add(known)
                ahead += [(need, {"extra": wanted}) for need in _requires(need.name)]


@cache
def _requires(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or []]
    except PackageNotFoundError:  # of another platform
        return []


def missing(lock: str, extras: list[str], machine: Mapping[str, str]) -> list[str]:
    """What that machine needs and the lock has not, or has in a version that does not do."""
    pins = dict(PINNED.findall(lock))
    return [
        str(need)
        for need in needed(extras, machine)
        if not need.specifier.contains(pins.get(canonicalize_name(need.name), "0"), prereleases=True)
        or canonicalize_name(need.name) not in pins
    ]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['python_version']}-{m['platform_machine']}")
@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_everything_so_that_nothing_is_resolved(name: str, machine: dict[str, str]) -> None:
    assert missing((TOP / name).read_text(), LOCKS[name], machine) == []


@pytest.mark.parametrize("gone", ["coverage", "greenlet", "uvloop"])  # reached through an extra
def test_a_lock_without_what_an_extra_brings_is_noticed(gone: str) -> None:
    lock = (TOP / "requirements-dev.txt").read_text()
    assert missing(lock.replace(f"\n{gone}==", f"\nno-{gone}=="), LOCKS["requirements-dev.txt"], MACHINES[0])


def resolving(text: str) -> list[str]:
    """The lines that install and let pip resolve, which a package released since can break."""
    return [line for line in INSTALLS.findall(text) if "--no-deps" not in line]


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_installing_never_resolves(name: str) -> None:
    text = (TOP / name).read_text()
    assert INSTALLS.search(text)
    assert resolving(text) == []
    assert resolving(text.replace("--no-deps", "")) == INSTALLS.findall(text.replace("--no-deps", ""))


def test_a_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning, match="will go"):
        warnings.warn("this will go", DeprecationWarning, stacklevel=1)


def test_what_is_installed_fits_together() -> None:
    checked = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pinned_files_hold_hashes_and_no_address(name: str) -> None:
    text = (TOP / name).read_text()
    assert "://" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_developers_run_the_versions_that_are_shipped() -> None:
    shipped = set(PINNED.findall((TOP / "requirements.txt").read_text()))
    assert shipped - set(PINNED.findall((TOP / "requirements-dev.txt").read_text())) == set()


def imported_roots(file: Path) -> set[str]:
    """Names of the top-level packages a file imports anywhere."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "domain" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_domain_imports_the_standard_library_only() -> None:
    # import-linter can only forbid packages by name; this one forbids those nobody has thought of.
    allowed = sys.stdlib_module_names | {"domain"}
    files = sorted((TOP / "domain").rglob("*.py"))
    assert files
    assert {str(file): extra for file in files if (extra := imported_roots(file) - allowed)} == {}


def drawn(profile: str = "settled") -> list[int]:
    """What a property that asks for ten inputs is given when its module is read under a profile."""
    settings.load_profile(profile)
    asked = draws(10)
    settings.load_profile("settled")
    seen = list[int]()

    @given(st.lists(st.integers(), min_size=20))
    @asked
    def a_property(values: list[int]) -> None:
        seen.append(sum(values))

    providers.CONSTANTS_CACHE.cache.clear()  # what a search has left there others would draw
    a_property()
    providers.CONSTANTS_CACHE.cache.clear()
    return seen


@pytest.mark.parametrize("machine", ["default", "ci"])  # Hypothesis takes `ci` by itself where `CI` is set
def test_properties_draw_the_same_in_every_run_and_at_random_only_in_a_search(machine: str) -> None:
    settings.load_profile(machine)
    profiles()
    assert len(drawn()) == 10
    assert drawn() == drawn()
    searched = drawn("search")
    assert len(searched) == 10 * TIMES
    assert searched != drawn("search")


@pytest.mark.parametrize(("taken", "same"), [(constants, True), (found, False)])
def test_what_is_drawn_does_not_hang_on_what_else_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Callable[[], Constants], *, same: bool
) -> None:
    monkeypatch.setattr(providers, "_get_local_constants", taken)
    before = drawn()
    (tmp_path / "other.py").write_text(f"NUMBERS = {[10**9 + 7 * n for n in range(900)]}")
    other = ModuleType("other")
    other.__file__ = str(tmp_path / "other.py")
    monkeypatch.setitem(sys.modules, "other", other)
    assert (drawn() == before) is same


def test_no_property_leaves_what_the_profiles_say() -> None:
    own = re.compile(r"^from hypothesis import .*\bsettings\b|\bmax_examples=|\.seed\(", re.MULTILINE)
    files = [one for one in (TOP / "tests").rglob("*.py") if "from hypothesis import" in one.read_text()]
    assert {one.name for one in files if own.search(one.read_text())} == {"drawing.py", Path(__file__).name}
