"""What follows from the rest is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Their names are tables now, or gone; all other views are replaced.
    op.execute("DROP VIEW IF EXISTS ground_truth_key")
    op.execute("DROP VIEW IF EXISTS architecture_rank")
    op.execute("DROP VIEW IF EXISTS a_n")
    op.execute("DROP VIEW IF EXISTS kendall_tau")
    op.create_table(
        "architecture_class",
        sa.Column("arch_id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="architecture"),
        sa.Column("class_id", sa.SmallInteger(), nullable=False, comment="smallest arch_id of the class"),
        sa.PrimaryKeyConstraint("arch_id"),
        comment="Which architectures are isomorphic: the 6,466 classes of NAS-Bench-201",
    )
    op.create_table(
        "architecture_rank",
        sa.Column("gt_key", sa.String(), nullable=False, comment="ground-truth key"),
        sa.Column(
            "mask",
            sa.String(),
            nullable=False,
            comment="operations removed; the architecture uses none of them",
        ),
        sa.Column(
            "one_per_class",
            sa.Boolean(),
            nullable=False,
            comment="false: all architectures; true: of each class only the one with the smallest arch_id",
        ),
        sa.Column("gt_rank", sa.SmallInteger(), nullable=False, comment="1 for the best"),
        sa.Column("arch_id", sa.SmallInteger(), nullable=False, comment="architecture"),
        sa.Column("accuracy", sa.Double(), nullable=False, comment="ground truth, fraction 0..1"),
        sa.Column(
            "in_random_sample", sa.Boolean(), nullable=False, comment="as search_space.in_random_sample"
        ),
        comment="The true order of the architectures that a mask leaves, ties broken by arch_id; once for "
        "all of them and once for one of each class",
    )
    op.create_table(
        "evaluation",
        sa.Column("run_id", sa.String(), nullable=False, comment="run"),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="completed epochs of training"),
        sa.Column(
            "bn_mode",
            sa.String(),
            nullable=False,
            comment="BatchNorm statistics: running, batch or recalibrated",
        ),
        sa.Column("predictions", sa.SmallInteger(), nullable=False, comment="architectures predicted"),
        sa.Column(
            "non_finite",
            sa.SmallInteger(),
            nullable=False,
            comment="of them without an accuracy, for their logits were not finite",
        ),
        comment="What each run predicted, a row for each epoch and BN mode",
    )
    op.create_table(
        "ground_truth_key",
        sa.Column(
            "gt_key",
            sa.String(),
            nullable=False,
            comment="source:dataset/split@epochs, with #trial for a single trial",
        ),
        sa.Column("source", sa.String(), nullable=False, comment="benchmark_source"),
        sa.Column(
            "dataset",
            sa.String(),
            nullable=False,
            comment="cifar10-valid, cifar10, cifar100 or ImageNet16-120",
        ),
        sa.Column("split", sa.String(), nullable=False, comment="train, valid or test"),
        sa.Column("epochs", sa.Integer(), nullable=False, comment="epochs of stand-alone training"),
        sa.Column("trial", sa.String(), nullable=False, comment="mean, or the trial"),
        sa.Column(
            "architectures",
            sa.SmallInteger(),
            nullable=False,
            comment="architectures with an accuracy; a third trial does not exist for all",
        ),
        sa.Column("min_accuracy", sa.Double(), nullable=False, comment="fraction 0..1"),
        sa.Column("max_accuracy", sa.Double(), nullable=False, comment="fraction 0..1"),
        comment="The ground-truth keys that can rank architectures",
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
        comment="What run_metric has for the keys that a run was asked to predict; query run_metric",
    )
    op.create_table(
        "stored_search",
        sa.Column("run_id", sa.String(), nullable=False, comment="as in run_search"),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="as in run_search"),
        sa.Column("bn_mode", sa.String(), nullable=False, comment="as in run_search"),
        sa.Column("gt_key", sa.String(), nullable=False, comment="as in run_search"),
        sa.Column("one_per_class", sa.Boolean(), nullable=False, comment="as in run_search"),
        sa.Column("pool", sa.String(), nullable=False, comment="as in run_search"),
        sa.Column("n", sa.SmallInteger(), nullable=False, comment="as in run_search"),
        sa.Column("top_k", sa.String(), nullable=False, comment="as in run_search"),
        sa.Column("k", sa.SmallInteger(), nullable=False, comment="as in run_search"),
        sa.Column("precision_at_k", sa.Double(), nullable=False, comment="as in run_search"),
        sa.Column("best_rank", sa.SmallInteger(), nullable=False, comment="as in run_search"),
        sa.Column("regret", sa.Double(), nullable=False, comment="as in run_search"),
        comment="What run_search has for the keys that a run was asked to predict; query run_search",
    )
