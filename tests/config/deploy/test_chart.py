"""The chart: what it makes is what was said, locked down, and reaches what it should."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from tests.config.deploy.files import (
    CHART,
    ROOT,
    SAID,
    manifests,
    render,
    renderer,
    required_settings,
    settings,
    worker_command,
)

rendered = pytest.mark.skipif(
    renderer() is None, reason="needs helm, or golang-go and golang-github-masterminds-sprig-dev"
)
KEY_LISTS = ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")
EVERYTHING: dict[str, Any] = {
    "web": {"autoscaling": {"enabled": True}, "podAnnotations": {"prometheus.io/scrape": "true"}},
    "worker": {
        "autoscaling": {"enabled": True},
        "concurrency": 16,
        "podAnnotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9464"},
    },
    "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls"},
    "env": {
        "LATCHKEY_LOG_FORMAT": "json",
        "OIDC_CLIENT_SECRET": {"valueFrom": {"secretKeyRef": {"name": "sso", "key": "s"}}},
    },
    "backup": {
        "enabled": True,
        "image": {"repository": "registry.example/latchkey-tools", "tag": "1"},
        "recipient": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        "claim": "backups",
    },
    "spool": {"existingClaim": "spool"},
    "catalog": {"configMap": "entries"},
    "keyFiles": {"secretName": "latchkey-keys"},
    "clientSecrets": {"secretName": "latchkey-client-secrets"},
    "networkPolicy": {
        "from": [{"namespaceSelector": {}}],
        "databases": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
        "servicePorts": [587, 4318],
        "services": [{"ipBlock": {"cidr": "10.2.0.0/16"}}],
    },
    "podAnnotations": {"team": "platform", "prometheus.io/scrape": "false"},
}


def pods(made: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the pod templates, by their component."""
    specs = [item["spec"] for item in made if item["kind"] in ("Deployment", "Job")]
    specs += [item["spec"]["jobTemplate"]["spec"] for item in made if item["kind"] == "CronJob"]
    templates = [spec["template"] for spec in specs]
    return {template["metadata"]["labels"]["app.kubernetes.io/component"]: template for template in templates}


def named(made: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in made if item["kind"] == kind]


@rendered
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["as it is", "everything"])
def test_each_pod_is_locked_down(values: dict[str, Any]) -> None:
    made = pods(manifests(**values))
    assert set(made) - {"backup"} == {"web", "worker", "beat", "migrate"}
    assert ("backup" in made) is bool(values)
    for template in made.values():
        pod = template["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/tmp", "/var/lib/latchkey"}
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert container["resources"]["limits"]["memory"]


@rendered
def test_settings_come_by_reference_or_as_they_were_said() -> None:
    for template in pods(manifests(**EVERYTHING)).values():
        (container,) = template["spec"]["containers"]
        names = [variable["name"] for variable in container["env"]]
        assert len(names) == len(set(names))
        assert {name for name in names if not name.startswith("GRANIAN_")} <= (
            settings() | {"POD_NAME", "RECIPIENT"} | {f"{name}_FILE" for name in KEY_LISTS}
        )
        assert container["envFrom"] == [{"secretRef": {"name": "latchkey"}}]
        by_reference = next(variable for variable in container["env"] if variable["name"] == "OIDC_CLIENT_SECRET")
        assert by_reference["valueFrom"]["secretKeyRef"] == {"name": "sso", "key": "s"}


@rendered
def test_keys_may_be_mounted_as_files() -> None:
    for template in pods(manifests(**EVERYTHING)).values():
        (container,) = template["spec"]["containers"]
        files = {item["name"]: item["value"] for item in container["env"] if item["name"].endswith("_FILE")}
        assert files == {f"{name}_FILE": f"/etc/latchkey/keys/{name}" for name in KEY_LISTS}
        (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == "/etc/latchkey/keys"]
        assert "subPath" not in mount, "it would never change"
        (volume,) = [volume for volume in template["spec"]["volumes"] if volume["name"] == mount["name"]]
        assert volume["secret"]["secretName"] == "latchkey-keys"
    (container,) = pods(manifests())["web"]["spec"]["containers"]
    assert not [item for item in container["env"] if item["name"].endswith("_FILE")]


@rendered
def test_client_secrets_may_be_mounted_apart_from_keys() -> None:
    for template in pods(manifests(**EVERYTHING)).values():
        (container,) = template["spec"]["containers"]
        allowed = {item["name"]: item.get("value", "") for item in container["env"]}["LATCHKEY_SECRET_SOURCES"]
        folder = allowed.removeprefix("file:").removesuffix("/")
        (mount,) = [mount for mount in container["volumeMounts"] if mount["mountPath"] == folder]
        assert "subPath" not in mount, "it would never change"
        (volume,) = [volume for volume in template["spec"]["volumes"] if volume["name"] == mount["name"]]
        assert volume["secret"]["secretName"] == "latchkey-client-secrets"
    (container,) = pods(manifests())["web"]["spec"]["containers"]
    assert "LATCHKEY_SECRET_SOURCES" not in {item["name"] for item in container["env"]}


