//! What the host tells of the world.

use super::{Client, Credential, Limits, Network, Select, SignOut};
use crate::error::{Code, ErrorInfo};

/// How long cancels of an account may take before its credential is wiped all the same.
const CANCEL_MS_MAX: u64 = 1_000;

impl Client {
    /// A credential, unasked, such as after a log-in; ends the waits for it. **now**
    pub fn set_credential(&self, account: &str, credential: Credential) {
        self.inner.runtime.set_credential(account.to_owned(), credential);
    }

    /// Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, nothing new
    /// starts, and what is under way for it is told to end. A request that is on its way still carries the credential until it has ended, and the service
    /// may still carry it out: a moment with the library's own transport, as long as it takes to hear of a cancel with a host's own [`Transport`], whose
    /// copies are the host's. [`hold`](Client::hold) returns when none is left. Links that the service signed are kept, and not used.
    ///
    /// Its uploads wait for the next [`set_credential`](Client::set_credential) of the account (`Hold`; the provider is not asked meanwhile), or are
    /// cancelled, which is given a second to undo what it can. **disk**
    ///
    /// [`Transport`]: super::Transport
    pub fn sign_out(&self, account: &str, then: SignOut) {
        let which = Select::Account { account: account.to_owned() };
        if then == SignOut::Cancel {
            self.cancel(&which);
            let board = self.inner.runtime.board();
            board.wait(Some(std::time::Duration::from_millis(CANCEL_MS_MAX)), |rows, _| {
                use super::{Remote, State};
                let pending = State::Cancelled { remote: Remote::AbortPending };
                rows.values()
                    .all(|snapshot| snapshot.account != account || snapshot.state.ended() && snapshot.state != pending)
                    .then_some(())
            });
        }
        self.inner.runtime.sign_out(account.to_owned());
    }

    /// What the host knows of the network. Offline, uploads wait and spend nothing. With a new generation sockets of the old path are dropped, waits for
    /// another try end, and what may go on does so at once. An upload whose policy the network breaks stops its parts at once and waits.
    ///
    /// `bind_handle` is kept and not used: no platform's sockets are bound by the built-in transport yet. A host that needs a network that is not the
    /// default one binds its process to it, or gives a `transport`. **now**
    pub fn set_network(&self, network: Network) {
        self.inner.runtime.set_network(network);
    }

    /// New bounds: what begins from here on keeps to them, what is under way is not stopped. A rate holds at once. **now**
    pub fn set_limits(&self, limits: Limits) {
        self.inner.runtime.set_limits(limits);
    }

    /// Another proxy (`http://[user:password@]host:port`), or none, for every connection from here on; those that are kept are dropped, a request under way
    /// is not. Refused for a text that is none, and when the host carries requests itself. **now**
    pub fn set_proxy(&self, proxy: Option<&str>) -> Result<(), ErrorInfo> {
        let Some(transport) = &self.inner.transport else {
            return Err(ErrorInfo::new(
                Code::Unsupported,
                "the host carries requests itself: its transport has the proxy",
            ));
        };
        transport.set_proxy(proxy)?;
        self.inner.runtime.reroute();
        Ok(())
    }
}
