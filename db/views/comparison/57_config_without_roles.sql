-- Imported predictions have no configuration; DuckDB would give them all the patch.
CREATE OR REPLACE MACRO config_without_roles(config, roles) AS
CASE WHEN config IS NOT NULL THEN
    CAST(
        json_merge_patch(
            CAST(config AS JSON),
            (
                SELECT CAST(json_group_object(option, NULL) AS JSON)
                FROM training_option
                WHERE list_contains(roles, role)
            )
        ) AS VARCHAR
    )
END;

COMMENT ON MACRO config_without_roles IS
'experiment.config without the options of these roles, such as [''mask'']; NULL for NULL';
