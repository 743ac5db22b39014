"""What a launcher needs of a study: where and how to work, whether it can be done, and a job for each run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nasrank.db.errors import NasrankError
from nasrank.db.warehouse.file import Warehouse
from nasrank.db.warehouse.ground_truth import choose_architectures, resolve_key
from nasrank.db.warehouse.selection import architectures_of_masks
from nasrank.trainer.studies.file import Study, StudyRun
from nasrank.trainer.studies.worker import Job


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """Where and how to work. `threads`: of the CPU, for all runs together."""

    runs_dir: Path
    data_dir: Path
    warehouse: Warehouse
    jobs: int = 1
    threads: int | None = None  # None: as many as this process may use
    device: str = "auto"
    ingest: bool = True

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise NasrankError(f"jobs is {self.jobs}; give at least 1")

    @property
    def threads_per_run(self) -> int:
        """At least 1."""
        return share_of_threads(self.jobs, self.threads)


def check_study(study: Study, warehouse: Warehouse) -> None:
    """Raise `NasrankError` where the warehouse lacks a ground-truth key of the study."""
    with warehouse.read() as connection:
        for key in study.ground_truth or (None,):
            resolve_key(connection, key)


def with_listed(study: Study, warehouse: Warehouse) -> Study:
    """The study with the architectures that its lists name by mask, of which a mask may have none.

    Raises `NasrankError` for a list that cannot be read, and for one that no mask of the study leaves any of.
    """
    if not study.lists:
        return study
    masks = dict.fromkeys(experiment.config.mask_set for experiment in study.experiments)
    found = architectures_of_masks(warehouse, study.lists, masks)
    return replace(study, listed={mask: tuple(arch_ids) for mask, arch_ids in found.items()})


def check_datasets(runs: Sequence[StudyRun], data_dir: Path) -> None:
    """Raise `NasrankError` where images that runs need are not prepared."""
    # Here, because PyTorch takes seconds to import, and often there is nothing to do.
    from nasrank.trainer.images.datasets import list_datasets

    prepared = {info.name for info in list_datasets(data_dir) if info.prepared}
    for dataset in sorted({run.config.dataset for run in runs} - prepared):
        raise NasrankError(
            f"{dataset} is not prepared in {data_dir}; prepare it with "
            f"`nasrank-train data {dataset}`, or name another folder with --data or NASRANK_DATA"
        )


class Jobs:
    """Makes the jobs of a study's runs. It reads the warehouse, so that those who do them need not."""

    def __init__(self, study: Study, options: StudyOptions) -> None:
        self._study, self._options = study, options
        self._chosen: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {}

    def of(self, run: StudyRun) -> Job:
        """What is to be done for a run."""
        options = self._options
        keys, arch_ids = self._architectures(run)
        return Job(
            config=run.config.to_json(),
            seed=run.seed,
            arch_ids=arch_ids,
            ground_truth_keys=keys,
            bn_modes=run.experiment.bn_modes,
            evaluation=dict(self._study.evaluation),
            device=options.device,
            threads=options.threads_per_run,
            runs_dir=str(options.runs_dir.absolute()),
            data_dir=str(options.data_dir.absolute()),
        )

    def _architectures(self, run: StudyRun) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Full ground-truth keys, and what to predict by them: the same for all runs of a mask."""
        mask = run.config.mask_set
        if str(mask) not in self._chosen:
            keys, arch_ids = choose_architectures(self._options.warehouse, mask, self._study.ground_truth)
            arch_ids += self._study.listed.get(str(mask), ())
            self._chosen[str(mask)] = tuple(map(str, keys)), tuple(sorted(set(arch_ids)))
        return self._chosen[str(mask)]


def share_of_threads(jobs: int, threads: int | None = None) -> int:
    """Of the CPU's threads, or of those that are given, for each of so many runs: at least 1."""
    return max(1, (threads or available_cpus()) // jobs)


def available_cpus() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
