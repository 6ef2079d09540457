-- Takes the dispatcher's turn for this transaction; false when another worker has it. The setting tells the next statement, so
-- that both can be sent at once.
-- Locks: the advisory lock ("zero", 2), until the transaction ends.
SELECT set_config('zerodb_hooks.dispatches', pg_try_advisory_xact_lock(2053468783, 2)::text, true) = 'true'
