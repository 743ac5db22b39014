CREATE OR REPLACE VIEW removed_operation AS
SELECT mask, operation
FROM mask
JOIN (VALUES ('Zero', 1), ('Skip', 2), ('C1x1', 4), ('C3x3', 8), ('Pool', 16)) AS operations (operation, bit)
    ON (mask_bits & bit) <> 0;

COMMENT ON VIEW removed_operation IS 'The operations that each mask removes';
COMMENT ON COLUMN removed_operation.mask IS 'as in mask';
COMMENT ON COLUMN removed_operation.operation IS 'Zero, Skip, C1x1, C3x3 or Pool';
