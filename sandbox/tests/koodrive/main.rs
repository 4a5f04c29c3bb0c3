//! The sandbox as a client of KooDrive sees it, over real sockets.

mod access;
mod beside_smh;
mod create;
mod data_plane;
mod faults;
mod flash;
mod parts;
mod readme;
mod support;
mod switches;
#[cfg(feature = "tls")]
mod upload;
