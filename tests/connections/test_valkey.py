"""The server that sentinels watch: found by them, and again after it has died. Real sentinels, and real servers."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from celery import Celery
from pydantic import SecretStr
from pytest_django import Settings

from config import broker
from config.local.services import valkey as local
from config.local.services.ports import HOST, any_free_port
from connections.valkey import Watched, client_of, watched
from providers.sandbox.waiting import until

PASSWORD, OF_SENTINELS = "the-servers-own", "the-sentinels-own"
PATIENT = {"socket_timeout": 10, "socket_connect_timeout": 10}


@dataclass
class Server:
    """One process, and the port at which it listens."""

    port: int
    process: "subprocess.Popen[bytes]"

    def client(self) -> redis.Redis:
        return redis.Redis(host=HOST, port=self.port, password=PASSWORD)


@dataclass
class Watch:
    """A primary, its replica, and the sentinel that watches them."""

    primary: Server
    replica: Server
    sentinel: int
    url: str

    def kill_primary(self) -> None:
        """Kill it. The sentinel, which is patient with a busy machine until then, is so no longer."""
        with redis.Redis(host=HOST, port=self.sentinel, password=OF_SENTINELS) as asked:
            asked.sentinel_set("ours", "down-after-milliseconds", "300")
        self.primary.process.kill()


def serve(folder: Path, cleanup: ExitStack, *words: str, settings: dict[str, str]) -> Server:
    folder.mkdir()
    port = any_free_port()
    lines = {"port": str(port), "bind": HOST, "dir": str(folder), **settings}
    (folder / "conf").write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    process = subprocess.Popen([local._program(), folder / "conf", *words], stdout=subprocess.DEVNULL)
    cleanup.callback(process.wait)
    cleanup.callback(process.kill)
    return Server(port, process)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    folder = tmp_path_factory.mktemp("sentinels")
    own = {"requirepass": PASSWORD, "masterauth": PASSWORD, "save": '""', "repl-diskless-sync-delay": "0"}
    with ExitStack() as cleanup:
        primary = serve(folder / "primary", cleanup, settings=own)
        replica = serve(folder / "replica", cleanup, settings=own | {"replicaof": f"{HOST} {primary.port}"})
        for server in (primary, replica):
            until(lambda server=server: _answers(server), "a server")  # type: ignore[misc]
        watching = {
            "sentinel monitor ours": f"{HOST} {primary.port} 1",
            "sentinel auth-pass ours": PASSWORD,
            "sentinel down-after-milliseconds ours": "60000",
            "sentinel failover-timeout ours": "2000",
            "requirepass": OF_SENTINELS,
        }
        sentinel = serve(folder / "sentinel", cleanup, "--sentinel", settings=watching)
        until(lambda: _knows_a_replica(sentinel.port), "a sentinel that knows of the replica", seconds=60)
        yield Watch(
            primary, replica, sentinel.port, f"redis+sentinel://:{PASSWORD}@{HOST}:9,{HOST}:{sentinel.port}/ours/3"
        )


def _answers(server: Server) -> bool:
    try:
        return bool(server.client().ping())
    except redis.RedisError:
        return False


def _knows_a_replica(port: int) -> bool:
    try:
        with redis.Redis(host=HOST, port=port, password=OF_SENTINELS) as asked:
            (told,) = asked.sentinel_slaves("ours")
    except (redis.RedisError, ValueError):
        return False
    return told["flags"] == {"slave"} or told.get("master-link-status") == "ok"


def test_the_primary_is_found_and_the_next_one_too(watch: Watch, settings: Settings) -> None:
    settings.SENTINEL_CREDENTIALS = {"password": SecretStr(OF_SENTINELS)}
    client = client_of(watch.url, **PATIENT)
    assert client.set("key", "kept")
    assert watch.primary.client().execute_command("WAIT", 1, 9000) == 1
    found = watched(watch.url)
    assert found is not None
    app = Celery("sentinels")
    broker.install(app)
    app.conf.update(
        broker_url=found.broker_url(),
        broker_transport_options={
            "master_name": found.name,
            "credentials": found.credentials,
            "sentinel_credentials": settings.SENTINEL_CREDENTIALS,
            **PATIENT,
        },
    )
    with app.connection_for_write() as connection:
        connection.SimpleQueue("refresh").put({"number": 1})
    watch.kill_primary()

    def is_moved() -> bool:
        try:
            return bool(client.set("moved", "yes"))
        except redis.RedisError:
            return False

    until(is_moved, "the replica in the place of the primary", seconds=180)
    assert client.get("key") == b"kept"
    assert watch.replica.client().info("replication")["role"] == "master"
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("refresh")
        queue.put({"number": 2})
        got = {queue.get(timeout=60).payload["number"] for _ in range(2)}
    assert 2 in got, "what was sent before may be lost with the primary, or not"


def test_what_names_the_server_itself_is_left_as_it_is() -> None:
    url = os.environ["REDIS_URL"]
    assert watched(url) is None
    assert client_of(url, **PATIENT).ping()


def test_a_url_says_all_that_is_needed() -> None:
    found = watched("redis+sentinel://user:p%40ss@a:1,b,[::1]:3/ours/4")
    assert found == Watched(
        (("a", 1), ("b", 26379), ("::1", 3)), "ours", 4, {"username": SecretStr("user"), "password": SecretStr("p@ss")}
    )
    assert "p@ss" not in repr(found)
    assert found.broker_url() == "sentinel://a:1/4;sentinel://b:26379/4;sentinel://[::1]:3/4"


@pytest.mark.parametrize(
    "rest", ["a", "a/", "a/ours", "a/ours/", "a/ours/x", "a,/ours/0", "/ours/0", "a:x/ours/0", "a/ours/0?db=1"]
)
def test_a_url_that_lacks_something_is_refused_without_its_password(rest: str) -> None:
    with pytest.raises(ValueError, match=r"redis\+sentinel://:PASSWORD@HOST:PORT") as refused:
        watched(f"redis+sentinel://:a-secret@{rest}")
    assert "a-secret" not in str(refused.value)
