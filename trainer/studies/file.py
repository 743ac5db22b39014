"""Study files: many experiments, each run with several seeds, written in TOML.

```toml
name = "masks"
description = "Does masking Zero help?"
seeds = [0, 1, 2]

[defaults]                              # of every experiment
dataset = "cifar10"
size = "tiny"

[[experiments]]
group = "masks"                         # an experiment may belong to several groups
mask = ["none", "Zero", "Zero+Pool"]    # a list is an axis; several axes make a product
variant = "uniform-sampling"            # the paper's name for a change of the training

[[experiments]]
group = "others"
entries = [{ mask = "Zero", lt = "Skip" }, { mask = "Pool", size = "S" }]
```
Keys of experiments are `size`, `preset`, `variant` and the training options, which docs/options.md lists. An
experiment that several groups name is one experiment. docs/studies.md describes all of it.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final

from nasrank.db.errors import NasrankError, nearest
from nasrank.db.runs.configuration import OPTIONS, options_with
from nasrank.db.runs.options import Role
from nasrank.trainer.config import ExperimentConfig, bn_modes_of, run_id, variant_changes

Table = Mapping[str, Any]


@dataclass(frozen=True)
class StudyExperiment:
    """An experiment, the groups that name it, and the BN modes it is evaluated under."""

    config: ExperimentConfig
    groups: tuple[str, ...]
    bn_modes: tuple[str, ...]


@dataclass(frozen=True)
class StudyRun:
    """An experiment with a seed."""

    experiment: StudyExperiment
    seed: int

    @property
    def config(self) -> ExperimentConfig:
        """The experiment's configuration."""
        return self.experiment.config

    @property
    def run_id(self) -> str:
        """The name of the run and of its folder."""
        return run_id(self.config, self.seed)


