"""What the files of pipelines say: to linters, what they fetch and how, and which jobs get what is secret."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import Render
from tests.pipelines import FILES
from tests.processes import completed
from tests.rendering import REPOSITORY, choices, git
from tests.rendering import render as render_into
from tests.rights import ANY, MAIN, RIGHTS, WEEKLY, Rights
from tests.stand_ins import pinned_images, version

DATABASES = choices("database")
# Every job that gets what is secret or may write, when there is one, and what it gets: the same for all providers.
TRUSTED = {
    "publish": (MAIN, {"registry", "signing"}),
    "updates": (WEEKLY, {"updates"}),
    "compose": (MAIN, {"compose"}),
    "staging": (MAIN, {"staging", "reader"}),
    "production": (MAIN, {"production", "reader"}),
}
# A part of the file, and one that gives other jobs what is secret, or other runs the jobs that get it.
FAULTS = {
    "github": [
        ("    env:\n      IMAGE:", "    env:\n      TOKEN: ${{ secrets.GITHUB_TOKEN }}\n      IMAGE:"),
        ("    env:\n      IMAGE:", "    env:\n      KEY: ${{ secrets.SIGNING_KEY }}\n      IMAGE:"),
        ("      contents: read\n    env:\n      IMAGE:", "      contents: write\n    env:\n      IMAGE:"),
        ("    if: github.event_name == 'push' && github.ref == 'refs/heads/main'\n    runs-on", "    runs-on"),
    ],
    "gitlab": [
        ('- uv run just scan "$IMAGE"', '- echo "$CI_REGISTRY_PASSWORD"'),
        ('- uv run just scan "$IMAGE"', '- echo "$SIGNING_KEY"'),
        (" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n  interruptible", "\n  interruptible"),
        (' == "schedule" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH', ' == "schedule"'),
    ],
    "azure": [
        ("      IMAGE: my-service", "      PASSWORD: $(REGISTRY_PASSWORD)\n      IMAGE: my-service"),
        ("      IMAGE: my-service", "      KEY: $(SIGNING_KEY)\n      IMAGE: my-service"),
        ("\n  - ${{ if and(eq(variables['Build.SourceBranch'], 'refs/heads/main'), ne(", "\n  - ${{ if and(ne("),
    ],
    "bitbucket": [
        ("        name: Image\n", "        name: Image\n        deployment: registry\n"),
        ("      - step: *image\n      # ---", "      - step: *image\n      - step: *publish\n      # ---"),
        ('[ "${BITBUCKET_BRANCH:-}" = main ] && [ -n', "[ -n"),
    ],
    "circleci": [
        ("          requires: [check, audit]\n", "          requires: [check, audit]\n          context: registry\n"),
        ("          context: registry\n          filters: *main\n", "          context: registry\n"),
    ],
    "jenkins": [
        ("""sh 'uv run just scan "$IMAGE"'""", """sh 'docker login'"""),
        ("        branch 'main'\n        expression { env.REGISTRY }\n", "        expression { env.REGISTRY }\n"),
        ("    UV_PYTHON =", "    TOKEN = credentials('registry')\n    UV_PYTHON ="),
        ("""sh 'uv run just scan "$IMAGE"'""", """sh 'echo "$SIGNING_KEY"'"""),
    ],
}


@pytest.fixture(scope="module")
def rendering(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives a service with all releases and a provider's pipeline, rendered once."""
    return cache(lambda ci: render_into(template, tmp_path_factory.mktemp(ci), ci=ci, deploy=choices("deploy")[-1]))


LINTERS = {
    "github": [
        ["actionlint"],
        ["zizmor", "--offline", "--quiet", "--persona", "pedantic", FILES["github"]],
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", FILES["github"]],
    ],
    "gitlab": [
        ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", FILES["gitlab"]]
    ],
    "azure": [
        [
            *("check-jsonschema", "--builtin-schema", "vendor.azure-pipelines"),
            *("--regex-variant", "nonunicode", "--data-transform", "azure-pipelines", FILES["azure"]),
        ]
    ],
    "bitbucket": [["check-jsonschema", "--builtin-schema", "vendor.bitbucket-pipelines", FILES["bitbucket"]]],
    "circleci": [["check-jsonschema", "--builtin-schema", "vendor.circle-ci", FILES["circleci"]]],
}
RENOVATE = ["check-jsonschema", "--builtin-schema", "vendor.renovate", "renovate.json"]
TASKS = (
    "lint",
    "openapi --check",
    "migrations",
    "test --cov",
    "audit",
    "secrets",
    "sbom",
    "image",
    "scan",
    "image-sbom",
    "publish",
)


