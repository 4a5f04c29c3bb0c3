//! `partway resume`

use partway::{
    client::{Change, Select, Snapshot},
    error::{Code, ErrorInfo},
};

use crate::{args::ResumeArgs, credential::Tokens, exit::Exit, output, run::Run, target::app_of, upload};

pub(crate) fn run(args: &ResumeArgs) -> Result<Exit, ErrorInfo> {
    let command = args.transfer.token_command.as_deref();
    let mut run = Run::open(&args.common, &args.transfer, Tokens::find(command))?;
    let wanted: Vec<Snapshot> = match args.ids.as_slice() {
        [] => run.client.list(&Select::All),
        ids => ids.iter().map(|id| known(&run, id)).collect::<Result<_, _>>()?,
    };
    let unfinished = || wanted.iter().filter(|snapshot| !snapshot.state.ended());
    for snapshot in unfinished() {
        Tokens::need(command, app_of(&snapshot.account).is_some())?;
    }
    for snapshot in unfinished() {
        let which = Select::one(&snapshot.id);
        if args.transfer.parallel.is_some() {
            let change = Change { parallel_parts: args.transfer.parallel, ..Change::default() };
            drop(run.client.change(&which, &change));
        }
        upload::wake(&run, &which, &snapshot.state);
    }
    if wanted.is_empty() && !args.common.json {
        output::note("There is nothing to resume.");
    }
    for snapshot in wanted {
        run.follow(snapshot.id, snapshot.destination);
    }
    Ok(run.go())
}

fn known(run: &Run, id: &str) -> Result<Snapshot, ErrorInfo> {
    run.client.snapshot(id).ok_or_else(|| ErrorInfo::new(Code::UnknownUpload, "an ID is not in the state directory"))
}
