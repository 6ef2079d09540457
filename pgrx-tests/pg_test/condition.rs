//! Conditions and keys: what the dispatcher evaluates itself is what the judge's functions say.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use pgrx::pg_sys::Datum;
    use pgrx::prelude::*;

    const DATA: [&str; 9] = [
        "{}",
        r#"{"a": 1}"#,
        r#"{"a": 1.50}"#,
        r#"{"a": "x"}"#,
        r#"{"a": null}"#,
        r#"{"a": {"b": true}}"#,
        r#"{"a": "\u0000"}"#,
        r#"{"a": 1e999999}"#,
        "7",
    ];

    fn value(read: unsafe fn(pg_sys::FunctionCallInfo) -> Datum, text: &str) -> Datum {
        let text = std::ffi::CString::new(text).expect("no zero byte");
        // SAFETY: the input function takes a C string, and what it makes is in the transaction's memory.
        let made = unsafe { pgrx::direct_function_call_as_datum(read, &[Some(Datum::from(text.as_ptr()))]) };
        made.expect("a value")
    }

    fn sql<T: FromDatum + IntoDatum>(function: &str, data: &str, path: &str) -> Option<T> {
        let call = format!("SELECT zerodb.{function}($1::json, $2::jsonpath)");
        Spi::get_one_with_args(&call, &[data.into(), path.into()]).expect("an answer")
    }

    #[pg_test]
    fn a_key_is_that_of_sql() {
        let long = format!(r#"{{"a": "{}"}}"#, "é".repeat(150));
        for data in DATA.iter().copied().chain([long.as_str()]) {
            for path in ["$.a", "strict $.a", "$.b.c"] {
                // SAFETY: a json and a jsonpath.
                let key = unsafe {
                    let read = crate::condition::read(value(pg_sys::json_in, data));
                    let key = crate::condition::order_key(read, Some(value(pg_sys::jsonpath_in, path)));
                    String::from_datum(key, false)
                };
                assert_eq!(key, sql("_order_key", data, path), "{data} {path}");
            }
        }
    }

    #[pg_test]
    fn a_condition_is_true_where_it_is_in_sql() {
        for data in DATA {
            for path in [
                "$.a == 1",
                "$.a > 1 || exists($.a.b)",
                "$.a starts with \"x\"",
                "strict $.a == 1",
                "$.a",
            ] {
                // SAFETY: a json and a jsonpath.
                let is_true = unsafe {
                    let read = crate::condition::read(value(pg_sys::json_in, data));
                    crate::condition::is_true(read, Some(value(pg_sys::jsonpath_in, path)))
                };
                assert_eq!(Some(is_true), sql("_is_true", data, path), "{data} {path}");
            }
        }
    }
}
