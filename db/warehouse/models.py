"""The warehouse's tables, with the meaning and unit of every column.

Accuracies are fractions in 0..1. NaN and infinity never enter an accuracy column: it is NULL there and
a status says why, because DuckDB sorts NaN above every number and one diverged run would lead every
top-N. Foreign keys stand only between small tables that are never updated: DuckDB cannot update the parent
of a foreign key, keeps an index over every row that refers to it, and writes that index with each
transaction. Tables of many rows have neither these nor a primary key; what they refer to, and that no row
is there twice, is checked before anything is published.

The last seven tables hold what follows from the others: `derived.py` fills them in the transaction that
changes the others.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, ForeignKey, SmallInteger
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# The Alembic revision these models describe; a file of another revision is refused.
SCHEMA_REVISION: Final = "0009"
# The `kind` of experiments that are no networks of nasrank, which also stands for the BatchNorm statistics of
# their predictions; and what stands for their epoch.
IMPORTED: Final = "imported"
UNTRAINED: Final = "untrained"
WITHOUT_NETWORK: Final = (IMPORTED, UNTRAINED)
NO_EPOCH: Final = 0


class Base(DeclarativeBase):
    """Every table of the warehouse."""


def fraction(column: str) -> CheckConstraint:
    """A number in 0..1, or NULL."""
    return CheckConstraint(f"{column} BETWEEN 0 AND 1", name=f"{column}_is_a_fraction")


def known_architecture() -> CheckConstraint:
    """An index of NAS-Bench-201, in tables with too many rows for a foreign key."""
    return CheckConstraint("arch_id BETWEEN 0 AND 15624", name="arch_id_is_of_the_benchmark")


class Architecture(Base):
    """One NAS-Bench-201 cell."""

    __tablename__ = "architecture"
    __table_args__ = {"comment": "The 15,625 cells of NAS-Bench-201"}

    arch_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="NAS-Bench-201 index, 0..15624"
    )
    arch_str: Mapped[str] = mapped_column(unique=True, comment="the benchmark's string, |op~0|+|op~0|op~1|+…")
    digits: Mapped[str] = mapped_column(unique=True, comment="six digits, one an edge in string order")
    edge_01: Mapped[str] = mapped_column(comment="operation on edge 0→1: Zero, Skip, C1x1, C3x3 or Pool")
    edge_02: Mapped[str] = mapped_column(comment="operation on edge 0→2")
    edge_12: Mapped[str] = mapped_column(comment="operation on edge 1→2")
    edge_03: Mapped[str] = mapped_column(comment="operation on edge 0→3")
    edge_13: Mapped[str] = mapped_column(comment="operation on edge 1→3")
    edge_23: Mapped[str] = mapped_column(comment="operation on edge 2→3")
    used_bits: Mapped[int] = mapped_column(
        SmallInteger, comment="operations in use, bit k for the k-th of Zero, Skip, C1x1, C3x3, Pool"
    )
    sample_position: Mapped[int] = mapped_column(
        SmallInteger, comment="place in one fixed pseudo-random order, from which random samples are taken"
    )


class ArchitectureClass(Base):
    """Which architectures are the same network: as the benchmark counts, and in a super-network."""

    __tablename__ = "architecture_class"
    __table_args__ = {
        "comment": "Which architectures are equal: stand-alone networks, and paths of a super-network"
    }

    arch_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="architecture"
    )
    class_id: Mapped[int] = mapped_column(
        SmallInteger,
        comment="smallest arch_id of the class under isomorphism: the 6,466 unique strings of NATS-Bench",
    )
    supernet_class_id: Mapped[int] = mapped_column(
        SmallInteger,
        comment="smallest arch_id of those that compute the same in the paper's super-network, with its "
        "weights and running BatchNorm statistics: 9,140 classes",
    )
    supernet_batch_class_id: Mapped[int] = mapped_column(
        SmallInteger,
        comment="as supernet_class_id, with statistics of the path itself (batch, recalibrated), "
        "under which a convolution of zeros is zero: 8,206 classes",
    )


class Mask(Base):
    """A set of operations that can be removed from every edge."""

    __tablename__ = "mask"
    __table_args__ = {"comment": "Sets of operations removed from every edge"}

    mask: Mapped[str] = mapped_column(primary_key=True, comment="such as Zero+Pool; empty for none")
    mask_bits: Mapped[int] = mapped_column(SmallInteger, comment="as architecture.used_bits")
    architectures: Mapped[int] = mapped_column(SmallInteger, comment="how many architectures remain")


class BenchmarkSource(Base):
    """A file of ground truth that was imported."""

    __tablename__ = "benchmark_source"
    __table_args__ = {"comment": "Imported files of ground truth, and where they come from"}

    source: Mapped[str] = mapped_column(primary_key=True, comment="name, first part of every key")
    format: Mapped[str] = mapped_column(comment="importer that read it")
    importer_version: Mapped[int] = mapped_column(comment="version of that importer")
    file_name: Mapped[str] = mapped_column(comment="name of the file or folder, without its path")
    size_bytes: Mapped[int] = mapped_column(BigInteger, comment="bytes read")
    sha256: Mapped[str] = mapped_column(comment="SHA-256 of what was read")
    license: Mapped[str | None] = mapped_column(comment="license, where known")
    description: Mapped[str] = mapped_column(comment="what it holds")
    result_rows: Mapped[int] = mapped_column(BigInteger, comment="rows in benchmark_result")
    imported_at: Mapped[dt.datetime] = mapped_column(DateTime, comment="UTC")


class BenchmarkResult(Base):
    """The stand-alone accuracy of an architecture in one trial, after one epoch of its training."""

    __tablename__ = "benchmark_result"
    __table_args__ = (
        fraction("accuracy"),
        CheckConstraint("split IN ('train', 'valid', 'test', 'valid+test')", name="split_is_known"),
        CheckConstraint("epoch BETWEEN 1 AND epochs", name="epoch_is_of_the_training"),
        known_architecture(),
        {"comment": "Stand-alone accuracies, one row a trial, epoch and split"},
    )

    source: Mapped[str] = mapped_column(comment="benchmark_source")
    arch_id: Mapped[int] = mapped_column(SmallInteger, comment="architecture")
    dataset: Mapped[str] = mapped_column(comment="cifar10-valid, cifar10, cifar100 or ImageNet16-120")
    split: Mapped[str] = mapped_column(
        comment="train, valid, test, or valid+test where the benchmark joined both; that one is no key"
    )
    epochs: Mapped[int] = mapped_column(comment="epochs of the whole stand-alone training, 12 or 200")
    epoch: Mapped[int] = mapped_column(comment="completed epochs when this was measured, up to epochs")
    trial: Mapped[str] = mapped_column(
        comment="seed or number of the trial; mean where the file has only their mean"
    )
    accuracy: Mapped[float] = mapped_column(comment="fraction 0..1")
    loss: Mapped[float | None] = mapped_column(comment="mean cross-entropy, nats; NULL where unknown")
    __mapper_args__ = {"primary_key": [source, arch_id, dataset, split, epochs, epoch, trial]}


class BenchmarkCost(Base):
    """What an architecture costs to train and to run."""

    __tablename__ = "benchmark_cost"
    __table_args__ = (
        known_architecture(),
        {"comment": "Size and cost of the stand-alone networks, one row a trial"},
    )

    source: Mapped[str] = mapped_column(comment="benchmark_source")
    arch_id: Mapped[int] = mapped_column(SmallInteger, comment="architecture")
    dataset: Mapped[str] = mapped_column(comment="as benchmark_result.dataset")
    epochs: Mapped[int] = mapped_column(comment="epochs of stand-alone training")
    trial: Mapped[str] = mapped_column(comment="as benchmark_result.trial")
    params: Mapped[int | None] = mapped_column(BigInteger, comment="trainable parameters")
    flops: Mapped[float | None] = mapped_column(comment="multiply-adds of one image")
    latency_seconds: Mapped[float | None] = mapped_column(
        comment="seconds a batch, as the benchmark measured"
    )
    train_seconds: Mapped[float | None] = mapped_column(comment="seconds of the whole training")
    __mapper_args__ = {"primary_key": [source, arch_id, dataset, epochs, trial]}


class Experiment(Base):
    """What predicts, without its seed: a configuration, predictions of others, or what needs no training."""

    __tablename__ = "experiment"
    __table_args__ = (
        CheckConstraint("kind IN ('trained', 'initial', 'imported', 'untrained')", name="kind_is_known"),
        CheckConstraint("predicts IN ('accuracy', 'score')", name="predicts_is_known"),
        CheckConstraint(
            "(kind IN ('imported', 'untrained')) = (name IS NOT NULL)",
            name="what_has_no_configuration_has_a_name",
        ),
        CheckConstraint(
            "kind IN ('imported', 'untrained') OR (predicts = 'accuracy' AND dataset IS NOT NULL AND "
            "size IS NOT NULL AND cells_per_stage IS NOT NULL AND channels IS NOT NULL AND "
            "lt IS NOT NULL AND variant IS NOT NULL AND path_sampling IS NOT NULL AND "
            "node_inputs IS NOT NULL AND valid_images IS NOT NULL AND epochs IS NOT NULL AND "
            "batch_size IS NOT NULL AND learning_rate IS NOT NULL)",
            name="network_has_a_configuration",
        ),
        {
            "comment": "Configurations of super-networks, imported predictions and untrained predictors, "
            "without the seed; the configuration is NULL for what has none"
        },
    )

    experiment_id: Mapped[str] = mapped_column(
        primary_key=True, comment="first 12 hexadecimal digits of config_hash"
    )
    config_hash: Mapped[str] = mapped_column(unique=True, comment="SHA-256 of config")
    kind: Mapped[str] = mapped_column(
        comment="trained by nasrank; initial: the same network before training; imported: predicted by "
        "anything else; untrained: what the architecture alone says, such as its number of parameters"
    )
    name: Mapped[str | None] = mapped_column(
        comment="name of imported predictions or of an untrained predictor; NULL for networks of nasrank"
    )
    predicts: Mapped[str] = mapped_column(
        comment="accuracy, or score: any other number, of which higher is better"
    )
    dataset: Mapped[str | None] = mapped_column(comment="images trained on: cifar10 or digits")
    size: Mapped[str | None] = mapped_column(comment="the paper's name, tiny, or custom")
    cells_per_stage: Mapped[int | None] = mapped_column(comment="cells in each of the three stages")
    channels: Mapped[int | None] = mapped_column(
        comment="channels of the first stage; doubled in each next one"
    )
    mask: Mapped[str] = mapped_column(ForeignKey("mask.mask"), comment="operations removed, empty for none")
    lt: Mapped[str | None] = mapped_column(comment="operations with a linear transformer, empty for none")
    variant: Mapped[str | None] = mapped_column(comment="baseline, or the paper's name of what differs")
    path_sampling: Mapped[str | None] = mapped_column(
        comment="how a step's path is chosen: strictly-fair or uniform"
    )
    node_inputs: Mapped[str | None] = mapped_column(comment="how a node joins its inputs: mean or sum")
    train_images: Mapped[int | None] = mapped_column(
        comment="images trained on; NULL for all that validation leaves"
    )
    valid_images: Mapped[int | None] = mapped_column(comment="images withheld for validation")
    epochs: Mapped[int | None] = mapped_column(comment="passes over the training images")
    batch_size: Mapped[int | None] = mapped_column(comment="images a step")
    learning_rate: Mapped[float | None] = mapped_column(comment="at the first epoch, before the cosine")
    config: Mapped[dict[str, Any]] = mapped_column(JSON, comment="the whole configuration")
    image_size: Mapped[int | None] = mapped_column(
        comment="pixels a side of the images as the network sees them; NULL where unknown"
    )


class Run(Base):
    """An experiment with a seed, as its folder or its imported file tells it."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint("status IN ('finished', 'failed')", name="status_is_known"),
        CheckConstraint("(status = 'failed') = (failed_epoch IS NOT NULL)", name="failed_has_its_epoch"),
        {"comment": "Experiments with a seed, once finished or failed, and what predicts without"},
    )

    run_id: Mapped[str] = mapped_column(
        primary_key=True,
        comment="name of the run's folder; begins with imported or untrained where there is none",
    )
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.experiment_id"), comment="experiment")
    seed: Mapped[int | None] = mapped_column(
        BigInteger, comment="seeds weights, shuffling, shifts, flips and paths; NULL where nothing is random"
    )
    status: Mapped[str] = mapped_column(comment="finished, or failed where the loss diverged")
    message: Mapped[str | None] = mapped_column(comment="why it failed")
    failed_epoch: Mapped[int | None] = mapped_column(comment="epoch in which the loss was not finite")
    started_at: Mapped[dt.datetime | None] = mapped_column(DateTime, comment="UTC; NULL without training")
    finished_at: Mapped[dt.datetime | None] = mapped_column(DateTime, comment="UTC; NULL without training")
    seconds_training: Mapped[float | None] = mapped_column(comment="seconds, without evaluation")
    seconds_evaluation: Mapped[float | None] = mapped_column(comment="seconds")
    optimizer_updates: Mapped[int | None] = mapped_column(BigInteger, comment="steps of the optimizer")
    images_per_second: Mapped[float | None] = mapped_column(comment="trained, median over epochs")
    device: Mapped[str | None] = mapped_column(comment="processor or GPU, and threads")
    git_commit: Mapped[str | None] = mapped_column(comment="commit of nasrank, where it ran from a checkout")
    git_dirty: Mapped[bool | None] = mapped_column(comment="whether that checkout had uncommitted changes")
    versions: Mapped[dict[str, str]] = mapped_column(JSON, comment="of nasrank, Python and libraries")
    dataset_sha256: Mapped[str | None] = mapped_column(comment="of all images and labels")
    valid_sha256: Mapped[str | None] = mapped_column(comment="of the validation images and labels")
    dataset_origin: Mapped[str | None] = mapped_column(comment="where the images come from")
    ground_truth_keys: Mapped[list[str]] = mapped_column(
        JSON, comment="keys whose top-N the run was asked to predict, and whose metrics are stored"
    )
    folder_sha256: Mapped[str | None] = mapped_column(
        comment="of the ingested files; another one is ingested anew; NULL without a folder"
    )
    ingested_at: Mapped[dt.datetime] = mapped_column(DateTime, comment="UTC")


