-- Notes in the audit trail which settings differ from what was noted last. Locks: none. Index: audit_object.
SELECT zerodb._note_settings()
