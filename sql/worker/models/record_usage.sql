-- Records the usage of models. $1 uuid[]: id; $2 uuid[]: user; $3 uuid[]: project; $4 text[]: handler; $5 uuid[]: hook;
-- $6 text[]: provider; $7 text[]: model; $8 int[]: requests; $9 int[]: inputs; $10 bigint[]: prompt tokens; $11 bigint[]:
-- completion tokens; $12 boolean[]: estimated. Frees what was held for the same ids; an entry of nothing does only that. Writing
-- an entry a second time has no effect. Returns how many were written.
-- Locks: the lock `budgets`, at most 5 s (55P03), where there is a budget. Indexes: usage_entry_pkey, budget_hold_pkey, budget_total_pkey.
SELECT zerodb._record_usage($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::integer[], $9::integer[],
    $10::bigint[], $11::bigint[], $12::boolean[])
