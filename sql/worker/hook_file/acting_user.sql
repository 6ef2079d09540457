-- The tenant that the caller acts for; 42501 where it acts for none. No parameters.
-- Locks: none.
SELECT zerodb._acting_user(NULL::uuid) AS user_id
