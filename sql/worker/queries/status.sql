-- Backlog, workers and the health of each hook, as one document. No parameters.
-- Locks: none. Relies on outbox_key and delivery_queue.
SELECT zerodb.status() AS status
