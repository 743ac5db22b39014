"""Predictions that others made."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # DuckDB changes no constraints: the tables are made anew, and filled from copies.
    op.execute("CREATE TEMPORARY TABLE old_run AS FROM run")
    op.execute("CREATE TEMPORARY TABLE old_experiment AS FROM experiment")
    op.execute("CREATE TEMPORARY TABLE old_prediction AS FROM prediction")
    for table in ("run", "experiment", "prediction"):
        op.drop_table(table)
    op.create_table(
        "experiment",
        sa.Column(
            "experiment_id", sa.String(), nullable=False, comment="first 12 hexadecimal digits of config_hash"
        ),
        sa.Column("config_hash", sa.String(), nullable=False, comment="SHA-256 of config"),
        sa.Column(
            "kind",
            sa.String(),
            nullable=False,
            comment="trained by nasrank, or imported: predicted by anything else",
        ),
        sa.Column(
            "name", sa.String(), nullable=True, comment="name of imported predictions; NULL for trained"
        ),
        sa.Column(
            "predicts",
            sa.String(),
            nullable=False,
            comment="accuracy, or score: any other number, of which higher is better",
        ),
        sa.Column("dataset", sa.String(), nullable=True, comment="images trained on: cifar10 or digits"),
        sa.Column("size", sa.String(), nullable=True, comment="the paper's name, tiny, or custom"),
        sa.Column(
            "cells_per_stage", sa.Integer(), nullable=True, comment="cells in each of the three stages"
        ),
        sa.Column(
            "channels",
            sa.Integer(),
            nullable=True,
            comment="channels of the first stage; doubled in each next one",
        ),
        sa.Column("mask", sa.String(), nullable=False, comment="operations removed, empty for none"),
        sa.Column(
            "lt", sa.String(), nullable=True, comment="operations with a linear transformer, empty for none"
        ),
        sa.Column(
            "variant", sa.String(), nullable=True, comment="baseline, or the paper's name of what differs"
        ),
        sa.Column(
            "path_sampling",
            sa.String(),
            nullable=True,
            comment="how a step's path is chosen: strictly-fair or uniform",
        ),
        sa.Column(
            "node_inputs", sa.String(), nullable=True, comment="how a node joins its inputs: mean or sum"
        ),
        sa.Column(
            "train_images",
            sa.Integer(),
            nullable=True,
            comment="images trained on; NULL for all that validation leaves",
        ),
        sa.Column("valid_images", sa.Integer(), nullable=True, comment="images withheld for validation"),
        sa.Column("epochs", sa.Integer(), nullable=True, comment="passes over the training images"),
        sa.Column("batch_size", sa.Integer(), nullable=True, comment="images a step"),
        sa.Column(
            "learning_rate", sa.Double(), nullable=True, comment="at the first epoch, before the cosine"
        ),
        sa.Column("config", sa.JSON(), nullable=False, comment="the whole configuration"),
        sa.CheckConstraint("(kind = 'imported') = (name IS NOT NULL)", name="imported_has_a_name"),
        sa.CheckConstraint(
            "kind = 'imported' OR (predicts = 'accuracy' AND dataset IS NOT NULL AND size IS NOT NULL "
            "AND cells_per_stage IS NOT NULL AND channels IS NOT NULL AND lt IS NOT NULL AND variant "
            "IS NOT NULL AND path_sampling IS NOT NULL AND node_inputs IS NOT NULL AND valid_images "
            "IS NOT NULL AND epochs IS NOT NULL AND batch_size IS NOT NULL AND learning_rate IS NOT "
            "NULL)",
            name="trained_has_a_configuration",
        ),
        sa.CheckConstraint("kind IN ('trained', 'imported')", name="kind_is_known"),
        sa.CheckConstraint("predicts IN ('accuracy', 'score')", name="predicts_is_known"),
        sa.ForeignKeyConstraint(
            ["mask"],
            ["mask.mask"],
        ),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.UniqueConstraint("config_hash"),
        comment="Configurations of super-network training, and imported predictions, without the seed; what "
        "has no meaning for imported predictions is NULL",
    )
    op.create_table(
        "run",
        sa.Column(
            "run_id",
            sa.String(),
            nullable=False,
            comment="name of the run's folder; begins with imported for imported predictions",
        ),
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
        sa.Column("started_at", sa.DateTime(), nullable=True, comment="UTC; NULL for imported"),
        sa.Column("finished_at", sa.DateTime(), nullable=True, comment="UTC; NULL for imported"),
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
            comment="keys whose top-N the run was asked to predict, and whose metrics are stored",
        ),
        sa.Column(
            "folder_sha256",
            sa.String(),
            nullable=True,
            comment="of the ingested files; another one is ingested anew; NULL for imported",
        ),
        sa.Column("ingested_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.CheckConstraint("(status = 'failed') = (failed_epoch IS NOT NULL)", name="failed_has_its_epoch"),
        sa.CheckConstraint("status IN ('finished', 'failed')", name="status_is_known"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiment.experiment_id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
        comment="Experiments with a seed, once finished or failed, and imported predictions",
    )
    op.create_table(
        "prediction",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="completed epochs of training; 0 where predictions were imported",
        ),
        sa.Column(
            "bn_mode",
            sa.String(),
            nullable=False,
            comment="BatchNorm statistics: running, batch or recalibrated; imported where predictions were",
        ),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column(
            "accuracy",
            sa.Double(),
            nullable=True,
            comment="fraction 0..1; NULL unless status is ok, and where experiment.predicts is score",
        ),
        sa.Column(
            "score",
            sa.Double(),
            nullable=True,
            comment="where experiment.predicts is score: in its own unit, higher is better",
        ),
        sa.Column(
            "images", sa.Integer(), nullable=True, comment="validation images predicted; NULL for imported"
        ),
        sa.Column(
            "status",
            sa.String(),
            nullable=False,
            comment="ok, or non-finite where the logits, or the imported number, were not finite",
        ),
        sa.CheckConstraint(
            "(status = 'ok') = (accuracy IS NOT NULL OR score IS NOT NULL)", name="ok_has_a_prediction"
        ),
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.CheckConstraint("accuracy IS NULL OR score IS NULL", name="either_accuracy_or_score"),
        sa.CheckConstraint("isfinite(score)", name="score_is_finite"),
        sa.ForeignKeyConstraint(
            ["arch_id"],
            ["architecture.arch_id"],
        ),
        comment="Predicted accuracies on the validation images, and imported predictions",
    )
    op.create_table(
        "prediction_source",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column("file_name", sa.String(), nullable=False, comment="name of the file, without its path"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="bytes read"),
        sa.Column("sha256", sa.String(), nullable=False, comment="SHA-256 of the file"),
        sa.Column("format", sa.String(), nullable=False, comment="csv, json or parquet"),
        sa.Column(
            "importer_version", sa.Integer(), nullable=False, comment="version of the importer that read it"
        ),
        sa.Column("part", sa.String(), nullable=True, comment="key of the part of a JSON file that was read"),
        sa.Column("architecture_column", sa.String(), nullable=False, comment="column of the architectures"),
        sa.Column("value_column", sa.String(), nullable=False, comment="column of the predictions"),
        sa.Column(
            "notation",
            sa.String(),
            nullable=False,
            comment="how it writes architectures: string, nested, digits, naslib or index",
        ),
        sa.Column(
            "scale", sa.String(), nullable=False, comment="what its numbers are: fraction, percent or score"
        ),
        sa.Column(
            "lower_is_better",
            sa.Boolean(),
            nullable=False,
            comment="whether lower numbers are better in it; their negatives are kept",
        ),
        sa.Column("rows", sa.Integer(), nullable=False, comment="architectures in the file"),
        sa.PrimaryKeyConstraint("run_id"),
        comment="Imported files of predictions, one a run, and how each was read",
    )
    op.execute(
        "INSERT INTO experiment BY NAME "
        "SELECT *, 'trained' AS kind, NULL AS name, 'accuracy' AS predicts FROM old_experiment"
    )
    op.execute("INSERT INTO run BY NAME FROM old_run")
    op.execute("INSERT INTO prediction BY NAME FROM old_prediction")
    for table in ("old_run", "old_experiment", "old_prediction"):
        op.drop_table(table)
    op.add_column(
        "stored_ranking", sa.Column("mean_score", sa.Double(), nullable=True, comment="as in run_metric")
    )
    comments = {
        "epoch": (sa.Integer(), "completed epochs of training; 0 where predictions were imported"),
        "bn_mode": (
            sa.String(),
            "BatchNorm statistics: running, batch or recalibrated; imported where predictions were",
        ),
        "non_finite": (sa.SmallInteger(), "of them without a prediction, for it was not finite"),
    }
    for column, (kind, comment) in comments.items():
        op.alter_column("evaluation", column, existing_type=kind, existing_nullable=False, comment=comment)
