"""No style is without a whole life."""

import importlib
from pathlib import Path

from providers.strategies import strategies
from tests.styles.contract import StyleContract, TypedStyleContract


def test_each_style_is_lived_through() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"{__package__}.{path.stem}")
    lived, waiting = set(), [StyleContract]
    while waiting:
        known = waiting.pop().__subclasses__()
        waiting += known
        lived |= {contract.style for contract in known if contract is not TypedStyleContract}
    assert {*strategies()} == lived
