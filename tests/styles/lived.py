"""The whole lives that are tested here, by style."""

import importlib
from collections.abc import Mapping
from pathlib import Path

from tests.styles.contract import StyleContract, TypedStyleContract


def lives() -> Mapping[str, type[StyleContract]]:
    """Return a contract for each style: one that plays the sandbox's own entry, if there is such a one.

    Of several it is the first by the names of their modules, in whatever order those were imported.
    """
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"{__package__}.{path.stem}")
    found: dict[str, type[StyleContract]] = {}
    waiting: list[type[StyleContract]] = [StyleContract]
    while waiting:
        known = sorted(waiting.pop(0).__subclasses__(), key=lambda contract: contract.__module__)
        waiting += known
        for contract in known:
            if contract is not TypedStyleContract and (contract.style not in found or found[contract.style].entry):
                found[contract.style] = contract
    return found
