//! The running sandbox.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::faults::Rule;
use crate::log::LogEntry;
use crate::operations::{self, OpenUpload};
use crate::server::{Server, reachable};
use crate::shared::{Shared, World};
use crate::store::StoredObject;
use crate::switches::Switches;
use crate::tls::Acceptor;

/// A running sandbox. Dropped, it closes every connection and joins its threads.
#[derive(Debug)]
pub struct Sandbox {
    // Stops before anything else of the sandbox goes.
    server: Server,
    shared: Arc<Shared>,
    ca_pem: Option<String>,
}

/// What a stopped sandbox knew: objects, uploads, directories, tokens, rules, switches, and the secret that it signs with.
#[derive(Debug)]
pub struct State {
    world: World,
    offset_ms: i64,
}

impl Sandbox {
    /// Starts with nothing stored.
    ///
    /// # Errors
    /// When a port can't be bound or the directory can't be made.
    pub fn start(config: Config) -> io::Result<Self> {
        let state = State { world: World::new(&config)?, offset_ms: 0 };
        Self::start_with(config, state)
    }

    /// Starts with what another sandbox knew. Its directory, tokens and switches count, not those of `config`.
    ///
    /// # Errors
    /// When a port can't be bound.
    pub fn start_with(config: Config, state: State) -> io::Result<Self> {
        let (acceptor, ca_pem) = match config.tls {
            true => Acceptor::new(config.listen, config.data_host.as_deref()).map(|(a, pem)| (Some(a), Some(pem)))?,
            false => (None, None),
        };
        let shared = Arc::new(Shared::new(config, state.world));
        shared.clock.set_offset_ms(state.offset_ms);
        let server = Server::start(Arc::clone(&shared), acceptor)?;
        Ok(Self { server, shared, ca_pem })
    }

    /// Stops, and gives what it knew for [`Sandbox::start_with`].
    pub fn stop(self) -> State {
        let Self { server, shared, .. } = self;
        drop(server);
        let offset_ms = shared.clock.offset_ms();
        State { world: shared.take_world(), offset_ms }
    }

    /// Where the API is, such as `http://127.0.0.1:40001`, without a slash at its end.
    pub fn api_url(&self) -> String {
        self.url(self.server.addresses.api)
    }

    /// Where KooDrive's API is: the API listener serves both services.
    pub fn koodrive_url(&self) -> String {
        self.api_url()
    }

    /// Where the data plane is. Clients learn it from `domain`.
    pub fn data_url(&self) -> String {
        self.url(self.server.addresses.data)
    }

    /// Where the control interface is; never HTTPS.
    pub fn control_url(&self) -> String {
        format!("http://{}", reachable(self.server.addresses.control))
    }

    /// Where clients are sent with their bytes from now on (`host:port`): to a [`FaultProxy`](crate::FaultProxy) in front of the data plane, for instance.
    pub fn set_data_domain(&self, domain: impl Into<String>) {
        self.shared.set_domain(domain.into());
    }

    /// The API's address.
    pub fn api_address(&self) -> SocketAddr {
        self.server.addresses.api
    }

    /// The data plane's address.
    pub fn data_address(&self) -> SocketAddr {
        self.server.addresses.data
    }

    /// The control interface's address.
    pub fn control_address(&self) -> SocketAddr {
        self.server.addresses.control
    }

    /// The authority that signed the certificate, in PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Adds a rule; gives its id.
    pub fn add_rule(&self, rule: Rule) -> u64 {
        self.shared.world().rules.add(rule)
    }

    /// Removes a rule; says whether it was there.
    pub fn remove_rule(&self, id: u64) -> bool {
        self.shared.world().rules.remove(id)
    }

    /// Removes all rules.
    pub fn clear_rules(&self) {
        self.shared.world().rules.clear();
    }

    /// The rules, with what they have seen.
    pub fn rules(&self) -> Vec<Rule> {
        operations::rules(&self.shared)
    }

