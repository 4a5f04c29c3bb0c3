//! `partway sandbox`

use std::sync::mpsc;

use partway::error::{Code, ErrorInfo};
use partway_sandbox::{Config, Sandbox};
use serde::Serialize;

use crate::{args::SandboxArgs, exit::Exit, exit::usage, output, signals};

/// The space of a library with one tenant.
const SPACE: &str = "-";

#[derive(Serialize)]
struct Addresses<'a> {
    api: String,
    data: String,
    control: String,
    library: &'a str,
    space: &'a str,
    token: &'a str,
    koodrive: KooDrive<'a>,
}

/// What an upload to the other service needs; its API is at the same address.
#[derive(Serialize)]
struct KooDrive<'a> {
    container: &'a str,
    token: &'a str,
}

pub(crate) fn run(args: &SandboxArgs) -> Result<Exit, ErrorInfo> {
    let config = Config { listen: args.listen, api_port: args.port, ..Config::default() };
    let cloud =
        Sandbox::start(config).map_err(|error| usage(format!("the sandbox can't listen there: {}", error.kind())))?;
    let (stop, stopped) = mpsc::channel();
    signals::on_first(move || stop.send(()).unwrap_or_default())?;
    let config = cloud.config();
    let addresses = Addresses {
        api: cloud.api_url(),
        data: cloud.data_url(),
        control: cloud.control_url(),
        library: &config.library,
        space: SPACE,
        token: config.tokens.first().map_or("", String::as_str),
        koodrive: KooDrive {
            container: &config.koodrive.container,
            token: config.koodrive.tokens.first().map_or("", String::as_str),
        },
    };
    if args.common.json {
        output::json_line(&addresses);
    } else {
        tell(&addresses);
    }
    stopped.recv().map_err(|_| ErrorInfo::new(Code::Bug, "signals can't be received"))?;
    drop(cloud);
    Ok(Exit::Completed)
}

fn tell(addresses: &Addresses<'_>) {
    let Addresses { api, data, control, library, space, token, koodrive } = addresses;
    output::line(&format!("api      {api}"));
    output::line(&format!("data     {data}"));
    output::line(&format!("control  {control}"));
    output::line(&format!("library  {library}"));
    output::line(&format!("space    {space}"));
    output::line(&format!("token    {token}"));
    output::line(&format!("koodrive container {}, token {}", koodrive.container, koodrive.token));
    output::note(&format!(
        "\nTry it:\n  PARTWAY_TOKEN={token} partway upload FILE --service smh --endpoint {api} --library {library} --path demo/\nCtrl-C stops it; what it stored goes with it."
    ));
}
