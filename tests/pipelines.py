"""Pipelines of rendered services, run as their provider would: by a runner, or step by step in a shell."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.rendering import REPOSITORY, git

SECONDS = 600
# What stands in for programs of a machine, first on the path.
PROGRAMS = REPOSITORY / "tests/programs"
# Not one of this environment's packages, since it needs Python 3.13.
BB_RUN = "bb-run@1.3.0"
REGISTRY = "registry.example"
PASSWORD = "planted-password"
# What a provider sets, as far as the pipelines use it.
SETTINGS = {"REGISTRY": REGISTRY, "REGISTRY_USER": "robot", "REGISTRY_PASSWORD": PASSWORD}
# The variables that say where to release: those that everybody may see, and the secrets.
ADDRESSES = {
    "COMPOSE_URL": "https://compose.example",
    "COMPOSE_HOST": "deploy@compose.example",
    "COMPOSE_KNOWN_HOSTS": "compose.example ssh-ed25519 AAAA",
    "STAGING_URL": "https://staging.example",
    "PRODUCTION_URL": "https://production.example",
}
ACCESS = {name: f"{PASSWORD}-{name}" for name in ("COMPOSE_SSH_KEY", "STAGING_KUBECONFIG", "PRODUCTION_KUBECONFIG")}
BOT = {"RENOVATE_TOKEN": f"{PASSWORD}-RENOVATE_TOKEN"}

FILES = {
    "github": ".github/workflows/ci.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-pipelines.yml",
    "bitbucket": "bitbucket-pipelines.yml",
    "circleci": ".circleci/config.yml",
    "jenkins": "Jenkinsfile",
}


@dataclass(frozen=True)
class Outcome:
    """Whether a pipeline passed, and all that it printed."""

    passed: bool
    log: str


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of `provider` in the service at `directory`; `environment` holds what stands in for its machine."""

    provider: str
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    # Whether it is told where to release what it publishes.
    releases: bool = False
    # Whether it is the run of every week, and not one for a commit.
    scheduled: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of its repository that are not secret."""
        return ADDRESSES if self.releases else {}

    @property
    def secrets(self) -> dict[str, str]:
        """Return the secrets of its repository."""
        return {**BOT, **(ACCESS if self.releases else {})}

    @property
    def file(self) -> Path:
        """Return the file that describes it."""
        return self.directory / FILES[self.provider]

    def run(self) -> Outcome:
        """Run it for the newest commit of the branch main."""
        return RUNNERS[self.provider](self)

    def command(self, *arguments: str, **more: str) -> Outcome:
        """Run a command in the service's directory, with the environment of the pipeline and `more`."""
        run = subprocess.run(
            arguments,
            cwd=self.directory,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Outcome(run.returncode == 0, run.stdout)


def _act(pipeline: Pipeline) -> Outcome:
    """GitHub's: act, on this machine, with local actions in the place of those that it would fetch."""
    used = re.findall(r"uses: (\S+)", pipeline.file.read_text("utf-8"))
    actions = [f"--local-repository={action}={REPOSITORY}/tests/actions" for action in sorted(set(used))]
    machine = ["--platform=ubuntu-24.04=-self-hosted", "--action-offline-mode", "--pull=false"]
    variables = [f"--var={name}={value}" for name, value in pipeline.variables.items()]
    secrets = [f"--secret={name}={value}" for name, value in {**pipeline.secrets, "GITHUB_TOKEN": PASSWORD}.items()]
    event = "schedule" if pipeline.scheduled else "push"
    return pipeline.command("act", event, *machine, *actions, *variables, *secrets)


def _gitlab_ci_local(pipeline: Pipeline) -> Outcome:
    """GitLab's: gitlab-ci-local, in a shell."""
    variables = {
        "CI_REGISTRY": REGISTRY,
        "CI_REGISTRY_IMAGE": f"{REGISTRY}/acme/my-service",
        "CI_REGISTRY_USER": "robot",
        "CI_REGISTRY_PASSWORD": PASSWORD,
        "UV_CACHE_DIR": pipeline.environment["UV_CACHE_DIR"],
        **({"CI_PIPELINE_SOURCE": "schedule"} if pipeline.scheduled else {}),
        **pipeline.variables,
        **pipeline.secrets,
    }
    options = [f"--variable={name}={value}" for name, value in variables.items()]
    if pipeline.releases and "\nproduction:" in pipeline.file.read_text("utf-8"):
        options.append("--manual=production")
    # One after the other: all jobs of a shell share one directory.
    return pipeline.command("gitlab-ci-local", "--force-shell-executor", "--concurrency=1", "--no-color", *options)


def _bb_run(pipeline: Pipeline) -> Outcome:
    """Bitbucket's: bb-run, on this machine."""
    options = [
        "--mode",
        "host",
        "--no-cache",
        "--no-services",
        "--color",
        "never",
        "--target",
        "custom.newest" if pipeline.scheduled else "branches.main",
        "--branch",
        "main",
    ]
    newest = {"NEWEST": "true"} if pipeline.scheduled else {}
    given = {**SETTINGS, **pipeline.variables, **pipeline.secrets, **newest}
    variables = [item for name, value in given.items() for item in ("-v", f"{name}={value}")]
    return pipeline.command("uvx", "--quiet", BB_RUN, *options, *variables)


def _azure(pipeline: Pipeline) -> Outcome:
    """Azure's: the scripts of all jobs whose conditions hold, in order, as on main."""
    document = yaml.safe_load(pipeline.file.read_text("utf-8"))
    variables = {name.upper(): value for name, value in document["variables"].items() if name != "UV_CACHE_DIR"}
    ours = {**SETTINGS, **variables, "BUILD_SOURCEVERSION": git(pipeline.directory, "rev-parse", "HEAD").strip()}
    given = {**ours, "REGISTRY_PASSWORD": ours.pop("REGISTRY_PASSWORD"), **pipeline.variables, **pipeline.secrets}

    def holds(part: dict[str, Any]) -> bool:
        condition = part.get("condition", "")
        reasons = re.findall(r"(eq|ne)\(variables\['Build.Reason'\], 'Schedule'\)", condition)
        needed = re.findall(r"ne\(variables\['(\w+)'\], ''\)", condition)
        return all((each == "eq") == pipeline.scheduled for each in reasons) and given.keys() >= set(needed)

    def steps() -> Iterator[tuple[str, dict[str, str]]]:
        for job in document["jobs"]:
            if not holds(job):
                continue
            # What another job has put out is a variable of all here.
            variables = {name: value for name, value in job.get("variables", {}).items() if not value.startswith("$[")}
            for step in job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]:
                if "script" in step and holds(step):
                    own = {name: given[value.strip("$()")] for name, value in step.get("env", {}).items()}
                    yield step["script"], {**variables, **own}

    return _in_order(pipeline, steps(), ours)


