//! A strict local emulator of the clouds that Partway uploads to, for its own tests and for yours.
//!
//! ```no_run
//! use partway_sandbox::{Config, How, Rule, Sandbox, Step};
//!
//! let cloud = Sandbox::start(Config::default())?;
//! cloud.add_rule(Rule::new(Step::Confirm, How::DropAfter).once());
//! // Point the client under test at cloud.api_url(), library "smh-sandbox", token "sandbox-token"; for KooDrive at
//! // cloud.koodrive_url(), the container of cloud.config().koodrive, Authorization "Bearer sandbox-token".
//! assert_eq!(cloud.objects().len(), 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The public API
//!
//! * [`Sandbox`]: `start(Config) -> io::Result<Sandbox>`, `stop(self) -> State`, `start_with(Config, State) -> io::Result<Sandbox>`;
//!   dropped, it stops.
//!   * Where: `api_url()`, `koodrive_url()`, `data_url()`, `control_url() -> String` (no slash at the end), `api_address()`, `data_address()`,
//!     `control_address() -> SocketAddr`, `ca_pem() -> Option<&str>`, `config() -> &Config`.
//!   * Faults: `add_rule(Rule) -> u64`, `remove_rule(u64) -> bool`, `clear_rules()`, `rules() -> Vec<Rule>`.
//!   * What happened: `log() -> Vec<LogEntry>`, `log_since(u64)`, `clear_log()`,
//!     `wait_log(Duration, FnMut(&[LogEntry]) -> Option<T>) -> Option<T>`.
//!   * What is stored: `objects() -> Vec<StoredObject>`, `object(space, path) -> Option<StoredObject>`,
//!     `uploads() -> Vec<OpenUpload>`, `forget(confirm_key) -> bool`, `forget_all()`, `make_directory(space, path)`.
//!   * The service: `set_clock_offset_ms(i64)`, `clock_offset_ms()`, `add_token(&str)`, `revoke_token(&str) -> bool`,
//!     `only_tokens(&[&str])`, for KooDrive `add_koodrive_token(…)` and so on, `switches() -> Switches`,
//!     `set_switches(FnOnce(&mut Switches))`, `reset()`.
//! * [`Config`], in it [`KoodriveConfig`] with its [`KoodriveApp`]s: public fields and `Default`
//!   (`Config { tls: true, ..Config::default() }`).
//! * [`Switches`], in it [`KoodriveSwitches`]: what the services are like; public fields, `Default`, serde;
//!   `changed_by(&Value) -> Result<Switches, String>`.
//! * [`Rule`]: `new(Step, How)` and `.once()`, `.times(n)`, `.after(n)`, `.part(n)`, `.service(Service)`, `.plane(Plane)`,
//!   `.path_contains(text)`; `from_json(Value) -> Result<Rule, String>`, `to_json()`.
//! * [`How`]: what goes wrong; `How::status(503, "SlowDown")`, `early(…)`, `early_reset(…)`, `raw(bytes)`, `body_text(text)`,
//!   `body_json(value)`, `body_nested(depth)` spare the long variants.
//! * [`Service`], [`Step`], [`Plane`], [`LogEntry`], [`StoredObject`], [`OpenUpload`], [`OpenPart`]: plain data.
//!
//! * [`FaultProxy`]: a TCP proxy in front of either plane that fails as networks do, with its [`Door`], [`Link`]s, [`Strike`]s and [`Pace`];
//!   [`Sandbox::set_data_domain`] sends clients through it.
//!
//! The README has the tables of faults and switches and the control interface.

mod answer;
mod body;
mod clock;
mod config;
mod connection;
mod control;
mod exchange;
mod faults;
mod head;
mod hostile;
mod koodrive;
mod log;
mod operations;
mod proxy;
mod random;
mod route;
mod sandbox;
mod server;
mod services;
mod shared;
mod smh;
mod store;
mod stream;
mod switches;
mod tls;

pub use config::{Config, KoodriveApp, KoodriveConfig};
pub use faults::{How, Plane, Rule, Service, Step};
pub use koodrive::{AuthRefusal, KoodriveSwitches, TimeForm, UnfinishedDetail};
pub use log::LogEntry;
pub use operations::{OpenPart, OpenUpload};
pub use proxy::{Door, FaultProxy, Link, Pace, Strike, Way};
pub use sandbox::{Sandbox, State};
pub use store::StoredObject;
pub use switches::{ConfirmAgain, Deployment, ExpiredAnswer, InstantScope, Shape, Switches, When};

/// Runs the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
