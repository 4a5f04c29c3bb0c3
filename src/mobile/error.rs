//! What went wrong, for the host; and what a host's own code may throw back.

use super::number::{int, long};
use crate::error;

mirror! {
    /// Which part of the world an error comes from.
    Category of error::Category: out {
        /// The caller asked for something that can't be.
        Usage,
        /// The file to upload.
        Source,
        /// The way to the service.
        Network,
        /// The service's own answer.
        Service,
        /// What is kept on this device.
        State,
        /// The upload's or the client's life.
        Lifecycle,
        /// It can't be told whether the object exists.
        Unknown,
        /// A fault of the library.
        Bug,
    }
}

mirror! {
    /// What a program should do about an error.
    Disposition of error::Disposition: out {
        /// The same thing again, later.
        Retry,
        /// The upload from its beginning.
        Restart,
        /// Only a person, or the host in a person's name, can mend it.
        AskUser,
        /// Nothing helps.
        Final,
    }
}

mirror! {
    /// What a person should do: the keys of an app's translations. Closed and stable.
    Remedy of error::Remedy: out {
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
}

/// One error. None of its texts holds a token, a URL, a path or a user's name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ErrorInfo {
    /// The stable number, 1001 to 9999, that programs compare. A later version may know more of them.
    pub code: i32,
    /// The stable name, such as `quota_exceeded`.
    pub name: String,
    /// Which part of the world it comes from.
    pub category: Category,
    /// What a program should do.
    pub disposition: Disposition,
    /// What a person should do.
    pub remedy: Remedy,
    /// For developers: what happened, in one sentence.
    pub detail: String,
    /// The HTTP status behind it, if there was one.
    #[uniffi(default = None)]
    pub http_status: Option<i32>,
    /// The service's own word for it.
    #[uniffi(default = None)]
    pub service_code: Option<String>,
    /// The service's id of the request, for its support.
    #[uniffi(default = None)]
    pub request_id: Option<String>,
    /// When the service asked to come back.
    #[uniffi(default = None)]
    pub retry_after_ms: Option<i64>,
}

impl From<error::ErrorInfo> for ErrorInfo {
    fn from(info: error::ErrorInfo) -> ErrorInfo {
        let error::ErrorInfo { code, detail, http_status, service_code, request_id, retry_after_ms } = info;
        ErrorInfo {
            code: int(code.number()),
            name: code.name().to_owned(),
            category: code.category().into(),
            disposition: code.disposition().into(),
            remedy: code.remedy().into(),
            detail,
            http_status: http_status.map(i32::from),
            service_code,
            request_id,
            retry_after_ms: retry_after_ms.map(long),
        }
    }
}

/// What a call throws. The languages wrap it into their own one class.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
pub enum NativeError {
    /// It did not work.
    Failed {
        /// Why.
        info: ErrorInfo,
    },
}

impl From<error::ErrorInfo> for NativeError {
    fn from(info: error::ErrorInfo) -> NativeError {
        NativeError::Failed { info: info.into() }
    }
}

impl std::fmt::Display for NativeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let NativeError::Failed { info } = self;
        write!(f, "PW-{} {}: {}", info.code, info.name, info.detail)
    }
}

impl std::error::Error for NativeError {}

/// What the host's own code throws when it is called and can't.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
pub enum HostError {
    /// It could not. The words are for a developer and may be logged.
    Failed {
        /// What happened.
        detail: String,
    },
}

/// What else it may throw is not shown to anybody: it can hold anything.
impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> HostError {
        HostError::Failed { detail: "the host's own code threw something unexpected".to_owned() }
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let HostError::Failed { detail } = self;
        f.write_str(detail)
    }
}

impl std::error::Error for HostError {}

/// A host's own code that throws is to the facade what one that panics is: the call counts as unanswered, and a line of the log says so.
pub(super) fn heard(call: Result<(), HostError>) {
    if let Err(error) = call {
        std::panic::resume_unwind(Box::new(error));
    }
}

/// One row of the table of errors.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ErrorCode {
    /// The stable number.
    pub code: i32,
    /// The stable name.
    pub name: String,
    /// Which part of the world it comes from.
    pub category: Category,
    /// What a program should do.
    pub disposition: Disposition,
    /// What a person should do.
    pub remedy: Remedy,
    /// What it means, for people.
    pub meaning: String,
}

/// Every error that this version knows, by number. No I/O.
#[uniffi::export]
pub fn error_codes() -> Vec<ErrorCode> {
    let row = |code: &error::Code| ErrorCode {
        code: int(code.number()),
        name: code.name().to_owned(),
        category: code.category().into(),
        disposition: code.disposition().into(),
        remedy: code.remedy().into(),
        meaning: code.meaning().to_owned(),
    };
    error::Code::ALL.iter().map(row).collect()
}
