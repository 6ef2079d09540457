//! From column values to JSON text, by the rules of Postgres' own to_json. Works on bytes in the server's encoding:
//! all that JSON escapes is ASCII in each of them.

use std::ffi::CStr;
use std::fmt::Write;

use pgrx::pg_sys::{self, Datum};

use super::memory::Text;

/// The way in which the values of one column are written; chosen once for a table.
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
    /// A type with a cast to json of its own, which is a function.
    Cast(pg_sys::Oid),
    /// Anything else: the quoted text of its output function.
    Other(pg_sys::Oid),
}

impl Renderer {
    /// The renderer of a type; a domain has that of its base type.
    pub fn of(type_oid: pg_sys::Oid) -> Self {
        // SAFETY: catalog look-ups that accept any type of a column; the out parameters live through the call.
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
            _ => cast_to_json(base).map_or(Self::Other(output), Self::Cast),
        }
    }

    /// True when the text of a value may depend on settings of the session.
    pub fn depends_on_settings(&self) -> bool {
        matches!(
            self,
            Self::Number(_) | Self::Array | Self::Record | Self::Cast(_) | Self::Other(_)
        )
    }

    /// Appends the JSON of a value. What it needs besides stays in the current context.
    ///
    /// # Safety
    /// The value has the type that the renderer was chosen for.
    pub unsafe fn append(&self, value: Datum, text: &mut Text) {
        // SAFETY: handed on from the caller.
        unsafe {
            self.with_text(value, |bytes| match self {
                Self::Uuid | Self::Text | Self::Time(_) | Self::Other(_) => quote(bytes, text),
                Self::Number(_) if !bytes.iter().any(u8::is_ascii_digit) => quote(bytes, text),
                _ => text.extend(bytes),
            });
        }
    }

    /// Hands the value as text without quotes to `take`.
    ///
    /// # Safety
    /// The value has the type that the renderer was chosen for.
    pub unsafe fn with_text<R>(&self, value: Datum, take: impl FnOnce(&[u8]) -> R) -> R {
        // SAFETY: each arm reads the value as the type that it stands for; the bytes live in the value or in the
        // current context until `take` returns.
        unsafe {
            match self {
                Self::Bool => take(if value.value() & 1 == 1 { b"true" } else { b"false" }),
                Self::Whole16 => take(Whole::of(i64::from(value.value() as i16)).bytes()),
                Self::Whole32 => take(Whole::of(i64::from(value.value() as i32)).bytes()),
                Self::Whole64 => take(Whole::of(value.value() as i64).bytes()),
                Self::Text | Self::Json => with_text(value, take),
                Self::Uuid => take(pgrx::Uuid::from_bytes(uuid_bytes(value)).to_string().as_bytes()),
                Self::Time(type_oid) => with_time(value, *type_oid, take),
                Self::Number(output) | Self::JsonOutput(output) | Self::Other(output) => {
                    // Output functions return palloc'd C strings.
                    take(CStr::from_ptr(pg_sys::OidOutputFunctionCall(*output, value)).to_bytes())
                }
                Self::Cast(function) => {
                    let json = pg_sys::OidFunctionCall1Coll(*function, pg_sys::InvalidOid, value);
                    with_text(json, take)
                }
                Self::Array => with_json(pg_sys::array_to_json, value, take),
                Self::Record => with_json(pg_sys::row_to_json, value, take),
            }
        }
    }
}

/// The function that casts a type to json, if the type is a user's: to_json asks no more of the server's own.
fn cast_to_json(type_oid: pg_sys::Oid) -> Option<pg_sys::Oid> {
    if type_oid.to_u32() < pg_sys::FirstNormalObjectId {
        return None;
    }
    let mut function = pg_sys::InvalidOid;
    // SAFETY: a catalog look-up; the out parameter lives through the call.
    let path = unsafe {
        let explicit = pg_sys::CoercionContext::COERCION_EXPLICIT;
        pg_sys::find_coercion_pathway(pg_sys::JSONOID, type_oid, explicit, &raw mut function)
    };
    (path == pg_sys::CoercionPathType::COERCION_PATH_FUNC && function != pg_sys::InvalidOid)
        .then_some(function)
}

