-- Takes the dispatcher's turn for this transaction; false when another worker has it. The setting tells the next statement, so
-- that both can be sent at once.
-- Locks: the lock `dispatch` (see extension/src/lock.rs), until the transaction ends.
SELECT pg_catalog.set_config('zerodb_hooks.dispatches', zerodb._try_lock('dispatch')::text, true) = 'true'
