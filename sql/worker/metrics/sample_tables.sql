-- The disk that the log and the queue take, by table, with indexes and partitions. Looks at the sizes of files.
-- Locks: ACCESS SHARE on each partition for a moment.
SELECT t.name, coalesce((SELECT sum(pg_total_relation_size(p.relid)) FROM pg_partition_tree(t.relation) AS p WHERE p.isleaf),
    pg_total_relation_size(t.relation))::bigint AS bytes
FROM (VALUES ('outbox', 'zerodb.outbox'::regclass), ('delivery', 'zerodb.delivery'::regclass),
    ('completion', 'zerodb.completion'::regclass), ('attempt', 'zerodb.attempt'::regclass)) AS t (name, relation)
