-- Unparks: writers stop notifying. Locks: gives back the lock `park`.
SELECT zerodb._unlock_session('park')
