-- Ends the failing of hooks of which a delivery has completed at its first attempt, and tells it. $1 uuid[]: hooks with completions.
-- Returns how many. Locks: rows of hook_health FOR UPDATE SKIP LOCKED. Indexes: hook_health_pkey, completion_hook.
WITH well AS MATERIALIZED (
    SELECT x.hook_id FROM zerodb.hook_health AS x
    WHERE x.hook_id = ANY ($1::uuid[]) AND zerodb._has_recovered(x) FOR UPDATE SKIP LOCKED
), recovered AS (
    DELETE FROM zerodb.hook_health AS x USING well AS w WHERE x.hook_id = w.hook_id
    RETURNING zerodb._tell_health('recovered', x.hook_id, NULL, NULL, NULL)
)
SELECT count(*) FROM recovered
