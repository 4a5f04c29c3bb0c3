//! The service's way of saying no.

use serde_json::json;

use crate::answer::Answer;
use crate::faults::Plane;
use crate::store::NotTaken;

/// The service's way of saying no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn param(message: impl Into<String>) -> Self {
        Self::new(400, "ParamInvalid", message)
    }

    /// Something broke in the sandbox itself, a full disk for one.
    pub(crate) fn broken(error: &std::io::Error) -> Self {
        Self::new(500, "InternalServerError", format!("sandbox: {error}"))
    }

    /// JSON on the API (smh §11.1), XML on the data plane (smh §4.4).
    pub(crate) fn answer(&self, plane: Plane, path: &str, request_id: &str, as_200: bool) -> Answer {
        if plane == Plane::Data {
            let body = format!(
                "<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n<Code>{}</Code>\n<Message>{}</Message>\n\
                 <Resource>{}</Resource>\n<RequestId>{request_id}</RequestId>\n<TraceId>{request_id}</TraceId>\n</Error>\n",
                escaped(&self.code),
                escaped(&self.message),
                escaped(path),
            );
            return Answer::text(self.status, "application/xml", body);
        }
        let mut body = json!({ "code": self.code, "message": self.message, "requestId": request_id });
        let status = if as_200 {
            body["status"] = self.status.into();
            200
        } else {
            self.status
        };
        Answer::json(status, &body)
    }
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        let (status, code, message) = why.told();
        Self::new(status, code, message)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The usual code of a status, for faults that name none.
pub(crate) fn usual_code(plane: Plane, status: u16) -> &'static str {
    match (plane, status) {
        (Plane::Data, 400) => "RequestTimeout",
        (Plane::Data, 403) => "AccessDenied",
        (Plane::Data, 404) => "NoSuchUpload",
        (Plane::Data, 409) => "UploadConflict",
        (Plane::Data, 503) => "SlowDown",
        (Plane::Data, _) => "InternalError",
        (_, 400) => "BadRequest",
        (_, 401 | 403) => "NoPermission",
        (_, 404) => "UploadNotFound",
        (_, 408) => "ReadRequestTimeout",
        (_, 409) => "SameNameDirectoryOrFileExists",
        (_, 413) => "RequestEntityTooLarge",
        (_, 429) => "RateLimitExceeded",
        (_, 451) => "SensitiveContentRecognized",
        (_, 503) => "ServerOverloaded",
        _ => "InternalServerError",
    }
}
