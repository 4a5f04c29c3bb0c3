//! What can be said on the command line.

use std::{env, ffi::OsStr, path::PathBuf};

use clap::{Args, Parser, Subcommand, error::ErrorKind};

use crate::{
    exit::{Exit, usage},
    output,
    words::{ConflictWord, EditionWord, InstantWord, ModeWord, OnChangeWord, RenameWord, Service},
};

/// Uploads files to cloud drives; run the same command again after any interruption and it continues.
#[derive(Debug, Parser)]
#[command(name = "partway", version, disable_help_subcommand = true)]
pub(crate) struct Command {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Upload files; run again after an interruption to continue
    Upload(Box<UploadArgs>),
    /// Continue unfinished uploads
    Resume(ResumeArgs),
    /// List uploads that are not forgotten
    List(ListArgs),
    /// Say where an upload stands, what blocks it and when it is tried again
    Explain(ExplainArgs),
    /// Stop an upload, abort it at the service where that can be done, and forget it
    Cancel(CancelArgs),
    /// Continue an upload that another SDK began (SMH)
    Adopt(AdoptArgs),
    /// Print the digests of a file that the services ask for
    Digest(DigestArgs),
    /// Run the local emulator in the foreground
    Sandbox(SandboxArgs),
    /// Show an upload being killed and continued; needs no account
    Demo(DemoArgs),
}

impl Verb {
    /// Whether machine output is wanted.
    pub(crate) fn json(&self) -> bool {
        match self {
            Verb::Upload(args) => args.common.json,
            Verb::Resume(args) => args.common.json,
            Verb::List(args) => args.common.json,
            Verb::Explain(args) => args.common.json,
            Verb::Cancel(args) => args.common.json,
            Verb::Adopt(args) => args.upload.common.json,
            Verb::Digest(args) => args.common.json,
            Verb::Sandbox(args) => args.common.json,
            Verb::Demo(args) => args.common.json,
        }
    }
}

/// What every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// Where journals live [default: the platform's state directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// One JSON object a line on stdout, nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

/// How bytes travel, for every verb that talks to a service.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Transfer {
    /// Run by the shell whenever a credential is needed; its stdout is the credential [default: PARTWAY_TOKEN]
    #[arg(long, value_name = "CMD")]
    pub(crate) token_command: Option<String>,
    /// Further trusted certificates
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Option<PathBuf>,
    /// http://[user:password@]host:port
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Parts that are sent at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) parallel: Option<u32>,
    /// Bytes a second over all uploads; 0: no limit
    #[arg(long, value_name = "BYTES_PER_S")]
    pub(crate) limit_rate: Option<u64>,
}

/// `partway upload`
#[derive(Args, Debug)]
pub(crate) struct UploadArgs {
    /// What to upload
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Which cloud
    #[arg(long, value_enum)]
    pub(crate) service: Service,
    /// https://host; http:// makes the data plane http too
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: String,
    #[command(flatten)]
    pub(crate) smh: SmhArgs,
    #[command(flatten)]
    pub(crate) koodrive: KooDriveArgs,
    /// Acts as that user
    #[arg(long, value_name = "ID")]
    pub(crate) user_id: Option<String>,
    /// Try to have the service recognise the content
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) instant: InstantWord,
    /// Every part but the last
    #[arg(long, value_name = "BYTES")]
    pub(crate) part_size: Option<u64>,
    /// Compare what was sent with a digest pass
    #[arg(long)]
    pub(crate) verify_source: bool,
    /// When the file's content changed since the upload began
    #[arg(long, value_enum, default_value = "fail")]
    pub(crate) on_change: OnChangeWord,
    #[command(flatten)]
    pub(crate) transfer: Transfer,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A place at SMH.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "SMH")]
pub(crate) struct SmhArgs {
    /// The library
    #[arg(long, value_name = "ID")]
    pub(crate) library: Option<String>,
    /// The space [default: -]
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) space: Option<String>,
    /// Where to; a directory with several FILEs or a / at its end
    #[arg(long, value_name = "REMOTE")]
    pub(crate) path: Option<String>,
    /// When the name is taken [default: rename]
    #[arg(long, value_enum)]
    pub(crate) conflict: Option<ConflictWord>,
    /// How the bytes travel [default: auto]
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeWord>,
    /// The speed that the service allows the signed links
    #[arg(long, value_name = "BYTES_PER_S")]
    pub(crate) traffic_limit: Option<u64>,
    /// The storage domain of the file to be replaced, if it can be had
    #[arg(long)]
    pub(crate) prefer_same_origin: bool,
    /// Metadata; repeatable
    #[arg(long, value_name = "K=V")]
    pub(crate) meta: Vec<String>,
    /// A label; repeatable
    #[arg(long, value_name = "L")]
    pub(crate) label: Vec<String>,
    /// The category
    #[arg(long, value_name = "C")]
    pub(crate) category: Option<String>,
    /// Overwrite only this version
    #[arg(long, value_name = "TAG")]
    pub(crate) content_cas: Option<String>,
    /// Don't tell the file's creation and modification times
    #[arg(long)]
    pub(crate) no_times: bool,
    /// Don't create a missing parent directory
    #[arg(long)]
    pub(crate) no_create_parents: bool,
    /// The deployment that signs each part
    #[arg(long)]
    pub(crate) private: bool,
}

