//! What people read.

use partway::{
    engine::{Remote, State},
    error::{ErrorInfo, Remedy},
};

use crate::json::{Finished, Outcome, state_words};

/// A number of bytes.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = count as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "bytes" { format!("{count} bytes") } else { format!("{value:.1} {unit}") }
}

/// A length of time.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// A state, in words.
pub(crate) fn state(state: &State) -> String {
    match state_words(state) {
        (word, Some(reason)) => format!("{word} ({reason})"),
        (word, None) => word.to_owned(),
    }
}

/// What can be done about an error.
pub(crate) fn remedy(remedy: Remedy) -> Option<&'static str> {
    Some(match remedy {
        Remedy::None => return None,
        Remedy::WaitForNetwork => "Check the network, the endpoint and --proxy, then run the same command again.",
        Remedy::TryLater => "Run the same command again later.",
        Remedy::SignInAgain => {
            "Get a fresh credential and run the same command again with it in PARTWAY_TOKEN, or give --token-command, which is asked whenever one is needed."
        }
        Remedy::AskForAccess => "Ask the owner of the space for access, then run the same command again.",
        Remedy::FreeCloudSpace => "Free space in the cloud, then run the same command again.",
        Remedy::FreeDeviceSpace => {
            "Free space on this device, or choose another --state-dir, then run the same command again."
        }
        Remedy::ChooseFileAgain => "Look at the file: is it there, may it be read, is it still the one that was meant?",
        Remedy::ChooseOtherName => "Choose another destination.",
        Remedy::AnswerConflict => {
            "Run the same command again with another --conflict (rename, overwrite), or for KooDrive another --rename (force, auto); what was sent is not sent again."
        }
        Remedy::UpdateApp => "Leave it out, or use a newer version of partway.",
        Remedy::ContactSupport => "Ask the support of the service; the request id helps them.",
    })
}

/// What happened, what it means, what to do.
pub(crate) fn error(error: &ErrorInfo) -> String {
    let mut text = format!("{}: {}", error.log_line(), error.detail);
    let meaning = error.code.meaning();
    if meaning != error.detail {
        text += &format!("\n  What it means: {meaning}");
    }
    if let Some(remedy) = remedy(error.remedy()) {
        text += &format!("\n  What to do: {remedy}");
    }
    text
}

/// What a cancel could undo at the service.
pub(crate) fn remote(remote: Remote) -> &'static str {
    match remote {
        Remote::Aborted => "the service dropped what had been sent",
        Remote::AbortPending => {
            "the service was not reached; what had been sent stays there until the service drops it"
        }
        Remote::NothingThere => "there was nothing at the service to undo",
        Remote::CannotAbort => "the service has no way to undo it; it drops what had been sent in its own time",
    }
}

/// How an upload's run ended: the text, and whether it is good news.
pub(crate) fn finished(finished: &Finished) -> (String, bool) {
    let Finished { label, progress, .. } = finished;
    let again = match &finished.id {
        Some(id) if finished.resumable => {
            format!("\n  The upload is kept: the same command, or `partway resume {id}`, continues it.")
        }
        _ => String::new(),
    };
    match finished.outcome {
        Outcome::Completed => (completed(finished), true),
        Outcome::Cancelled => {
            let detail = finished.error.as_ref().map_or("", |error| error.detail.as_str());
            (format!("{label}: cancelled; {detail}."), true)
        }
        Outcome::Interrupted => {
            let (done, total) = (bytes(progress.bytes_acknowledged), bytes(progress.bytes_total));
            (format!("{label}: interrupted; {done} of {total} are proven and will not be sent again.{again}"), false)
        }
        Outcome::Failed => {
            let why = finished.error.as_ref().map_or_else(|| "failed".to_owned(), error);
            let parts = match progress.bytes_acknowledged {
                0 => String::new(),
                done if finished.resumable => {
                    format!("\n  {} of {} are proven.", bytes(done), bytes(progress.bytes_total))
                }
                _ => String::new(),
            };
            (format!("{label}: {why}{parts}{again}"), false)
        }
    }
}

fn completed(finished: &Finished) -> String {
    let Finished { label, progress, receipt, .. } = finished;
    let Some(receipt) = receipt else { return format!("{label}: uploaded.") };
    let place = receipt.path.as_ref().map_or_else(|| receipt.name.clone(), |path| path.join("/"));
    let mut text = format!("{label}: uploaded to {place}, {}.", bytes(receipt.size_bytes));
    if receipt.instant {
        text += " The service had the content already; nothing was sent.";
    } else {
        text += &format!(" This run sent {} in {} requests", bytes(progress.bytes_sent), progress.requests);
        if progress.bytes_resent > 0 {
            text += &format!(", {} of them again", bytes(progress.bytes_resent));
        }
        text += ".";
    }
    if receipt.overwritten {
        text += " It replaced a file of the same name.";
    }
    text
}

#[cfg(test)]
mod tests {
    use partway::error::Code;

    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!((bytes(0), bytes(1023), bytes(1024)), ("0 bytes".into(), "1023 bytes".into(), "1.0 KiB".into()));
        assert_eq!(bytes(64 << 20), "64.0 MiB");
        assert_eq!((duration(1), duration(119_000), duration(120_000)), ("1 s".into(), "119 s".into(), "2 min".into()));
    }

    #[test]
    fn an_error_says_what_it_is_what_it_means_and_what_to_do() {
        let finished = Finished {
            id: Some("ID".to_owned()),
            resumable: true,
            ..Finished::refused("a.bin", ErrorInfo::new(Code::NameConflict, "the begin was refused"))
        };
        let (text, good) = super::finished(&finished);
        assert!(!good);
        for part in ["a.bin", "PW-4006", "the begin was refused", "The name is taken.", "--rename (force", "resume ID"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
