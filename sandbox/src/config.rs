//! How a sandbox is set up.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::switches::Switches;

/// How a sandbox is set up. What may change while it runs is in [`Switches`].
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; 127.0.0.1 unless a device must reach it.
    pub listen: IpAddr,
    /// Port of the API; 0 picks one.
    pub api_port: u16,
    /// Port of the data plane; 0 picks one.
    pub data_port: u16,
    /// Port of the control interface; 0 picks one.
    pub control_port: u16,
    /// Host text of `domain` in answers, without a port; the listening address by default.
    pub data_host: Option<String>,
    /// Where parts and objects are kept; without one a temporary directory that goes with the sandbox.
    pub directory: Option<PathBuf>,
    /// Serve the API and the data plane over HTTPS. The control interface stays plain.
    pub tls: bool,
    /// The one library that exists.
    pub library: String,
    /// Its secret, for the token calls.
    pub library_secret: String,
    /// The spaces that exist; empty: every space does.
    pub spaces: Vec<String>,
    /// Tokens that never expire and may do everything.
    pub tokens: Vec<String>,
    /// Directories that exist in every space, such as `photos/2024`. The root always does.
    pub directories: Vec<String>,
    /// Receive buffer of each socket. A small one makes slow readers felt soon.
    pub receive_buffer_bytes: Option<u32>,
    /// What the services are like, at first.
    pub switches: Switches,
    /// Who and what there is on KooDrive.
    pub koodrive: KoodriveConfig,
}

/// Who and what there is on KooDrive.
#[derive(Debug, Clone)]
pub struct KoodriveConfig {
    /// The one container that exists.
    pub container: String,
    /// Whole values of `Authorization`, whose life slides (see `token_idle_ms` of [`KoodriveSwitches`](crate::KoodriveSwitches)).
    pub tokens: Vec<String>,
    /// Applications that may sign requests.
    pub apps: Vec<KoodriveApp>,
    /// User ids that exist; empty: every one does.
    pub users: Vec<String>,
    /// Ids of folders that exist in the container beside its root.
    pub folders: Vec<String>,
}

/// An application that may sign requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KoodriveApp {
    /// Its AppId.
    pub id: String,
    /// Its AppSecret.
    pub secret: String,
}

impl Default for KoodriveConfig {
    fn default() -> Self {
        Self {
            container: "IAADpartwaysandbox0000000000000000000000000000a".to_owned(),
            tokens: vec!["Bearer sandbox-token".to_owned()],
            apps: vec![KoodriveApp { id: "sandbox-app".to_owned(), secret: "sandbox-app-secret".to_owned() }],
            users: vec!["1505084218764547200".to_owned()],
            folders: Vec::new(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            api_port: 0,
            data_port: 0,
            control_port: 0,
            data_host: None,
            directory: None,
            tls: false,
            library: "smh-sandbox".to_owned(),
            library_secret: "sandbox-secret".to_owned(),
            spaces: Vec::new(),
            tokens: vec!["sandbox-token".to_owned()],
            directories: Vec::new(),
            receive_buffer_bytes: None,
            switches: Switches::default(),
            koodrive: KoodriveConfig::default(),
        }
    }
}