def _circleci(pipeline: Pipeline) -> Outcome:
    """CircleCI's: the commands of all jobs, in order, as on main."""
    document = yaml.safe_load(pipeline.file.read_text("utf-8"))
    settings = {"CIRCLE_BRANCH": "main", "CIRCLE_SHA1": git(pipeline.directory, "rev-parse", "HEAD").strip()}

    def expand(steps: list[Any]) -> Iterator[str]:
        for step in steps:
            if isinstance(step, str) and step in document["commands"]:
                yield from expand(document["commands"][step]["steps"])
            elif isinstance(step, dict) and "run" in step:
                yield step["run"]["command"]

    home = pipeline.directory / ".cache"
    home.mkdir(exist_ok=True)
    # What a job installs comes after what stands in for it.
    before = f'if [ -f "$BASH_ENV" ]; then . "$BASH_ENV"; PATH={PROGRAMS}:$PATH; fi\n'

    def commands() -> Iterator[tuple[str, dict[str, str]]]:
        for name, job in document["jobs"].items():
            environment = {"BASH_ENV": str(home / name), **job.get("environment", {})}
            environment.pop("TRIGGER", None)
            for command in expand(job["steps"]):
                yield before + command, environment

    settings |= {"CIRCLE_PROJECT_USERNAME": "acme", "CIRCLE_PROJECT_REPONAME": "my-service"}
    given = {**SETTINGS, **pipeline.variables, **pipeline.secrets, "HOME": str(home)}
    trigger = {"TRIGGER": "scheduled_pipeline" if pipeline.scheduled else "webhook"}
    return _in_order(pipeline, commands(), {**given, **settings, **trigger})


def _jenkins(pipeline: Pipeline) -> Outcome:
    """Jenkins's: what `sh` runs in all stages, in order, as on main; then what has to run always."""
    stages, _, after = pipeline.file.read_text("utf-8").partition("\n  post {\n")
    shell = re.compile(r"\bsh ('''(?P<many>.*?)'''|'(?P<one>[^']*)')", re.DOTALL)
    credentials = {"USER": "robot", "PASSWORD": PASSWORD}

    def commands(text: str) -> Iterator[tuple[str, dict[str, str]]]:
        for stage in re.split(r"\n    stage\(", text):
            needed = re.search(r"env\.(\w+_URL)\b", stage)
            reason = re.search(r"(not \{|when \{)\s+triggeredBy 'TimerTrigger'", stage)
            if reason and reason[1].startswith("when") != pipeline.scheduled:
                continue
            if needed and needed[1] not in pipeline.variables:
                continue
            kept = re.findall(r"string\(credentialsId: '([\w-]+)', variable: '(\w+)'\)", stage)
            secrets = {name: pipeline.secrets[key.upper().replace("-", "_")] for key, name in kept}
            for found in shell.finditer(stage):
                yield (found["many"] or found["one"]).replace("\\\n", ""), {**credentials, **secrets}

    version = git(pipeline.directory, "rev-parse", "HEAD").strip()
    image = f"{REGISTRY}/my-service:{version}"
    ours = {"IMAGE": image, "BUILD_TAG": pipeline.directory.name, "RENOVATE_REPOSITORY": "acme/my-service"}
    settings = {"REGISTRY": REGISTRY, **ours, **pipeline.variables}
    outcome = _in_order(pipeline, commands(stages), settings)
    cleared = _in_order(pipeline, commands(after), settings)
    return Outcome(outcome.passed and cleared.passed, outcome.log + cleared.log)


def _in_order(pipeline: Pipeline, steps: Iterator[tuple[str, dict[str, str]]], settings: dict[str, str]) -> Outcome:
    """Run scripts one after the other until one fails; what one sets for the later ones is set."""
    log = ""
    for script, environment in steps:
        outcome = pipeline.command("bash", "-e", "-o", "pipefail", "-c", script, **settings, **environment)
        log += f"+ {script}\n{outcome.log}"
        if not outcome.passed:
            return Outcome(passed=False, log=log)
        made = re.findall(r"^##vso\[task\.setvariable variable=(\w+)\S*\](.*)$", outcome.log, re.MULTILINE)
        settings |= {name.upper(): value for name, value in made}
    return Outcome(passed=True, log=log)


RUNNERS: dict[str, Callable[[Pipeline], Outcome]] = {
    "github": _act,
    "gitlab": _gitlab_ci_local,
    "azure": _azure,
    "bitbucket": _bb_run,
    "circleci": _circleci,
    "jenkins": _jenkins,
}
