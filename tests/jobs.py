"""A job that a team adds to the pipeline of its service, below each comment that says where its lines go."""

from collections.abc import Iterator
from pathlib import Path

from tests.pipelines import FILES
from tests.updates import ANCHOR

# What it prints, which is not what a log shows of the command.
PRINTED = "job 42 of the team"
COMMAND = 'printf "job %d of the team" 42'
LINES = {
    "github": [
        f"""\
  notify:
    name: Notify
    needs: check
    runs-on: ubuntu-24.04
    steps:
      - run: {COMMAND}
"""
    ],
    "gitlab": [
        f"""\
notify:
  stage: check
  before_script: []
  script:
    - {COMMAND}
"""
    ],
    "azure": [
        f"""\
  - job: notify
    dependsOn: check
    steps:
      - script: {COMMAND}
        displayName: Notify
"""
    ],
    "bitbucket": [
        f"""\
    - step: &notify
        name: Notify
        script:
          - {COMMAND}
""",
        "      - step: *notify\n",
        "      - step: *notify\n",
    ],
    "circleci": [
        f"""\
  notify:
    executor: python
    steps:
      - run:
          name: Notify
          command: {COMMAND}
""",
        """\
      - notify:
          requires: [check]
""",
    ],
    "jenkins": [
        f"""\
    stage('Notify') {{
      steps {{
        sh '{COMMAND}'
      }}
    }}
"""
    ],
}


def add_job(service: Path) -> None:
    """Add the job to the pipeline of a service, if it has one; at the end, if its release had no place for it."""
    for provider, name in FILES.items():
        path = service / name
        if path.exists():
            text = path.read_text("utf-8")
            lines = iter(LINES[provider])
            added = ANCHOR.sub(lambda anchor, lines=lines: f"{anchor[0]}\n{next(lines).rstrip()}", text)
            path.write_text(f"{added}{_rest(lines) if added == text else ''}", "utf-8")


def _rest(lines: Iterator[str]) -> str:
    return "".join(f"\n{line}" for line in lines)
