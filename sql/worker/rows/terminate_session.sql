-- Ends a session of the worker's own role whose statement does not heed its cancellation. $1 int: its process.
SELECT pg_terminate_backend($1::integer)
