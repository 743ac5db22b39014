"""Epochs of the curve and losses beside accuracies; classes of the super-network."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # These two are filled anew by every upgrade.
    op.drop_table("architecture_class")
    op.drop_table("ground_truth_key")
    op.create_table(
        "architecture_class",
        sa.Column("arch_id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="architecture"),
        sa.Column(
            "class_id",
            sa.SmallInteger(),
            nullable=False,
            comment="smallest arch_id of the class under isomorphism: the 6,466 unique strings of NATS-Bench",
        ),
        sa.Column(
            "supernet_class_id",
            sa.SmallInteger(),
            nullable=False,
            comment="smallest arch_id of those that compute the same in the paper's super-network, with its "
            "weights and running BatchNorm statistics: 9,140 classes",
        ),
        sa.Column(
            "supernet_batch_class_id",
            sa.SmallInteger(),
            nullable=False,
            comment="as supernet_class_id, with statistics of the path itself (batch, recalibrated), "
            "under which a convolution of zeros is zero: 8,206 classes",
        ),
        sa.PrimaryKeyConstraint("arch_id"),
        comment="Which architectures are equal: stand-alone networks, and paths of a super-network",
    )
    op.create_table(
        "ground_truth_key",
        sa.Column(
            "gt_key",
            sa.String(),
            nullable=False,
            comment="source:dataset/split@epochs, #trial for a single trial, @first-last for a mean over "
            "epochs",
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
        sa.Column(
            "averaged_epochs",
            sa.Integer(),
            nullable=False,
            comment="1 for accuracies after the last epoch, 3 for their mean over the last three",
        ),
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
    # DuckDB cannot change a CHECK, so the table is made again; what it had was measured after the last epoch.
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM benchmark_result")
    op.drop_table("benchmark_result")
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
        sa.CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy_is_a_fraction"),
        sa.CheckConstraint("split IN ('train', 'valid', 'test', 'valid+test')", name="split_is_known"),
        sa.CheckConstraint("epoch BETWEEN 1 AND epochs", name="epoch_is_of_the_training"),
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
    op.execute("INSERT INTO benchmark_result BY NAME SELECT *, epochs AS epoch FROM kept")
    op.execute("DROP TABLE kept")
