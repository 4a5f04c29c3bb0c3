//! Which request of the protocol a request is.

use serde::{Deserialize, Serialize};

/// One of the sandbox's listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Plane {
    /// The service's API: begin, renew, confirm …
    Api,
    /// The storage behind it, which takes the bytes.
    Data,
    /// The sandbox's own interface, which no rule applies to and which is not logged.
    Control,
}

/// One of the services that the sandbox speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Service {
    /// Tencent Smart Media Hosting.
    Smh,
    /// Huawei KooDrive.
    Koodrive,
}

/// Which request of the protocol a request is. Named after what it does, not after its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Start of a multipart upload: `POST …/{path}?multipart`; KooDrive: `POST …/files/create`.
    Begin,
    /// Start of a simple upload: `PUT …/{path}`.
    SimpleBegin,
    /// Start of a form upload: `POST …/{path}`.
    FormBegin,
    /// One part to the data plane: `PUT {path}?partNumber&uploadId`, on KooDrive too.
    Part,
    /// A whole object to the data plane: `PUT {path}`.
    Put,
    /// A form to the data plane: `POST /`.
    Form,
    /// `POST …/{confirmKey}?renew`; KooDrive: `POST …/files/multipart/uploadUrl`.
    Renew,
    /// `GET …/{confirmKey}?upload`; KooDrive: `POST …/files/{fileId}/detail`.
    Task,
    /// `POST …/{confirmKey}?confirm`; KooDrive: `POST …/files/complete`.
    Confirm,
    /// `DELETE …/{confirmKey}?upload`
    Cancel,
    /// `HEAD …/{path}`
    Head,
    /// `PUT /api/v1/directory/…`
    Mkdir,
    /// `GET /api/v1/directory/…?info`
    Info,
    /// `/api/v1/token…`; KooDrive: `POST …/session/refresh`.
    Token,
    /// In a rule: every request. In the log: a request that is none of the others.
    Any,
}
