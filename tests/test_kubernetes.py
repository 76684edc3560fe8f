"""What a service hands to Kubernetes is valid to the letter, runs in Podman, and is released step by step."""

import base64
import json
import os
import re
import time
from itertools import cycle
from pathlib import Path

import httpx2
import kubernetes_validate
import pytest
import yaml

from tests.conftest import Image, Install, NewDatabase, Render
from tests.containers import Engine
from tests.kubernetes import Manifest, kustomized, manifests, of_kind, pod
from tests.registry import Registry
from tests.rendering import Answers, choices, variant_id
from tests.servers import free_port
from tests.service import Service
from tests.signing import RUN, publish, sign, signing_key
from tests.test_boot import SECRET
from tests.test_container import VARIANTS
from tests.test_deploy import recorded_verification

OVERLAYS = ("staging", "production")
# The styles take turns over the databases that it can have: few lines differ by either, and none by framework.
DATABASES = [database for database in choices("database") if database != "sqlite"]
DEPLOYED: list[Answers] = [
    {"database": database, "auth": auth} for database, auth in zip(cycle(DATABASES), choices("auth"), strict=False)
]
# An old and a new version of Kubernetes, for one overlay each.
SCHEMAS = ("1.29", "1.37")
ALL = {
    "Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Job", "CronJob", "Service", "Ingress",
    "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
}  # fmt: skip
PLANTED = {
    "a field that is none": ("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"),
    "a text for a number": ("periodSeconds: 2\n", 'periodSeconds: "two"\n'),
    "a probe without a port": ("port: http\n", "prot: http\n"),
    "an unknown strategy": ("maxUnavailable: 0", "maxUnavailable: [none]"),
}


def problems(text: str, version: str) -> list[str]:
    """Return what a version of Kubernetes would refuse of some manifests."""
    found = []
    for manifest in manifests(text):
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{manifest['kind']}: {error.message}")
    return found


def text_of(engine: Engine, render: Render, overlay: str, **answers: object) -> str:
    """Return what kustomize makes of a rendering."""
    return kustomized(engine, render(**answers, deploy=["kubernetes"]), overlay)


@pytest.mark.parametrize("answers", DEPLOYED, ids=variant_id)
def test_every_resource_is_valid(engine: Engine, render: Render, answers: Answers) -> None:
    project = render(**answers, deploy=["kubernetes"])
    for overlay in OVERLAYS:
        text = kustomized(engine, project, overlay)
        assert ALL == {each["kind"] for each in manifests(text)}
        assert [] == problems(text, SCHEMAS[OVERLAYS.index(overlay)])
        assert {f"my-service-{overlay}"} == {
            each["metadata"].get("namespace", each["metadata"]["name"]) for each in manifests(text)
        }


@pytest.mark.parametrize("answers", DEPLOYED, ids=variant_id)
def test_pods_reach_named_networks_only(engine: Engine, render: Render, answers: Answers) -> None:
    for overlay in OVERLAYS:
        policies = [
            each for each in manifests(text_of(engine, render, overlay, **answers)) if "egress" in each.get("spec", {})
        ]
        (rules,) = (policy["spec"]["egress"] for policy in policies)
        names, database, *provider = rules
        assert "podSelector" in names["to"][0]
        assert [{"ipBlock": {"cidr": "10.0.0.0/8"}}] == database["to"]
        assert ["169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"] for rule in provider] == [True] * len(provider)
        assert (answers["auth"] == "oidc") == bool(provider)


def test_the_patches_for_openshift_apply(engine: Engine, render: Render) -> None:
    project = render(deploy=["kubernetes"])
    page = (project / "docs/deploy-kubernetes.md").read_text("utf-8").partition("## On OpenShift\n")[2]
    (patches,) = re.findall(r"```yaml\n(.*?)```", page.partition("\n## ")[0], re.DOTALL)
    for overlay in OVERLAYS:
        path = project / "deploy/kubernetes/overlays" / overlay / "kustomization.yaml"
        path.write_text(path.read_text("utf-8") + patches, "utf-8")
        text = kustomized(engine, project, overlay)
        specs = [of_kind(text, kind)["spec"] for kind in ("Deployment", "Job", "CronJob")]
        pods = [each.get("jobTemplate", {}).get("spec", each)["template"]["spec"] for each in specs]
        rules = {each["metadata"]["name"]: each["spec"] for each in manifests(text) if each["kind"] == "NetworkPolicy"}

        assert [] == problems(text, SCHEMAS[OVERLAYS.index(overlay)])
        assert [{"runAsNonRoot", "seccompProfile"}] * 3 == [set(each["securityContext"]) for each in pods]
        assert "openshift-default" == of_kind(text, "Ingress")["spec"]["ingressClassName"]
        assert "ingress-nginx" not in yaml.safe_dump(rules)
        assert {53, 5353} == {port["port"] for port in rules["my-service-egress"]["egress"][0]["ports"]}