class PredictionSource(Base):
    """The file that an imported run's predictions come from, and how it was read."""

    __tablename__ = "prediction_source"
    __table_args__ = {"comment": "Imported files of predictions, one a run, and how each was read"}

    run_id: Mapped[str] = mapped_column(primary_key=True, comment="run")
    file_name: Mapped[str] = mapped_column(comment="name of the file, without its path")
    size_bytes: Mapped[int] = mapped_column(BigInteger, comment="bytes read")
    sha256: Mapped[str] = mapped_column(comment="SHA-256 of the file")
    format: Mapped[str] = mapped_column(comment="csv, json or parquet")
    importer_version: Mapped[int] = mapped_column(comment="version of the importer that read it")
    part: Mapped[str | None] = mapped_column(comment="key of the part of a JSON file that was read")
    architecture_column: Mapped[str] = mapped_column(comment="column of the architectures")
    value_column: Mapped[str] = mapped_column(comment="column of the predictions")
    notation: Mapped[str] = mapped_column(
        comment="how it writes architectures: string, nested, digits, naslib, names, edges or index"
    )
    scale: Mapped[str] = mapped_column(comment="what its numbers are: fraction, percent or score")
    lower_is_better: Mapped[bool] = mapped_column(
        comment="whether lower numbers are better in it; their negatives are kept"
    )
    rows: Mapped[int] = mapped_column(comment="architectures in the file")


