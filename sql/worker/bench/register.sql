-- Registers the event type of the bench. No parameters. A second time has no effect.
-- Locks: its row. Index: event_type_pkey.
SELECT zerodb.register_event_type('zerodb_hooks_bench.item_stored', 'zerodb_hooks_bench', '{item_id}', 'zerodb-hooks bench has stored an item')