@rendered
def test_each_selector_finds_its_pods() -> None:
    made = manifests(**EVERYTHING)
    labels = {part: set(template["metadata"]["labels"].items()) for part, template in pods(made).items()}
    for item in named(made, "Deployment"):
        part = item["metadata"]["labels"]["app.kubernetes.io/component"]
        assert set(item["spec"]["selector"]["matchLabels"].items()) <= labels[part]
    (service,) = named(made, "Service")
    assert [part for part in labels if set(service["spec"]["selector"].items()) <= labels[part]] == ["web"]
    scaled = {item["spec"]["scaleTargetRef"]["name"] for item in named(made, "HorizontalPodAutoscaler")}
    unscaled = {item["metadata"]["name"] for item in named(made, "Deployment") if "replicas" in item["spec"]}
    assert scaled == {"latchkey-web", "latchkey-worker"}
    assert unscaled == {"latchkey-beat"}


@rendered
def test_tables_are_migrated_before_the_pods_begin() -> None:
    (job,) = named(manifests(), "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["command"] == [
        "python",
        "manage.py",
        "migrate",
        "--noinput",
    ]


@rendered
@pytest.mark.parametrize("part", ["migrate", "backup"])
def test_what_goes_past_a_pooler_has_settings_of_its_own(part: str) -> None:
    """They win, and stand once: over the Secret of all by their order, over ``env`` in its place."""
    common = EVERYTHING["env"] | {"DATABASE_URL": "postgresql://app@pooler/latchkey", "DATABASE_POOLED": "true"}
    own = {"env": {"DATABASE_URL": "postgresql://owner@server/latchkey"}, "secretName": "latchkey-owner"}
    made = pods(manifests(**EVERYTHING | {"env": common, part: EVERYTHING.get(part, {}) | own}))
    for name, template in made.items():
        (container,) = template["spec"]["containers"]
        told = [(each["name"], each.get("value")) for each in container["env"]]
        assert len(dict(told)) == len(told)
        (url,) = [value for key, value in told if key == "DATABASE_URL"]
        secrets = [each["secretRef"]["name"] for each in container["envFrom"]]
        is_own = name == part
        assert url == (own["env"] if is_own else common)["DATABASE_URL"]
        assert secrets == ["latchkey", "latchkey-owner"][: 2 if is_own else 1]
        assert dict(told)["DATABASE_POOLED"] == "true"


@rendered
@pytest.mark.parametrize(
    ("account", "migrates_as"),
    [
        ({}, "default"),
        ({"name": "mine"}, "default"),
        ({"create": False, "name": "mine"}, "mine"),
        ({"create": False}, "default"),
    ],
    ids=str,
)
def test_nothing_runs_as_an_account_that_is_not_there_yet(account: dict[str, Any], migrates_as: str) -> None:
    """On the first install the migrations run before what the chart makes."""
    made = manifests(serviceAccount=account)
    accounts = {part: template["spec"]["serviceAccountName"] for part, template in pods(made).items()}
    assert accounts.pop("migrate") == migrates_as
    (others,) = set(accounts.values())
    assert [item["metadata"]["name"] for item in named(made, "ServiceAccount")] == (
        [others] if account.get("create", True) else []
    )


@rendered
def test_each_part_has_annotations_of_its_own() -> None:
    found = {}
    for part, template in pods(manifests(**EVERYTHING)).items():
        annotations = template["metadata"]["annotations"]
        assert annotations["team"] == "platform"
        found[part] = (annotations["prometheus.io/scrape"], annotations.get("prometheus.io/port"))
    assert found == {
        "web": ("true", None),
        "worker": ("true", "9464"),
        "beat": ("false", None),
        "migrate": ("false", None),
        "backup": ("false", None),
    }


@rendered
def test_backups_are_made_by_the_image_that_can() -> None:
    (container,) = pods(manifests(**EVERYTHING))["backup"]["spec"]["containers"]
    assert container["image"] == "registry.example/latchkey-tools:1"
    assert "manage.py backup make " in container["command"][-1]
    assert {"name": "backups", "mountPath": "/backups"} in container["volumeMounts"]
    assert {each["name"]: each.get("value") for each in container["env"]}["RECIPIENT"].startswith("age1")
    for missing in ("recipient", "claim"):
        refused = render(SAID | {"backup": EVERYTHING["backup"] | {missing: ""}})
        assert refused.returncode != 0
        assert f"backup.{missing}" in refused.stderr


