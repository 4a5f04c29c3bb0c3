//! The command line of Partway: uploads that can be interrupted, for people and for scripts. It holds no upload logic.

mod args;
mod bar;
mod cancel;
mod client;
mod credential;
mod demo;
mod digest;
mod ending;
mod exit;
mod explain;
mod file;
mod human;
mod json;
mod kill_point;
mod list;
mod output;
mod remote;
mod resume;
mod run;
mod sandbox;
mod shell;
mod signals;
mod state_dir;
mod target;
mod upload;
mod words;

use std::process::ExitCode;

use args::Verb;

fn main() -> ExitCode {
    let command = match args::parse() {
        Ok(command) => command,
        Err(exit) => return exit.into(),
    };
    let json = command.verb.json();
    let result = match &command.verb {
        Verb::Upload(args) => upload::run(args),
        Verb::Resume(args) => resume::run(args),
        Verb::List(args) => list::run(args),
        Verb::Explain(args) => explain::run(args),
        Verb::Cancel(args) => cancel::run(args),
        Verb::Adopt(args) => upload::adopt(args),
        Verb::Digest(args) => digest::run(args),
        Verb::Sandbox(args) => sandbox::run(args),
        Verb::Demo(args) => demo::run(args),
    };
    let exit = result.unwrap_or_else(|error| output::refused(json, &error));
    shell::end_all();
    exit.into()
}
