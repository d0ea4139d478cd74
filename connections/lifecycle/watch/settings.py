"""How the rules are set: a row for each, which an operator may change. At first each rule tells, and does no more."""

from collections.abc import Mapping

from django.db import transaction

from connections.database.locks import RowCheck, lock_to_compare
from connections.journal import audit
from connections.lifecycle.watch.rules import LEAST
from connections.models import Step, WatchRule, WatchSetting
from connections.models.mutators import differs

_COLUMNS = ("is_on", "least", "throttle_after", "hold_after", "kill_after")


def watch_settings() -> dict[WatchRule, WatchSetting]:
    """Return how each rule is set; rows that are missing are made. One query as a rule."""
    found = {WatchRule(row.rule): row for row in WatchSetting.objects.all()}
    for rule in WatchRule:
        if rule not in found:
            found[rule], _ = WatchSetting.objects.get_or_create(rule=rule, defaults={"least": LEAST[rule]})
    return found


def steps_after(setting: WatchSetting) -> Mapping[Step, int | None]:
    """Return after how many minutes each step is taken; None: never. No I/O."""
    return {Step.THROTTLE: setting.throttle_after, Step.HOLD: setting.hold_after, Step.KILL: setting.kill_after}


def change_setting(setting: WatchSetting, *, actor: audit.Actor, check: RowCheck | None = None) -> None:
    """Store ``setting`` as it is now. One transaction with an audit row; where nothing changes, nothing is written.

    Raises what ``check`` raises of the locked row.
    """
    with transaction.atomic():
        if check is not None:
            lock_to_compare(setting, check)
        if not differs(setting, *_COLUMNS):
            return
        setting.save(update_fields=list(_COLUMNS))
        audit.record(
            "watch.rule_set",
            actor=actor,
            detail={"rule": setting.rule} | {name: getattr(setting, name) for name in _COLUMNS},
        )