@dataclass(frozen=True)
class Study:
    """What a study file says: different experiments in the order of the file, each with every seed."""

    name: str
    description: str
    seeds: tuple[int, ...]
    ground_truth: tuple[str, ...]  # keys as written in the file; empty: the default key
    evaluation: Table  # fields of `EvaluationOptions` but `bn_modes`, which its experiments have
    experiments: tuple[StudyExperiment, ...]
    lists: tuple[str, ...] = ()  # queries or files of further architectures to predict
    listed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # by mask, once a warehouse was asked

    @property
    def runs(self) -> tuple[StudyRun, ...]:
        """All runs; the first seed of every experiment first, so that the whole shows early."""
        return tuple(StudyRun(experiment, seed) for seed in self.seeds for experiment in self.experiments)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the order of the file."""
        return tuple(dict.fromkeys(group for one in self.experiments for group in one.groups))


def shipped_studies() -> tuple[str, ...]:
    """The names of the studies that come with nasrank."""
    files = resources.files("nasrank.trainer.studies").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load_study(file: str) -> Study:
    """The study in a file, or the one that comes with nasrank under that name.

    Raises `NasrankError`, naming the file, the group and the key, for whatever is wrong in it.
    """
    try:
        if Path(file).is_file():
            text = Path(file).read_text(encoding="utf-8")
        elif file in shipped_studies():
            text = (resources.files("nasrank.trainer.studies") / f"{file}.toml").read_text(encoding="utf-8")
        else:
            raise NasrankError(
                f"no study file {file}{nearest(file, shipped_studies())}; give the path of one, or the name "
                f"of one that comes with nasrank: {', '.join(shipped_studies())}"
            )
        content = tomllib.loads(text)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        problem = " ".join(str(error).split())
        raise NasrankError(f"{file} cannot be read: {problem}; give a study file in TOML") from error
    return parse_study(content, file)


def parse_study(content: Table, file: str) -> Study:
    """The study that TOML content describes; errors name `file`."""
    _check_keys(content, _STUDY_KEYS, file)
    for key in ("name", "seeds", "experiments"):
        if key not in content:
            raise NasrankError(f"{file} lacks the key {key!r}; a study has name, seeds and [[experiments]]")
    defaults = _typed(content, "defaults", dict, {}, file)
    _check_keys(defaults, _EXPERIMENT_KEYS, f"{file}, [defaults]")
    for key, value in defaults.items():
        _check_value(key, value, f"{file}, [defaults]")
    tables = _typed(content, "experiments", list, [], file)
    if not tables:
        raise NasrankError(f"{file} has no experiments; add [[experiments]] with a group")
    evaluation = _evaluation(_typed(content, "evaluation", dict, {}, file), f"{file}, [evaluation]")
    bn_modes = tuple(evaluation.pop("bn_modes", ()))
    lists = tuple(evaluation.pop("lists", ()))
    return Study(
        name=_typed(content, "name", str, "", file),
        description=_typed(content, "description", str, "", file),
        seeds=_seeds(content["seeds"], file),
        ground_truth=_ground_truth(content, file),
        evaluation=evaluation,
        experiments=_experiments(tables, defaults, bn_modes, file),
        lists=lists,
    )


_STUDY_KEYS: Final = ("name", "description", "seeds", "ground_truth", "evaluation", "defaults", "experiments")
_EXPERIMENT_KEYS: Final = ("size", "preset", "variant", *OPTIONS)


def _experiments(
    tables: Sequence[object], defaults: Table, bn_modes: tuple[str, ...], file: str
) -> tuple[StudyExperiment, ...]:
    """Each experiment once, with all its groups and the BN modes of all its presets."""
    found: dict[str, StudyExperiment] = {}
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise NasrankError(f"{file}: experiments is no array of tables; write [[experiments]] for each")
        group = _typed(table, "group", str, "", f"{file}, [[experiments]] number {number}")
        if not group.strip():
            raise NasrankError(
                f"{file}, [[experiments]] number {number} has no group; give group, such as 'figure 4'"
            )
        where = f"{file}, group {group!r}"
        for own in _expanded(table, where):
            config, modes = _configuration(own, defaults, bn_modes, where)
            known = found.get(config.config_hash, StudyExperiment(config, (), ()))
            found[config.config_hash] = StudyExperiment(
                config, _joined(known.groups, (group,)), _joined(known.bn_modes, modes)
            )
    return tuple(found.values())


def _expanded(table: Table, where: str) -> Iterator[dict[str, Any]]:
    """What a table says of each of its experiments: every entry with every combination of its axes."""
    _check_keys(table, (*_EXPERIMENT_KEYS, "group", "entries"), where)
    axes = {
        key: value if isinstance(value, list) else [value]
        for key, value in table.items()
        if key not in ("group", "entries")
    }
    entries = _typed(table, "entries", list, [{}], where)
    for name, values in (*axes.items(), ("entries", entries)):
        if not values:
            raise NasrankError(f"{where}: {name} is an empty list, which makes no experiment; leave it out")
    for entry in entries:
        if not isinstance(entry, dict):
            raise NasrankError(f"{where}: entries has {entry!r}; give tables, such as {{ mask = 'Zero' }}")
        _check_keys(entry, _EXPERIMENT_KEYS, f"{where}, entries")
        if twice := sorted(entry.keys() & axes.keys()):
            raise NasrankError(f"{where}: {twice[0]} is an axis and in entries; keep it in one of them")
        for values in itertools.product(*axes.values()):
            yield {**dict(zip(axes, values, strict=True)), **entry}


def _configuration(
    own: Table, defaults: Table, bn_modes: tuple[str, ...], where: str
) -> tuple[ExperimentConfig, tuple[str, ...]]:
    """The configuration of one experiment, and its BN modes: `bn_modes`, or else its preset's."""
    if own:
        where += " with " + ", ".join(f"{key} = {value!r}" for key, value in own.items())
    for key, value in own.items():
        _check_value(key, value, where)
    # A size is both numbers, so that it replaces those of the defaults.
    size_options = options_with(Role.SIZE)
    kept = {key: value for key, value in defaults.items() if "size" not in own or key not in size_options}
    values: dict[str, Any] = {**kept, **own}
    try:
        changes = variant_changes(values.pop("variant", "baseline"))
    except NasrankError as error:
        raise NasrankError(f"{where}: {error}, or give the fields that it changes") from error
    if twice := sorted(changes.keys() & values.keys()):
        raise NasrankError(
            f"{where}: {twice[0]} is given beside a variant that sets it; give {twice[0]} or the variant"
        )
    try:
        config = ExperimentConfig.preset(**values, **changes)
        return config, bn_modes_of(config, values.get("preset", "paper"), bn_modes)
    except NasrankError as error:
        raise NasrankError(f"{where}: {error}") from error