/// A whole number in decimal digits.
struct Whole {
    digits: [u8; 20],
    length: usize,
}

impl Whole {
    fn of(number: i64) -> Self {
        let mut whole = Self {
            digits: [0; 20],
            length: 0,
        };
        // 20 characters hold the least of all.
        let _ = write!(whole, "{number}");
        whole
    }

    fn bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

impl Write for Whole {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        let end = self.length + more.len();
        let place = self.digits.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        place.copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// `"name":`
pub fn label(name: &str) -> Vec<u8> {
    serde_json::Value::from(name)
        .to_string()
        .into_bytes()
        .into_iter()
        .chain([b':'])
        .collect()
}

/// The bytes of a uuid value.
///
/// # Safety
/// `value` is of the type uuid.
pub unsafe fn uuid_bytes(value: Datum) -> [u8; 16] {
    // SAFETY: a uuid datum points to its 16 bytes, which need no alignment.
    unsafe { *value.cast_mut_ptr::<[u8; 16]>() }
}

/// The bytes of a text value.
///
/// # Safety
/// `value` is a varlena of a text type, and short: the copy is Rust's.
pub unsafe fn text_bytes(value: Datum) -> Vec<u8> {
    // SAFETY: handed on from the caller.
    unsafe { with_text(value, <[u8]>::to_vec) }
}

/// # Safety
/// `value` is a varlena of a text type.
unsafe fn with_text<R>(value: Datum, take: impl FnOnce(&[u8]) -> R) -> R {
    // SAFETY: a detoasted varlena holds as many bytes as its header says. It is the value itself, or palloc'd in the
    // current context, which nobody empties before `take` returns.
    unsafe {
        let text = pg_sys::pg_detoast_datum_packed(value.cast_mut_ptr());
        let length = pgrx::varsize_any_exhdr(text);
        take(std::slice::from_raw_parts(
            pgrx::vardata_any(text).cast::<u8>(),
            length,
        ))
    }
}

/// # Safety
/// `value` is of that type.
unsafe fn with_time<R>(value: Datum, type_oid: pg_sys::Oid, take: impl FnOnce(&[u8]) -> R) -> R {
    // MAXDATELEN of Postgres.
    let mut buffer = [0 as std::ffi::c_char; 129];
    // SAFETY: the buffer has the length that Postgres asks for, and gets a C string.
    unsafe {
        pg_sys::JsonEncodeDateTime(buffer.as_mut_ptr(), value, type_oid, std::ptr::null());
        take(CStr::from_ptr(buffer.as_ptr()).to_bytes())
    }
}

/// The result of array_to_json or row_to_json, which find the element type in the value itself.
///
/// # Safety
/// `value` is an array or a record, as the function asks.
unsafe fn with_json<R>(
    function: unsafe fn(pg_sys::FunctionCallInfo) -> Datum,
    value: Datum,
    take: impl FnOnce(&[u8]) -> R,
) -> R {
    // SAFETY: both take one argument of the value's type and return json, which has the form of text.
    unsafe {
        match pgrx::direct_function_call_as_datum(function, &[Some(value)]) {
            Some(json) => with_text(json, take),
            None => take(b"null"),
        }
    }
}

fn quote(bytes: &[u8], text: &mut Text) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    text.reserve(bytes.len() + 2);
    text.push(b'"');
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        text.extend(&bytes[plain..at]);
        plain = at + 1;
        match byte {
            b'"' | b'\\' => text.extend(&[b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            _ => {
                text.extend(b"\\u00");
                text.extend(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    text.extend(&bytes[plain..]);
    text.push(b'"');
}
