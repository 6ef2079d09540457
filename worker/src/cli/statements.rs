//! The statements of the operator's commands, each a file of `sql/worker`. All of them read. `ALL` is for the contract
//! test, which prepares each against a fresh `CREATE EXTENSION`.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = include_str!(concat!("../../../sql/worker/", $file));)*

        /// Every statement with the name of its file.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

statements! {
    /// The document of zerodb.status().
    STATUS = "cli_status.sql";
    /// Hooks by event type and project.
    HOOKS = "cli_hooks.sql";
    /// Whether a hook has this id or name.
    HOOK_EXISTS = "cli_hook_exists.sql";
    /// The length of each partition of the ledger.
    TAIL_COMPLETIONS = "cli_tail_completions.sql";
    TAIL_ENDS = "cli_tail_ends.sql";
    /// The attempts behind a place of one partition.
    TAIL_ATTEMPTS = "cli_tail_attempts.sql";
    /// Version, role and clock of the server.
    DOCTOR_SERVER = "cli_doctor_server.sql";
    /// Installed and available version of the extension.
    DOCTOR_EXTENSION = "cli_doctor_extension.sql";
    /// Calls into the extension's library.
    DOCTOR_LIBRARY = "cli_doctor_library.sql";
    /// Privileges of a worker that the role lacks.
    DOCTOR_GRANTS = "cli_doctor_grants.sql";
    /// The backend that answers, and whether it listens.
    DOCTOR_BACKEND = "cli_doctor_backend.sql";
    /// Old transactions, prepared transactions and slots.
    DOCTOR_HORIZON = "cli_doctor_horizon.sql";
    /// Where zerodb.notify is off.
    DOCTOR_NOTIFY = "cli_doctor_notify.sql";
    /// Connections and the notification queue.
    DOCTOR_LIMITS = "cli_doctor_limits.sql";
    /// Deliveries that are due, per hook.
    DOCTOR_OVERDUE = "cli_doctor_overdue.sql";
    /// Workers' leases and the work that waits for them.
    DOCTOR_LEASES = "cli_doctor_leases.sql";
    /// Hooks that cannot run or cannot match.
    DOCTOR_HOOKS = "cli_doctor_hooks.sql";
    /// Watches that name columns which are gone.
    DOCTOR_WATCHES = "cli_doctor_watches.sql";
    /// Triggers that do not fire as they should.
    DOCTOR_TRIGGERS = "cli_doctor_triggers.sql";
}
