-- What the tables are made of: the states of a delivery and the one row that tells this installation from a copy of it.

CREATE TYPE zerodb.delivery_state AS ENUM (
    'pending',    -- waits for its first attempt
    'running',    -- leased to a worker
    'retryable',  -- failed, waits for its next attempt
    'completed',  -- the handler succeeded
    'discarded',  -- gave up after the last attempt, or the error was permanent
    'cancelled'   -- the hook was deleted, or an operator discarded it by hand
);
COMMENT ON TYPE zerodb.delivery_state IS 'Life of a delivery: pending → running → completed | retryable | discarded | cancelled';

-- Event ids are made of this number, the writer's transaction id and a counter. It is drawn anew in a restored
-- database (the table is not dumped), where transaction ids start again, so that no receiver sees an id twice.
CREATE TABLE zerodb.instance (
    salt integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO zerodb.instance (salt)
SELECT ('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))::bit(32)::integer;
COMMENT ON TABLE zerodb.instance IS 'One row: the salt of this installation''s event ids';
