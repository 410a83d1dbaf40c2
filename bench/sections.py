"""What docs/benchmarks.md says of each bench: its words, its tables, its plots, and the aims it is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.common import Row, short
from bench.peers import VERSIONS
from bench.plot import lines

Rows = Sequence[Row]
Draw = Callable[[Rows], str]


@dataclass(frozen=True, slots=True)
class Aim:
    """`value` of a bench's rows, at least or at most `bound`."""

    bench: str
    what: str
    bound: float
    value: Callable[[Rows], float]
    at_most: bool = False
    rounds: Callable[[Rows], Sequence[float]] = lambda _: ()
    """The lowest and the highest of a round: where the bound lies between them, nothing is decided."""

    def row(self, rows: Rows) -> Sequence[object]:
        """What was aimed at, what was measured, and whether it is met."""
        value = short(self.value(rows))
        aim = f"at {'most' if self.at_most else 'least'} {self.bound:,}"
        return self.what, aim, f"{value:,}", self._verdict(value, sorted(map(short, self.rounds(rows))))

    def _verdict(self, value: float, rounds: Sequence[float]) -> str:
        if rounds and rounds[0] < self.bound < rounds[-1]:
            return f"open: {rounds[0]} to {rounds[-1]} from round to round"
        met = value <= self.bound if self.at_most else value >= self.bound
        return "met" if met else "**missed**"


@dataclass(frozen=True, slots=True)
class Section:
    """One bench on the page."""

    title: str
    says: str
    show: Draw
    plot: Draw | None = None


