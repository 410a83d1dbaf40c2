"""How the inputs of properties are drawn: the same in every run of the suite, and at random in `make search`.

A suite that draws by chance refuses one change for what another brought. So the profile `settled` draws the same
inputs for the same test on every machine; what only chance finds is looked for on purpose, with many more of them.
"""

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

USUAL = 100
"""Inputs a property gets where it does not say how many."""
TIMES = 20
"""How many times as many `make search` draws."""


found = providers._get_local_constants


def constants() -> Constants:
    """Constants of our own modules, in a search only.

    They depend on what else this process has imported, and change with every file that changes anywhere.
    """
    return Constants() if settings().derandomize else found()


def profiles() -> None:
    """Makes both profiles known and takes `settled`; `--hypothesis-profile search` takes the other.

    Neither has a deadline: it would tell a busy machine from a quiet one, not a right answer from a wrong one.
    Both say whether they draw at random: where `CI` is set, Hypothesis' own default would not.
    """
    providers._get_local_constants = constants
    either = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("settled", either, max_examples=USUAL, derandomize=True)
    settings.register_profile("search", either, max_examples=USUAL * TIMES, derandomize=False, print_blob=True)
    settings.load_profile("settled")


def draws(many: int) -> settings:
    """Decorates a property: it gets so many inputs, times what the profile in use draws more."""
    return settings(max_examples=many * settings().max_examples // USUAL)