    /// Every request so far, in order.
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.log.list(0)
    }

    /// The requests after this one.
    pub fn log_since(&self, seq: u64) -> Vec<LogEntry> {
        self.shared.log.list(seq)
    }

    /// Forgets what was logged.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }

    /// Waits until `found` gives something. It is asked at once and whenever a request begins or ends, or an upload or
    /// object changes; it may look at the rest of the sandbox too.
    pub fn wait_log<T>(&self, timeout: Duration, found: impl FnMut(&[LogEntry]) -> Option<T>) -> Option<T> {
        self.shared.log.wait(timeout, found)
    }

    /// The finished objects, with their digests. Reads those that were not listed before.
    pub fn objects(&self) -> Vec<StoredObject> {
        operations::objects(&self.shared)
    }

    /// The finished object at this path of this space.
    pub fn object(&self, space: &str, path: &str) -> Option<StoredObject> {
        let names: Vec<&str> = path.split('/').filter(|n| !n.is_empty()).collect();
        self.objects().into_iter().find(|o| o.space == space && o.path == names)
    }

    /// The upload tasks.
    pub fn uploads(&self) -> Vec<OpenUpload> {
        operations::uploads(&self.shared)
    }

    /// Forgets an upload task and its parts; says whether it was there.
    pub fn forget(&self, confirm_key: &str) -> bool {
        operations::forget(&self.shared, confirm_key)
    }

    /// Forgets all upload tasks.
    pub fn forget_all(&self) {
        operations::forget_all(&self.shared);
    }

    /// Sets the service's clock to the machine's plus this.
    pub fn set_clock_offset_ms(&self, offset_ms: i64) {
        self.shared.clock.set_offset_ms(offset_ms);
    }

    /// The service's clock minus the machine's.
    pub fn clock_offset_ms(&self) -> i64 {
        self.shared.clock.offset_ms()
    }

    /// Adds a token that may do everything and never expires.
    pub fn add_token(&self, token: &str) {
        self.shared.world().smh.tokens.add_fixed(token.to_owned());
    }

    /// Ends a token; says whether it was there.
    pub fn revoke_token(&self, token: &str) -> bool {
        self.shared.world().smh.tokens.revoke(token)
    }

    /// Adds a value of `Authorization` for KooDrive, its whole life before it.
    pub fn add_koodrive_token(&self, token: &str) {
        self.shared.world().koodrive.tokens.add(token);
    }

    /// Ends a KooDrive token; says whether it was there.
    pub fn revoke_koodrive_token(&self, token: &str) -> bool {
        self.shared.world().koodrive.tokens.revoke(token)
    }

    /// Ends all KooDrive tokens but these, which are added if they are new.
    pub fn only_koodrive_tokens(&self, tokens: &[&str]) {
        let world = &mut *self.shared.world();
        world.koodrive.tokens.clear();
        tokens.iter().for_each(|token| world.koodrive.tokens.add(token));
    }

    /// Ends all tokens but these, which are added if they are new.
    pub fn only_tokens(&self, tokens: &[&str]) {
        let world = &mut *self.shared.world();
        world.smh.tokens.clear();
        tokens.iter().for_each(|token| world.smh.tokens.add_fixed((*token).to_owned()));
    }

    /// What the service is like at present.
    pub fn switches(&self) -> Switches {
        self.shared.world().switches.clone()
    }

    /// Changes what the service is like. `change` must not call the sandbox.
    pub fn set_switches(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.world().switches);
    }

    /// Makes a directory and its parents.
    pub fn make_directory(&self, space: &str, path: &str) {
        operations::make_directory(&self.shared, space, path);
    }

    /// Back to how it was started: nothing stored, no rule, an empty log, the first tokens, switches and clock.
    pub fn reset(&self) {
        operations::reset(&self.shared);
    }

    fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", reachable(address))
    }
}
