//! What the library is.

use std::ffi::c_char;

use super::word::terminated;
use crate::client::version;

/// The version of this interface. It grows when something is added; a library serves every program that was built with the same or an earlier one.
pub const PARTWAY_ABI_VERSION: u32 = 1;

/// The version of the interface that the library has: compare it with PARTWAY_ABI_VERSION, which is the one that your program was built with. A library
/// with a smaller one lacks functions.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_abi_version() -> u32 {
    PARTWAY_ABI_VERSION
}

/// The version of the library, such as "0.1.0".
///
/// Memory: static, NUL-terminated. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_library_version() -> *const c_char {
    terminated(version())
}