class EpochMetric(Base):
    """How one epoch of a run's training went."""

    __tablename__ = "epoch_metric"
    __table_args__ = (
        fraction("train_accuracy"),
        fraction("valid_accuracy"),
        {"comment": "Training curves, one row an epoch"},
    )

    run_id: Mapped[str] = mapped_column(primary_key=True, comment="run")
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="1 for the first")
    train_loss: Mapped[float | None] = mapped_column(comment="mean cross-entropy of the sampled paths, nats")
    train_accuracy: Mapped[float | None] = mapped_column(comment="of the sampled paths, fraction 0..1")
    valid_accuracy: Mapped[float | None] = mapped_column(
        comment="mean over a few fixed paths, fraction 0..1; NULL in epochs without validation"
    )
    learning_rate: Mapped[float] = mapped_column(comment="of this epoch")
    seconds: Mapped[float] = mapped_column(comment="of this epoch's training")
    images_per_second: Mapped[float] = mapped_column(comment="trained in this epoch")


class Prediction(Base):
    """The accuracy or score that a run predicts for an architecture."""

    __tablename__ = "prediction"
    __table_args__ = (
        fraction("accuracy"),
        CheckConstraint("isfinite(score)", name="score_is_finite"),
        CheckConstraint("accuracy IS NULL OR score IS NULL", name="either_accuracy_or_score"),
        CheckConstraint(
            "(status = 'ok') = (accuracy IS NOT NULL OR score IS NOT NULL)", name="ok_has_a_prediction"
        ),
        CheckConstraint(
            "status IN ('ok', 'non-finite', 'positive-infinity', 'negative-infinity')", name="status_is_known"
        ),
        known_architecture(),
        {"comment": "Predicted accuracies on the validation images, and what others predict"},
    )

    run_id: Mapped[str] = mapped_column(comment="run")
    epoch: Mapped[int] = mapped_column(comment="completed epochs of training; 0 where there is none")
    bn_mode: Mapped[str] = mapped_column(
        comment="BatchNorm statistics: running, batch or recalibrated; imported or untrained where "
        "there are none"
    )
    arch_id: Mapped[int] = mapped_column(SmallInteger, comment="architecture")
    accuracy: Mapped[float | None] = mapped_column(
        comment="fraction 0..1; NULL unless status is ok, and where experiment.predicts is score"
    )
    score: Mapped[float | None] = mapped_column(
        comment="where experiment.predicts is score: in its own unit, higher is better"
    )
    images: Mapped[int | None] = mapped_column(
        comment="validation images predicted; NULL where there are none"
    )
    status: Mapped[str] = mapped_column(
        comment="ok; positive-infinity or negative-infinity, which rank first and last; or non-finite: the "
        "logits were not finite, or the imported number is none"
    )
    __mapper_args__ = {"primary_key": [run_id, epoch, bn_mode, arch_id]}


