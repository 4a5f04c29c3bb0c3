//! Which uploads a call is for.

use std::ffi::c_char;

use super::{status::misuse, text::required};
use crate::{client::Select, error::ErrorInfo};

/// Select: all uploads; the text is not looked at.
pub const PARTWAY_SELECT_ALL: u32 = 1;
/// Select: the one of this id.
pub const PARTWAY_SELECT_ID: u32 = 2;
/// Select: the one of this key.
pub const PARTWAY_SELECT_KEY: u32 = 3;
/// Select: those of this group.
pub const PARTWAY_SELECT_GROUP: u32 = 4;
/// Select: those of this account.
pub const PARTWAY_SELECT_ACCOUNT: u32 = 5;

/// # Safety
/// The text as in [`required`].
pub(super) unsafe fn select(select: u32, text: *const c_char, text_len: usize) -> Result<Select, ErrorInfo> {
    if select == PARTWAY_SELECT_ALL {
        return Ok(Select::All);
    }
    // SAFETY: passed on.
    let text = unsafe { required(text, text_len) }?.to_owned();
    match select {
        PARTWAY_SELECT_ID => Ok(Select::One { id: text }),
        PARTWAY_SELECT_KEY => Ok(Select::Key { key: text }),
        PARTWAY_SELECT_GROUP => Ok(Select::Group { group: text }),
        PARTWAY_SELECT_ACCOUNT => Ok(Select::Account { account: text }),
        _ => Err(misuse(&format!("{select} is no PARTWAY_SELECT_…"))),
    }
}
