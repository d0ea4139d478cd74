"""A receiver of webhooks."""

from tests.receiver import receiver, upstream

__all__ = ["receiver", "upstream"]
