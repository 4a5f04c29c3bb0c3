//! `partway demo`: an upload that is killed half-way and continued, against the emulator in this process.

mod child;
mod content;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use partway::error::{Code, ErrorInfo};
use partway_sandbox::{Config, Sandbox, Step, StoredObject};
use serde::Serialize;

use crate::{args::DemoArgs, exit::Exit, file::LocalFile, human::bytes, output, signals, words::Service};
use child::{Child, Ended, Job};
use content::Content;

/// How long sending it once may take: long enough to be seen, short enough to be waited for.
const SENDING: Duration = Duration::from_secs(6);
const PARTS: u64 = 16;
const REMOTE_DIRECTORY: &str = "demo";

/// What it came to.
#[derive(Debug, Serialize)]
struct Report {
    verified: bool,
    killed: bool,
    bytes_total: u64,
    /// Of proven parts when the second run began: not sent again.
    bytes_kept: u64,
    bytes_resent: u64,
    /// Of both runs, as the service counted them.
    requests: usize,
    /// Upload sessions at the service.
    sessions: usize,
    objects: usize,
    sha256: Option<String>,
    crc64: Option<String>,
    seconds: f64,
}

pub(crate) fn run(args: &DemoArgs) -> Result<Exit, ErrorInfo> {
    let begun = Instant::now();
    signals::on_first(|| {})?;
    let dir = tempfile::Builder::new().prefix("partway-demo-").tempdir().map_err(|error| trouble(&error))?;
    let tell = |text: &str| {
        output::note(text);
    };
    let file = match &args.file {
        Some(file) => LocalFile::look(file),
        None => {
            tell(&format!("Making a file of {} …", bytes(content::GENERATED_BYTES)));
            LocalFile::look(&content::generate(dir.path())?)
        }
    };
    file.metadata?;
    let content = Content::read(&file.path)?;
    if content.size == 0 {
        return Err(crate::exit::usage("an empty file can't be interrupted; choose another one"));
    }
    let cloud = Sandbox::start(Config::default()).map_err(|error| trouble(&error))?;
    let place = Place::new(args.service, &file.path, &cloud);
    let job = job(&place, &file.path, dir.path(), &cloud, content.size);
    tell(&format!("A cloud of your own runs at {}. Uploading {} to it.", cloud.api_url(), bytes(content.size)));

    let first = Child::spawn(&job)?.until(|progress| progress.done >= content.size.div_ceil(2))?;
    if signals::seen() {
        return Ok(Exit::Interrupted);
    }
    let killed = first.finished.is_none();
    let second = if killed {
        tell(&format!(
            "Killed (kill -9) with {} of {} proven: {} parts are in its journal. Running the same command again.",
            bytes(first.last.done),
            bytes(content.size),
            first.last.done.div_ceil(job.part_size_bytes),
        ));
        Child::spawn(&job)?.until(|_| false)?
    } else {
        tell("It was done before it could be killed; a larger file shows more.");
        first
    };
    if signals::seen() {
        return Ok(Exit::Interrupted);
    }
    let report = report(&cloud, &place, &content, killed, &second, begun);
    let good = report.verified && report.sessions == 1 && report.objects == 1;
    if args.common.json {
        output::json_line(&report);
    }
    match &second.error {
        Some(error) => tell(&format!("The upload failed: {error}")),
        None if args.common.json => {}
        None => tell_report(&report),
    }
    Ok(if good { Exit::Completed } else { Exit::Failed })
}

/// Where the file goes to, as that service has it.
struct Place {
    args: Vec<String>,
    token: String,
    space: String,
    path: String,
    /// The least that it takes.
    part_size_bytes_min: u64,
}

impl Place {
    fn new(service: Service, file: &Path, cloud: &Sandbox) -> Place {
        let config = cloud.config();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match service {
            Service::Smh => {
                let path = format!("{REMOTE_DIRECTORY}/{name}");
                let library = ["--service", "smh", "--library", &config.library];
                Place {
                    args: words(&[&library[..], &["--path", &path, "--conflict", "overwrite"]].concat()),
                    token: config.tokens.first().cloned().unwrap_or_default(),
                    space: "-".to_owned(),
                    path,
                    part_size_bytes_min: 1 << 20,
                }
            }
            Service::Koodrive => Place {
                args: words(&["--service", "koodrive", "--container", &config.koodrive.container, "--name", &name]),
                token: config.koodrive.tokens.first().cloned().unwrap_or_default(),
                space: config.koodrive.container.clone(),
                path: name,
                part_size_bytes_min: 5 << 20,
            },
        }
    }
}

fn job(place: &Place, file: &Path, dir: &Path, cloud: &Sandbox, size: u64) -> Job {
    let least = place.part_size_bytes_min;
    Job {
        file: file.to_owned(),
        state_dir: dir.join("state"),
        endpoint: cloud.api_url(),
        place: place.args.clone(),
        token: place.token.clone(),
        part_size_bytes: (size / PARTS).next_multiple_of(1 << 20).max(least),
        rate_bytes_per_s: (size / SENDING.as_secs()).max(1),
        size,
    }
}

fn report(cloud: &Sandbox, place: &Place, content: &Content, killed: bool, last: &Ended, begun: Instant) -> Report {
    let objects = cloud.objects();
    let same = |object: &StoredObject| {
        object.size == content.size
            && Some(object.crc64.to_string()) == content.crc64
            && object.sha256.is_some()
            && object.sha256 == content.sha256
    };
    let stored = cloud.object(&place.space, &place.path);
    Report {
        verified: last.finished.as_deref() == Some("completed") && stored.as_ref().is_some_and(same),
        killed,
        bytes_total: content.size,
        bytes_kept: if killed { last.first.done } else { 0 },
        bytes_resent: last.bytes_resent,
        requests: cloud.log().len(),
        sessions: cloud
            .log()
            .iter()
            .filter(|entry| entry.step == Step::Begin && entry.status.is_some_and(|s| s < 300))
            .count(),
        objects: objects.len(),
        sha256: stored.as_ref().and_then(|object| object.sha256.clone()),
        crc64: stored.as_ref().map(|object| object.crc64.to_string()),
        seconds: begun.elapsed().as_secs_f64(),
    }
}

fn tell_report(report: &Report) {
    let Report { bytes_total, bytes_kept, bytes_resent, requests, sessions, objects, .. } = report;
    if report.killed {
        output::line(&format!(
            "The second run kept {} of {} and sent {} again: what was in flight when the first was killed.",
            bytes(*bytes_kept),
            bytes(*bytes_total),
            bytes(*bytes_resent),
        ));
    }
    output::line(&format!("The service saw {requests} requests, {sessions} upload session, and has {objects} object."));
    match (&report.sha256, report.verified) {
        (Some(sha256), true) => output::line(&format!(
            "Verified: size, CRC-64 and SHA-256 of what is stored are those of the file ({sha256}). {:.0} s in all.",
            report.seconds
        )),
        _ => output::line("NOT verified: what is stored is not the file."),
    };
}

/// Something on this machine is in the way of a demonstration.
fn trouble(error: &std::io::Error) -> ErrorInfo {
    ErrorInfo::new(Code::StateDirUnusable, format!("the demo can't be set up here: {}", error.kind()))
}