def table(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; numbers to the right."""
    ruled = ["---" if isinstance(one, str) else "---:" for one in (rows[0] if rows else heads)]
    return "\n".join(f"| {' | '.join(map(_said, row))} |" for row in (heads, ruled, *rows))


def _said(one: object) -> str:
    return f"{one:,}" if isinstance(one, int) and not isinstance(one, bool) else "" if one is None else str(one)


def by(keys: Sequence[str], field: str, rows: Rows) -> str:
    """A column for each figure of `field`."""
    some = [row for row in rows if field in row]
    if not some:
        return ""
    return table([*keys, *some[0][field]], [[*(row[key] for key in keys), *row[field].values()] for row in some])


def several(*parts: tuple[str, Draw]) -> Draw:
    """Tables with a line of words above each."""
    return lambda rows: "\n\n".join(f"{words}:\n\n{drawn}" for words, draw in parts if (drawn := draw(rows)))


def flat(rows: Rows) -> str:
    """Every figure of every row with its name."""
    return table(["figure", "value"], [pair for row in rows for pair in _flat(row)])


def _flat(row: Row, above: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in row.items():
        pairs += _flat(value, f"{above}{name}: ") if isinstance(value, dict) else [(above + name, _said(value))]
    return pairs


def cell(rows: Rows, **wanted: object) -> Row:
    """The row with these values."""
    return next(row for row in rows if all(row.get(name) == value for name, value in wanted.items()))


def fastest_peer(row: Row) -> float | None:
    """Against the fastest of the peers."""
    return min((row["log alone against"][name] for name in VERSIONS if name in row["log alone against"]), default=None)


def appends(rows: Rows) -> str:
    """Rates and ratios."""
    ratios = ("log ÷ INSERT", "log ÷ fastest peer", "everything ÷ INSERT", "everything ÷ same rows")
    return table(["batch", "writers", *rows[0]["per_second"], *ratios], [_append(row) for row in rows])


def _append(row: Row) -> Sequence[object]:
    log, everything = row["log alone against"], row["everything on against"]
    ratios = log["INSERT"], fastest_peer(row), everything["INSERT"], everything.get("same rows")
    return [row["batch"], row["writers"], *row["per_second"].values(), *ratios]


def append_plot(rows: Rows) -> str:
    """Single events over the number of writers."""
    some = [row for row in rows if row["batch"] == 1]
    series = {name: [(row["writers"], row["per_second"][name]) for row in some] for name in some[0]["per_second"]}
    says = "Single events appended a second by 1 to 128 writers, each store a line; the numbers are in the table below."
    return lines("Appends of one event", says, ("writers", "events a second"), series, log_y=True)


def load_plot(rows: Rows) -> str:
    """Milliseconds over length."""
    series = {name: [(row["length"], row["p50_ms"][name]) for row in rows] for name in rows[0]["p50_ms"]}
    says = "Milliseconds to read a case of 10 to 10,000 events; all grow with its length. The numbers are in the table."
    return lines("Loading a case", says, ("events of the case", "milliseconds"), series, log_y=True)


def documents_plot(rows: Rows) -> str:
    """MiB a second over size."""
    names = rows[0]["MiB a second"]
    series = {name: [(row["MiB"], row["MiB a second"][name]) for row in rows] for name in names}
    says = "MiB a second of documents of several sizes into a case and out of it, and of cat through AES-GCM."
    return lines("Documents", says, ("MiB of the document", "MiB a second"), series, log_y=True)


def importing_plot(rows: Rows) -> str:
    """Milliseconds over entries."""
    series = {name: [(row["entries"], row["ms"][name]) for row in rows] for name in rows[0]["ms"]}
    says = "Milliseconds to import a bundle of 100 to 10,000 entries, and to parse its JSON alone."
    return lines("Importing a bundle", says, ("entries of the bundle", "milliseconds"), series, log_y=True)


def history_plot(rows: Rows) -> str:
    """Each against itself at the smallest size."""
    some = [row for row in rows if "p50_ms" in row]
    names = some[0]["p50_ms"]
    series = {name: [(row["events"], row["p50_ms"][name] / names[name]) for row in some] for name in names}
    says = "Time of each operation as a multiple of its time in the smallest ledger; 1 everywhere would be flat."
    return lines("Growth of the ledger", says, ("events in the ledger", "times the smallest"), series)


def ours(kind: str, writers: int) -> Callable[[Rows], float]:
    """A rate against the INSERT, single events."""
    return lambda rows: float(cell(rows, writers=writers, batch=1)[f"{kind} against"]["INSERT"])


def price(name: str, bound: float, what: str, of: Callable[[float], float]) -> Aim:
    """Of a share of the path as it is, single events."""

    def rounds(rows: Rows) -> Sequence[float]:
        return [of(float(one)) for one in cell(rows, batch=1)["from round to round"][name].split(" to ")]

    return Aim("price", what, bound, lambda rows: of(cell(rows, batch=1)["share of as it is"][name]), True, rounds)


AIMS = (
    Aim("append", "log alone ÷ INSERT, 32 writers", 1.5, ours("log alone", 32)),
    Aim("append", "log alone ÷ INSERT, 1 writer", 0.7, ours("log alone", 1)),
    Aim("append", "log alone ÷ fastest peer, 32 writers", 8, lambda r: fastest_peer(cell(r, writers=32, batch=1)) or 0),
    Aim("append", "everything on ÷ INSERT, 32 writers", 0.8, ours("everything on", 32)),
    Aim("append", "everything on ÷ INSERT, 1 writer", 0.4, ours("everything on", 1)),
    price("without hashing", 0.25, "share of hashing in an append", lambda share: 1 - share),
    price("beside a sealer", 0.1, "tree and signature beside appends", lambda share: share - 1),
    Aim("follow", "events followed", 10_000_000, lambda r: r[0]["followed"]),
    Aim("follow", "events a follower missed", 0, lambda r: r[0]["missed"], at_most=True),
    Aim("history", "events in the largest ledger", 5_000_000, lambda r: max(row.get("events", 0) for row in r)),
    Aim("verify", "verify ÷ reading and hashing, 1 core", 0.7, lambda r: r[-1]["verify against bare"]["one core"]),
    Aim("http", "command over INSERT, 1 caller, ms", 4, lambda r: cell(r, callers=1)["ms over bare"], at_most=True),
    Aim("http", "command ÷ no-op route, 32 callers", 0.5, lambda r: cell(r, callers=32)["command against"]["nothing"]),
    Aim("case_turn", "case turn ÷ bare turn, p50", 1.3, lambda r: r[0]["ratio"]["p50"], at_most=True),
    Aim(
        "hostile",
        "honest p99 beside strangers ÷ alone, worst shape",
        2,
        lambda r: max(row["times alone"] for row in r),
        at_most=True,
    ),
    Aim("matching", "matching ÷ a plain loop over tuples", 0.3, lambda r: r[0]["of the loop"]),
    Aim("matching", "a changed protocol, 10,000 cases, s", 10, lambda r: r[1]["seconds"], at_most=True),
    Aim("documents", "largest document in ÷ cat through AES-GCM", 0.5, lambda r: r[-1]["of cat"]["in"]),
    Aim("documents", "largest document out ÷ cat through AES-GCM", 0.5, lambda r: r[-1]["of cat"]["out"]),
    Aim("documents", "MiB more than at rest", 150, lambda r: max(row["MiB more"] for row in r), at_most=True),
    Aim("excursions", "a year of 100 freezers, processor seconds", 10, lambda r: r[0]["seconds"], at_most=True),
    Aim("console", "first rows, 10,000 cases, ms", 500, lambda r: r[-1]["worklist"]["rows"], at_most=True),
    Aim("console", "live change, 10,000 cases, ms", 500, lambda r: r[-1]["live"]["p50_ms"], at_most=True),
)


def p50_and_growth(key: str) -> Draw:
    """Of places of several sizes."""
    return several(("Milliseconds, p50", partial(by, [key], "p50_ms")), (GROWN, partial(by, [], "growth")))


GROWN = "The largest against the smallest"
SECTIONS = {
    "append": Section(
        "Append",
        "Events a second, durable when answered, against a bare INSERT (a batch unnested) and COPY of as many bytes, "
        "one commit each. Log alone: hash, contiguous position, command key, each append to a stream of its own. "
        "Everything on: also a sealed field, read models and attention, to cases of 200 events; same rows: those very "
        "rows by one plain statement, without lock, hash or check. Peers on the same server, each in a database of its "
        "own: " + ", ".join(f"{name} {version}" for name, version in VERSIONS.items()) + ".",
        appends,
        append_plot,
    ),
    "price": Section(
        "Price of hashing and sealing",
        "32 writers that go on with streams of their own, log alone; the same path without hashing (a constant in SQL "
        "in its place), with a sealed field (AES-256-GCM), and beside a sealer that extends the tree and signs.",
        several(
            ("Microseconds an event", partial(by, ["batch"], "microseconds an event")),
            ("Share of the path as it is", partial(by, ["batch"], "share of as it is")),
            ("Lowest and highest share of a round", partial(by, ["batch"], "from round to round")),
        ),
    ),
    "load": Section(
        "Load, fold, time travel",
        "A case with a sealed text in every second event, against a bare SELECT of the same rows, nothing decoded. "
        "All but the last two columns are of a process that sees the case for the first time; what it saw before, it "
        "keeps.",
        several(
            ("Milliseconds, p50", partial(by, ["length"], "p50_ms")),
            ("Times SELECT", partial(by, ["length"], "times SELECT")),
        ),
        load_plot,
    ),
    "http": Section(
        "Command through HTTP",
        "To the durable answer, with sign-in, rules and read models; against a bare INSERT with commit, and the route "
        "that only signs in. The callers are one process, the API is another.",
        several(
            ("Calls a second", partial(by, ["callers"], "per_second")),
            ("Milliseconds, p50", partial(by, ["callers", "ms over bare"], "p50_ms")),
            ("Calls a second, command ÷", partial(by, ["callers"], "command against")),
        ),
    ),
    "history": Section(
        "Growth of the ledger",
        "One database a size, made by COPY with the project's own hashes, verified in full, then measured in turns. "
        "Seal: a checkpoint over about 1,000 events, recomputed from the rows, tree and folder included. Verify on: "
        "to that checkpoint from where the last verification ended; of the checkpoints kept before it reads names and "
        "marks only.",
        p50_and_growth("events"),
        history_plot,
    ),
    "growth": Section(
        "Growth in open cases",
        "The worklist's first page and a command over HTTP, a look of the engine, the courier's poll.",
        p50_and_growth("cases"),
    ),
    "verify": Section(
        "Verify", "Against reading the same rows and hashing their bytes once; and what sealing costs beside.", flat
    ),
    "follow": Section(
        "Nothing is missed", "A follower by position while 32 writers in two processes append batches of 100.", flat
    ),
    "case_turn": Section(
        "Case turn",
        "A committed fact until the engine has looked at it, against a bare signal-with-start and a no-op activity.",
        flat,
    ),
    "restore": Section("Restore", "Onto an empty Temporal, against bare workflow starts on the same one.", flat),
    "rehearsal": Section("Rehearsal", "Years in seconds, on the real code.", flat),
    "hostile": Section(
        "Strangers", "1,000 hostile requests of each shape beside 32 honest callers, no rate limited.", flat
    ),
    "matching": Section(
        "Matching",
        "Protocols of 8 criteria and cases, generated, on one core; protocols are prepared once for all cases, and the "
        "first 50 of each case are given their reasons, as on a page. Against the same comparisons in a plain loop "
        "over tuples, whose numbers were converted beforehand, and which says neither why nor what is not known.",
        flat,
    ),
    "importing": Section(
        "Importing",
        "A FHIR bundle as Synthea writes it over HTTP into a case of its own, durable when answered, by its number of "
        "entries; one in ten is a result that is observed here. Beside it what it takes to parse the JSON alone.",
        flat,
        importing_plot,
    ),
    "excursions": Section(
        "Excursions",
        "A year of one-minute readings of 100 freezers, with rises and gaps, on one core; against the bare "
        "maximum of the same instants and temperatures. Processor seconds; reading a logger's file comes on top.",
        flat,
    ),
    "documents": Section(
        "Documents",
        "One document over HTTP into a case, at once and in pieces of 8 MiB, and out again; rates against `cat` "
        "through AES-GCM of the same library to the same disk; what both cost the processor, which other work changes "
        "less; and by how many MiB the server process grew at its highest. "
        "`--mebibytes 2048` adds the largest that is taken.",
        flat,
        documents_plot,
    ),
    "reserving": Section(
        "Reserving doses",
        "1,000 allocators at once over 50 lots of 20 units: each looks at the stock, holds the soonest unit that fits, "
        "and says why each other was not it, durable when answered. Against the bare compare-and-set UPDATE of the "
        "first free row over as many connections, which says nothing. Processor time is that of the allocators' "
        "process.",
        flat,
    ),
    "recall": Section(
        "Recall",
        "From a vector run to every unit of its lots and every patient, now and as known when half of it was there, of "
        "which one unit in ten was held, committed and infused: read from the events, whose a unit is opened. Against "
        "a recursive statement over bare edges and units, all in the open. Processor time is the asking process's.",
        flat,
    ),
    "console": Section("Console", "A real browser, against the same bytes served from memory.", flat),
}
