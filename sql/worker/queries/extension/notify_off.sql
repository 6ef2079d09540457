-- Where zerodb.notify is switched off: in this session, or as a setting of a database or role. No parameters.
-- Locks: none. Reads pg_db_role_setting.
SELECT 'this session' AS place
WHERE NOT coalesce(current_setting('zerodb.notify', true), 'on')::boolean
UNION ALL
SELECT coalesce('role ' || pg_get_userbyid(nullif(s.setrole, 0)), 'every role')
    || coalesce(' in database ' || d.datname, ' in every database')
FROM pg_db_role_setting AS s
LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
WHERE (s.setdatabase = 0 OR d.datname = current_database())
    AND EXISTS (SELECT FROM unnest(s.setconfig) AS c (setting)
        WHERE c.setting LIKE 'zerodb.notify=%' AND NOT split_part(c.setting, '=', 2)::boolean)
