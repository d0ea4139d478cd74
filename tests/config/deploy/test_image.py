"""The image: what goes in, as whom it runs, and what it is started with."""

import fnmatch
import re

from tests.config.deploy.files import ROOT, compose, instructions, settings

_OF_THE_PLATFORM = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def given(keyword: str) -> list[str]:
    return [rest for found, rest in instructions() if found == keyword]


def test_the_base_is_pinned_by_its_digest() -> None:
    assert re.fullmatch(r"BASE=python:[\w.-]+@sha256:[0-9a-f]{64}", given("ARG")[0])
    names = set(re.findall(r" AS (\w+)", "\n".join(given("FROM"))))
    bases = {words.split()[0] for words in given("FROM")}
    assert bases - names == {"${BASE}", "${TOOLS_BASE}", "scratch"}


def test_packages_come_from_locks_with_hashes_alone() -> None:
    installs = [command for command in given("RUN") if "install --" in command and "pip" in command]
    assert len(installs) == 2
    for command in installs:
        assert "--require-hashes" in command
        assert "--only-binary :all:" in command
    for lock in ("requirements.lock", "config/deploy/requirements-sbom.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert len(re.findall(r"^\S+==", text, re.MULTILINE)) > 20


def test_it_runs_as_a_user_without_rights_and_checks_itself() -> None:
    assert given("USER") == ["10001:10001"] * 2  # of the image that runs, and of `tools`
    is_user = False
    for keyword, rest in instructions():
        is_user = keyword == "USER" or (is_user and keyword != "FROM")
        assert not (is_user and keyword in ("RUN", "COPY", "ADD")), rest
    assert is_user, "the last one runs"
    assert any("config/web/healthy.py" in rest for rest in given("HEALTHCHECK"))


def test_backups_have_an_image_with_the_programs_of_the_database_that_compose_runs() -> None:
    (base,) = [rest.partition("=")[2] for rest in given("ARG") if rest.startswith("TOOLS_BASE=")]
    image = compose()["services"]["postgres"]["image"]
    assert base.startswith(f"{image}-"), "programs of an older major version read nothing of it"
    assert compose()["services"]["tools"]["build"]["target"] == "tools"
    python = re.search(r"BASE=python:(3\.\d+)-slim-(\w+)@", given("ARG")[0])
    assert python
    tools = "\n".join(f"{keyword} {rest}" for keyword, rest in instructions()).split("AS tools\n")[1].split("FROM ")[0]
    assert base.endswith(f"-{python[2]}"), "its Python has another minor version"
    assert set(re.findall(r"python(3\.\d+)", tools)) == {python[1]}


def test_nothing_secret_is_said_in_it() -> None:
    named = set(re.findall(r"\b([A-Z][A-Z_]+)=", given("ENV")[-1]))
    assert named - _OF_THE_PLATFORM <= settings() | {name for name in named if name.startswith("GRANIAN_")}
    assert not [name for name in named if re.search("KEYS|_KEY|SECRET|PASSWORD|URL", name)]


def test_what_is_copied_is_there_and_let_in() -> None:
    """``.dockerignore`` shuts everything out and lets some in; the last rule that fits decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    def is_let_in(path: str) -> bool:
        inside = False
        for rule in rules:
            pattern = rule.removeprefix("!")
            if any(fnmatch.fnmatch(part, pattern) for part in (path, *map(str, _parents(path)))):
                inside = rule.startswith("!")
        return inside

    copied = [
        source.removeprefix("./")
        for words in given("COPY")
        if not words.startswith("--from")
        for source in words.split()[:-1]
        if "$" not in source
    ]
    assert {"manage.py", "config", "connections", "providers", "static", "templates"} <= set(copied)
    for path in copied:
        assert (ROOT / path).exists(), path
        assert is_let_in(path), path
    for path in (".git/config", ".local/keys", ".venv/bin/python", "secret.txt", "tests/conftest.py", "latchkey.env"):
        assert not is_let_in(path), path
    assert not is_let_in("config/local/run.py")


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]
