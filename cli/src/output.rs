//! The one way to stdout.

use std::io::{self, IsTerminal, Write};

use partway::{client::Snapshot, error::ErrorInfo};
use serde::Serialize;

use crate::{
    bar::{Bars, Plain},
    exit::Exit,
    human,
    json::{Finished, FinishedLine, ProgressLine, StateLine},
};

/// What uploads do, as it was asked to be told.
pub(crate) enum Output {
    /// Lines for scripts, on stdout.
    Json,
    /// Bars, on a terminal.
    Bars(Bars),
    /// Lines for people.
    Plain(Plain),
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        match json {
            true => Output::Json,
            false if io::stderr().is_terminal() => Output::Bars(Bars::new()),
            false => Output::Plain(Plain::default()),
        }
    }

    /// The state changed.
    pub(crate) fn state(&mut self, label: &str, snapshot: &Snapshot) {
        match self {
            Output::Json => {
                json_line(&StateLine::new(snapshot));
            }
            Output::Bars(bars) => bars.update(label, snapshot),
            Output::Plain(plain) => plain.state(label, snapshot),
        }
    }

    /// Bytes moved.
    pub(crate) fn progress(&mut self, label: &str, snapshot: &Snapshot) {
        match self {
            Output::Json => {
                json_line(&ProgressLine::new(snapshot));
            }
            Output::Bars(bars) => bars.update(label, snapshot),
            Output::Plain(plain) => plain.progress(label, snapshot),
        }
    }

    /// The run of one upload is over. `false` when nobody can have read it.
    pub(crate) fn finished(&mut self, finished: &Finished) -> bool {
        let (text, good) = human::finished(finished);
        let print = || if good { line(&text) } else { note(&text) };
        match self {
            Output::Json => {
                if !good {
                    note(&text);
                }
                json_line(&FinishedLine::new(finished))
            }
            Output::Bars(bars) => {
                bars.finish(finished.id.as_deref());
                bars.aside(print)
            }
            Output::Plain(_) => print(),
        }
    }
}

/// The whole command was refused.
pub(crate) fn refused(json: bool, error: &ErrorInfo) -> Exit {
    if json {
        json_refused(error);
    }
    note(&format!("partway: {}", human::error(error)));
    Exit::of(error)
}

/// The same, only for scripts.
pub(crate) fn json_refused(error: &ErrorInfo) {
    json_line(&FinishedLine::new(&Finished::refused("", error.clone())));
}

/// One object for scripts; whether it could be written.
pub(crate) fn json_line(object: &impl Serialize) -> bool {
    serde_json::to_string(object).is_ok_and(|text| line(&text))
}

/// One line for whoever reads stdout; whether it could be written.
pub(crate) fn line(text: &str) -> bool {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_ok()
}

/// One line on stderr, for people; whether it could be written.
pub(crate) fn note(text: &str) -> bool {
    writeln!(io::stderr().lock(), "{text}").is_ok()
}
