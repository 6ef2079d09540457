-- Deletes admissions of ten minutes ago, but the last of each endpoint, which counts. No parameters.
-- Locks: none that is waited for. Index: endpoint_admission_pkey.
DELETE FROM zerodb.endpoint_admission AS a
USING zerodb.endpoint AS e
WHERE a.name = e.name AND a.at < clock_timestamp() - interval '10 minutes'
    AND a.seq < (SELECT l.seq FROM zerodb.endpoint_admission AS l WHERE l.name = e.name ORDER BY l.seq DESC LIMIT 1)