def _seeds(value: object, file: str) -> tuple[int, ...]:
    seeds = value if isinstance(value, list) else []
    if not seeds or not all(type(seed) is int and 0 <= seed < 2**31 for seed in seeds):
        raise NasrankError(f"{file}: seeds is {value!r}; give a list of whole numbers from 0, such as [0, 1]")
    if len(set(seeds)) < len(seeds):
        raise NasrankError(f"{file}: seeds is {value!r}, with one seed twice; give different seeds")
    return tuple(seeds)


def _ground_truth(content: Table, file: str) -> tuple[str, ...]:
    keys = _typed(content, "ground_truth", list, [], file)
    if not all(isinstance(key, str) and key for key in keys):
        raise NasrankError(f"{file}: ground_truth is {keys!r}; give a list of strings")
    return tuple(dict.fromkeys(keys))


def _evaluation(table: Table, where: str) -> dict[str, Any]:
    """The table, once `EvaluationOptions` accepts it; a list of architectures as `lists`, beside the sets."""
    if not table:
        return {}
    # Here, because it imports PyTorch, which takes seconds.
    from nasrank.trainer.evaluation.evaluator import EvaluationOptions

    _check_keys(table, [field.name for field in fields(EvaluationOptions)], where)
    options = dict(table)
    lists = options.pop("architectures") if isinstance(options.get("architectures"), list) else []
    if not all(isinstance(text, str) and text.strip() for text in lists):
        raise NasrankError(
            f"{where}: architectures is {lists!r}; give 'sets', 'all', or a list of queries and files"
        )
    for key, value in options.items():
        if key == "bn_modes":
            if not isinstance(value, list) or not all(isinstance(mode, str) for mode in value):
                raise NasrankError(f"{where}: bn_modes is {value!r}; give a list of strings")
        elif type(value) is not int and key not in ("architectures", "precision"):
            raise NasrankError(f"{where}: {key} is {value!r}; give a whole number, at least 1")
    try:
        EvaluationOptions(**{**options, "bn_modes": tuple(options.get("bn_modes", ("running",)))})
    except NasrankError as error:
        raise NasrankError(f"{where}: {error}") from error
    return options | ({"lists": lists} if lists else {})


def _check_keys(table: Table, allowed: Sequence[str], where: str) -> None:
    if unknown := [key for key in table if key not in allowed]:
        raise NasrankError(
            f"{where}: the key {unknown[0]!r} is unknown{nearest(unknown[0], allowed)}; choose from "
            f"{', '.join(allowed)}"
        )


def _check_value(key: str, value: object, where: str) -> None:
    """Of one experiment, by itself; `ExperimentConfig` checks the values together."""
    if isinstance(value, list | dict):
        raise NasrankError(
            f"{where}: {key} is {value!r}; give one value here; lists are axes, directly in [[experiments]]"
        )
    if key in OPTIONS:
        try:
            OPTIONS[key].checked(value)
        except NasrankError as error:
            raise NasrankError(f"{where}: {error}") from error
    elif not isinstance(value, str):
        raise NasrankError(f"{where}: {key} is {value!r}; give a string")


def _typed(table: Table, key: str, kind: type, default: Any, where: str) -> Any:
    value = table.get(key, default)
    if not isinstance(value, kind):
        expected = {"str": "a string", "list": "a list", "dict": "a table"}[kind.__name__]
        raise NasrankError(f"{where}: {key} is {value!r}; give {expected}")
    return value


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(first + second))
