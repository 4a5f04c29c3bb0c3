//! What the host knows of the network, given in.

use super::{
    sized::{Sized_, no_padding},
    status::misuse,
};
use crate::{
    client::{Network, Online},
    error::ErrorInfo,
};

/// The network: you do not know, or do not say. The default.
pub const PARTWAY_NETWORK_UNREPORTED: u32 = 0;
/// The network: none. Uploads wait and spend nothing.
pub const PARTWAY_NETWORK_OFFLINE: u32 = 1;
/// The network: there is one.
pub const PARTWAY_NETWORK_ONLINE: u32 = 2;

/// What you know of the network. Set struct_size to sizeof(partway_network_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_network_t {
    /// sizeof(partway_network_t).
    pub struct_size: usize,
    /// PARTWAY_NETWORK_….
    pub state: u32,
    /// Not 0: its bytes cost something.
    pub metered: u32,
    /// Not 0: it is a foreign operator's.
    pub roaming: u32,
    /// Not used: 0.
    pub reserved: u32,
    /// Grows when the path changed: connections of the old one are dropped, waits end.
    pub generation: u64,
    /// The system's own number of a network that is not the default one; 0: none. Kept, and not used on any platform yet.
    pub bind_handle: u64,
}

no_padding!(partway_network_t { struct_size, state, metered, roaming, reserved, generation, bind_handle });

// SAFETY: repr(C), begins with its size; all else are numbers.
unsafe impl Sized_ for partway_network_t {
    const NAME: &'static str = "partway_network_t";
    const FIRST_SIZE: usize = size_of::<partway_network_t>();

    fn reserved(&self) -> u32 {
        self.reserved
    }
}

pub(super) fn network(given: &partway_network_t) -> Result<Network, ErrorInfo> {
    let state = match given.state {
        PARTWAY_NETWORK_UNREPORTED => Online::Unreported,
        PARTWAY_NETWORK_OFFLINE => Online::Offline,
        PARTWAY_NETWORK_ONLINE => Online::Online,
        other => return Err(misuse(&format!("{other} is no PARTWAY_NETWORK_…"))),
    };
    Ok(Network {
        state,
        metered: given.metered != 0,
        roaming: given.roaming != 0,
        generation: given.generation,
        bind_handle: (given.bind_handle != 0).then_some(given.bind_handle),
    })
}
