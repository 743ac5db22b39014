CREATE OR REPLACE VIEW constant_architecture AS
SELECT arch_id
FROM architecture
WHERE NOT (
    edge_03 <> 'Zero'
    OR (edge_01 <> 'Zero' AND edge_13 <> 'Zero')
    OR (edge_23 <> 'Zero' AND (edge_02 <> 'Zero' OR (edge_01 <> 'Zero' AND edge_12 <> 'Zero')))
);

COMMENT ON VIEW constant_architecture IS
'The architectures without a path from the input to the output: the network says the same of every image';
COMMENT ON COLUMN constant_architecture.arch_id IS 'architecture';
