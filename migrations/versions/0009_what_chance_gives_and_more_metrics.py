"""What chance gives, and more metrics, which follow from the rest: they are computed after every upgrade."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for table in ("stored_ranking", "stored_search"):
        op.drop_table(table)
    # Of the new metrics, too.
    op.execute("DELETE FROM oracle_ceiling")
    op.create_table(
        "chance",
        sa.Column("gt_key", sa.String(), nullable=False, comment="ground-truth key"),
        sa.Column("mask", sa.String(), nullable=False, comment="operations removed"),
        sa.Column(
            "architecture_set",
            sa.String(),
            nullable=False,
            comment="as in set_definition; of a search the pool; random where metric.scope is run",
        ),
        sa.Column(
            "top_k", sa.String(), nullable=False, comment="of a search, as in run_search; empty for all else"
        ),
        sa.Column(
            "metric",
            sa.String(),
            nullable=False,
            comment="as in the view metric; tau_a is of the mean A_N of the seeds, tau_a_mean the "
            "mean of theirs; a_n is told as the deviation from that of the random sample, by the deviation "
            "of the predictions in it",
        ),
        sa.Column(
            "seeds",
            sa.SmallInteger(),
            nullable=False,
            comment="how many runs the value is the mean of, 1 to 10",
        ),
        sa.Column("mean", sa.Double(), nullable=False, comment="its mean"),
        sa.Column("std", sa.Double(), nullable=False, comment="its deviation"),
        sa.Column("low", sa.Double(), nullable=False, comment="2.5 % of the values are below"),
        sa.Column("high", sa.Double(), nullable=False, comment="2.5 % of the values are above"),
        comment="How predictions that permute the architectures at random would rank: what no "
        "information gives, for the keys that a run was asked to predict (docs/method.md)",
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
        sa.Column("tau_sparse", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("tau_weighted", sa.Double(), nullable=True, comment="as in run_metric"),
        sa.Column("auc", sa.Double(), nullable=True, comment="as in run_metric"),
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
        sa.Column("worst_rank", sa.SmallInteger(), nullable=False, comment="as in run_search"),
        sa.Column("bottom_precision_at_k", sa.Double(), nullable=False, comment="as in run_search"),
        sa.Column("ndcg_at_k", sa.Double(), nullable=True, comment="as in run_search"),
        comment="What run_search has for the keys that a run was asked to predict; query run_search",
    )
    op.alter_column(
        "prediction_source",
        "notation",
        comment="how it writes architectures: string, nested, digits, naslib, names, edges or index",
    )
