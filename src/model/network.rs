//! What the host knows of the network, and which networks an upload may use.

use serde::Serialize;

use crate::from_json::from_json;

/// Whether there is a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Online {
    /// The host never said: requests are tried, and what happens to them tells.
    #[default]
    Unreported,
    /// There is none: uploads wait and spend nothing.
    Offline,
    /// There is one.
    Online,
}

/// The network as the host sees it. Plain data: all of it is told anew with each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Whether there is one.
    pub state: Online,
    /// Its bytes cost something.
    pub metered: bool,
    /// It is a foreign operator's.
    pub roaming: bool,
    /// Grows when the path changed: sockets of the old one are dropped, waits for another try end.
    pub generation: u64,
    /// The system's own number of a network that is not the default one (Android's `Network.getNetworkHandle`). Kept for platforms whose sockets can be
    /// bound to it; see [`Client::set_network`](crate::client::Client::set_network).
    pub bind_handle: Option<u64>,
}

impl Network {
    /// A network of which nothing is known but that it is there, neither metered nor roaming.
    pub fn online(generation: u64) -> Network {
        Network { state: Online::Online, generation, ..Network::default() }
    }

    /// No network.
    pub fn offline(generation: u64) -> Network {
        Network { state: Online::Offline, generation, ..Network::default() }
    }

    /// True when the host said that there is none.
    pub fn is_offline(&self) -> bool {
        self.state == Online::Offline
    }
}

/// Which networks an upload may use, the mildest first. A network that nobody told of meets none but [`Any`](NetworkPolicy::Any).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkPolicy {
    /// Every one.
    #[default]
    Any,
    /// None of a foreign operator.
    NoRoaming,
    /// None whose bytes cost something.
    Unmetered,
}

from_json!(enum NetworkPolicy { "any" = Any, "no_roaming" = NoRoaming, "unmetered" = Unmetered });

impl NetworkPolicy {
    /// True when an upload of this policy may use that network, if it is there at all.
    pub fn allows(self, network: &Network) -> bool {
        let told = network.state != Online::Unreported;
        match self {
            NetworkPolicy::Any => true,
            NetworkPolicy::NoRoaming => told && !network.roaming,
            NetworkPolicy::Unmetered => told && !network.metered,
        }
    }

    /// The word that the command line prints.
    pub fn name(self) -> &'static str {
        match self {
            NetworkPolicy::Any => "any",
            NetworkPolicy::NoRoaming => "no_roaming",
            NetworkPolicy::Unmetered => "unmetered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed() {
        let wifi = Network::online(1);
        let mobile = Network { metered: true, ..wifi };
        let abroad = Network { roaming: true, ..mobile };
        let all = [Network::default(), wifi, mobile, abroad];
        let allowed = |policy: NetworkPolicy| all.map(|network| policy.allows(&network));
        assert_eq!(allowed(NetworkPolicy::Any), [true; 4]);
        assert_eq!(allowed(NetworkPolicy::NoRoaming), [false, true, true, false]);
        assert_eq!(allowed(NetworkPolicy::Unmetered), [false, true, false, false]);
        assert!(NetworkPolicy::Any < NetworkPolicy::NoRoaming && NetworkPolicy::NoRoaming < NetworkPolicy::Unmetered);
    }
}
