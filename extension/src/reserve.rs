//! Memory that is put by for the moment when there is none. Rust ends the process when an allocation fails, and a
//! process that ends like that takes the whole server with it, where Postgres raises an error; and turning that error
//! into one that unwinds Rust's frames needs memory itself. Both get this piece first. Must not be counted on for what
//! grows with a user's data: that is palloc'd, which raises by itself.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::error::{Error, raise};

/// Twice what a memory context asks for at least when it is large. It is never touched, so it takes address space only.
const PIECE: Layout = match Layout::from_size_align(4 * 1024 * 1024, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("a size and an alignment that fit"),
};

/// The piece; null once it was needed.
static RESERVE: AtomicPtr<u8> = AtomicPtr::new(null_mut());

unsafe extern "C-unwind" {
    // Not pgrx's: that one would turn the error into a panic, for which there is no memory.
    #[link_name = "palloc"]
    fn palloc_or_jump(size: usize) -> *mut c_void;
    fn geterrcode() -> c_int;
}

/// Puts the piece by, if there is memory for it.
pub fn refill() {
    if RESERVE.load(Ordering::Relaxed).is_null() {
        // SAFETY: the layout has a size.
        let piece = unsafe { System.alloc(PIECE) };
        let replaced = RESERVE.swap(piece, Ordering::Relaxed);
        give_back(replaced);
    }
}

/// Puts the piece by, or raises 53200 as Postgres does.
///
/// # Safety
/// The error jumps over the caller's frame, which must have nothing to drop, to one of Postgres.
pub unsafe fn require() {
    refill();
    if RESERVE.load(Ordering::Relaxed).is_null() {
        // SAFETY: handed on from the caller. Where it does not raise after all, the piece goes with the current
        // context.
        unsafe { palloc_or_jump(PIECE.size()) };
    }
}

/// Raises 53200 when the piece was needed.
pub fn check() {
    if RESERVE.load(Ordering::Relaxed).is_null() {
        raise(Error::OutOfMemory);
    }
}

/// Runs `work`, during which an error of Postgres for want of memory frees the piece before it is handled.
pub fn within<R>(work: impl FnOnce() -> R) -> R {
    /// Also when `work` unwinds: the callback below goes with this frame.
    struct Pop(*mut pg_sys::ErrorContextCallback);
    impl Drop for Pop {
        fn drop(&mut self) {
            // SAFETY: what was on top before, of a frame further up.
            unsafe { pg_sys::error_context_stack = self.0 }
        }
    }
    // SAFETY: the backend has one thread; the callback lives in this frame and is taken off the stack before the frame
    // ends.
    unsafe {
        let mut callback = pg_sys::ErrorContextCallback {
            previous: pg_sys::error_context_stack,
            callback: Some(error_is_raised),
            arg: null_mut(),
        };
        let _pop = Pop(callback.previous);
        pg_sys::error_context_stack = &raw mut callback;
        work()
    }
}

/// Called by Postgres for every message before it is handled. It allocates nothing and cannot raise.
unsafe extern "C-unwind" fn error_is_raised(_argument: *mut c_void) {
    // SAFETY: a message is being made, so there is a code to get.
    if unsafe { geterrcode() } == PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int {
        give_back(RESERVE.swap(null_mut(), Ordering::Relaxed));
    }
}

fn give_back(piece: *mut u8) {
    if !piece.is_null() {
        // SAFETY: allocated in `refill` with this layout, and taken out of the only place that held it.
        unsafe { System.dealloc(piece, PIECE) }
    }
}

/// The system's allocator, and the piece behind it.
struct Reserved;

#[global_allocator]
static ALLOCATOR: Reserved = Reserved;

// SAFETY: all memory is the system allocator's. Nothing here unwinds.
unsafe impl GlobalAlloc for Reserved {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: handed on from the caller.
        unsafe {
            let allocated = System.alloc(layout);
            if !allocated.is_null() {
                return allocated;
            }
            give_back(RESERVE.swap(null_mut(), Ordering::Relaxed));
            System.alloc(layout)
        }
    }

    unsafe fn dealloc(&self, allocated: *mut u8, layout: Layout) {
        // SAFETY: handed on from the caller.
        unsafe { System.dealloc(allocated, layout) }
    }

    unsafe fn realloc(&self, allocated: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: handed on from the caller; one that failed has left the memory as it was.
        unsafe {
            let moved = System.realloc(allocated, layout, size);
            if !moved.is_null() {
                return moved;
            }
            give_back(RESERVE.swap(null_mut(), Ordering::Relaxed));
            System.realloc(allocated, layout, size)
        }
    }
}
