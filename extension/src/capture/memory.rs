//! Memory of Postgres for what grows with a user's data: contexts that are emptied between rows, and text that grows in
//! one. Running out of it raises 53200; Rust's own would end the server.

use std::ffi::CStr;
use std::fmt;

use pgrx::pg_sys::{self, Datum, MemoryContext};

/// A context below the one that is current when it is made.
pub struct Memory(MemoryContext);

impl Memory {
    pub fn new(name: &'static CStr) -> Self {
        // SAFETY: the current context is valid, and the name is static, as the context keeps a pointer to it.
        Self(unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                name.as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            )
        })
    }

    pub fn context(&self) -> MemoryContext {
        self.0
    }

    /// Frees all that is in it.
    ///
    /// # Safety
    /// Nothing that was allocated in it is used afterwards.
    pub unsafe fn reset(&self) {
        // SAFETY: made in `new`, and deleted by `drop` alone.
        unsafe { pg_sys::MemoryContextReset(self.0) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // After an error it may be the current context; it then goes with its parent, which the error's handling
        // empties.
        if !std::thread::panicking() {
            // SAFETY: made in `new`; its parent is that of a caller further up, and lives.
            unsafe { pg_sys::MemoryContextDelete(self.0) }
        }
    }
}

/// Runs `work` with another current context. After an error the context is set by whoever handles it.
///
/// # Safety
/// The context lives until `work` has ended.
pub unsafe fn within<R>(context: MemoryContext, work: impl FnOnce() -> R) -> R {
    // SAFETY: handed on from the caller; the context before was current, so it lives.
    unsafe {
        let before = pg_sys::MemoryContextSwitchTo(context);
        let result = work();
        pg_sys::MemoryContextSwitchTo(before);
        result
    }
}

/// Bytes that grow in one context, with room before them for the header that makes them a value of Postgres. Nobody
/// frees it: it goes with its context.
pub struct Text {
    bytes: *mut u8,
    /// Both with the header.
    length: usize,
    room: usize,
}

const HEADER: usize = size_of::<i32>();

impl Text {
    /// # Safety
    /// The context lives as long as the text and what `into_datum` makes of it.
    pub unsafe fn new(context: MemoryContext) -> Self {
        const ROOM: usize = 256;
        // SAFETY: handed on from the caller.
        let bytes = unsafe { pg_sys::MemoryContextAlloc(context, ROOM) };
        Self {
            bytes: bytes.cast(),
            length: HEADER,
            room: ROOM,
        }
    }

    /// The bytes so far.
    pub fn len(&self) -> usize {
        self.length - HEADER
    }

    /// The bytes that it holds now.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `length` bytes were written, of which the first are the header's; `self` is borrowed, so none is
        // moved.
        unsafe { std::slice::from_raw_parts(self.bytes.add(HEADER), self.len()) }
    }

    /// Forgets what follows the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length + HEADER);
    }

    pub fn reserve(&mut self, more: usize) {
        let needed = self.length + more;
        if needed > self.room {
            let room = needed.max(2 * self.room);
            // SAFETY: `bytes` was allocated by Postgres; repalloc stays in its context, and raises where there is no
            // more.
            self.bytes = unsafe { pg_sys::repalloc(self.bytes.cast(), room) }.cast();
            self.room = room;
        }
    }

    pub fn extend(&mut self, more: &[u8]) {
        self.reserve(more.len());
        // SAFETY: there is room behind `length`, and `more` cannot lie there: nothing is borrowed from it.
        unsafe { std::ptr::copy_nonoverlapping(more.as_ptr(), self.bytes.add(self.length), more.len()) }
        self.length += more.len();
    }

    pub fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    /// The bytes as a value of `text` or `json`.
    pub fn into_datum(self) -> Datum {
        let length = i32::try_from(self.length).unwrap_or(i32::MAX);
        // SAFETY: the first four bytes are the header's, aligned as all that palloc gives; a length over 1 GB was
        // refused by repalloc.
        unsafe { pgrx::set_varsize_4b(self.bytes.cast(), length) };
        Datum::from(self.bytes)
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.extend(more.as_bytes());
        Ok(())
    }
}
