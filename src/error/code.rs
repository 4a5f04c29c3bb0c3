//! The table of error codes. A number is never reused; docs/errors.md is written from this table.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::from_json::{FromJson, from_json};

/// Which part of the world an error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The caller asked for something that can't be.
    Usage,
    /// The file to upload.
    Source,
    /// The way to the service.
    Network,
    /// The service's own answer.
    Service,
    /// What we keep on this device.
    State,
    /// The upload's or the client's life.
    Lifecycle,
    /// It can't be told whether the object exists.
    Unknown,
    /// Ours.
    Bug,
}

/// What a program should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The same thing again, later.
    Retry,
    /// The upload from its beginning.
    Restart,
    /// Only a person, or the host in a person's name, can mend it.
    AskUser,
    /// Nothing helps.
    Final,
}

/// What a person should do: the app's translation keys. Closed and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// Wait until the device is online.
    WaitForNetwork,
    /// Try again later.
    TryLater,
    /// Sign in again.
    SignInAgain,
    /// Ask the owner of the space for access.
    AskForAccess,
    /// Free space in the cloud.
    FreeCloudSpace,
    /// Free space on the device.
    FreeDeviceSpace,
    /// Choose the file again.
    ChooseFileAgain,
    /// Choose another name.
    ChooseOtherName,
    /// Say what to do about the name that is taken.
    AnswerConflict,
    /// Update the app.
    UpdateApp,
    /// Contact support.
    ContactSupport,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order of its declaration.
            pub const ALL: &[$type] = &[$($type::$variant),+];

            /// The stable word for it.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }
    };
}

words!(Category { Usage = "usage", Source = "source", Network = "network", Service = "service", State = "state", Lifecycle = "lifecycle", Unknown = "unknown", Bug = "bug" });
words!(Disposition { Retry = "retry", Restart = "restart", AskUser = "ask_user", Final = "final" });
words!(Remedy {
    None = "none",
    WaitForNetwork = "wait_for_network",
    TryLater = "try_later",
    SignInAgain = "sign_in_again",
    AskForAccess = "ask_for_access",
    FreeCloudSpace = "free_cloud_space",
    FreeDeviceSpace = "free_device_space",
    ChooseFileAgain = "choose_file_again",
    ChooseOtherName = "choose_other_name",
    AnswerConflict = "answer_conflict",
    UpdateApp = "update_app",
    ContactSupport = "contact_support",
});

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $category:ident, $disposition:ident, $remedy:ident, $meaning:literal;)+) => {
        /// The stable code of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $meaning] $variant),+ }

        impl Code {
            /// Every code, by number.
            pub const ALL: &[Code] = &[$(Code::$variant),+];

            /// The number that programs compare.
            pub fn number(self) -> u32 {
                match self { $(Code::$variant => $number),+ }
            }

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),+ }
            }

            /// Which part of the world it comes from.
            pub fn category(self) -> Category {
                match self { $(Code::$variant => Category::$category),+ }
            }

            /// What a program should do.
            pub fn disposition(self) -> Disposition {
                match self { $(Code::$variant => Disposition::$disposition),+ }
            }

            /// What a person should do.
            pub fn remedy(self) -> Remedy {
                match self { $(Code::$variant => Remedy::$remedy),+ }
            }

            /// What it means, for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning),+ }
            }
        }
    };
}

