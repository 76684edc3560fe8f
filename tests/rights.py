"""Which jobs of a pipeline get what is secret or may write, and in which runs there are such jobs, by provider.

What a job gets is named after what it is for: registry, signing, updates, the releases, and the reader of the registry
that some of these have. `ANY` run is also one for a branch that nobody has reviewed, `MAIN` is one for what was merged,
and `WEEKLY` the scheduled one of main.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from tests.pipeline_files import azure_variables, circleci_jobs, jenkins_stages, jenkins_steps

ANY, MAIN, WEEKLY = "any", "main", "weekly"
Rights = dict[str, tuple[str, set[str]]]
# What a file says where it hands something on that is secret, or lets a job write.
SECRETS = {
    # Not what only reads: GitHub's and GitLab's own tokens, by that name, and another account elsewhere.
    r"(?<!READER_PASSWORD: \$CI_)REGISTRY_PASSWORD|(?<!READER_PASSWORD: \$\{\{ secrets\.)GITHUB_TOKEN"
    r"|\bregistry\b(?!-reader)|: write\b|docker login|just publish": "registry",
    # It is kept where the rest is that publishing needs.
    r"SIGNING_KEY|signing-key|\b(name|environment|deployment|context|group): registry\b": "signing",
    r"REGISTRY_READER_PASSWORD|registry-reader-password": "reader",
    r"RENOVATE_TOKEN|renovate-token": "updates",
    r"COMPOSE_SSH_KEY|compose-ssh-key": "compose",
    r"STAGING_KUBECONFIG|staging-kubeconfig": "staging",
    r"PRODUCTION_KUBECONFIG|production-kubeconfig": "production",
}


def _named(part: object) -> set[str]:
    """Return what a part of a file names that is secret."""
    text = part if isinstance(part, str) else yaml.safe_dump(part, width=1000)
    return {purpose for sign, purpose in SECRETS.items() if re.search(sign, text)}


def _github(text: str) -> Rights:
    document = yaml.safe_load(text)
    assert document["permissions"] == {}
    runs = {
        "github.event_name == 'push' && github.ref == 'refs/heads/main'": MAIN,
        "github.event_name == 'schedule'": WEEKLY,
    }

    def when(job: dict[str, Any]) -> str:
        condition = job.get("if", "").partition(" && vars.")[0]
        return runs.get(condition, ANY)

    return {name: (when(job), _named(job)) for name, job in document["jobs"].items()}


def _gitlab(text: str) -> Rights:
    document = yaml.safe_load(text)
    runs = {
        '$CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH': MAIN,
        '$CI_PIPELINE_SOURCE == "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH': WEEKLY,
    }

    def when(job: dict[str, Any]) -> str:
        conditions = {rule.get("if", "") for rule in job.get("rules", [{}])}
        (run,) = {next((each for sign, each in runs.items() if one.startswith(sign)), ANY) for one in conditions}
        return run

    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    shared = {name: job for name, job in document.items() if name in {"default", "variables"} or name.startswith(".")}
    assert _named(shared) == set()
    return {name.replace("container", "image"): (when(job), _named(job)) for name, job in jobs.items()}


def _azure(text: str) -> Rights:
    document = yaml.safe_load(text)
    main = "eq(variables['Build.SourceBranch'], 'refs/heads/main')"
    runs = {
        f"${{{{ if and({main}, ne(variables['Build.Reason'], 'Schedule')) }}}}": MAIN,
        f"${{{{ if and({main}, eq(variables['Build.Reason'], 'Schedule')) }}}}": WEEKLY,
    }

    def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
        for part in document["jobs"]:
            ((key, value), *_) = part.items()
            yield from [(runs.get(key, ANY), job) for job in value] if key.startswith("${{ if") else [(ANY, part)]

    assert _named(document.get("variables")) == set()
    return {job.get("job") or job["deployment"]: (run, _named(job) | azure_variables(job)[1]) for run, job in jobs()}


def _bitbucket(text: str) -> Rights:
    document = yaml.safe_load(text)
    runs: dict[str, set[str]] = {}

    def note(steps: list[dict[str, Any]], where: str) -> None:
        for entry in steps:
            if "parallel" in entry:
                note(entry["parallel"], where)
            elif "step" in entry:
                runs.setdefault(entry["step"]["name"], set()).add(where)

    for kind, pipelines in document["pipelines"].items():
        for name, steps in pipelines.items():
            note(steps, f"{kind}.{name}")

    def when(step: dict[str, Any]) -> str:
        # Anybody who may write starts a custom pipeline, for any branch.
        guarded = 'if [ "${BITBUCKET_BRANCH:-}" = main ] && ' in str(step["script"][-1])
        places = {"branches.main": MAIN, "custom.newest": WEEKLY if guarded else ANY}
        (run,) = {places.get(place, ANY) for place in runs[step["name"]]} if len(runs[step["name"]]) == 1 else {ANY}
        return run

    steps = [each["step"] for each in document["definitions"]["steps"]]
    names = {re.sub(r"Release \((\w+)\)", r"\1", step["name"]).lower(): step for step in steps}
    kept = {name: {step["deployment"]} if "deployment" in step else set() for name, step in names.items()}
    return {name: (when(step), _named(step) | kept[name]) for name, step in names.items()}


def _circleci(text: str) -> Rights:
    document = yaml.safe_load(text)
    rights: Rights = {}
    for run, trigger in ((MAIN, "webhook"), (WEEKLY, "scheduled_pipeline")):
        for name, uses in circleci_jobs(document, {"<< pipeline.trigger_source >>": trigger}):
            only = uses.get("filters", {}).get("branches", {}).get("only")
            when = run if only == "main" and name not in rights else ANY
            context = {uses["context"], *_named(f"context: {uses['context']}")} if "context" in uses else set()
            before = rights.get(name, (when, set()))[1]
            rights[name] = (when, before | context | _named(document["jobs"][name]))
    return rights


def _jenkins(text: str) -> Rights:
    assert "credentials(" not in text.partition("  stages {")[0]
    rights: Rights = {}
    for name, stage in jenkins_stages(text).items():
        scheduled, commit = "\n        triggeredBy 'TimerTrigger'", "not { triggeredBy 'TimerTrigger' }"
        run = WEEKLY if scheduled in stage else MAIN if commit in stage else ANY
        given = {key for _, variables in jenkins_steps(stage) for key in variables.values()}
        named = name.removeprefix("Release: ").removesuffix(" the image").lower()
        rights[named] = (run if "branch 'main'" in stage else ANY, _named(" ".join(given)) | _named(stage))
    return rights


RIGHTS: dict[str, Callable[[str], Rights]] = {
    "github": _github,
    "gitlab": _gitlab,
    "azure": _azure,
    "bitbucket": _bitbucket,
    "circleci": _circleci,
    "jenkins": _jenkins,
}