@rendered
def test_what_else_the_settings_name_is_reached_where_it_is_said_to_be() -> None:
    (policy,) = named(manifests(**EVERYTHING), "NetworkPolicy")
    assert {
        "ports": [{"port": 587}, {"port": 4318}],
        "to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}],
    } in policy["spec"]["egress"]
    (policy,) = named(manifests(networkPolicy={"servicePorts": [3128]}), "NetworkPolicy")
    assert {"ports": [{"port": 3128}]} in policy["spec"]["egress"]
    (policy,) = named(manifests(), "NetworkPolicy")
    (databases,) = [rule for rule in policy["spec"]["egress"] if "to" not in rule and {"port": 5432} in rule["ports"]]
    assert databases["ports"] == [{"port": port} for port in (5432, 6432, 6379, 26379)]


@rendered
def test_workers_are_started_as_the_readme_says() -> None:
    readme = worker_command((ROOT / "README.md").read_text())
    command = pods(manifests())["worker"]["spec"]["containers"][0]["command"]
    assert command[: len(readme)] == readme
    assert command[len(readme) :] == ["-n", "worker@$(POD_NAME)"]


@rendered
def test_private_addresses_are_out_of_reach_as_providers() -> None:
    (policy,) = named(manifests(), "NetworkPolicy")
    blocks = [peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule.get("to", []) if "ipBlock" in peer]
    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} <= set(blocks[0]["except"])


@rendered
@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64])
def test_an_image_is_named_by_tag_or_digest(digest: str) -> None:
    by_digest = manifests(image={"repository": "registry.example/latchkey", "tag": digest})
    assert pods(by_digest)["web"]["spec"]["containers"][0]["image"] == f"registry.example/latchkey@{digest}"
    assert pods(manifests())["web"]["spec"]["containers"][0]["image"] == "registry.example/latchkey:0.1.0"


@rendered
@pytest.mark.parametrize("missing", ["image", "publicUrl", "secretName"])
def test_what_was_not_said_is_asked_for(missing: str) -> None:
    refused = render({name: value for name, value in SAID.items() if name != missing})
    assert refused.returncode != 0
    assert missing in refused.stderr


def test_every_value_is_described_and_the_defaults_fit() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(values) == set(schema["properties"]) - {"global"}
    jsonschema.Draft7Validator(schema).validate(values | SAID)
    jsonschema.Draft7Validator(schema).validate(values | SAID | EVERYTHING)


@pytest.mark.parametrize(
    "wrong",
    [
        {"publicUrl": "http://connect.example.com"},
        {"publicUrl": "https://connect.example.com/"},
        {"secretName": ""},
        {"worker": {"replicas": 0}},
        {"env": {"lower": "x"}},
        {"env": {"OIDC_NAME": {"value": "x"}}},
        {"replicas": 3},
        {"worker": {"autoscaling": {"enabled": True, "cpuPercent": 50}}},
        {"web": {"autoscaling": {"enabled": True, "metric": "requests", "target": "5"}}},
        {"migrate": {"env": {"lower": "x"}}},
        {"backup": {"envFrom": []}},
    ],
    ids=str,
)
def test_a_value_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(values | SAID | wrong)


def test_the_secret_of_the_page_is_one_file_with_what_the_chart_does_not_say() -> None:
    page = (ROOT / "config/deploy/README.md").read_text()
    example = page.split("cat >secret.env <<END\n")[1].split("END\n")[0]
    assert {line.partition("=")[0] for line in example.splitlines()} == required_settings() - {"PUBLIC_URL"}
    made = [line for line in page.replace("\\\n", " ").splitlines() if "kubectl create secret" in line]
    assert made
    assert not [line for line in made if "--from-env-file" in line and "--from-literal" in line], "kubectl refuses both"


def test_the_secret_holds_what_the_chart_does_not_say() -> None:
    said = {"PUBLIC_URL"}
    values = (CHART / "values.yaml").read_text()
    listed = set(
        re.findall(r"\b[A-Z]+_(?:KEYS?|URL)\b", values.split("# A Secret of yours with")[1].split("secretName")[0])
    )
    assert listed == required_settings() - said


@rendered
def test_each_host_of_its_own_leads_to_the_web_pods_below_the_path() -> None:
    urls = {
        "publicUrl": "https://example.com/latchkey",
        "widgetUrl": "https://connect.example.com/latchkey",
        "adminUrl": "https://admin.example.com/latchkey",
    }
    made = manifests(**urls, ingress={"enabled": True, "tlsSecret": "tls"})
    (ingress,) = named(made, "Ingress")
    hosts = ["connect.example.com", "admin.example.com", "example.com"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ingress["spec"]["tls"][0]["hosts"] == hosts
    for rule in ingress["spec"]["rules"]:
        paths = [path["path"] for path in rule["http"]["paths"]]
        assert paths == ["/latchkey", "/.well-known/oauth-protected-resource/latchkey/mcp"]
    said = {each["name"]: each.get("value") for each in pods(made)["worker"]["spec"]["containers"][0]["env"]}
    assert (said["WIDGET_URL"], said["ADMIN_URL"]) == (urls["widgetUrl"], urls["adminUrl"])
    assert "API_URL" not in said