/// A place at KooDrive.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "KooDrive")]
pub(crate) struct KooDriveArgs {
    /// The container
    #[arg(long, value_name = "ID")]
    pub(crate) container: Option<String>,
    /// The folder [default: root]
    #[arg(long, value_name = "FOLDER_ID")]
    pub(crate) parent: Option<String>,
    /// The name [default: the file's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// When the name is taken [default: force]
    #[arg(long, value_enum)]
    pub(crate) rename: Option<RenameWord>,
    /// The service's number for the kind of file
    #[arg(long, value_name = "N")]
    pub(crate) file_type: Option<u32>,
    /// A shared folder
    #[arg(long, value_name = "ID")]
    pub(crate) shared_folder: Option<String>,
    /// Of the service's messages
    #[arg(long, value_name = "L")]
    pub(crate) language: Option<String>,
    /// Which edition answers there: they disagree about names and times [default: current]
    #[arg(long, value_enum)]
    pub(crate) edition: Option<EditionWord>,
    /// The application; its secret comes from PARTWAY_APP_SECRET
    #[arg(long, value_name = "ID")]
    pub(crate) app_id: Option<String>,
}

/// `partway resume`
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// Which; all without one
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) transfer: Transfer,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway list`
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway explain`
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// Which
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Also ask the service
    #[arg(long)]
    pub(crate) remote: bool,
    #[command(flatten)]
    pub(crate) transfer: Transfer,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway cancel`
#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// Which
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) transfer: Transfer,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway adopt`
#[derive(Args, Debug)]
pub(crate) struct AdoptArgs {
    /// The handle of the upload that another SDK began
    #[arg(value_name = "CONFIRM_KEY")]
    pub(crate) confirm_key: String,
    #[command(flatten)]
    pub(crate) upload: Box<UploadArgs>,
}

/// `partway digest`
#[derive(Args, Debug)]
pub(crate) struct DigestArgs {
    /// Of what
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Also the midstates of SHA-256 at the parts' boundaries
    #[arg(long, value_name = "N")]
    pub(crate) part_size: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway sandbox`
#[derive(Args, Debug)]
pub(crate) struct SandboxArgs {
    /// The API's port; 0 picks one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// The address to listen on; another one than this lets other devices in
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub(crate) listen: std::net::IpAddr,
    /// HTTPS, from an authority of its own, whose certificate is in `ca_file`
    #[arg(long)]
    pub(crate) tls: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `partway demo`
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// What to upload [default: 64 MiB made for the purpose]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// To which service's emulator
    #[arg(long, value_enum, default_value = "smh")]
    pub(crate) service: Service,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Reads the command line. What can't be read is told here, in the form that was asked for.
pub(crate) fn parse() -> Result<Command, Exit> {
    Command::try_parse().map_err(|error| {
        // Nothing can be done about a help text that can't be written.
        drop(error.print());
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Exit::Completed;
        }
        // Without a parsed command this is the best that can be known of what form is wanted.
        let json =
            env::args_os().skip(1).take_while(|arg| arg != OsStr::new("--")).any(|arg| arg == OsStr::new("--json"));
        if json {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            output::json_refused(&usage(first.strip_prefix("error: ").unwrap_or(first)));
        }
        Exit::Usage
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn everything_in_the_contract_parses() {
        let line = "partway upload a b --service smh --endpoint https://h --library L --space - --path d/ --conflict ask \
            --mode multipart --user-id U --traffic-limit 1 --prefer-same-origin --meta a=b --meta c=d --label x --label y \
            --category c --content-cas t --no-times --no-create-parents --private --instant off --part-size 4194304 \
            --parallel 3 --limit-rate 9 --proxy http://p:1 --ca-file f --verify-source --on-change restart --state-dir s \
            --token-command cmd --json";
        let command = Command::try_parse_from(line.split_whitespace()).expect("an upload");
        assert!(command.verb.json());
        let Verb::Upload(args) = command.verb else { panic!("not an upload") };
        assert_eq!((args.files.len(), args.smh.meta.len(), args.smh.space.as_deref()), (2, 2, Some("-")));
        let koodrive = "partway upload a --service koodrive --endpoint https://h --container C --parent root --name n --rename force \
            --user-id U --file-type 3 --shared-folder F --language en --app-id A --edition international-2024";
        Command::try_parse_from(koodrive.split_whitespace()).expect("a KooDrive upload");
        for line in [
            "partway resume --token-command c --ca-file f --proxy p --parallel 1 --limit-rate 0",
            "partway resume A B --json --state-dir d",
            "partway list --json",
            "partway explain ID --remote --token-command c --json",
            "partway cancel ID --ca-file f",
            "partway adopt KEY a --service smh --endpoint https://h --library L --path p",
            "partway digest f --part-size 64 --json --state-dir d",
            "partway sandbox --port 0 --listen 0.0.0.0 --tls --json",
            "partway demo",
            "partway demo f --json",
            "partway demo --service koodrive",
        ] {
            Command::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn a_token_is_no_argument() {
        let line = "partway upload a --service smh --endpoint https://h --token abc";
        assert!(Command::try_parse_from(line.split_whitespace()).is_err());
    }
}
