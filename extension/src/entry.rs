//! The declaration that Postgres asks for beside each function that it calls by its C name.

/// Says, under the name `pg_finfo_<function>`, that the function has the usual calling convention.
macro_rules! entry {
    ($info:ident) => {
        #[unsafe(no_mangle)]
        pub extern "C" fn $info() -> &'static pgrx::pg_sys::Pg_finfo_record {
            const V1: pgrx::pg_sys::Pg_finfo_record = pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &V1
        }
    };
}
