"""Pipelines of rendered services, run as their provider would: by a runner, or step by step in a shell."""

import re
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipeline_files import (
    azure_inserted,
    azure_steps,
    azure_variables,
    circleci_jobs,
    circleci_steps,
    jenkins_stages,
    jenkins_steps,
)
from tests.provider_variables import ACCESS, ADDRESSES, AZURE, BITBUCKET, BOT, CIRCLECI, JENKINS, KEPT, PASSWORD, READER
from tests.rendering import REPOSITORY, git

SECONDS = 600
# What stands in for programs of a machine, first on the path.
PROGRAMS = REPOSITORY / "tests/programs"
# Not one of this environment's packages, since it needs Python 3.13.
BB_RUN = "bb-run@1.3.0"
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
    # The private half of the key that signs what it publishes.
    signing_key: str = ""

    @property
    def registry(self) -> dict[str, str]:
        """Return what publishing needs, where a provider does not give that itself."""
        address, signing = self.environment["PUSH_TO"], {"SIGNING_KEY": self.signing_key}
        return {"REGISTRY": address, "REGISTRY_USER": "robot", "REGISTRY_PASSWORD": PASSWORD, **signing}

    @property
    def kept(self) -> dict[str, dict[str, str]]:
        """Return what contexts and groups of variables keep."""
        return {**KEPT, "registry": self.registry}

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of its repository that are not secret."""
        # The registry of GitHub is another one on a server of one's own.
        registry = {"REGISTRY": self.registry["REGISTRY"]} if self.provider == "github" else {}
        return {**registry, **(ADDRESSES if self.releases else {})}

    @property
    def secrets(self) -> dict[str, str]:
        """Return the secrets of its repository."""
        return {**BOT, "SIGNING_KEY": self.signing_key, **({**ACCESS, **READER} if self.releases else {})}

    @property
    def branch(self) -> str:
        """Return the branch whose newest commit it runs for."""
        return git(self.directory, "branch", "--show-current").strip()

    @property
    def file(self) -> Path:
        """Return the file that describes it."""
        return self.directory / FILES[self.provider]

    def run(self) -> Outcome:
        """Run it for the newest commit of the branch, which is the default one."""
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
    used = set(re.findall(r"uses: (\S+)", pipeline.file.read_text("utf-8")))
    ours = REPOSITORY / "tests/actions"
    places = {action: ours / re.split("[/@]", action)[1] for action in sorted(used)}
    actions = [f"--local-repository={name}={place if place.exists() else ours}" for name, place in places.items()]
    machine = ["--platform=ubuntu-24.04=-self-hosted", "--action-offline-mode", "--pull=false"]
    variables = [f"--var={name}={value}" for name, value in pipeline.variables.items()]
    secrets = [f"--secret={name}={value}" for name, value in {**pipeline.secrets, "GITHUB_TOKEN": PASSWORD}.items()]
    event = "schedule" if pipeline.scheduled else "push"
    return pipeline.command("act", event, *machine, *actions, *variables, *secrets)


def _gitlab_ci_local(pipeline: Pipeline) -> Outcome:
    """GitLab's: gitlab-ci-local, in a shell."""
    address = pipeline.registry["REGISTRY"]
    variables = {
        "CI_DEFAULT_BRANCH": pipeline.branch,
        "CI_REGISTRY": address,
        "CI_REGISTRY_IMAGE": f"{address}/acme/my-service",
        "CI_REGISTRY_USER": "robot",
        "CI_REGISTRY_PASSWORD": PASSWORD,
        "UV_CACHE_DIR": pipeline.environment["UV_CACHE_DIR"],
        **({"CI_PIPELINE_SOURCE": "schedule"} if pipeline.scheduled else {}),
        **pipeline.variables,
        # Its own token reads the registry, unless somebody sets another account.
        **{name: value for name, value in pipeline.secrets.items() if name not in READER},
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
        "custom.newest" if pipeline.scheduled else f"branches.{pipeline.branch}",
        "--branch",
        pipeline.branch,
    ]
    newest = {"NEWEST": "true"} if pipeline.scheduled else {}
    given = {**BITBUCKET, **pipeline.registry, **pipeline.variables, **pipeline.secrets, **newest}
    variables = [item for name, value in given.items() for item in ("-v", f"{name}={value}")]
    return pipeline.command("uvx", "--quiet", BB_RUN, *options, *variables)


