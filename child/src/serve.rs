//! The child's side: limits itself, answers each request on standard output that comes on standard input, and ends with
//! them.

use std::io;
use std::process::ExitCode;

use crate::frame;
use crate::limits::Allowance;

/// The exit code of a child that could not limit itself.
pub(crate) const NOT_READY: u8 = 3;

/// The whole life of a child: `main` calls this before it starts a thread or a runtime, and returns what it returns.
/// Which argument of the program leads here is the program's choice.
///
/// A request has a part for each of `limits`, the most bytes of each. `work` makes an answer of it; after an error, or
/// when a part is too long, the child ends. It may panic, abort or never return: that is what the child is for.
#[must_use]
pub fn serve<const N: usize, const M: usize>(
    limits: [usize; N],
    mut work: impl FnMut([Vec<u8>; N]) -> io::Result<[Vec<u8>; M]>,
) -> ExitCode {
    let allowance = Allowance::from_arguments(std::env::args_os());
    if allowance.is_none_or(|allowance| allowance.apply().is_err()) {
        return ExitCode::from(NOT_READY);
    }
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    loop {
        let answered = match frame::read(&mut input, limits) {
            Ok(Some(request)) => work(request).and_then(|answer| {
                let parts = answer.each_ref().map(Vec::as_slice);
                frame::write(&mut output, parts)
            }),
            Ok(None) => return ExitCode::SUCCESS,
            Err(error) => Err(error),
        };
        if answered.is_err() {
            return ExitCode::FAILURE;
        }
    }
}