class TestFiles:
    @pytest.mark.parametrize("database", DATABASES)
    @pytest.mark.parametrize("provider", LINTERS)
    def test_linters_have_nothing_to_say(self, render: Render, provider: str, database: str) -> None:
        directory = render(ci=provider, database=database)
        git(directory, "init", "--quiet")
        for command in [*LINTERS[provider], RENOVATE]:
            completed(command, cwd=directory)

    @pytest.mark.parametrize("provider", FILES)
    def test_what_is_fetched_is_pinned(self, render: Render, provider: str) -> None:
        text = (render(ci=provider) / FILES[provider]).read_text("utf-8")
        images = re.findall(r"(?<![/\w])(?:python|postgres|mariadb|docker):[\w.-]+\S*", text)
        actions = re.findall(r"uses: .*", text)

        assert [] == [image for image in images if not re.search(r"@sha256:[0-9a-f]{64}$", image)]
        assert [] == [action for action in actions if not re.search(r"@[0-9a-f]{40} # v[0-9.]+$", action)]
        assert images
        assert (provider == "github") == bool(actions)

    @pytest.mark.parametrize("provider", FILES)
    def test_every_task_is_called(self, render: Render, provider: str) -> None:
        text = (render(ci=provider) / FILES[provider]).read_text("utf-8")

        assert [] == [task for task in (*TASKS, "template-diff") if f"uv run just {task}" not in text]
        assert "uv sync --locked" in text
        assert "uv lock --upgrade" in text

    @pytest.mark.quick
    def test_the_repositorys_own_is_a_sibling(self, render: Render) -> None:
        for command in LINTERS["github"]:
            completed(command, cwd=REPOSITORY)
        own, rendered = (
            set(re.findall(r"uses: .*|version: .*|checksum: .*", (directory / FILES["github"]).read_text("utf-8")))
            for directory in (REPOSITORY, render(ci="github"))
        )
        assert own <= rendered

    @pytest.mark.quick
    def test_the_bot_leaves_what_the_template_owns_alone(self, render: Render) -> None:
        settings = json.loads((render() / "renovate.json").read_text("utf-8"))

        assert ["copier", "pep621"] == settings["enabledManagers"]


def trusted(rights: Rights) -> Rights:
    """Return the jobs that get something."""
    return {name: (run, given) for name, (run, given) in rights.items() if given}


class TestRights:
    @pytest.mark.parametrize("provider", FILES)
    def test_only_jobs_of_main_get_what_is_secret_and_each_its_own(
        self, rendering: Callable[[str], Path], provider: str
    ) -> None:
        rights = RIGHTS[provider]((rendering(provider) / FILES[provider]).read_text("utf-8"))

        assert TRUSTED == trusted(rights)
        assert [(ANY, set())] * 3 == [rights[name] for name in ("check", "audit", "image")]

    @pytest.mark.parametrize("provider", FAULTS)
    def test_a_fault_is_found(self, rendering: Callable[[str], Path], provider: str) -> None:
        text = (rendering(provider) / FILES[provider]).read_text("utf-8")
        for part, fault in FAULTS[provider]:
            assert part in text
            with pytest.raises(AssertionError):
                assert TRUSTED == trusted(RIGHTS[provider](text.replace(part, fault, 1)))

    @pytest.mark.parametrize(
        ("provider", "checkout", "setting"),
        [
            ("github", "uses: actions/checkout@", "persist-credentials: false"),
            ("azure", "checkout: self", 'persistCredentials: "false"'),
        ],
    )
    def test_no_checkout_leaves_a_token(
        self, rendering: Callable[[str], Path], provider: str, checkout: str, setting: str
    ) -> None:
        text = (rendering(provider) / FILES[provider]).read_text("utf-8")

        assert text.count(checkout) == text.count(setting)

    @pytest.mark.parametrize("provider", FILES)
    def test_only_the_task_that_publishes_signs_in(self, rendering: Callable[[str], Path], provider: str) -> None:
        assert "login" not in (rendering(provider) / FILES[provider]).read_text("utf-8")
        assert 1 == (rendering(provider) / "justfile").read_text("utf-8").count('"$engine" login')


class TestHashes:
    @pytest.mark.parametrize("provider", FILES)
    def test_what_is_installed_has_a_hash(self, rendering: Callable[[str], Path], provider: str) -> None:
        directory = rendering(provider)
        text = (directory / FILES[provider]).read_text("utf-8")
        installs = re.findall(r"\bpip3? install .*", text)

        assert [] == [each for each in installs if "--require-hashes --requirement .ci/uv.txt" not in each]
        assert not re.search(r"\b(pipx|uvx|npx|npm|curl|wget)\b", text)
        assert text.count("uses: astral-sh/setup-uv@") == len(re.findall(r"\n +checksum: [0-9a-f]{64}\n", text))
        assert (directory / ".ci/uv.txt").exists() == bool(installs)

    def test_tasks_run_what_is_locked(self, rendering: Callable[[str], Path]) -> None:
        text = (rendering("github") / "justfile").read_text("utf-8").replace("\\\n", "")
        isolated = re.findall(r"uv run --quiet (.*?)--isolated", text)

        assert not re.search(r"\b(pip3? install|pipx|uvx|curl|wget)\b", text)
        assert ["--locked "] * len(isolated) == isolated
        # Packages of npm have no hash here; all of them are from before a day.
        assert re.findall(r"npm_config_before=\S+ .*\bnpx --yes renovate@[0-9.]+ ", text)
        assert 1 == text.count("npx")

    def test_the_hashes_are_those_of_the_version_in_the_image(
        self, rendering: Callable[[str], Path], tmp_path: Path
    ) -> None:
        lines = (rendering("gitlab") / ".ci/uv.txt").read_text("utf-8")
        pinned = version(pinned_images()["uv"])
        (tmp_path / "uv.in").write_text(f"uv=={pinned}\n", "utf-8")
        published = completed(["uv", "pip", "compile", "--quiet", "--generate-hashes", "uv.in"], cwd=tmp_path)

        hashes = re.findall("sha256:[0-9a-f]{64}", lines)
        assert f"\nuv=={pinned} " in lines
        assert hashes
        assert set(hashes) <= set(re.findall("sha256:[0-9a-f]{64}", published.stdout))