class ReportedResult(Base):
    """A τa that the paper prints in a figure."""

    __tablename__ = "reported_result"
    __table_args__ = {"comment": "The 121 τa values that the paper reports"}

    figure: Mapped[str] = mapped_column(primary_key=True, comment="figure of the paper")
    size: Mapped[str] = mapped_column(primary_key=True, comment="the paper's name of the network's size")
    cells_per_stage: Mapped[int] = mapped_column(comment="as experiment.cells_per_stage")
    channels: Mapped[int] = mapped_column(comment="as experiment.channels")
    mask: Mapped[str] = mapped_column(primary_key=True, comment="as experiment.mask")
    lt: Mapped[str] = mapped_column(primary_key=True, comment="as experiment.lt")
    variant: Mapped[str] = mapped_column(primary_key=True, comment="as experiment.variant")
    tau_a: Mapped[float] = mapped_column(comment="τa over the eight points, of the mean over five seeds")


class ViewText(Base):
    """Which views the file has."""

    __tablename__ = "view_text"
    __table_args__ = {"comment": "The version of the views and macros in this file, one row"}

    sha256: Mapped[str] = mapped_column(comment="of their SQL in the nasrank that made them")
    __mapper_args__ = {"primary_key": [sha256]}


class GroundTruthKey(Base):
    """A ground-truth key that can rank architectures."""

    __tablename__ = "ground_truth_key"
    __table_args__ = {"comment": "The ground-truth keys that can rank architectures"}

    gt_key: Mapped[str] = mapped_column(
        comment="source:dataset/split@epochs, #trial for a single trial, @first-last for a mean over epochs"
    )
    source: Mapped[str] = mapped_column(comment="benchmark_source")
    dataset: Mapped[str] = mapped_column(comment="cifar10-valid, cifar10, cifar100 or ImageNet16-120")
    split: Mapped[str] = mapped_column(comment="train, valid or test")
    epochs: Mapped[int] = mapped_column(comment="epochs of stand-alone training")
    averaged_epochs: Mapped[int] = mapped_column(
        comment="1 for accuracies after the last epoch, 3 for their mean over the last three"
    )
    trial: Mapped[str] = mapped_column(comment="mean, or the trial")
    architectures: Mapped[int] = mapped_column(
        SmallInteger, comment="architectures with an accuracy; a third trial does not exist for all"
    )
    min_accuracy: Mapped[float] = mapped_column(comment="fraction 0..1")
    max_accuracy: Mapped[float] = mapped_column(comment="fraction 0..1")
    __mapper_args__ = {"primary_key": [gt_key]}


