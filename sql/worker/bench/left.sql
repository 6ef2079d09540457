-- What is still to be done for the hook of the bench: its events that are not dispatched, its deliveries that have not ended.
-- $1 uuid: hook.
-- Locks: none. Relies on outbox_key and delivery_queue; reads what runs, and no completion.
SELECT
    (SELECT count(*) FROM zerodb._undispatched() AS u WHERE u.event_type = 'zerodb_hooks_bench.item_stored')
    + (SELECT count(*) FROM zerodb.deliveries AS d WHERE d.hook_id = $1::uuid AND d.state IN ('pending', 'running', 'retryable')) AS remaining