@pytest.mark.parametrize(("sound", "planted"), PLANTED.values(), ids=PLANTED)
def test_a_planted_mistake_is_found(engine: Engine, render: Render, sound: str, planted: str) -> None:
    text = text_of(engine, render, "staging")
    assert sound in text
    assert problems(text.replace(sound, planted), SCHEMAS[0])


def test_the_longest_name_still_makes_legal_ones(engine: Engine, render: Render) -> None:
    text = text_of(engine, render, "production", project_slug="x" * 50)
    assert [] == problems(text, SCHEMAS[0])
    # A ConfigMap's may be longer: it is no label and no host.
    names = [each["metadata"]["name"] for each in manifests(text) if each["kind"] != "ConfigMap"]
    assert [] == [name for name in names if len(name) > 63]


class TestInPodman:
    """The pods that a Deployment and a Job would make, on the network of this machine."""

    @pytest.fixture
    def prepared(self, engine: Engine, image: Image, render: Render, new_database: NewDatabase, tmp_path: Path) -> str:
        """Return the manifests, for an image and a database that are there."""
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "database_url").write_text(new_database("postgresql")["DATABASE_URL"], "utf-8")
        (secrets / "auth_jwt_secret").write_text(SECRET, "utf-8")
        return text_of(engine, render, "staging").replace("app:unreleased", image(VARIANTS[0]))

    def play(self, engine: Engine, tmp_path: Path, *resources: Manifest) -> Path:
        """Start pods, and return the file that they are told in."""
        file = tmp_path / "play.yaml"
        file.write_text(yaml.safe_dump_all(resources), "utf-8")
        engine.run("play", "kube", "--network=host", str(file))
        return file

    def test_the_migration_and_then_the_service_run(self, engine: Engine, prepared: str, tmp_path: Path) -> None:
        port, metrics_port = free_port(), free_port()
        settings = of_kind(prepared, "ConfigMap")
        settings["data"]["PORT"] = str(port)
        migrate = pod(of_kind(prepared, "Job"), "slipway-migrate", tmp_path / "secrets")
        serve = pod(of_kind(prepared, "Deployment"), "slipway-serve", tmp_path / "secrets")
        container = serve["spec"]["containers"][0]
        (metrics_setting,) = container["env"]
        metrics_setting["value"] = str(metrics_port)
        del container["ports"]  # none to map on the network of the machine
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            container[probe]["httpGet"]["port"] = port
        try:
            self.play(engine, tmp_path, settings, migrate)
            assert "0" == engine.run("wait", "slipway-migrate-migrate").strip()
            planned = engine.run("logs", "slipway-migrate-dry-run")
            purge = pod(of_kind(prepared, "CronJob")["spec"]["jobTemplate"], "slipway-purge", tmp_path / "secrets")
            self.play(engine, tmp_path, settings, purge)
            assert "0" == engine.run("wait", "slipway-purge-purge").strip()
            purged = engine.run("logs", "slipway-purge-purge")
            self.play(engine, tmp_path, settings, serve)
            assert 200 == wait_for(f"http://127.0.0.1:{port}/readyz").status_code
            metrics = [httpx2.get(f"http://127.0.0.1:{each}/metrics").status_code for each in (port, metrics_port)]
            user = engine.run("exec", "slipway-serve-api", "python", "-c", "import os; print(os.getuid())")
            denied = engine.fail("exec", "slipway-serve-api", "python", "-c", "open('/opt/venv/new', 'w')")
            shown = json.loads(engine.run("inspect", "slipway-serve-api"))[0]
            engine.run("pod", "stop", "--time=50", "slipway-serve")
            code = engine.run("inspect", "--format={{.State.ExitCode}}", "slipway-serve-api").strip()
        finally:
            engine.run("pod", "rm", "--all", "--force")

        assert "CREATE TABLE orders" in planned
        assert "Deleted 0." in purged
        assert [404, 200] == metrics
        assert "10001" == user.strip()
        assert "Read-only file system" in denied
        assert [] == (shown["EffectiveCaps"] or [])
        assert "0" == code


def wait_for(url: str) -> httpx2.Response:
    """Return the first answer of a service that starts, called as kubelet calls it."""
    for _ in range(300):
        try:
            return httpx2.get(url)
        except httpx2.TransportError:
            time.sleep(0.1)
    message = f"nobody answers at {url}"
    raise AssertionError(message)


