-- The states of a delivery.

CREATE TYPE zerodb.delivery_state AS ENUM (
    'pending',    -- waits for its first attempt
    'running',    -- leased to a worker
    'retryable',  -- failed, waits for its next attempt
    'completed',  -- the handler succeeded
    'discarded',  -- given up: after the last attempt, for a permanent error, or by hand
    'cancelled'   -- the hook was deleted
);
COMMENT ON TYPE zerodb.delivery_state IS
    'Life of a delivery: pending → running → completed | retryable | discarded | cancelled';