codes! {
    InvalidArgument      = 1001, "invalid_argument",       Usage, Final, None, "An argument can't be used as given.";
    PartSizeUnusable     = 1002, "part_size_unusable",     Usage, Final, None, "The part size can't work for this file at this service.";
    Unsupported          = 1003, "unsupported",            Usage, Final, UpdateApp, "This service or this version can't do that.";
    UnknownUpload        = 1004, "unknown_upload",         Usage, Final, None, "There is no upload of that id.";
    SourceNotFound       = 2001, "source_not_found",       Source, AskUser, ChooseFileAgain, "The file is not where it was.";
    SourceDenied         = 2002, "source_denied",          Source, AskUser, ChooseFileAgain, "The file may not be read at the moment.";
    SourceChanged        = 2003, "source_changed",         Source, AskUser, ChooseFileAgain, "The file's content changed since the upload began.";
    SourceNotSeekable    = 2004, "source_not_seekable",    Source, Final, ChooseFileAgain, "The source can't be read from the middle; copy it to a file first.";
    SourceUnreadable     = 2005, "source_unreadable",      Source, AskUser, ChooseFileAgain, "Reading the file failed.";
    SourceTooLarge       = 2006, "source_too_large",       Source, Final, None, "The file is larger than the service takes.";
    Offline              = 3001, "offline",                Network, Retry, WaitForNetwork, "The device is offline.";
    ResolveFailed        = 3002, "resolve_failed",         Network, Retry, WaitForNetwork, "The service's address was not found.";
    ConnectFailed        = 3003, "connect_failed",         Network, Retry, WaitForNetwork, "The service could not be reached.";
    TlsFailed            = 3004, "tls_failed",             Network, AskUser, ContactSupport, "The connection could not be secured.";
    ConnectionCut        = 3005, "connection_cut",         Network, Retry, WaitForNetwork, "The connection broke off.";
    Stalled              = 3006, "stalled",                Network, Retry, WaitForNetwork, "Nothing moved for too long.";
    AnswerMalformed      = 3007, "answer_malformed",       Network, Retry, TryLater, "The answer was not understood; something between the device and the service may have changed it.";
    AnswerTooLarge       = 3008, "answer_too_large",       Network, Retry, TryLater, "The answer was larger than any honest one.";
    ProxyFailed          = 3009, "proxy_failed",           Network, AskUser, WaitForNetwork, "The proxy could not be used.";
    RedirectRefused      = 3010, "redirect_refused",       Network, Retry, TryLater, "The service pointed elsewhere; signed requests are never redirected.";
    NetworkNotAllowed    = 3011, "network_not_allowed",    Network, Retry, WaitForNetwork, "The network that there is may not be used for this upload.";
    ServiceBusy          = 4001, "service_busy",           Service, Retry, TryLater, "The service asked to slow down.";
    ServiceError         = 4002, "service_error",          Service, Retry, TryLater, "The service failed inside.";
    CredentialRefused    = 4003, "credential_refused",     Service, AskUser, SignInAgain, "The service refused the credential.";
    PermissionDenied     = 4004, "permission_denied",      Service, AskUser, AskForAccess, "The account may not do that there.";
    QuotaExceeded        = 4005, "quota_exceeded",         Service, AskUser, FreeCloudSpace, "The cloud space is full.";
    NameConflict         = 4006, "name_conflict",          Service, AskUser, AnswerConflict, "The name is taken.";
    ParentMissing        = 4007, "parent_missing",         Service, AskUser, ChooseOtherName, "The directory to upload to does not exist.";
    NameRefused          = 4008, "name_refused",           Service, Final, ChooseOtherName, "The service does not take this name.";
    SessionGone          = 4009, "session_gone",           Service, Restart, TryLater, "The service forgot the upload.";
    LinkRefused          = 4010, "link_refused",           Service, Retry, TryLater, "The service refused its own signed link.";
    IntegrityFailed      = 4011, "integrity_failed",       Service, Restart, ContactSupport, "What arrived is not what was sent.";
    PartsMissing         = 4012, "parts_missing",          Service, Retry, TryLater, "The service misses parts that were sent.";
    ContentRefused       = 4013, "content_refused",        Service, Final, None, "The service does not take this content.";
    RequestRefused       = 4014, "request_refused",        Service, Final, ContactSupport, "The service refused the request.";
    PaymentRequired      = 4015, "payment_required",       Service, Final, ContactSupport, "The service's account is in arrears.";
    VersionConflict      = 4016, "version_conflict",       Service, AskUser, AnswerConflict, "The file in the cloud is not the version to be replaced.";
    SpaceNotFound        = 4017, "space_not_found",        Service, Final, ContactSupport, "The library, space or container does not exist or is closed.";
    StateDirUnusable     = 5001, "state_dir_unusable",     State, Final, FreeDeviceSpace, "The state directory can't be written.";
    DiskFull             = 5002, "disk_full",              State, Retry, FreeDeviceSpace, "The device has no space left for the journal.";
    JournalCorrupt       = 5003, "journal_corrupt",        State, Final, ContactSupport, "An upload's journal is damaged; it was set aside.";
    JournalVersion       = 5004, "journal_version",        State, Final, UpdateApp, "An upload's journal was written by a newer version.";
    InUse                = 5005, "in_use",                 State, Retry, TryLater, "Another process works on this upload.";
    JournalUnwritable    = 5006, "journal_unwritable",     State, Retry, FreeDeviceSpace, "The journal can't be written.";
    Cancelled            = 6001, "cancelled",              Lifecycle, Final, None, "The upload was cancelled.";
    Closed               = 6002, "closed",                 Lifecycle, Retry, None, "The client is closed.";
    GaveUp               = 6003, "gave_up",                Lifecycle, Restart, TryLater, "The upload's own time ran out.";
    WrongState           = 6004, "wrong_state",            Lifecycle, Final, None, "The upload is not in a state for that.";
    OutcomeUnknown       = 7001, "outcome_unknown",        Unknown, AskUser, ContactSupport, "Whether the object exists can't be told; look before uploading again.";
    Bug                  = 9001, "bug",                    Bug, Final, ContactSupport, "A fault of the library itself.";
}

impl Code {
    /// The code of a number; an unknown number (a later version's) is read as [`Code::Bug`].
    pub fn from_number(number: u32) -> Code {
        Code::ALL.iter().copied().find(|code| code.number() == number).unwrap_or(Code::Bug)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.number())
    }
}

impl FromJson for Code {
    fn from_json(value: Value) -> Option<Self> {
        u32::from_json(value).map(Code::from_number)
    }
}

from_json!(serde Code);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_say_their_category() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        let first = ["usage", "source", "network", "service", "state", "lifecycle", "unknown", "", "bug"];
        for code in Code::ALL {
            assert_eq!(code.category().name(), first[(code.number() / 1000 - 1) as usize], "{}", code.name());
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn a_code_survives_the_journal() {
        for code in Code::ALL {
            let text = serde_json::to_string(code).expect("a number");
            assert_eq!(serde_json::from_str::<Code>(&text).expect("a code"), *code);
        }
    }
}