# Notes each call, and answers as a cluster would in which `$FAILS` fails.
KUBECTL = """\
#!/bin/sh
echo "$*" >>"$CALLS"
[ -z "${KUBECONFIG:-}" ] || echo "$(stat --format '%a %n' "$KUBECONFIG") $(cat "$KUBECONFIG")" >>"$CALLS.access"
case "$*" in
    kustomize*) cat "$KUSTOMIZED" ;;
    *"get deployment"*image*) printf registry.example/app@sha256:old ;;
    *"get deployment"*)
        if [ "$FAILS" != "the same" ] && grep -q component=api "$CALLS"; then printf 4; else printf 3; fi ;;
    *"get job"*) if [ "$FAILS" = migration ]; then printf /True; else printf True/; fi ;;
    *"rollout status"*) [ "$FAILS" != rollout ] || [ -e "$CALLS.undone" ] ;;
    *"rollout undo"*) touch "$CALLS.undone" ;;
    *"apply"*) cat "$3" >>"$CALLS.applied" ;;
    *printenv*) printf abc123 ;;
esac
"""


class TestRelease:
    """Against a stand-in for kubectl: no cluster was there to be released to."""

    @pytest.fixture
    def service(self, install: Install) -> Service:
        """Return the service that is released."""
        return install({**VARIANTS[0], "deploy": ["kubernetes"]})

    @pytest.fixture
    def new(self, service: Service, registry: Registry, shared: Path) -> str:
        """Return an image that its pipeline has published."""
        key, image = signing_key(shared), publish(registry, "acme/released", "new")
        key.trusted_by(service.directory)
        sign(service, registry, key, image)
        return image

    def release(
        self, engine: Engine, service: Service, tmp_path: Path, new: str, fails: str
    ) -> tuple[int, list[str], str]:
        """Release an image, and return the exit code, the verbs that the cluster saw, and what it was sent."""
        text = kustomized(engine, service.directory, "production")
        (tmp_path / "kustomized.yaml").write_text(text, "utf-8")
        (tmp_path / "kubectl").write_text(KUBECTL, "utf-8")
        (tmp_path / "kubectl").chmod(0o755)
        calls = tmp_path / "calls"
        with recorded_verification("other" if fails in {"verification", "the same"} else "abc123") as url:
            settings = {
                **RUN,
                "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
                "CALLS": str(calls),
                "KUSTOMIZED": str(tmp_path / "kustomized.yaml"),
                "FAILS": fails,
                "PUBLIC_URL": url,
                "PATIENCE_SECONDS": "1",
                "POLL_SECONDS": "0.1",
                "KUBECONFIG_BASE64": base64.b64encode(b"access").decode(),
            }
            task = 'uv run just release-kubernetes production "$1" >&2; echo $?'
            code = int(service.with_settings(settings).run("sh", "-c", task, "sh", new))
        if not calls.exists():
            return code, [], ""
        seen = [line for line in calls.read_text("utf-8").splitlines() if not line.startswith("kustomize")]
        return code, seen, (tmp_path / "calls.applied").read_text("utf-8")

    def steps(self, calls: list[str]) -> list[str]:
        """Return the calls that change something, in a word or two each."""
        words = {
            "!app.kubernetes.io/component": "shared",
            "component=migrate": "migrate",
            "component=api": "roll out",
            "component=purge": "tasks",
            "rollout undo": "undo",
        }
        return [word for call in calls for sign, word in words.items() if sign in call]

    @pytest.mark.parametrize(
        ("fails", "steps"),
        [
            ("", ["shared", "migrate", "roll out", "tasks"]),
            ("migration", ["shared", "migrate"]),
            ("rollout", ["shared", "migrate", "roll out", "undo"]),
            ("verification", ["shared", "migrate", "roll out", "undo"]),
            # What runs is released again.
            ("the same", ["shared", "migrate", "roll out"]),
        ],
    )
    def test_goes_as_far_as_it_should(
        self, engine: Engine, service: Service, tmp_path: Path, new: str, fails: str, steps: list[str]
    ) -> None:
        code, calls, applied = self.release(engine, service, tmp_path, new, fails)

        assert (code == 0) == (fails == "")
        assert steps == self.steps(calls)
        assert all("--to-revision 3" in call for call in calls if "undo" in call)
        assert f"image: {new}" in applied
        assert "unreleased" not in applied
        assert all("--namespace my-service-production" in call for call in calls if not call.startswith("apply"))
        (seen,) = set((tmp_path / "calls.access").read_text("utf-8").splitlines())
        mode, path, text = seen.split()
        assert ("600", "access") == (mode, text)
        assert not Path(path).exists()

    def test_an_image_that_nobody_has_signed_reaches_no_cluster(
        self, engine: Engine, service: Service, registry: Registry, tmp_path: Path, new: str
    ) -> None:
        tampered = publish(registry, "acme/released", "tampered")
        assert new != tampered
        assert (1, [], "") == self.release(engine, service, tmp_path, tampered, "")
