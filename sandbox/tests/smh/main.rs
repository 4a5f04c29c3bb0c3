//! The sandbox as a client of SMH sees it, over real sockets.

mod conflict;
mod control;
mod data_plane;
mod faults;
mod form;
mod hostile;
mod instant;
mod multipart;
mod private;
mod readme;
mod refusals;
mod restart;
mod simple;
mod support;
mod switches;
mod time;
#[cfg(feature = "tls")]
mod tokens;
