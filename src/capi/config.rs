//! How a client is opened.

use std::{ffi::c_char, sync::Arc};

use super::{
    error::partway_error_t,
    host::{Host, partway_host_t},
    limits::{limits, partway_limits_t},
    network::{network, partway_network_t},
    pointer::{Opaque, free, given, held_mut},
    sized::read,
    status::{attempt, misuse, partway_status_t},
    target::fit,
    text::text,
    transport::{HostTransport, partway_transport_t},
    word,
};
use crate::{
    client::{
        Config, CredentialAsk, CredentialProvider, Limits, Listener, LogLevel, LogSink, Network, Signer,
        SourceProvider, Tls, Transport,
    },
    error::{Code, ErrorInfo},
};

/// Config, text: the directory for journals; created if need be. One client a directory and process. It must be set.
pub const PARTWAY_CONFIG_STATE_DIR: u32 = 1;
/// Config, text: http://[user:password@]host:port. The environment is never read.
pub const PARTWAY_CONFIG_PROXY: u32 = 2;
/// Config, text: certificates to trust beside the bundled ones, as PEM.
pub const PARTWAY_CONFIG_EXTRA_CA_PEM: u32 = 3;
/// Config, text: the SHA-256 of a key (SubjectPublicKeyInfo; base64 or hex) that one of the certificates of every host must have; each call adds one.
pub const PARTWAY_CONFIG_SPKI_SHA256_PIN: u32 = 5;
/// Config, number: the least important lines that on_log is given, PARTWAY_LOG_….
pub const PARTWAY_CONFIG_LOG_LEVEL: u32 = 6;
/// Config, number: an ended upload is forgotten by itself so many milliseconds after it ended; else it is kept until you forget it.
pub const PARTWAY_CONFIG_ENDED_KEPT_MS: u32 = 7;
/// Config, number: 0: the client opens held, until partway_client_go. Otherwise uploads go on at once, which is the default.
pub const PARTWAY_CONFIG_AUTOSTART: u32 = 4;

/// How a client is opened. Free it with partway_config_free, also after the client was opened. As a request it remembers the first field that was refused.
pub struct partway_config_t {
    state_dir: Option<String>,
    proxy: Option<String>,
    tls: Tls,
    autostart: bool,
    limits: Limits,
    network: Network,
    log_level: LogLevel,
    ended_kept_ms: Option<u64>,
    host: Option<Arc<Host>>,
    transport: Option<Arc<HostTransport>>,
    fault: Option<ErrorInfo>,
}

impl Opaque for partway_config_t {
    const NAME: &'static str = "config";
}

/// Without a host, accounts wait for a credential that is set.
struct Nobody;

impl CredentialProvider for Nobody {
    fn provide(&self, ask: CredentialAsk) {
        ask.later(None);
    }
}

impl partway_config_t {
    pub(super) fn build(&self) -> Result<Config, ErrorInfo> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let state_dir = self.state_dir.as_ref().ok_or_else(|| misuse("the config has no state directory"))?;
        let host = self.host.clone();
        let credentials: Arc<dyn CredentialProvider> = match host.clone() {
            Some(host) => host,
            None => Arc::new(Nobody),
        };
        let opens = host.clone().filter(|host| host.opens_sources());
        let signs = host.clone().filter(|host| host.signs());
        let logs = host.clone().filter(|host| host.logs());
        let listens = host.filter(|host| host.listens());
        Ok(Config {
            sources: opens.map(|host| host as Arc<dyn SourceProvider>),
            listener: listens.map(|host| host as Arc<dyn Listener>),
            transport: self.transport.clone().map(|transport| transport as Arc<dyn Transport>),
            signer: signs.map(|host| host as Arc<dyn Signer>),
            log: logs.map(|host| host as Arc<dyn LogSink>),
            log_level: self.log_level,
            network: self.network,
            ended_kept_ms: self.ended_kept_ms,
            limits: self.limits,
            proxy: self.proxy.clone(),
            tls: self.tls.clone(),
            autostart: self.autostart,
            ..Config::new(state_dir, credentials)
        })
    }

    fn set_text(&mut self, field: u32, text: Option<&str>) -> Result<(), ErrorInfo> {
        let some = text.map(str::to_owned);
        match field {
            PARTWAY_CONFIG_STATE_DIR => self.state_dir = some,
            PARTWAY_CONFIG_PROXY => self.proxy = some,
            PARTWAY_CONFIG_EXTRA_CA_PEM => self.tls.extra_ca_pem = some,
            PARTWAY_CONFIG_SPKI_SHA256_PIN => self.tls.spki_sha256_pins.extend(some),
            other => return Err(unknown(other)),
        }
        Ok(())
    }

    fn set_number(&mut self, field: u32, number: i64) -> Result<(), ErrorInfo> {
        match field {
            PARTWAY_CONFIG_AUTOSTART => self.autostart = number != 0,
            PARTWAY_CONFIG_LOG_LEVEL => {
                self.log_level = word::value(word::LOG_LEVELS, number, "PARTWAY_LOG_…")?;
            }
            PARTWAY_CONFIG_ENDED_KEPT_MS => self.ended_kept_ms = Some(fit(number)?),
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

fn unknown(field: u32) -> ErrorInfo {
    ErrorInfo::new(Code::Unsupported, format!("field {field} is none of a config, or of another kind"))
}

/// # Safety
/// As [`held_mut`].
unsafe fn set(
    config: *mut partway_config_t,
    out_error: *mut *mut partway_error_t,
    how: impl FnOnce(&mut partway_config_t) -> Result<(), ErrorInfo>,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let config = unsafe { held_mut(config)? };
        how(config).inspect_err(|error| {
            config.fault.get_or_insert_with(|| error.clone());
        })
    })
}

