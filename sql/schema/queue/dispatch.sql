-- Dispatch: from the log to leased deliveries. In C (extension/src/dispatch.rs) on the statements of
-- sql/native/dispatch.

-- Reads the next events of the log, pairs them with the hooks that match, makes the deliveries and moves the cursor.
-- At most `events` events and, if it is of more than one event, `pairs` pairs of an event and a hook and `bytes` bytes
-- of event data. `room` deliveries of hooks that are not `saturated` are leased to `lease`, as a batch for each hook
-- and slot; the others wait as pending, those of hooks with "order_by" as blocked, and pairs whose condition or key
-- may take long as candidates. No row when another session has the dispatcher's turn; else a row for each batch and
-- one for each event of a batch, so that an event's data is sent once. The counts are in all rows, of which there is
-- one at least. For the worker alone: it reads and writes with the rights of the extension's owner, and what it is
-- told.
CREATE FUNCTION zerodb._dispatch(max_events integer, lease bigint, room integer, saturated uuid[], pairs bigint,
    bytes bigint,
    OUT events bigint, OUT matched bigint, OUT fresh boolean, OUT ordered boolean, OUT undecided boolean,
    OUT batch_id bigint, OUT hook_id uuid, OUT version bigint, OUT ids bigint[], OUT event_xids xid8[],
    OUT event_ords integer[], OUT xid xid8, OUT ord integer, OUT event_type text, OUT data json, OUT user_id uuid,
    OUT project_id uuid, OUT bank_id text, OUT traceparent text, OUT created_at timestamptz, OUT relid oid)
RETURNS SETOF record
LANGUAGE c STRICT SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'zerodb_dispatch';
COMMENT ON FUNCTION zerodb._dispatch(integer, bigint, integer, uuid[], bigint, bigint) IS
    'Moves the dispatcher: from the next events of the log to deliveries, of which some are leased';
