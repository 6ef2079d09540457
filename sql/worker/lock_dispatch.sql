-- Takes the dispatcher's turn for this transaction; false when another worker has it.
-- Locks: the advisory lock ("zero", 2), until the transaction ends.
SELECT pg_try_advisory_xact_lock(2053468783, 2)
