"""What campaigns and process tests do with a running stack: fill it, ask its database and its provider."""

import json
import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from config.local.demo.stack import LocalStack
from providers.sandbox.client import SandboxControl
from providers.sandbox.waiting import until
from tests.services import migrated_database
from tests.warm.start import Warm

# Sweeps come often, and no probe comes between.
QUICK = {"LATCHKEY_SWEEP_SECONDS": "0.5", "LATCHKEY_PROBE_SECONDS": "3600,3600,3600"}


def populate(stack: LocalStack, count: int, *options: str) -> dict[str, Any]:
    """Fill the stack with connections; returns the API key and the connections' ids."""
    printed = stack.run("populate", "-m", "tests.campaigns.populate", "--count", str(count), *options)
    populated: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return populated


@contextmanager
def own_databases() -> Iterator[dict[str, str]]:
    """Make a migrated database on the test run's PostgreSQL, empty this worker's share of its Valkey, and name both."""
    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"stack_{uuid.uuid4().hex[:12]}"
    template = migrated_database()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connected:
        connected.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
        try:
            yield {"DATABASE_URL": server._replace(path=f"/{name}").geturl(), "REDIS_URL": os.environ["REDIS_URL"]}
        finally:
            connected.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def running_stack(folder: Path, *processes: str, **overrides: str) -> Iterator[LocalStack]:
    """Run these processes, with a quick sweep, on databases of their own at the servers of this run."""
    with (
        own_databases() as databases,
        Warm() as warm,
        LocalStack(
            state_dir=folder,
            processes=processes,
            seed=False,
            migrate=False,
            overrides=QUICK | databases | overrides,
            popen=warm,
        ) as running,
    ):
        yield running


@contextmanager
def stack_to_break(folder: Path, *processes: str, durable: bool = False, **overrides: str) -> Iterator[LocalStack]:
    """Run these processes, with a quick sweep, on a PostgreSQL and a Valkey of their own, to be stopped and broken.

    A server that is named in ``overrides`` is used all the same, its database as ``own_databases`` made it. A
    ``durable`` Valkey keeps its tasks over a restart.
    """
    with Warm() as warm:
        stack = LocalStack(
            state_dir=folder,
            processes=processes,
            seed=False,
            migrate="DATABASE_URL" not in overrides,
            durable=durable,
            overrides=QUICK | overrides,
            popen=warm,
        )
        # This run's own servers stand in its environment, and would be taken.
        shared = {name: os.environ.pop(name) for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
        try:
            stack.start()
        finally:
            os.environ.update(shared)
        try:
            yield stack
        finally:
            stack.destroy()


def control(stack: LocalStack) -> SandboxControl:
    """Return the control of the stack's provider."""
    return SandboxControl(stack.urls["sandbox"])


def database(stack: LocalStack) -> "psycopg.Connection[Any]":
    """Return a connection to the stack's database, for looking and for moving time."""
    return psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True)


def scalar(connected: "psycopg.Connection[Any]", statement: str) -> Any:
    """Return the one value that ``statement`` answers."""
    row = connected.execute(statement).fetchone()
    return row[0] if row else None


@contextmanager
def extra_process(
    stack: LocalStack, *arguments: str, seconds: float = 10, environment: Mapping[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run one more Python process under the stack's environment, with changes to it, until the block ends."""
    log = (stack.state_dir / "logs" / "extra.log").open("ab")
    changed = stack.environment | dict(environment or {})
    process = stack.popen([sys.executable, *arguments], env=changed, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@contextmanager
def extra_worker(
    stack: LocalStack, *, queues: str = "celery,refresh,probe,webhooks"
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run one more worker of four threads beside those of the stack, as ``extra_process`` does."""
    command = "-m celery -q -A config worker -P threads -c 4 -l WARNING --without-gossip --without-mingle"
    named = ("-Q", queues, "-n", f"{uuid.uuid4().hex[:8]}@here")
    with extra_process(stack, *command.split(), *named) as process:
        yield process


def wait_for_port(port: int, *, seconds: float = 20) -> None:
    """Return when something listens on a loopback port."""
    until(lambda: listens(port), f"a server on port {port}", seconds=seconds)


def listens(port: int) -> bool:
    """Return whether a server listens on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
