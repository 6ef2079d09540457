-- May these requests be sent, as far as budgets go? $1 uuid[]: id, under which the usage is recorded; $2 uuid[]: user;
-- $3 uuid[]: project; $4 text[]: handler; $5 bigint[]: tokens; $6 bigint: ms after which a request that was never recorded no
-- longer counts. Returns the places, from 1, of those that must wait, the ms and the reason.
-- Locks: the lock `budgets`, at most 5 s (55P03), where there is a budget. Indexes: budget_total_pkey backwards,
-- budget_hold_pkey; once a day for each budget usage_entry_at, usage_day_key.
SELECT c.place, c.wait_ms, c.reason
FROM zerodb._check_budgets($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint * interval '1 millisecond') AS c
