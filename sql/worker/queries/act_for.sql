-- Says for whom the rest of the session acts, and how long one of its statements may take; tells the time.
-- $1 text: a tenant, or null; $2 text: a time, as a setting has it.
-- Locks: none.
SELECT CASE WHEN $1::text IS NOT NULL THEN set_config('zerodb.user_id', $1::text, false) END AS user_id,
    set_config('statement_timeout', $2::text, false) AS timeout, clock_timestamp() AS now
