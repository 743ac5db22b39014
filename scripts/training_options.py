"""What follows from db/runs/configuration.py, for docs.py: docs/options.md, and the view training_option."""

from itertools import groupby
from pathlib import Path

from nasrank.db.runs.configuration import OPTIONS
from nasrank.db.runs.options import Option

ROOT = Path(__file__).resolve().parents[1]

PAGE = """# Training options

Written by `scripts/docs.py` from `db/runs/configuration.py`. An option has the same name in
`nasrank.ExperimentConfig`, in a [study file](studies.md), in `experiment.config` of the warehouse and, with
hyphens, on the command line. Presets and variants give some of them other defaults
([method.md](method.md#variants-and-presets-trainerconfigpy)).

The last column says what part of an experiment's name tells the option: its dataset, size, mask, LT or
variant. A setting is told where experiments differ in it."""

VIEW = """-- Written by scripts/docs.py from db/runs/configuration.py.
CREATE OR REPLACE VIEW training_option AS
SELECT *
FROM (
    VALUES
{rows}
) AS declared (option, role);

COMMENT ON VIEW training_option IS 'The training options; docs/options.md describes them';
COMMENT ON COLUMN training_option.option IS 'key of experiment.config, which may leave it out at its default';
COMMENT ON COLUMN training_option.role IS 'column of experiment that tells it, or setting';
"""


def written() -> dict[Path, str]:
    """The text of each file that follows from the declaration."""
    return {ROOT / "docs/options.md": page(), ROOT / "db/views/comparison/56_training_option.sql": view()}


def page() -> str:
    parts = [PAGE]
    for group, options in groupby(OPTIONS.values(), lambda option: option.group):
        parts.append(f"## {group}")
        parts.append(
            "| option | meaning | values | default | told by |\n| --- | --- | --- | --- | --- |\n"
            + "\n".join(map(row, options))
        )
    return "\n\n".join(parts) + "\n"


def row(option: Option) -> str:
    names = [f"`{option.name}`"]
    if option.flag:
        names.append(f"`{option.flag}`")
    unit = f", {option.unit}" if option.unit else ""
    cells = (
        ", ".join(names),
        option.help,
        option.domain.allowed + unit,
        option.default_text,
        option.role.value,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def view() -> str:
    rows = (f"        ('{option.name}', '{option.role}')" for option in OPTIONS.values())
    return VIEW.format(rows=",\n".join(rows))
