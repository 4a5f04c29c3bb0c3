//! `partway upload`

use partway::{
    client::{Adopt, Change, How, Select, Source, UploadRequest},
    engine::{State, WaitReason},
    error::{Code, ErrorInfo},
    model::{InstantMode, OnChange},
};

use crate::{
    args::{AdoptArgs, UploadArgs},
    credential::Tokens,
    exit::{Exit, usage},
    file::LocalFile,
    run::Run,
    target,
    words::{InstantWord, OnChangeWord},
};

struct Planned {
    label: String,
    request: UploadRequest,
    /// Why the FILE can't be read now.
    fault: Option<ErrorInfo>,
}

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, ErrorInfo> {
    go(args, None)
}

/// `partway adopt`
pub(crate) fn adopt(args: &AdoptArgs) -> Result<Exit, ErrorInfo> {
    if args.upload.files.len() > 1 {
        return Err(usage("a CONFIRM_KEY is of one FILE"));
    }
    go(&args.upload, Some(&args.confirm_key))
}

fn go(args: &UploadArgs, confirm_key: Option<&str>) -> Result<Exit, ErrorInfo> {
    let several = args.files.len() > 1;
    let planned: Vec<Planned> = args
        .files
        .iter()
        .map(|file| plan(args, confirm_key, LocalFile::look(file), several))
        .collect::<Result<_, _>>()?;
    let tokens = Tokens::need(args.transfer.token_command.as_deref(), args.koodrive.app_id.is_some())?;
    let mut run = Run::open(&args.common, &args.transfer, tokens)?;
    start(&mut run, planned);
    Ok(run.go())
}

fn plan(args: &UploadArgs, confirm_key: Option<&str>, file: LocalFile, several: bool) -> Result<Planned, ErrorInfo> {
    let target = target::target(args, file.name(), file.metadata.as_ref().ok(), several)?;
    let key = target::key(&target, &file.path)?;
    let request = UploadRequest {
        conflict: target::conflict(args)?,
        on_change: match args.on_change {
            OnChangeWord::Fail => OnChange::Fail,
            OnChangeWord::Restart => OnChange::Restart,
        },
        instant: match args.instant {
            InstantWord::Auto => InstantMode::Auto,
            InstantWord::Always => InstantMode::Always,
            InstantWord::Off => InstantMode::Off,
        },
        verify_source: args.verify_source,
        adopt: confirm_key.map(|key| Adopt { confirm_key: key.to_owned(), part_size_bytes: None }),
        part_size_bytes: args.part_size,
        parallel_parts: args.transfer.parallel,
        ..UploadRequest::new(key, target, Source::path(&file.path))
    };
    Ok(Planned { label: file.label(), request, fault: file.metadata.err() })
}

/// Starts them together: one lock and one sync of the directory for all, however many there are.
fn start(run: &mut Run, planned: Vec<Planned>) {
    let mut requests = vec![];
    let ready: Vec<(String, Change, Ready)> = planned
        .into_iter()
        .map(|Planned { label, request, fault }| {
            let change = Change {
                parallel_parts: request.parallel_parts,
                conflict: Some(request.conflict.clone()),
                on_change: Some(request.on_change),
                ..Change::default()
            };
            let ready = match (fault, run.client.find(&request.key)) {
                (Some(fault), None) => Ready::Refused(fault),
                // Where the FILE is gone the upload that there is says so itself. An ending that nobody saw is told, and nothing is sent.
                (fault, Some(known)) if fault.is_some() || known.state.ended() => Ready::There(known.id),
                (_, _) => {
                    requests.push(request);
                    Ready::ToStart
                }
            };
            (label, change, ready)
        })
        .collect();
    let mut started = run.client.start_all(requests).into_iter();
    for (label, change, ready) in ready {
        let id = match ready {
            Ready::Refused(error) => Err(error),
            Ready::There(id) => Ok((id, How::AlreadyThere)),
            Ready::ToStart => match started.next() {
                Some(started) => started.map(|started| (started.id, started.how)),
                None => Err(ErrorInfo::new(Code::Bug, "a request without a result")),
            },
        };
        match id {
            Ok((id, how)) => {
                if how == How::AlreadyThere {
                    take_up(run, &id, &change);
                }
                run.follow(id, label);
            }
            Err(error) => run.refuse(label, error),
        }
    }
}

/// How a FILE comes to its upload.
enum Ready {
    Refused(ErrorInfo),
    There(String),
    ToStart,
}

/// What this run wants counts from here on.
fn take_up(run: &Run, id: &str, change: &Change) {
    let Some(snapshot) = run.client.snapshot(id) else { return };
    let which = Select::one(id);
    if snapshot.state.ended() {
        return;
    }
    // An upload that another process has can't be changed from here; the run ends there and says so.
    drop(run.client.change(&which, change));
    wake(run, &which, &snapshot.state);
}

/// Ends a pause, and waits that this run may be able to end.
pub(crate) fn wake(run: &Run, which: &Select, state: &State) {
    let sleeps = match state {
        State::Paused => true,
        State::Waiting { waiting } => !matches!(waiting.reason, WaitReason::Held | WaitReason::Elsewhere),
        _ => false,
    };
    if sleeps {
        run.client.resume(which);
    }
}
