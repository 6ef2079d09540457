-- Frees what is held for requests that were never recorded, and deletes totals that no longer count. No parameters.
-- Locks: the lock `budgets`, at most 5 s (55P03), where something is to be freed. Indexes: budget_hold_expires, budget_total_pkey.
SELECT zerodb._tidy_budgets()
