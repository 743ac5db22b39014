"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "architecture",
        sa.Column(
            "arch_id",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="NAS-Bench-201 index, 0..15624",
        ),
        sa.Column(
            "arch_str", sa.String(), nullable=False, comment="the benchmark's string, |op~0|+|op~0|op~1|+…"
        ),
        sa.Column("digits", sa.String(), nullable=False, comment="six digits, one an edge in string order"),
        sa.Column(
            "edge_01",
            sa.String(),
            nullable=False,
            comment="operation on edge 0→1: Zero, Skip, C1x1, C3x3 or Pool",
        ),
        sa.Column("edge_02", sa.String(), nullable=False, comment="operation on edge 0→2"),
        sa.Column("edge_12", sa.String(), nullable=False, comment="operation on edge 1→2"),
        sa.Column("edge_03", sa.String(), nullable=False, comment="operation on edge 0→3"),
        sa.Column("edge_13", sa.String(), nullable=False, comment="operation on edge 1→3"),
        sa.Column("edge_23", sa.String(), nullable=False, comment="operation on edge 2→3"),
        sa.Column(
            "used_bits",
            sa.SmallInteger(),
            nullable=False,
            comment="operations in use, bit k for the k-th of Zero, Skip, C1x1, C3x3, Pool",
        ),
        sa.Column(
            "sample_position",
            sa.SmallInteger(),
            nullable=False,
            comment="place in one fixed pseudo-random order, from which random samples are taken",
        ),
        sa.PrimaryKeyConstraint("arch_id"),
        sa.UniqueConstraint("arch_str"),
        sa.UniqueConstraint("digits"),
        comment="The 15,625 cells of NAS-Bench-201",
    )
    op.create_table(
        "benchmark_source",
        sa.Column("source", sa.String(), nullable=False, comment="name, first part of every key"),
        sa.Column("format", sa.String(), nullable=False, comment="importer that read it"),
        sa.Column("importer_version", sa.Integer(), nullable=False, comment="version of that importer"),
        sa.Column(
            "file_name", sa.String(), nullable=False, comment="name of the file or folder, without its path"
        ),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="bytes read"),
        sa.Column("sha256", sa.String(), nullable=False, comment="SHA-256 of what was read"),
        sa.Column("license", sa.String(), nullable=True, comment="license, where known"),
        sa.Column("description", sa.String(), nullable=False, comment="what it holds"),
        sa.Column("result_rows", sa.BigInteger(), nullable=False, comment="rows in benchmark_result"),
        sa.Column("imported_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("source"),
        comment="Imported files of ground truth, and where they come from",
    )
    op.create_table(
        "epoch_metric",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False, comment="1 for the first"),
        sa.Column(
            "train_loss", sa.Double(), nullable=True, comment="mean cross-entropy of the sampled paths, nats"
        ),
        sa.Column(
            "train_accuracy", sa.Double(), nullable=True, comment="of the sampled paths, fraction 0..1"
        ),
        sa.Column(
            "valid_accuracy",
            sa.Double(),
            nullable=True,
            comment="mean over a few fixed paths, fraction 0..1; NULL in epochs without validation",
        ),
        sa.Column("learning_rate", sa.Double(), nullable=False, comment="of this epoch"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="of this epoch's training"),
        sa.Column("images_per_second", sa.Double(), nullable=False, comment="trained in this epoch"),
        sa.CheckConstraint("train_accuracy BETWEEN 0 AND 1", name="train_accuracy_is_a_fraction"),
        sa.CheckConstraint("valid_accuracy BETWEEN 0 AND 1", name="valid_accuracy_is_a_fraction"),
        sa.PrimaryKeyConstraint("run_id", "epoch"),
        comment="Training curves, one row an epoch",
    )
    op.create_table(
        "mask",
        sa.Column("mask", sa.String(), nullable=False, comment="such as Zero+Pool; empty for none"),
        sa.Column("mask_bits", sa.SmallInteger(), nullable=False, comment="as architecture.used_bits"),
        sa.Column(
            "architectures", sa.SmallInteger(), nullable=False, comment="how many architectures remain"
        ),
        sa.PrimaryKeyConstraint("mask"),
        comment="Sets of operations removed from every edge",
    )
    op.create_table(
        "reported_result",
        sa.Column("figure", sa.String(), nullable=False, comment="figure of the paper"),
        sa.Column("size", sa.String(), nullable=False, comment="the paper's name of the network's size"),
        sa.Column("cells_per_stage", sa.Integer(), nullable=False, comment="as experiment.cells_per_stage"),
        sa.Column("channels", sa.Integer(), nullable=False, comment="as experiment.channels"),
        sa.Column("mask", sa.String(), nullable=False, comment="as experiment.mask"),
        sa.Column("lt", sa.String(), nullable=False, comment="as experiment.lt"),
        sa.Column("variant", sa.String(), nullable=False, comment="as experiment.variant"),
        sa.Column(
            "tau_a",
            sa.Double(),
            nullable=False,
            comment="τa over the eight points, of the mean over five seeds",
        ),
        sa.PrimaryKeyConstraint("figure", "size", "mask", "lt", "variant"),
        comment="The 121 τa values that the paper reports",
    )
    op.create_table(
        "benchmark_cost",
        sa.Column("source", sa.String(), nullable=False, comment="benchmark_source"),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column("dataset", sa.String(), nullable=False, comment="as benchmark_result.dataset"),
        sa.Column("epochs", sa.Integer(), nullable=False, comment="epochs of stand-alone training"),
        sa.Column("trial", sa.String(), nullable=False, comment="as benchmark_result.trial"),
        sa.Column("params", sa.BigInteger(), nullable=True, comment="trainable parameters"),
        sa.Column("flops", sa.Double(), nullable=True, comment="multiply-adds of one image"),
        sa.Column(
            "latency_seconds",
            sa.Double(),
            nullable=True,
            comment="seconds a batch, as the benchmark measured",
        ),
        sa.Column("train_seconds", sa.Double(), nullable=True, comment="seconds of the whole training"),
        sa.ForeignKeyConstraint(
            ["arch_id"],
            ["architecture.arch_id"],
        ),
        sa.ForeignKeyConstraint(
            ["source"],
            ["benchmark_source.source"],
        ),
        comment="Size and cost of the stand-alone networks, one row a trial",
    )
    op.create_table(
        "benchmark_result",
        sa.Column("source", sa.String(), nullable=False, comment="benchmark_source"),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column(
            "dataset",
            sa.String(),
            nullable=False,
            comment="cifar10-valid, cifar10, cifar100 or ImageNet16-120",
        ),
        sa.Column("split", sa.String(), nullable=False, comment="train, valid or test"),
        sa.Column(
            "epochs", sa.Integer(), nullable=False, comment="epochs of stand-alone training, 12 or 200"
        ),
        sa.Column(
            "trial",
            sa.String(),
            nullable=False,
            comment="number of the trial; mean where the file has only their mean",
        ),
        sa.Column("accuracy", sa.Double(), nullable=False, comment="fraction 0..1"),
        sa.CheckConstraint("split IN ('train', 'valid', 'test')", name="split_is_known"),
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.CheckConstraint("epochs > 0", name="epochs_are_positive"),
        sa.ForeignKeyConstraint(
            ["arch_id"],
            ["architecture.arch_id"],
        ),
        sa.ForeignKeyConstraint(
            ["source"],
            ["benchmark_source.source"],
        ),
        comment="Stand-alone accuracies, one row a trial, epoch and split",
    )
    op.create_table(
        "experiment",
        sa.Column(
            "experiment_id", sa.String(), nullable=False, comment="first 12 hexadecimal digits of config_hash"
        ),
        sa.Column("config_hash", sa.String(), nullable=False, comment="SHA-256 of config"),
        sa.Column("dataset", sa.String(), nullable=False, comment="images trained on: cifar10 or digits"),
        sa.Column("size", sa.String(), nullable=False, comment="the paper's name, tiny, or custom"),
        sa.Column(
            "cells_per_stage", sa.Integer(), nullable=False, comment="cells in each of the three stages"
        ),
        sa.Column(
            "channels",
            sa.Integer(),
            nullable=False,
            comment="channels of the first stage; doubled in each next one",
        ),
        sa.Column("mask", sa.String(), nullable=False, comment="operations removed, empty for none"),
        sa.Column(
            "lt", sa.String(), nullable=False, comment="operations with a linear transformer, empty for none"
        ),
        sa.Column(
            "variant", sa.String(), nullable=False, comment="baseline, or the paper's name of what differs"
        ),
        sa.Column(
            "path_sampling",
            sa.String(),
            nullable=False,
            comment="how a step's path is chosen: strictly-fair or uniform",
        ),
        sa.Column(
            "node_inputs", sa.String(), nullable=False, comment="how a node joins its inputs: mean or sum"
        ),
        sa.Column(
            "train_images",
            sa.Integer(),
            nullable=True,
            comment="images trained on; NULL for all that validation leaves",
        ),
        sa.Column("valid_images", sa.Integer(), nullable=False, comment="images withheld for validation"),
        sa.Column("epochs", sa.Integer(), nullable=False, comment="passes over the training images"),
        sa.Column("batch_size", sa.Integer(), nullable=False, comment="images a step"),
        sa.Column(
            "learning_rate", sa.Double(), nullable=False, comment="at the first epoch, before the cosine"
        ),
        sa.Column("config", sa.JSON(), nullable=False, comment="the whole configuration"),
        sa.ForeignKeyConstraint(
            ["mask"],
            ["mask.mask"],
        ),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.UniqueConstraint("config_hash"),
        comment="Configurations of super-network training, without the seed",
    )
    op.create_table(
        "prediction",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="completed epochs of training"),
        sa.Column(
            "bn_mode",
            sa.String(),
            nullable=False,
            comment="BatchNorm statistics: running, batch or recalibrated",
        ),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column("accuracy", sa.Double(), nullable=True, comment="fraction 0..1; NULL unless status is ok"),
        sa.Column("images", sa.Integer(), nullable=False, comment="validation images predicted"),
        sa.Column(
            "status",
            sa.String(),
            nullable=False,
            comment="ok, or non-finite where the logits were not finite",
        ),
        sa.CheckConstraint("(status = 'ok') = (accuracy IS NOT NULL)", name="ok_has_an_accuracy"),
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.ForeignKeyConstraint(
            ["arch_id"],
            ["architecture.arch_id"],
        ),
        comment="Predicted accuracies on the validation images",
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(), nullable=False, comment="name of the run's folder"),
        sa.Column("experiment_id", sa.String(), nullable=False, comment="experiment"),
        sa.Column(
            "seed",
            sa.BigInteger(),
            nullable=False,
            comment="seeds weights, shuffling, shifts, flips and paths",
        ),
        sa.Column(
            "status", sa.String(), nullable=False, comment="finished, or failed where the loss diverged"
        ),
        sa.Column("message", sa.String(), nullable=True, comment="why it failed"),
        sa.Column(
            "failed_epoch", sa.Integer(), nullable=True, comment="epoch in which the loss was not finite"
        ),
        sa.Column("started_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.Column("finished_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.Column("seconds_training", sa.Double(), nullable=True, comment="seconds, without evaluation"),
        sa.Column("seconds_evaluation", sa.Double(), nullable=True, comment="seconds"),
        sa.Column("optimizer_updates", sa.BigInteger(), nullable=True, comment="steps of the optimizer"),
        sa.Column("images_per_second", sa.Double(), nullable=True, comment="trained, median over epochs"),
        sa.Column("device", sa.String(), nullable=True, comment="processor or GPU, and threads"),
        sa.Column(
            "git_commit",
            sa.String(),
            nullable=True,
            comment="commit of nasrank, where it ran from a checkout",
        ),
        sa.Column(
            "git_dirty", sa.Boolean(), nullable=True, comment="whether that checkout had uncommitted changes"
        ),
        sa.Column("versions", sa.JSON(), nullable=False, comment="of nasrank, Python and libraries"),
        sa.Column("dataset_sha256", sa.String(), nullable=True, comment="of all images and labels"),
        sa.Column("valid_sha256", sa.String(), nullable=True, comment="of the validation images and labels"),
        sa.Column("dataset_origin", sa.String(), nullable=True, comment="where the images come from"),
        sa.Column(
            "ground_truth_keys",
            sa.JSON(),
            nullable=False,
            comment="keys whose top-N the run was asked to predict",
        ),
        sa.Column(
            "folder_sha256",
            sa.String(),
            nullable=False,
            comment="of the ingested files; another one is ingested anew",
        ),
        sa.Column("ingested_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.CheckConstraint("(status = 'failed') = (failed_epoch IS NOT NULL)", name="failed_has_its_epoch"),
        sa.CheckConstraint("status IN ('finished', 'failed')", name="status_is_known"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiment.experiment_id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
        comment="Experiments with a seed, once finished or failed",
    )
