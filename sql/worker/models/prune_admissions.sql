-- Deletes admissions of ten minutes ago, but the last of each endpoint, which counts; 50,000 at most. No parameters.
-- Locks: none that is waited for. Index: endpoint_admission_pkey.
DELETE FROM zerodb.endpoint_admission AS a
WHERE a.ctid = ANY (ARRAY(
    SELECT o.ctid FROM zerodb.endpoint AS e JOIN zerodb.endpoint_admission AS o ON o.name = e.name
    WHERE o.at < clock_timestamp() - interval '10 minutes'
        AND o.seq < (SELECT l.seq FROM zerodb.endpoint_admission AS l WHERE l.name = e.name ORDER BY l.seq DESC LIMIT 1)
    LIMIT 50000))
