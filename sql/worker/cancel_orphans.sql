-- Cancels deliveries that wait for a hook which is gone without its trigger having run.
-- Index: delivery_queue.
UPDATE zerodb.delivery AS d
SET state = 'cancelled', due_at = NULL, finished_at = clock_timestamp(), last_error = 'the hook was deleted'
WHERE d.due_at IS NOT NULL AND NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = d.hook_id)