class ArchitectureRank(Base):
    """The true order of what a mask leaves."""

    __tablename__ = "architecture_rank"
    __table_args__ = {
        "comment": "The true order of the architectures that a mask leaves, ties broken by arch_id; once for "
        "all of them and once for one of each class"
    }

    gt_key: Mapped[str] = mapped_column(comment="ground-truth key")
    mask: Mapped[str] = mapped_column(comment="operations removed; the architecture uses none of them")
    one_per_class: Mapped[bool] = mapped_column(
        comment="false: all architectures; true: of each class only the one with the smallest arch_id"
    )
    gt_rank: Mapped[int] = mapped_column(SmallInteger, comment="1 for the best")
    arch_id: Mapped[int] = mapped_column(SmallInteger, comment="architecture")
    accuracy: Mapped[float] = mapped_column(comment="ground truth, fraction 0..1")
    in_random_sample: Mapped[bool] = mapped_column(comment="as search_space.in_random_sample")
    __mapper_args__ = {"primary_key": [gt_key, mask, one_per_class, gt_rank]}


class RankedSet(Base):
    """The architecture sets that a key and a mask make."""

    __tablename__ = "ranked_set"
    __table_args__ = {
        "comment": "The sets of set_definition that each ground-truth key and mask has, and their sizes"
    }

    gt_key: Mapped[str] = mapped_column(comment="ground-truth key")
    mask: Mapped[str] = mapped_column(comment="operations removed")
    one_per_class: Mapped[bool] = mapped_column(comment="as in set_definition")
    architecture_set: Mapped[str] = mapped_column(comment="as in set_definition")
    n: Mapped[int] = mapped_column(
        SmallInteger, comment="architectures in the set; of a top set also the last gt_rank in it"
    )
    mean_accuracy: Mapped[float] = mapped_column(comment="mean of their ground truth, fraction 0..1")
    __mapper_args__ = {"primary_key": [gt_key, mask, one_per_class, architecture_set]}


