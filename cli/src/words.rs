//! The words that options take.

use clap::ValueEnum;

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Service {
    Smh,
    Koodrive,
}

/// When the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConflictWord {
    Ask,
    Rename,
    Overwrite,
}

/// How SMH takes the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeWord {
    Auto,
    Simple,
    Form,
    Multipart,
}

/// When the name is taken, as KooDrive has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RenameWord {
    Force,
    Refuse,
    Auto,
}

/// Which edition of KooDrive answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EditionWord {
    Current,
    #[value(name = "international-2024")]
    International2024,
    Carrier,
}

/// Whether to have the content recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InstantWord {
    Auto,
    Always,
    Off,
}

/// When the content changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnChangeWord {
    Fail,
    Restart,
}
