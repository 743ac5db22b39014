CREATE OR REPLACE MACRO config_without_roles(config, roles) AS CAST(
    json_merge_patch(
        CAST(config AS JSON),
        CAST(
            (SELECT json_group_object(option, NULL) FROM training_option WHERE list_contains(roles, role)) AS JSON
        )
    ) AS VARCHAR
);

COMMENT ON MACRO config_without_roles IS 'experiment.config without the options of these roles, such as [''mask'']';
