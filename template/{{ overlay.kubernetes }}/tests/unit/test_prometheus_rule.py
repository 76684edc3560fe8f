"""The cluster gets the rules that promtool tests."""

from pathlib import Path
from textwrap import indent

_MONITORING = Path(__file__).parents[2] / "deploy/monitoring"


def test_it_is_made_of_the_rules() -> None:
    _, _, rules = (_MONITORING / "rules.yaml").read_text("utf-8").partition("\ngroups:\n")
    kept = "".join(line for line in rules.splitlines(keepends=True) if not line.startswith("  # --- "))
    made = (_MONITORING / "prometheus-rule.yaml").read_text("utf-8")

    assert made.endswith(f"\nspec:\n  groups:\n{indent(kept.rstrip(), '  ')}\n"), "run `uv run just prometheus-rule`"
