"""What the files of pipelines say, for those who run their jobs in a shell, and those who look at what a job has."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Job = dict[str, Any]


def azure_inserted(parts: list[Job], holds: Callable[[str], bool]) -> Iterator[Job]:
    """Return the jobs or steps that a run has, where the conditions hold under which Azure inserts some of them."""
    for part in parts:
        ((key, value), *_) = part.items()
        if not key.startswith("${{ if"):
            yield part
        elif holds(key):
            yield from azure_inserted(value, holds)


def azure_variables(job: Mapping[str, Any]) -> tuple[dict[str, str], set[str]]:
    """Return the variables of a job, those that other jobs put out left out, and the groups of them that it names."""
    stated = job.get("variables", {})
    listed = stated if isinstance(stated, list) else [{"name": name, "value": value} for name, value in stated.items()]
    own = {each["name"]: each["value"] for each in listed if not each.get("value", "$[").startswith("$[")}
    return own, {each["group"] for each in listed if "group" in each}


def azure_steps(job: Mapping[str, Any]) -> list[Job]:
    """Return the steps of a job, or of one that deploys."""
    return job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]


def circleci_jobs(document: Job, values: Mapping[str, str]) -> list[tuple[str, Job]]:
    """Return the jobs that run with these values of a pipeline, and how workflows use them; no approvals."""
    workflows = [each for each in document["workflows"].values() if circleci_holds(each.get("when"), values)]
    listed = [entry for workflow in workflows for entry in workflow["jobs"]]
    used = [next(iter(entry.items())) if isinstance(entry, dict) else (entry, {}) for entry in listed]
    return [(name, uses) for name, uses in used if "type" not in uses]


def circleci_steps(
    document: Mapping[str, Any], steps: list[Any], values: Mapping[str, str]
) -> Iterator[tuple[str, Job]]:
    """Return the steps that run with these values of a pipeline, each after its kind; of a command, its steps."""
    for step in steps:
        ((kind, what),) = step.items() if isinstance(step, dict) else [(step, {})]
        if kind in document["commands"]:
            yield from circleci_steps(document, document["commands"][kind]["steps"], values)
        elif kind != "when":
            yield kind, what
        elif circleci_holds(what["condition"], values):
            yield from circleci_steps(document, what["steps"], values)


def circleci_holds(condition: Mapping[str, Any] | None, values: Mapping[str, str]) -> bool:
    """Tell whether a condition holds with these values of a pipeline."""
    if condition is None:
        return True
    ((kind, operands),) = condition.items()
    if kind == "not":
        return not circleci_holds(operands, values)
    if kind == "and":
        return all(circleci_holds(operand, values) for operand in operands)
    assert kind == "equal", kind
    return len({values.get(operand, operand) for operand in operands}) == 1


def jenkins_stages(text: str) -> dict[str, str]:
    """Return the stages of a Jenkinsfile by their name."""
    return dict(re.findall(r"\n    stage\('([^']+)'\) \{(.*?)\n    \}", text, re.DOTALL))


def jenkins_steps(stage: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Return what `sh` runs in a part of a Jenkinsfile, and which variables it has from which credentials."""
    shell = re.compile(r"\bsh ('''(?P<many>.*?)'''|'(?P<one>[^']*)')", re.DOTALL)
    blocks = list(re.finditer(r"withCredentials\(\[(.*?)\]\) \{\n(.*?)\n        \}", stage, re.DOTALL))
    for found in shell.finditer(stage):
        around = "".join(block[1] for block in blocks if block.start() < found.start() < block.end())
        kept = re.findall(r"credentialsId: '([\w-]+)'((?:, \w+: '\w+')+)", around)
        variables = {name: key for key, names in kept for name in re.findall(r": '(\w+)'", names)}
        yield (found["many"] or found["one"]).replace("\\\n", ""), variables
