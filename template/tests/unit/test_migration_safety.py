"""New migrations that are not safe are refused, unless they say why."""

from pathlib import Path

import pytest
from alembic.config import Config

from app.db.migrations import safety
from tests.unsafe import UNSAFE

SAFE = [
    "op.add_column('things', sa.Column('colour', sa.String(20)))",
    "op.add_column('things', sa.Column('colour', sa.String(20), server_default='white', nullable=False))",
    "op.add_column('things', sa.Column('engine', sa.String(20)))",
    "with op.batch_alter_table('things') as things: things.add_column(sa.Column('colour', sa.String(20)))",
    "op.execute('UPDATE things SET colour = 1 WHERE id < 1000')",
    "op.execute('DELETE FROM things WHERE id < 1000')",
    """op.create_table('others', sa.Column('id', sa.Integer(), nullable=False))
    op.create_index('ix_others_id', 'others', ['id'])
    op.create_unique_constraint('uq_others_id', 'others', ['id'])""",
    "pass",
]
MIGRATION = '''"""plant something"""

import sqlalchemy as sa
from alembic import op

{allowed}revision = "planted"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    {statement}


def downgrade() -> None:
    op.drop_table("things")
'''


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations that is the only one for this test."""
    original = safety.alembic_config

    def elsewhere() -> Config:
        config = original()
        config.set_main_option("version_locations", str(tmp_path))
        return config

    monkeypatch.setattr(safety, "alembic_config", elsewhere)
    return tmp_path


def plant(versions: Path, statement: str, allowed: str = "", name: str = "202611300900_plant.py") -> list[str]:
    """Write a migration, and return what is said about it."""
    text = MIGRATION.format(statement=statement, allowed=f"{allowed}\n" if allowed else "")
    (versions / name).write_text(text, "utf-8")
    return [problem for script in safety.judged() for problem in safety.problems_of(script)]


@pytest.mark.parametrize(("statement", "rule"), UNSAFE)
def test_what_is_unsafe_is_refused_without_a_reason(versions: Path, statement: str, rule: str) -> None:
    problems = plant(versions, statement)

    assert [problem for problem in problems if f"202611300900_plant.py: {rule}: " in problem], problems
    rules = {problem.split(": ")[1] for problem in problems}
    assert plant(versions, statement, "\n".join(f"# allow {each}: it is small" for each in sorted(rules))) == []


@pytest.mark.parametrize("statement", SAFE)
def test_what_is_safe_is_not(versions: Path, statement: str) -> None:
    assert plant(versions, statement) == []


def test_what_cannot_be_written_as_sql_is_refused(versions: Path) -> None:
    (problem,) = plant(versions, "op.get_bind().execute(sa.text('SELECT 1')).one()")

    assert "not-as-sql: it cannot be written as SQL: " in problem


def test_a_reason_is_one(versions: Path) -> None:
    (problem,) = plant(versions, "op.drop_table('things')", "# allow ban-drop-table")

    assert problem.endswith("`# allow ban-drop-table` does not say why: end it with `: reason`")


def test_a_reason_is_needed(versions: Path) -> None:
    (problem,) = plant(versions, "pass", "# allow ban-drop-table: nobody is there")

    assert problem.endswith("nothing here breaks ban-drop-table: remove `# allow ban-drop-table`")


def test_those_of_the_template_are_not_judged(versions: Path) -> None:
    assert plant(versions, "op.drop_table('things')", name="0007_things.py") == []


class TestJudgedAfter:
    def test_what_came_before_is_not_judged(
        self, versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("pyproject.toml").write_text('[tool.migrations]\njudged_after = "planted"\n', "utf-8")

        assert plant(versions, "op.drop_table('things')") == []

    def test_one_that_is_not_there_is_named(
        self, versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("pyproject.toml").write_text('[tool.migrations]\njudged_after = "nonsense"\n', "utf-8")
        (versions / "__init__.py").touch()

        with pytest.raises(SystemExit, match=r"^Error: judged_after in pyproject.toml: .*nonsense"):
            safety.main()


def test_it_fails_with_what_to_do(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(versions, "op.drop_table('things')")

    with pytest.raises(SystemExit, match=r"docs/migrations\.md"):
        safety.main()
    assert "ban-drop-table: DROP TABLE things" in capsys.readouterr().out
