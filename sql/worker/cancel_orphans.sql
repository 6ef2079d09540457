-- Cancels deliveries that wait, blocked ones too, for a hook which is gone without its trigger having run.
-- Indexes: delivery_queue, order_queue_place.
UPDATE zerodb.delivery AS d
SET state = 'cancelled', due_at = NULL, finished_at = clock_timestamp(), last_error = 'the hook was deleted'
FROM zerodb._waiting_delivery AS w
WHERE d.id = w.id AND d.state IN ('pending', 'retryable') AND NOT EXISTS (SELECT FROM zerodb.zerodb_hooks AS h WHERE h.id = w.hook_id)
