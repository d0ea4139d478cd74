"""Sets the product up in this process, and takes the throttle's Redis away from it.

What holds a provider app back (its budget, its pauses) is kept in Redis, and without one all is admitted. A campaign
asks for more refreshes a second than any provider would stand. The broker stays, and so does the throttle of the
stack's own workers.
"""

import django
from django.conf import settings

django.setup()
settings.REDIS_URL = "redis://127.0.0.1:1/0"
