-- True when a delivery that was in flight at two crashes is due. Index: delivery_suspect.
SELECT EXISTS (SELECT FROM zerodb.delivery AS d
    JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.is_active
    WHERE d.losses >= 2 AND d.due_at IS NOT NULL AND d.due_at <= statement_timestamp())
