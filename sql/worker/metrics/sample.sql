-- The figures of the installation for its metrics, each counted to a limit. One row; locks nothing.
-- Index: outbox_key by _undispatched; otherwise the first entries of any.
SELECT
    u.n AS undispatched,
    coalesce(extract(epoch FROM clock_timestamp() - u.oldest), 0)::double precision AS undispatched_age,
    (SELECT count(*) FROM (SELECT FROM zerodb.candidate AS c LIMIT 10000) AS c) AS undecided,
    r.n AS running,
    coalesce(extract(epoch FROM clock_timestamp() - r.oldest), 0)::double precision AS running_age,
    (SELECT count(*) FILTER (WHERE NOT q.released) FROM (SELECT o.released FROM zerodb.order_queue AS o LIMIT 10000) AS q)
        AS blocked,
    (SELECT count(*) FROM (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.is_active LIMIT 100000) AS h) AS active_hooks,
    (SELECT count(*) FROM (SELECT FROM zerodb.hook_fault AS f LIMIT 10000) AS f) AS switched_off_hooks,
    l.alive,
    l.expired,
    b.n AS budgets,
    b.exhausted AS budgets_exhausted
FROM
    (SELECT count(*) AS n, min(u.created_at) AS oldest FROM zerodb._undispatched(10000) AS u) AS u,
    (SELECT least(coalesce(sum(h.n), 0), 10000)::bigint AS n, min(h.oldest) AS oldest FROM zerodb._running_hooks() AS h) AS r,
    (SELECT count(*) FILTER (WHERE l.expires_at > clock_timestamp()) AS alive,
        count(*) FILTER (WHERE l.expires_at <= clock_timestamp()) AS expired FROM zerodb.lease AS l) AS l,
    (SELECT count(*) AS n,
        count(*) FILTER (WHERE (k.budget).tokens_per_day <= t.tokens + t.held_tokens) AS exhausted
        FROM (SELECT g AS budget FROM zerodb.budget AS g LIMIT 1000) AS k
        CROSS JOIN LATERAL zerodb._budget_total(k.budget) AS t) AS b
