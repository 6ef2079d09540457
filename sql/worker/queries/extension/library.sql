-- Calls a function of the extension's library, which the server loads for it. No parameters.
-- Locks: none. Reads no table.
SELECT zerodb._current_slot() AS slot
