//! `partway sandbox`

use std::{
    io::{self, Write},
    path::Path,
    sync::mpsc,
};

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
    /// With TLS: the authority to trust, as PEM, for as long as the sandbox runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a Path>,
    koodrive: KooDrive<'a>,
}

/// What an upload to the other service needs; its API is at the same address.
#[derive(Serialize)]
struct KooDrive<'a> {
    container: &'a str,
    token: &'a str,
}

pub(crate) fn run(args: &SandboxArgs) -> Result<Exit, ErrorInfo> {
    let config = Config { listen: args.listen, api_port: args.port, tls: args.tls, ..Config::default() };
    let cloud =
        Sandbox::start(config).map_err(|error| usage(format!("the sandbox can't listen there: {}", error.kind())))?;
    let ca = cloud.ca_pem().map(written).transpose().map_err(|error| {
        ErrorInfo::new(Code::StateDirUnusable, format!("the authority can't be written: {}", error.kind()))
    })?;
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
        ca_file: ca.as_ref().map(tempfile::NamedTempFile::path),
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

/// In a file that goes with the sandbox.
fn written(pem: &str) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("partway-sandbox-").suffix(".pem").tempfile()?;
    file.write_all(pem.as_bytes())?;
    Ok(file)
}

fn tell(addresses: &Addresses<'_>) {
    let Addresses { api, data, control, library, space, token, ca_file, koodrive } = addresses;
    let ca_file = ca_file.map(Path::display);
    output::line(&format!("api      {api}"));
    output::line(&format!("data     {data}"));
    output::line(&format!("control  {control}"));
    output::line(&format!("library  {library}"));
    output::line(&format!("space    {space}"));
    output::line(&format!("token    {token}"));
    output::line(&format!("koodrive container {}, token {}", koodrive.container, koodrive.token));
    if let Some(path) = &ca_file {
        output::line(&format!("ca_file  {path}"));
    }
    let trust = ca_file.map(|path| format!(" --ca-file {path}")).unwrap_or_default();
    output::note(&format!(
        "\nTry it:\n  PARTWAY_TOKEN={token} partway upload FILE --service smh --endpoint {api} --library {library} --path demo/{trust}\nCtrl-C stops it; what it stored goes with it."
    ));
}