def _azure(pipeline: Pipeline) -> Outcome:
    """Azure's: the scripts of all jobs that a run of the default branch has, in order, while their conditions hold."""
    document = yaml.safe_load(pipeline.file.read_text("utf-8"))
    commit = git(pipeline.directory, "rev-parse", "HEAD").strip()
    workspace = f"{pipeline.environment['OWN']}/workspace"
    run = {
        "BUILD_SOURCEBRANCH": f"refs/heads/{pipeline.branch}",
        "BUILD_SOURCEVERSION": commit,
        "PIPELINE_WORKSPACE": workspace,
    }
    settings = {**AZURE, **run, **document["variables"]}

    def holds(condition: str, given: Collection[str] = ()) -> bool:
        reasons = re.findall(r"(eq|ne)\(variables\['Build.Reason'\], 'Schedule'\)", condition)
        needed = re.findall(r"ne\(variables\['(\w+)'\], ''\)", condition)
        return all((each == "eq") == pipeline.scheduled for each in reasons) and set(given) >= set(needed)

    def script(step: dict[str, Any]) -> str:
        # An artifact is moved, so that a job that needs it has to get it.
        place = f"{workspace}/{step.get('artifact')}"
        return f"mkdir -p {place} && mv {step['publish']} {place}" if "publish" in step else step.get("script", ":")

    def steps() -> Iterator[tuple[str, dict[str, str]]]:
        for job in azure_inserted(document["jobs"], holds):
            own, groups = azure_variables(job)
            kept = {name: value for group in groups for name, value in pipeline.kept[group].items()}
            given = {**pipeline.variables, **kept}
            # What is secret is not in a script's environment, unless that asks for it.
            own |= {name: value for name, value in given.items() if PASSWORD not in value and name != "SIGNING_KEY"}
            own = {name: value.replace("$(Build.SourceVersion)", commit) for name, value in own.items()}
            for step in azure_inserted(azure_steps(job) if holds(job.get("condition", ""), given) else [], holds):
                if holds(step.get("condition", ""), given):
                    asked = {name: given[value.strip("$()")] for name, value in step.get("env", {}).items()}
                    yield script(step), {**own, **asked}

    return _in_order(pipeline, steps(), {name: value for name, value in settings.items() if name != "UV_CACHE_DIR"})


def _circleci(pipeline: Pipeline) -> Outcome:
    """CircleCI's: the commands of the jobs of the workflow that a run of the default branch has, in order."""
    document = yaml.safe_load(pipeline.file.read_text("utf-8"))
    trigger = "scheduled_pipeline" if pipeline.scheduled else "webhook"
    values = {"<< pipeline.trigger_source >>": trigger, "<< pipeline.git.branch >>": pipeline.branch}

    def shell(kind: str, what: Mapping[str, Any]) -> str:
        # A file is moved to the workspace, so that a job that needs it has to get it.
        files = " ".join(what.get("paths", ()))
        scripts = {
            "run": what.get("command", ""),
            "persist_to_workspace": f'mkdir -p "$OWN/workspace" && mv {files} "$OWN/workspace"',
            "attach_workspace": 'cp "$OWN"/workspace/* .',
        }
        return scripts.get(kind, ":")

    home = pipeline.directory / ".cache"
    home.mkdir(exist_ok=True)
    # What a job installs comes after what stands in for it.
    before = f'if [ -f "$BASH_ENV" ]; then . "$BASH_ENV"; PATH={PROGRAMS}:$PATH; fi\n'

    def commands() -> Iterator[tuple[str, dict[str, str]]]:
        for name, uses in circleci_jobs(document, values):
            job = document["jobs"][name]
            own = {key: values.get(value, value) for key, value in job.get("environment", {}).items()}
            own |= {"BASH_ENV": str(home / name), **pipeline.kept.get(uses.get("context", ""), {})}
            for kind, what in circleci_steps(document, job["steps"], values):
                yield before + shell(kind, what), own

    commit = git(pipeline.directory, "rev-parse", "HEAD").strip()
    run = {"CIRCLE_BRANCH": pipeline.branch, "CIRCLE_SHA1": commit}
    settings = {**CIRCLECI, **run, "HOME": str(home)}
    return _in_order(pipeline, commands(), {**pipeline.variables, **settings})


