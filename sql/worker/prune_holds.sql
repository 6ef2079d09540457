-- Deletes what is held for requests that were never recorded. No parameters. Index: budget_hold_expires.
DELETE FROM zerodb.budget_hold AS h WHERE h.expires_at < clock_timestamp()
