-- Makes a session of the bench act for every user, whatever its role has set, and wait for the disk. No parameters.
-- Locks: none. Reads no table.
SELECT
    set_config('zerodb.user_id', '', false) AS user_id,
    set_config('zerodb.project_id', '', false) AS project_id,
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        false) AS synchronous_commit,
    set_config('lock_timeout', '10s', false) AS lock_timeout
