//! The museum: defects that public upload libraries shipped, each by the number that it has in our notes, as a test that this one passes. The name says
//! the defect as it would be here; the comment says what went wrong there, and what is done here.
//!
//! Those that can't exist here, and why:
//! - 16: the clock of a service was calibrated by one answer's Date, and later not at all. No clock decides anything here but when to renew; what is left
//!   of the defect is `a_service_whose_date_is_a_day_off_...`, beside 12.
//! - 19: threads were ended from outside. Ours end themselves: a request is cut off by closing its connection, a read by a flag; nothing here can end a thread.
//! - 21: a fingerprint of a few sampled offsets wrapped at 4 GiB, and its wrong values lived on in journals. There is no fingerprint of samples: what is
//!   compared is the whole content of parts, by CRC-64, under offsets of 64 bits; the journal carries its version.
//! - 23, in part: leaked local references, token sources freed twice, clients collected under way. The core holds no object of another language; the
//!   faces have tests of their own for it.
#![allow(clippy::unwrap_used)]

mod common;

#[path = "museum/bounds.rs"]
mod bounds;
#[path = "museum/hashing.rs"]
mod hashing;
#[path = "museum/reading.rs"]
mod reading;
#[path = "museum/resuming.rs"]
mod resuming;
#[path = "museum/sessions.rs"]
mod sessions;
