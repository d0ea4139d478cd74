import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.services.ports import HOST, any_free_port, choose_port, choose_ports, is_free
from config.local.supervisor.state import write_record


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as server:
        yield server


def _port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_port_with_a_listener_is_not_free(listener: socket.socket) -> None:
    assert not is_free(_port_of(listener))


def test_a_listener_on_every_address_makes_the_port_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_free(_port_of(server))


def test_a_port_in_time_wait_is_free() -> None:
    server = socket.create_server((HOST, 0))
    port = _port_of(server)
    client = socket.create_connection((HOST, port))
    accepted, _ = server.accept()
    accepted.close()
    client.close()
    server.close()
    assert is_free(port)


def test_the_next_port_is_chosen_when_the_usual_one_is_taken(listener: socket.socket) -> None:
    port = _port_of(listener)
    chosen = choose_port(port)
    assert chosen != port
    assert is_free(chosen)


def test_a_chosen_port_is_remembered_even_when_the_usual_one_is_free_again(tmp_path: Path) -> None:
    usual = any_free_port()
    with socket.create_server((HOST, usual)):
        first = choose_ports(tmp_path / "ports.json", {"web": usual})
    assert first["web"] != usual
    assert choose_ports(tmp_path / "ports.json", {"web": usual}) == first


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path, listener: socket.socket) -> None:
    write_record(tmp_path / "ports.json", {"web": _port_of(listener)})
    chosen = choose_ports(tmp_path / "ports.json", {"web": None})
    assert chosen["web"] != _port_of(listener)
    assert is_free(chosen["web"])


def test_two_names_never_share_a_port(tmp_path: Path) -> None:
    usual = any_free_port()
    write_record(tmp_path / "ports.json", {"web": usual, "sandbox": usual})
    chosen = choose_ports(tmp_path / "ports.json", {"web": usual, "sandbox": usual})
    assert len(set(chosen.values())) == 2