class OracleCeiling(Base):
    """How well a predictor would rank that knew each architecture's expected accuracy."""

    __tablename__ = "oracle_ceiling"
    __table_args__ = {
        "comment": "How well a predictor would rank that knew the expected accuracy of each architecture: "
        "estimated from the trials of a mean, absent where there are none (docs/method.md)"
    }

    gt_key: Mapped[str] = mapped_column(comment="ground-truth key of the mean over the trials")
    mask: Mapped[str] = mapped_column(comment="operations removed")
    architecture_set: Mapped[str] = mapped_column(comment="as in set_definition, of all architectures")
    metric: Mapped[str] = mapped_column(comment="as in the view metric")
    mean: Mapped[float] = mapped_column(comment="its mean over what the trials leave possible")
    std: Mapped[float] = mapped_column(
        comment="sample deviation over what is possible: how far a single oracle may be from the mean"
    )
    draws: Mapped[int] = mapped_column(SmallInteger, comment="how many of these were drawn")
    __mapper_args__ = {"primary_key": [gt_key, mask, architecture_set, metric]}


class Chance(Base):
    """How predictions without any information would rank."""

    __tablename__ = "chance"
    __table_args__ = {
        "comment": "How predictions that permute the architectures at random would rank: what no information "
        "gives, for the keys that a run was asked to predict (docs/method.md)"
    }

    gt_key: Mapped[str] = mapped_column(comment="ground-truth key")
    mask: Mapped[str] = mapped_column(comment="operations removed")
    architecture_set: Mapped[str] = mapped_column(
        comment="as in set_definition; of a search the pool; random where metric.scope is run"
    )
    top_k: Mapped[str] = mapped_column(comment="of a search, as in run_search; empty for all else")
    metric: Mapped[str] = mapped_column(
        comment="as in the view metric; tau_a is of the mean A_N of the seeds, tau_a_mean the mean of "
        "theirs; a_n is told as the deviation from that of the random sample, by the deviation of the "
        "predictions in it"
    )
    seeds: Mapped[int] = mapped_column(
        SmallInteger, comment="how many runs the value is the mean of, 1 to 10"
    )
    mean: Mapped[float] = mapped_column(comment="its mean")
    std: Mapped[float] = mapped_column(comment="its deviation")
    low: Mapped[float] = mapped_column(comment="2.5 % of the values are below")
    high: Mapped[float] = mapped_column(comment="2.5 % of the values are above")
    __mapper_args__ = {"primary_key": [gt_key, mask, architecture_set, top_k, metric, seeds]}


