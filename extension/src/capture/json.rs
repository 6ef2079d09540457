//! From column values to JSON text, by the rules of Postgres' own to_json. Works on bytes in the server's encoding:
//! all that JSON escapes is ASCII in each of them.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Datum};

/// How the values of one column are written; chosen once for a table.
pub enum Renderer {
    Bool,
    Whole16,
    Whole32,
    Whole64,
    Text,
    Uuid,
    /// `json`: text that is JSON already.
    Json,
    /// date, timestamp, timestamptz.
    Time(pg_sys::Oid),
    /// numeric, float: a JSON number, but for NaN and the infinities.
    Number(pg_sys::Oid),
    Array,
    Record,
    /// `jsonb`: its output is JSON.
    JsonOutput(pg_sys::Oid),
    /// Anything else: the quoted text of its output function.
    Other(pg_sys::Oid),
}

impl Renderer {
    /// The renderer of a type; a domain has that of its base type.
    pub fn of(type_oid: pg_sys::Oid) -> Self {
        // SAFETY: catalog look-ups that accept any type.
        let (base, output, is_array, is_record) = unsafe {
            let base = pg_sys::getBaseType(type_oid);
            let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
            pg_sys::getTypeOutputInfo(base, &raw mut output, &raw mut is_varlena);
            let is_array = pg_sys::get_element_type(base) != pg_sys::InvalidOid;
            (base, output, is_array, pg_sys::type_is_rowtype(base))
        };
        match base {
            pg_sys::BOOLOID => Self::Bool,
            pg_sys::INT2OID => Self::Whole16,
            pg_sys::INT4OID => Self::Whole32,
            pg_sys::INT8OID => Self::Whole64,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => Self::Text,
            pg_sys::UUIDOID => Self::Uuid,
            pg_sys::JSONOID => Self::Json,
            pg_sys::JSONBOID => Self::JsonOutput(output),
            pg_sys::DATEOID | pg_sys::TIMESTAMPOID | pg_sys::TIMESTAMPTZOID => Self::Time(base),
            pg_sys::NUMERICOID | pg_sys::FLOAT4OID | pg_sys::FLOAT8OID => Self::Number(output),
            _ if is_array => Self::Array,
            _ if is_record => Self::Record,
            _ => Self::Other(output),
        }
    }

    /// Appends the JSON of a value.
    pub fn append(&self, value: Datum, text: &mut Vec<u8>) {
        match self {
            Self::Bool
            | Self::Whole16
            | Self::Whole32
            | Self::Whole64
            | Self::Json
            | Self::JsonOutput(_)
            | Self::Array
            | Self::Record => text.extend_from_slice(&self.text(value)),
            Self::Number(_) => {
                let number = self.text(value);
                if number.iter().any(u8::is_ascii_digit) {
                    text.extend_from_slice(&number);
                } else {
                    quote(&number, text);
                }
            }
            Self::Uuid | Self::Text | Self::Time(_) | Self::Other(_) => quote(&self.text(value), text),
        }
    }

    /// The value as text without quotes.
    pub fn text(&self, value: Datum) -> Vec<u8> {
        match self {
            Self::Bool => if value.value() & 1 == 1 { "true" } else { "false" }.into(),
            Self::Whole16 => (value.value() as i16).to_string().into_bytes(),
            Self::Whole32 => (value.value() as i32).to_string().into_bytes(),
            Self::Whole64 => (value.value() as i64).to_string().into_bytes(),
            // SAFETY: the value has the type that the renderer was chosen for.
            Self::Text | Self::Json => unsafe { text_bytes(value) },
            Self::Uuid => pgrx::Uuid::from_bytes(uuid_bytes(value)).to_string().into_bytes(),
            // SAFETY: the value has the type that the renderer was chosen for.
            Self::Time(type_oid) => unsafe { time_text(value, *type_oid) },
            // SAFETY: the value has the type that the renderer was chosen for.
            Self::Number(output) | Self::JsonOutput(output) | Self::Other(output) => unsafe {
                c_bytes(pg_sys::OidOutputFunctionCall(*output, value))
            },
            // SAFETY: the value has the type that the renderer was chosen for.
            Self::Array => unsafe { json_of(pg_sys::array_to_json, value) },
            // SAFETY: the value has the type that the renderer was chosen for.
            Self::Record => unsafe { json_of(pg_sys::row_to_json, value) },
        }
    }
}

/// `"name":`
pub fn label(name: &str) -> Vec<u8> {
    let mut label = Vec::new();
    quote(name.as_bytes(), &mut label);
    label.push(b':');
    label
}

/// The bytes of a uuid value.
pub fn uuid_bytes(value: Datum) -> [u8; 16] {
    // SAFETY: a uuid datum points to its 16 bytes.
    unsafe { *value.cast_mut_ptr::<[u8; 16]>() }
}

/// The bytes of a text value.
///
/// # Safety
/// `value` is a varlena of a text type.
pub unsafe fn text_bytes(value: Datum) -> Vec<u8> {
    // SAFETY: a detoasted varlena holds as many bytes as its header says.
    unsafe {
        let text = pg_sys::pg_detoast_datum_packed(value.cast_mut_ptr());
        let length = pgrx::varsize_any_exhdr(text);
        std::slice::from_raw_parts(pgrx::vardata_any(text).cast::<u8>(), length).to_vec()
    }
}

unsafe fn c_bytes(text: *mut std::ffi::c_char) -> Vec<u8> {
    // SAFETY: output functions return palloc'd C strings.
    unsafe {
        let bytes = CStr::from_ptr(text).to_bytes().to_vec();
        pg_sys::pfree(text.cast());
        bytes
    }
}

unsafe fn time_text(value: Datum, type_oid: pg_sys::Oid) -> Vec<u8> {
    // MAXDATELEN of Postgres.
    let mut buffer = [0 as std::ffi::c_char; 129];
    // SAFETY: the buffer has the length that Postgres asks for.
    unsafe {
        pg_sys::JsonEncodeDateTime(buffer.as_mut_ptr(), value, type_oid, std::ptr::null());
        CStr::from_ptr(buffer.as_ptr()).to_bytes().to_vec()
    }
}

/// The result of array_to_json or row_to_json, which find the element type in the value itself.
unsafe fn json_of(function: unsafe fn(pg_sys::FunctionCallInfo) -> Datum, value: Datum) -> Vec<u8> {
    // SAFETY: both take one argument of the value's type and return json.
    unsafe {
        match pgrx::direct_function_call_as_datum(function, &[Some(value)]) {
            Some(json) => text_bytes(json),
            None => b"null".to_vec(),
        }
    }
}

fn quote(bytes: &[u8], text: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    text.push(b'"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            b'\t' => text.extend_from_slice(b"\\t"),
            0..0x20 => text.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
}
