-- What the server says about this installation. Calling a function of the library first makes its settings known.
SELECT zerodb._current_slot() AS slot, current_setting('zerodb.record_attempts') AS record_attempts,
    current_setting('zerodb.retention') AS retention, i.salt,
    (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'zerodb_hooks') AS version
FROM zerodb.instance AS i
