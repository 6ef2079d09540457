-- The one row that tells this installation from a copy of it.

-- Event ids are made of this number, the writer's transaction id and a counter. It is drawn anew in a restored
-- database (the table is not dumped), where transaction ids start again, so that no receiver sees an id twice.
CREATE TABLE zerodb.instance (
    salt integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO zerodb.instance (salt)
SELECT ('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))::bit(32)::integer;
COMMENT ON TABLE zerodb.instance IS 'One row: the salt of this installation''s event ids';