class Evaluation(Base):
    """The predictions of a run at one epoch under one BN mode."""

    __tablename__ = "evaluation"
    __table_args__ = {"comment": "What each run predicted, a row for each epoch and BN mode"}

    run_id: Mapped[str] = mapped_column(comment="run")
    epoch: Mapped[int] = mapped_column(comment="completed epochs of training; 0 where there is none")
    bn_mode: Mapped[str] = mapped_column(
        comment="BatchNorm statistics: running, batch or recalibrated; imported or untrained where "
        "there are none"
    )
    predictions: Mapped[int] = mapped_column(SmallInteger, comment="architectures predicted")
    non_finite: Mapped[int] = mapped_column(
        SmallInteger, comment="of them without a prediction, for it is no number; infinite ones are ranked"
    )
    __mapper_args__ = {"primary_key": [run_id, epoch, bn_mode]}


class StoredRanking(Base):
    """The metrics of a run under a key that it was asked to predict."""

    __tablename__ = "stored_ranking"
    __table_args__ = {
        "comment": "What run_metric has for the keys that a run was asked to predict; query run_metric"
    }

    run_id: Mapped[str] = mapped_column(comment="as in run_metric")
    epoch: Mapped[int] = mapped_column(comment="as in run_metric")
    bn_mode: Mapped[str] = mapped_column(comment="as in run_metric")
    gt_key: Mapped[str] = mapped_column(comment="as in run_metric")
    one_per_class: Mapped[bool] = mapped_column(comment="as in run_metric")
    architecture_set: Mapped[str] = mapped_column(comment="as in run_metric")
    n: Mapped[int] = mapped_column(SmallInteger, comment="as in run_metric")
    n_predicted: Mapped[int] = mapped_column(SmallInteger, comment="as in run_metric")
    a_n: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau_eq2: Mapped[float | None] = mapped_column(comment="as in run_metric")
    spearman: Mapped[float | None] = mapped_column(comment="as in run_metric")
    pearson: Mapped[float | None] = mapped_column(comment="as in run_metric")
    mean_score: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau_same_size: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau_partial: Mapped[float | None] = mapped_column(comment="as in run_metric")
    predicted_std: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau_sparse: Mapped[float | None] = mapped_column(comment="as in run_metric")
    tau_weighted: Mapped[float | None] = mapped_column(comment="as in run_metric")
    auc: Mapped[float | None] = mapped_column(comment="as in run_metric")
    __mapper_args__ = {"primary_key": [run_id, epoch, bn_mode, gt_key, one_per_class, architecture_set]}


class StoredSearch(Base):
    """What a search with a run's predictions finds, under a key that it was asked to predict."""

    __tablename__ = "stored_search"
    __table_args__ = {
        "comment": "What run_search has for the keys that a run was asked to predict; query run_search"
    }

    run_id: Mapped[str] = mapped_column(comment="as in run_search")
    epoch: Mapped[int] = mapped_column(comment="as in run_search")
    bn_mode: Mapped[str] = mapped_column(comment="as in run_search")
    gt_key: Mapped[str] = mapped_column(comment="as in run_search")
    one_per_class: Mapped[bool] = mapped_column(comment="as in run_search")
    pool: Mapped[str] = mapped_column(comment="as in run_search")
    n: Mapped[int] = mapped_column(SmallInteger, comment="as in run_search")
    top_k: Mapped[str] = mapped_column(comment="as in run_search")
    k: Mapped[int] = mapped_column(SmallInteger, comment="as in run_search")
    precision_at_k: Mapped[float] = mapped_column(comment="as in run_search")
    best_rank: Mapped[int] = mapped_column(SmallInteger, comment="as in run_search")
    regret: Mapped[float] = mapped_column(comment="as in run_search")
    worst_rank: Mapped[int] = mapped_column(SmallInteger, comment="as in run_search")
    bottom_precision_at_k: Mapped[float] = mapped_column(comment="as in run_search")
    ndcg_at_k: Mapped[float | None] = mapped_column(comment="as in run_search")
    __mapper_args__ = {"primary_key": [run_id, epoch, bn_mode, gt_key, one_per_class, pool, top_k]}
