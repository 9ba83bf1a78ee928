-- etl_load tells of tables that were stopped since 00110 too.
ALTER TABLE etl_load{{.OnCluster}} COMMENT COLUMN state 'loading, rebuilding (the mirror is whole meanwhile), done, or stopped (too many of its rows were set aside)';
