//! `partway list`

use partway::{client::Select, error::ErrorInfo};

use crate::{
    args::{ListArgs, Transfer},
    client,
    credential::Tokens,
    exit::Exit,
    human,
    json::ListLine,
    output,
};

pub(crate) fn run(args: &ListArgs) -> Result<Exit, ErrorInfo> {
    let client = client::open(client::config(&args.common, &Transfer::default(), Tokens::None)?, None)?;
    let mut uploads = client.list(&Select::All);
    for snapshot in &mut uploads {
        client::look_elsewhere(&client, snapshot);
        if args.common.json {
            output::json_line(&ListLine::new(snapshot));
            continue;
        }
        let progress = snapshot.progress;
        let (done, total) = (human::bytes(progress.bytes_acknowledged), human::bytes(progress.bytes_total));
        let state = human::state(&snapshot.state);
        output::line(&format!(
            "{}  {:8}  {state:20}  {done} of {total}  {}",
            snapshot.id,
            snapshot.service.name(),
            snapshot.destination
        ));
    }
    if uploads.is_empty() && !args.common.json {
        output::note("There are no uploads.");
    }
    client.close(client::CLOSE_MS);
    Ok(Exit::Completed)
}
