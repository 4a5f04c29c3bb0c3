//! What every request sees.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, KoodriveConfig};
use crate::faults::Rules;
use crate::koodrive::KooDrive;
use crate::log::Log;
use crate::server::Addresses;
use crate::smh::Smh;
use crate::store::{Store, hash_file};
use crate::switches::Switches;

/// What every request sees.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) requests: AtomicU64,
    pub(crate) connections: AtomicU64,
    /// `host:port` of the data plane, known once it listens.
    domain: Mutex<String>,
    pub(crate) addresses: OnceLock<Addresses>,
    world: Mutex<World>,
}

/// What changes. It outlives a restart.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) switches: Switches,
    pub(crate) rules: Rules,
    pub(crate) store: Store,
    pub(crate) smh: Smh,
    pub(crate) koodrive: KooDrive,
}

impl World {
    pub(crate) fn new(config: &Config) -> io::Result<Self> {
        let mut world = Self {
            switches: config.switches.clone(),
            rules: Rules::default(),
            store: Store::new(config.directory.as_deref(), &config.directories)?,
            smh: Smh::new(&config.tokens),
            koodrive: KooDrive::new(&config.koodrive),
        };
        world.make_koodrive_folders(&config.koodrive);
        Ok(world)
    }

    pub(crate) fn make_koodrive_folders(&mut self, config: &KoodriveConfig) {
        for id in &config.folders {
            // A folder that is named twice is there once.
            let _ = self.store.make_directory(&config.container, &id.split('/').map(str::to_owned).collect::<Vec<_>>());
        }
    }

    fn hollow() -> Self {
        Self {
            switches: Switches::default(),
            rules: Rules::default(),
            store: Store::hollow(),
            smh: Smh::new(&[]),
            koodrive: KooDrive::new(&KoodriveConfig::default()),
        }
    }
}

impl Shared {
    pub(crate) fn new(config: Config, world: World) -> Self {
        Self {
            config,
            clock: Clock::default(),
            log: Log::new(),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            domain: Mutex::default(),
            addresses: OnceLock::new(),
            world: Mutex::new(world),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left serves nobody: the server has stopped.
    pub(crate) fn take_world(&self) -> World {
        std::mem::replace(&mut self.world(), World::hollow())
    }

    pub(crate) fn domain(&self) -> String {
        self.domain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_domain(&self, domain: String) {
        *self.domain.lock().unwrap_or_else(PoisonError::into_inner) = domain;
    }

    /// The request stands still until its rule is removed.
    pub(crate) async fn released(&self, rule: u64, seq: u64) {
        self.log.stand(seq, None);
        const LOOK_EVERY: Duration = Duration::from_millis(5);
        while self.world().rules.has(rule) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Computes the digests that nobody needed before: of all objects, or those of one size. Reads files, so it is slow.
    pub(crate) fn complete_hashes(&self, of_size: Option<u64>) {
        let wanted = self.world().store.unhashed(of_size);
        for (id, revision, file) in wanted {
            // A file that was overwritten meanwhile has digests of its own.
            if let Ok(hashes) = hash_file(&file) {
                self.world().store.set_hashes(id, revision, &hashes);
            }
        }
    }
}
