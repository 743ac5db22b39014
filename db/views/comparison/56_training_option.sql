-- Written by scripts/docs.py from db/runs/configuration.py.
CREATE OR REPLACE VIEW training_option AS
SELECT *
FROM (
    VALUES
        ('dataset', 'dataset'),
        ('mask', 'mask'),
        ('lt', 'lt'),
        ('train_images', 'setting'),
        ('valid_images', 'setting'),
        ('split_seed', 'setting'),
        ('image_size', 'setting'),
        ('max_shift', 'setting'),
        ('horizontal_flip', 'setting'),
        ('augmentation', 'variant'),
        ('cells_per_stage', 'size'),
        ('channels', 'size'),
        ('node_inputs', 'setting'),
        ('pool_counts_padding', 'setting'),
        ('path_sampling', 'variant'),
        ('topology_shared', 'variant'),
        ('gradient_batches', 'variant'),
        ('epochs', 'setting'),
        ('batch_size', 'setting'),
        ('learning_rate', 'setting'),
        ('final_learning_rate', 'setting'),
        ('warmup_epochs', 'variant'),
        ('momentum', 'setting'),
        ('weight_decay', 'setting'),
        ('grad_clip_norm', 'variant'),
        ('grad_clip_scope', 'setting'),
        ('label_smoothing', 'variant'),
        ('precision', 'setting')
) AS declared (option, role);

COMMENT ON VIEW training_option IS 'The training options; docs/options.md describes them';
COMMENT ON COLUMN training_option.option IS 'key of experiment.config, which may leave it out at its default';
COMMENT ON COLUMN training_option.role IS 'column of experiment that tells it, or setting';
