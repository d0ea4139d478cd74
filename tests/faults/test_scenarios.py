"""Every scenario of ``manage.py drill``, each as a test of its own (see ``connections/drills``)."""

import pytest

from connections.drills.ground import Ground
from connections.drills.matrix import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_promise_is_kept(ground: Ground, scenario: Scenario) -> None:
    print(scenario.play(ground))
