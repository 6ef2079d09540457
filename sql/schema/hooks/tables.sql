-- The hooks and what the dispatcher needs to know of them. Columns, constraint and indexes are those of the ZeroDB
-- document; NULLS NOT DISTINCT makes a global hook (null project) unique too.

CREATE TABLE zerodb.zerodb_hooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    event_type varchar(100) NOT NULL,
    hook_type varchar(50) NOT NULL DEFAULT 'first_party',
    hook_name varchar(100) NOT NULL,
    hook_config jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uix_zerodb_hooks_user_event_name UNIQUE NULLS NOT DISTINCT (user_id, project_id, event_type, hook_name)
);
CREATE INDEX idx_zerodb_hooks_user_id ON zerodb.zerodb_hooks (user_id);
CREATE INDEX idx_zerodb_hooks_event_type ON zerodb.zerodb_hooks (event_type);
CREATE INDEX idx_zerodb_hooks_active ON zerodb.zerodb_hooks (is_active) WHERE is_active = true;
-- Beyond the document. What writers ask, by its first column: is there an active hook of this pattern? And the
-- dispatcher: the hooks of this pattern and user, however many others have.
CREATE INDEX zerodb_hooks_wanted ON zerodb.zerodb_hooks (event_type, user_id) WHERE is_active;
COMMENT ON TABLE zerodb.zerodb_hooks IS 'Hooks: which handler runs for which events';
SELECT pg_catalog.pg_extension_config_dump('zerodb.zerodb_hooks', '');

-- What follows from a hook and has no column in the document: the role with whose rights it works (`sql` and
-- first-party hooks do), its "when" predicate and its "order_by" path, parsed once. A hook whose config holds "when"
-- and that has no row here matches nothing; with "order_by" and none here, all its deliveries are of one key. The owner
-- is an oid, so that the hooks of a dropped role belong to nobody, and not to the next one of that name; the name is
-- for a restore, where oids are others.
CREATE TABLE zerodb.hook_detail (
    hook_id uuid PRIMARY KEY REFERENCES zerodb.zerodb_hooks ON DELETE CASCADE,
    owner oid,
    owner_name name NOT NULL,
    predicate jsonpath,
    order_by jsonpath,
    conditional boolean NOT NULL DEFAULT false,
    ordered boolean NOT NULL DEFAULT false,
    simple boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE zerodb.hook_detail IS 'Owner, parsed "when" predicate and parsed "order_by" path of each hook';
COMMENT ON COLUMN zerodb.hook_detail.owner IS 'Null: nobody; see zerodb.take_hook';
COMMENT ON COLUMN zerodb.hook_detail.conditional IS
    'The config holds "when"; ordered: "order_by". So dispatch reads no config';
COMMENT ON COLUMN zerodb.hook_detail.simple IS
    'Both are so simple that dispatch may evaluate them itself, see candidates.sql';
SELECT pg_catalog.pg_extension_config_dump('zerodb.hook_detail', '');

-- A restore loads both tables, and loading the first has filled the second: the dumped row wins. Its owner is the role
-- that has the name now; where there is none, nobody.
CREATE FUNCTION zerodb._replace_hook_detail() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    new.owner := (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = new.owner_name);
    UPDATE zerodb.hook_detail AS d SET owner = new.owner, owner_name = new.owner_name, predicate = new.predicate,
        order_by = new.order_by, conditional = new.conditional, ordered = new.ordered, simple = new.simple
    WHERE d.hook_id = new.hook_id;
    RETURN CASE WHEN FOUND THEN NULL ELSE new END;
END
$$;
CREATE TRIGGER replace_hook_detail BEFORE INSERT ON zerodb.hook_detail
FOR EACH ROW EXECUTE FUNCTION zerodb._replace_hook_detail();