def _jenkins(pipeline: Pipeline) -> Outcome:
    """Jenkins's: what `sh` runs in all stages, in order, as on the default branch; then what has to run always."""
    text, _, after = pipeline.file.read_text("utf-8").partition("\n  post {\n")
    registry = {"REGISTRY_USER": "robot", "REGISTRY_PASSWORD": PASSWORD}

    def commands() -> Iterator[tuple[str, dict[str, str]]]:
        for stage in jenkins_stages(text).values():
            needed = re.search(r"env\.(\w+_URL)\b", stage)
            reason = re.search(r"(not \{ )?triggeredBy 'TimerTrigger'", stage)
            if (reason and bool(reason[1]) == pipeline.scheduled) or (needed and needed[1] not in pipeline.variables):
                continue
            for script, variables in jenkins_steps(stage):
                named = {name: key.upper().replace("-", "_") for name, key in variables.items()}
                yield script, {name: registry.get(name) or pipeline.secrets[key] for name, key in named.items()}

    commit = git(pipeline.directory, "rev-parse", "HEAD").strip()
    settings = {
        "REGISTRY": pipeline.registry["REGISTRY"],
        "REGISTRY_READER": READER["REGISTRY_READER"],
        "IMAGE": f"my-service:{commit}",
        "BRANCH_NAME": pipeline.branch,
        "GIT_COMMIT": commit,
        "BUILD_TAG": f"jenkins-{pipeline.directory.name}%2Fa",
        **JENKINS,
        **pipeline.variables,
    }
    outcome = _in_order(pipeline, commands(), settings)
    cleared = _in_order(pipeline, jenkins_steps(after), settings)
    return Outcome(outcome.passed and cleared.passed, outcome.log + cleared.log)


def _in_order(pipeline: Pipeline, steps: Iterator[tuple[str, dict[str, str]]], settings: dict[str, str]) -> Outcome:
    """Run scripts one after the other until one fails; what one sets for the later ones is set."""
    log = ""
    for script, environment in steps:
        outcome = pipeline.command(*SHELLS[pipeline.provider], script, **settings, **environment)
        log += f"+ {script}\n{outcome.log}"
        if not outcome.passed:
            return Outcome(passed=False, log=log)
        made = re.findall(r"^##vso\[task\.setvariable variable=(\w+)\S*\](.*)$", outcome.log, re.MULTILINE)
        settings |= {name.upper(): value for name, value in made}
    return Outcome(passed=True, log=log)


# Jenkins takes the default shell of the system. Azure's does not end at a command that fails.
SHELLS = {
    "azure": ["bash", "--noprofile", "--norc", "-c"],
    "circleci": ["bash", "-e", "-o", "pipefail", "-c"],
    "jenkins": ["sh", "-xe", "-c"],
}
RUNNERS: dict[str, Callable[[Pipeline], Outcome]] = {
    "github": _act,
    "gitlab": _gitlab_ci_local,
    "azure": _azure,
    "bitbucket": _bb_run,
    "circleci": _circleci,
    "jenkins": _jenkins,
}