/// A config with everything as by default; never NULL.
///
/// Memory: free it with partway_config_free. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_config_new() -> *mut partway_config_t {
    given(partway_config_t {
        state_dir: None,
        proxy: None,
        tls: Tls::default(),
        autostart: true,
        limits: Limits::default(),
        network: Network::default(),
        log_level: LogLevel::default(),
        ended_kept_ms: None,
        host: None,
        transport: None,
        fault: None,
    })
}

/// Sets a field that is a text. NULL is none.
///
/// Memory: the text is copied. Threads: nothing else may use the config meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a field that is not known or no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_text(
    config: *mut partway_config_t,
    field: u32,
    data: *const c_char,
    len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(config, out_error, |config| config.set_text(field, text(data, len)?)) }
}

/// Sets a field that is a number, or yes (not 0) and no (0).
///
/// Threads: nothing else may use the config meanwhile. Never blocks. Errors: unsupported for a field that is not known or no number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_number(
    config: *mut partway_config_t,
    field: u32,
    number: i64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(config, out_error, |config| config.set_number(field, number)) }
}

/// Sets the bounds to begin with; partway_client_set_limits changes them.
///
/// Memory: copied. Threads: nothing else may use the config meanwhile. Never blocks. Errors: invalid_argument; unsupported.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_limits(
    config: *mut partway_config_t,
    bounds: *const partway_limits_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(config, out_error, |config| {
            config.limits = limits(&read(bounds)?);
            Ok(())
        })
    }
}

/// Sets what you know of the network by now; partway_client_set_network changes it.
///
/// Memory: copied. Threads: nothing else may use the config meanwhile. Never blocks. Errors: invalid_argument; unsupported.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_network(
    config: *mut partway_config_t,
    state: *const partway_network_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(config, out_error, |config| {
            config.network = network(&read(state)?)?;
            Ok(())
        })
    }
}

/// Sets who is called back.
///
/// Memory: the table is copied. Its release is called when neither this config nor a client holds the context any more, but never when this call fails.
/// Threads: nothing else may use the config meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_host(
    config: *mut partway_config_t,
    host: *const partway_host_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(config, out_error, |config| {
            config.host = Some(Host::read(host)?);
            Ok(())
        })
    }
}

/// Sets who carries requests in the place of the library.
///
/// Memory: the table is copied. Its release is called when neither this config nor a client holds the context any more, but never when this call fails.
/// Threads: nothing else may use the config meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_set_transport(
    config: *mut partway_config_t,
    transport: *const partway_transport_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(config, out_error, |config| {
            config.transport = Some(HostTransport::read(transport)?);
            Ok(())
        })
    }
}

/// Frees a config. Clients that were opened with it do not need it any more. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_config_free(config: *mut partway_config_t) {
    // SAFETY: passed on.
    unsafe { free(config) }
}
