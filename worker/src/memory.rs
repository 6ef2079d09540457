//! What the process of a worker asks of the kernel about its memory. A program that only embeds the library decides for
//! itself.

/// Keeps huge pages (2 MiB) out of this process and its children: the allocator asks for them, and small objects that
/// come and go on several threads then hold more than twice the memory. `make bench ONLY=burn-down` shows it.
#[cfg(target_os = "linux")]
pub fn use_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay on: the worker may take more memory");
    }
}

/// Elsewhere the allocator asks for none.
#[cfg(not(target_os = "linux"))]
pub fn use_small_pages() {}
