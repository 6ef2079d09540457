//! The log, as one transaction sees it.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::prelude::*;

    fn number(sql: &str) -> i64 {
        Spi::get_one(sql).expect("a query").expect("a number")
    }

    #[pg_test]
    fn numbers_the_events_of_a_transaction_in_order() {
        Spi::run(
            "SELECT zerodb.emit('on_recall', '{}'); SELECT zerodb.emit('on_reflect', '{}');
             DO $$ BEGIN PERFORM zerodb.emit('on_import', '{}'); RAISE EXCEPTION 'undo'; EXCEPTION WHEN OTHERS THEN NULL; END $$;
             SELECT zerodb.emit('on_export', '{}')",
        )
        .expect("four emits");
        let types = "SELECT string_agg(event_type, ' ' ORDER BY xid, ord) FROM zerodb.outbox";
        let types: Option<String> = Spi::get_one(types).expect("a query");
        assert_eq!(types.as_deref(), Some("on_recall on_reflect on_export"));
        assert_eq!(number("SELECT count(DISTINCT ord) FROM zerodb.outbox"), 3);
    }

    #[pg_test]
    fn keeps_an_event_that_is_too_large_for_a_page_and_finds_it_by_index() {
        Spi::run("SET LOCAL enable_seqscan = off; SELECT zerodb.emit('on_recall', jsonb_build_object('query', repeat(md5('x'), 20000)))")
            .expect("a large event");
        let length = "SELECT length(o.data ->> 'query')::bigint FROM zerodb.outbox AS o
            WHERE o.xid = pg_current_xact_id() AND o.ord = 0";
        assert_eq!(number(length), 640_000);
    }

    #[pg_test]
    fn a_bulk_write_makes_one_event_a_row_with_an_index_entry_each() {
        Spi::run(
            "CREATE TABLE bulk (id integer PRIMARY KEY);
             SELECT zerodb.register_event_type('bulk.stored', 'app', '{row_id}', '');
             SELECT zerodb.watch('bulk', 'bulk.stored');
             SET LOCAL zerodb.capture = 'all';
             INSERT INTO bulk SELECT generate_series(1, 2500);
             SET LOCAL enable_seqscan = off",
        )
        .expect("a bulk write");
        let found = "SELECT count(DISTINCT o.data ->> 'row_id') FROM zerodb.outbox AS o
            WHERE (o.xid, o.ord) >= (pg_current_xact_id(), 0)";
        assert_eq!(number(found), 2500);
    }
}
