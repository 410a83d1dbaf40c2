"""What each rule says, as a digest in rules.json, so that no rule changes and keeps its version: see test_pinned.py.

`python -m tests.domain.pinning` writes the digests down as they are now.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from domain.journey import MODULES

PINS = Path(__file__).with_name("rules.json")
Named = Mapping[str, ast.stmt]
"""What a module defines at its top, by name."""


def digests() -> dict[str, str]:
    """Of every rule in the table, by name and version."""
    found = [digests_of(inspect.getsource(module)) for module in MODULES.values() if hasattr(module, "RULES")]
    return {name: digest for one in found for name, digest in sorted(one.items())}


def digests_of(source: str) -> dict[str, str]:
    """Of one module: the row of each rule, and every function and constant of the module that it comes to.

    Earlier versions are included. Comments, docstrings and layout count for nothing, nor does what other modules do.
    """
    named = dict(_named(ast.parse(source)))
    tables = [named[name] for name in ("RULES", "EARLIER") if name in named]
    calls = [node for table in tables for node in ast.walk(table) if isinstance(node, ast.Call)]
    rows = [node for node in calls if _names(node.func) == {"Rule"}]
    return {f"{ast.literal_eval(row.args[0])} {ast.literal_eval(row.args[1])}": _digest(row, named) for row in rows}


def _named(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name):
                node.body = node.body[1:] if ast.get_docstring(node) else node.body
                yield name, node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case _:
                pass


def _digest(row: ast.expr, named: Named) -> str:
    parts: list[ast.AST] = []
    todo: list[ast.AST] = [row]
    while todo:
        parts.append(todo.pop())
        used = [named[name] for name in sorted(_names(parts[-1]) & named.keys())]
        todo += [node for node in used if not any(node is one for one in [*parts, *todo])]
    text = "\n".join(sorted(ast.unparse(part) for part in parts))
    return sha256(text.encode()).hexdigest()[:16]


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


if __name__ == "__main__":
    PINS.write_text(json.dumps(digests(), indent=2) + "\n")
