//! What a run comes to, as a number for scripts.

use std::process::ExitCode;

use partway::error::{Category, Code, ErrorInfo};

/// The end of a run; of several uploads the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All that was wanted was done.
    Completed,
    /// A signal stopped it; what was done is kept.
    Interrupted,
    /// Nothing was sent: what was asked for can't be.
    Usage,
    /// It went wrong.
    Failed,
}

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Exit::Completed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 3,
        }
    }

    /// What an error before any request comes to.
    pub(crate) fn of(error: &ErrorInfo) -> Exit {
        if error.category() == Category::Usage { Exit::Usage } else { Exit::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}

/// An argument can't be used.
pub(crate) fn usage(detail: impl Into<String>) -> ErrorInfo {
    ErrorInfo::new(Code::InvalidArgument, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_counts() {
        let worst = |exits: &[Exit]| exits.iter().max().map(|exit| exit.number());
        assert_eq!(worst(&[Exit::Completed, Exit::Interrupted]), Some(3));
        assert_eq!(worst(&[Exit::Interrupted, Exit::Failed]), Some(1));
        assert_eq!(worst(&[Exit::Usage, Exit::Failed, Exit::Completed]), Some(1), "a 2 says that nothing was sent");
        assert_eq!(Exit::of(&usage("x")), Exit::Usage);
        assert_eq!(Exit::of(&ErrorInfo::new(Code::SourceNotFound, "x")), Exit::Failed);
    }
}
