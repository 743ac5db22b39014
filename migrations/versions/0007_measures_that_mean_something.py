"""Measures that mean something: no large foreign keys, infinite scores, predictors that need no training."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Of too many rows to copy them twice.
LARGE = ("prediction", "benchmark_result", "benchmark_cost")


def upgrade() -> None:
    # DuckDB changes no constraints: the tables are made anew, and filled from the old ones.
    for table in ("run", "experiment"):
        op.execute(f"CREATE TEMPORARY TABLE old_{table} AS FROM {table}")
        op.drop_table(table)
    # What follows from the others is computed again after every upgrade.
    op.drop_table("stored_ranking")
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
            comment="trained by nasrank; initial: the same network before training; imported: predicted "
            "by anything else; untrained: what the architecture alone says, such as its number of "
            "parameters",
        ),
        sa.Column(
            "name",
            sa.String(),
            nullable=True,
            comment="name of imported predictions or of an untrained predictor; NULL for networks of nasrank",
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
        sa.Column(
            "image_size",
            sa.Integer(),
            nullable=True,
            comment="pixels a side of the images as the network sees them; NULL where unknown",
        ),
        sa.CheckConstraint(
            "(kind IN ('imported', 'untrained')) = (name IS NOT NULL)",
            name="what_has_no_configuration_has_a_name",
        ),
        sa.CheckConstraint(
            "kind IN ('imported', 'untrained') OR (predicts = 'accuracy' AND dataset IS NOT NULL AND size "
            "IS NOT NULL AND cells_per_stage IS NOT NULL AND channels IS NOT NULL AND lt IS NOT NULL AND "
            "variant IS NOT NULL AND path_sampling IS NOT NULL AND node_inputs IS NOT NULL AND "
            "valid_images IS NOT NULL AND epochs IS NOT NULL AND batch_size IS NOT NULL AND learning_rate "
            "IS NOT NULL)",
            name="network_has_a_configuration",
        ),
        sa.CheckConstraint("kind IN ('trained', 'initial', 'imported', 'untrained')", name="kind_is_known"),
        sa.CheckConstraint("predicts IN ('accuracy', 'score')", name="predicts_is_known"),
        sa.ForeignKeyConstraint(
            ["mask"],
            ["mask.mask"],
        ),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.UniqueConstraint("config_hash"),
        comment="Configurations of super-networks, imported predictions and untrained predictors, without "
        "the seed; the configuration is NULL for what has none",
    )
    op.create_table(
        "run",
        sa.Column(
            "run_id",
            sa.String(),
            nullable=False,
            comment="name of the run's folder; begins with imported or untrained where there is none",
        ),
        sa.Column("experiment_id", sa.String(), nullable=False, comment="experiment"),
        sa.Column(
            "seed",
            sa.BigInteger(),
            nullable=True,
            comment="seeds weights, shuffling, shifts, flips and paths; NULL where nothing is random",
        ),
        sa.Column(
            "status", sa.String(), nullable=False, comment="finished, or failed where the loss diverged"
        ),
        sa.Column("message", sa.String(), nullable=True, comment="why it failed"),
        sa.Column(
            "failed_epoch", sa.Integer(), nullable=True, comment="epoch in which the loss was not finite"
        ),
        sa.Column("started_at", sa.DateTime(), nullable=True, comment="UTC; NULL without training"),
        sa.Column("finished_at", sa.DateTime(), nullable=True, comment="UTC; NULL without training"),
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
            comment="of the ingested files; another one is ingested anew; NULL without a folder",
        ),
        sa.Column("ingested_at", sa.DateTime(), nullable=False, comment="UTC"),
        sa.CheckConstraint("(status = 'failed') = (failed_epoch IS NOT NULL)", name="failed_has_its_epoch"),
        sa.CheckConstraint("status IN ('finished', 'failed')", name="status_is_known"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiment.experiment_id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
        comment="Experiments with a seed, once finished or failed, and what predicts without",
    )
    op.create_table(
        "new_prediction",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="completed epochs of training; 0 where there is none",
        ),
        sa.Column(
            "bn_mode",
            sa.String(),
            nullable=False,
            comment="BatchNorm statistics: running, batch or recalibrated; imported or untrained where "
            "there are none",
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
            "images",
            sa.Integer(),
            nullable=True,
            comment="validation images predicted; NULL where there are none",
        ),
        sa.Column(
            "status",
            sa.String(),
            nullable=False,
            comment="ok; positive-infinity or negative-infinity, which rank first and last; or "
            "non-finite: the logits were not finite, or the imported number is none",
        ),
        sa.CheckConstraint(
            "(status = 'ok') = (accuracy IS NOT NULL OR score IS NOT NULL)", name="ok_has_a_prediction"
        ),
        sa.CheckConstraint(
            "status IN ('ok', 'non-finite', 'positive-infinity', 'negative-infinity')", name="status_is_known"
        ),
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.CheckConstraint("accuracy IS NULL OR score IS NULL", name="either_accuracy_or_score"),
        sa.CheckConstraint("arch_id BETWEEN 0 AND 15624", name="arch_id_is_of_the_benchmark"),
        sa.CheckConstraint("isfinite(score)", name="score_is_finite"),
        comment="Predicted accuracies on the validation images, and what others predict",
    )
    op.create_table(
        "new_benchmark_result",
        sa.Column("source", sa.String(), nullable=False, comment="benchmark_source"),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column(
            "dataset",
            sa.String(),
            nullable=False,
            comment="cifar10-valid, cifar10, cifar100 or ImageNet16-120",
        ),
        sa.Column(
            "split",
            sa.String(),
            nullable=False,
            comment="train, valid, test, or valid+test where the benchmark joined both; that one is no key",
        ),
        sa.Column(
            "epochs",
            sa.Integer(),
            nullable=False,
            comment="epochs of the whole stand-alone training, 12 or 200",
        ),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="completed epochs when this was measured, up to epochs",
        ),
        sa.Column(
            "trial",
            sa.String(),
            nullable=False,
            comment="seed or number of the trial; mean where the file has only their mean",
        ),
        sa.Column("accuracy", sa.Double(), nullable=False, comment="fraction 0..1"),
        sa.Column("loss", sa.Double(), nullable=True, comment="mean cross-entropy, nats; NULL where unknown"),
        sa.CheckConstraint("split IN ('train', 'valid', 'test', 'valid+test')", name="split_is_known"),
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.CheckConstraint("arch_id BETWEEN 0 AND 15624", name="arch_id_is_of_the_benchmark"),
        sa.CheckConstraint("epoch BETWEEN 1 AND epochs", name="epoch_is_of_the_training"),
        comment="Stand-alone accuracies, one row a trial, epoch and split",
    )
    op.create_table(
        "new_benchmark_cost",
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
        sa.CheckConstraint("arch_id BETWEEN 0 AND 15624", name="arch_id_is_of_the_benchmark"),
        comment="Size and cost of the stand-alone networks, one row a trial",
    )
    op.create_table(
        "ranked_set",
        sa.Column("gt_key", sa.String(), nullable=False, comment="ground-truth key"),
        sa.Column("mask", sa.String(), nullable=False, comment="operations removed"),
        sa.Column("one_per_class", sa.Boolean(), nullable=False, comment="as in set_definition"),
        sa.Column("architecture_set", sa.String(), nullable=False, comment="as in set_definition"),
        sa.Column(
            "n",
            sa.SmallInteger(),
            nullable=False,
            comment="architectures in the set; of a top set also the last gt_rank in it",
        ),
        sa.Column(
            "mean_accuracy", sa.Double(), nullable=False, comment="mean of their ground truth, fraction 0..1"
        ),
        comment="The sets of set_definition that each ground-truth key and mask has, and their sizes",
    )
    op.create_table(
        "stored_ranking",
        sa.Column("run_id", sa.String(), nullable=False, comment="as in run_metric"),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="as in run_metric"),
        sa.Column("bn_mode", sa.String(), nullable=False, comment="as in run_metric"),
        sa.Column("gt_key", sa.String(), nullable=False, comment="as in run_metric"),
        sa.Column("one_per_class", sa.Boolean(), nullable=False, comment="as in run_metric"),
        sa.Column("architecture_set", sa.String(), nullable=False, comment="as in run_metric"),
        sa.Column("n", sa.SmallInteger(), nullable=False, comment="as in run_metric"),
        sa.Column("n_predicted", sa.SmallInteger(), nullable=False, comment="as in run_metric"),
        sa.Column("a_n", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("tau", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("tau_eq2", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("spearman", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("pearson", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("mean_score", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("tau_same_size", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("tau_partial", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("predicted_std", sa.Double(), nullable=True, comment="as in run_metric"),
        comment="What run_metric has for the keys that a run was asked to predict; query run_metric",
    )
    for table in ("experiment", "run"):
        op.execute(f"INSERT INTO {table} BY NAME FROM old_{table}")
        op.drop_table(f"old_{table}")
    # The new one is renamed: DuckDB forgets what refers to a table only if that has the name it began with.
    for table in LARGE:
        op.execute(f"INSERT INTO new_{table} BY NAME FROM {table}")
        op.drop_table(table)
        op.rename_table(f"new_{table}", table)
    comments = {
        "epoch": (sa.Integer(), "completed epochs of training; 0 where there is none"),
        "bn_mode": (
            sa.String(),
            "BatchNorm statistics: running, batch or recalibrated; imported or untrained where there are "
            "none",
        ),
        "non_finite": (
            sa.SmallInteger(),
            "of them without a prediction, for it is no number; infinite ones are ranked",
        ),
    }
    for column, (kind, comment) in comments.items():
        op.alter_column("evaluation", column, existing_type=kind, existing_nullable=False, comment=comment)
