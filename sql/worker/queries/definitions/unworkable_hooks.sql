-- Active hooks that could not be made today, with the reason. No parameters.
-- Locks: none. Reads all hooks, and the watches of first-party ones.
SELECT u.hook_name, u.reason FROM zerodb._unworkable() AS u ORDER BY u.hook_name, u.hook_id
