//! The library's client, opened as the command line says.

use std::{fs, path::Path};

use partway::{
    client::{Client, Config, Limits, Listener, Snapshot, State, WaitReason, Waiting},
    error::ErrorInfo,
};

use crate::{
    args::{Common, Transfer},
    credential::Tokens,
    exit::usage,
    kill_point, output,
    state_dir::state_dir,
};

/// How long a client may take to end: what is in flight is cut off, what is proven is in the journal.
pub(crate) const CLOSE_MS: u64 = 5_000;

/// Everything that the options say; what can't be used is refused here.
pub(crate) fn config(common: &Common, transfer: &Transfer, tokens: Tokens) -> Result<Config, ErrorInfo> {
    let mut config = Config::new(state_dir(common.state_dir.as_deref())?, tokens.provider());
    config.limits = limits(transfer, usize::MAX);
    config.proxy = transfer.proxy.as_deref().map(proxy).transpose()?;
    config.tls.extra_ca_pem = transfer.ca_file.as_deref().map(certificates).transpose()?;
    // Nothing moves before it is known what is wanted.
    config.autostart = false;
    config.checkpoint = kill_point::from_environment()?;
    Ok(config)
}

/// Opens it, held, and tells of journals that can't be read.
pub(crate) fn open(config: Config, listener: Option<std::sync::Arc<dyn Listener>>) -> Result<Client, ErrorInfo> {
    let client = Client::open(Config { listener, ..config })?;
    for problem in client.problems() {
        output::note(&format!("partway: upload {}: {}", problem.id, problem.error));
    }
    Ok(client)
}

/// What another process works on is shown as that: a client that is held has not tried. True when it is so.
pub(crate) fn look_elsewhere(client: &Client, snapshot: &mut Snapshot) -> bool {
    let Some(error) = client.in_use(&snapshot.id).filter(|_| !snapshot.state.ended()) else { return false };
    let waiting = Waiting {
        reason: WaitReason::Elsewhere,
        since_unix_ms: snapshot.changed_unix_ms,
        retry_in_ms: None,
        error: Some(error),
        choices: vec![],
        needs_host: true,
        prepared: None,
    };
    snapshot.state = State::Waiting { waiting };
    true
}

/// The bounds for so many uploads.
pub(crate) fn limits(transfer: &Transfer, uploads: usize) -> Limits {
    let default = Limits::default();
    let uploads = u32::try_from(uploads).unwrap_or(u32::MAX);
    Limits {
        parallel_uploads: transfer.parallel.unwrap_or(default.parallel_uploads).min(uploads).max(1),
        parallel_parts: transfer.parallel.unwrap_or(default.parallel_parts),
        rate_bytes_per_s: transfer.limit_rate.unwrap_or(default.rate_bytes_per_s),
        ..default
    }
}

fn proxy(url: &str) -> Result<String, ErrorInfo> {
    let host = url.strip_prefix("http://").map(|rest| rest.rsplit('@').next().unwrap_or(rest));
    match host {
        Some(host) if !host.is_empty() => Ok(url.to_owned()),
        _ => Err(usage("--proxy is http://[user:password@]host:port")),
    }
}

fn certificates(path: &Path) -> Result<String, ErrorInfo> {
    let text = fs::read_to_string(path).map_err(|error| usage(format!("--ca-file can't be read: {}", error.kind())))?;
    match text.contains("-----BEGIN CERTIFICATE-----") {
        true => Ok(text),
        false => Err(usage("--ca-file holds no certificate in PEM")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        let four = Transfer { parallel: Some(4), limit_rate: Some(9), ..Transfer::default() };
        assert_eq!(
            limits(&four, 2),
            Limits { parallel_uploads: 2, parallel_parts: 4, rate_bytes_per_s: 9, ..Limits::default() }
        );
        assert_eq!(limits(&four, 9).parallel_uploads, 4);
        assert_eq!(limits(&Transfer::default(), 1), Limits { parallel_uploads: 1, ..Limits::default() });
    }

    #[test]
    fn proxies() {
        assert!(proxy("http://u:p@h:1").is_ok() && proxy("http://h:1").is_ok());
        for bad in ["", "h:1", "https://h:1", "socks5://h", "http://", "http://u:p@"] {
            let error = proxy(bad).expect_err(bad);
            assert!(!error.detail.contains("u:p"), "{bad}");
        }
    }
}
