//! What goes wrong.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happens to a request that a [`Rule`](crate::Rule) hits. In JSON the variant is the value of `how` in snake case
/// and its fields stand beside it: `{"step":"part","how":"drop_body","after_bytes":1000}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// Close the connection without processing the request.
    DropBefore,
    /// Process the request, then close the connection without an answer.
    DropAfter,
    /// Close the connection once this many bytes of the request body were read. Nothing is processed.
    DropBody {
        /// Bytes of the body that are read before the connection closes.
        after_bytes: u64,
    },
    /// Process the request, write this many bytes of the answer (head included), then close.
    CutAnswer {
        /// Bytes of the answer that reach the client.
        after_bytes: u64,
    },
    /// Process the request, write this many bytes of the answer (head included), then nothing until the client goes.
    HalfAnswer {
        /// Bytes of the answer that reach the client.
        after_bytes: u64,
    },
    /// Read the body, then answer this.
    Status {
        /// The HTTP status.
        status: u16,
        /// The service's error code; without one the status' usual code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The service's error message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Headers beside the usual ones.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The whole body instead of the service's error body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Whether the request takes effect all the same.
        #[serde(default)]
        process: bool,
    },
    /// Answer at once without reading the body, then close in a way that lets the client see the answer.
    Early {
        /// The HTTP status.
        status: u16,
        /// The service's error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The service's error message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Headers beside the usual ones.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The whole body instead of the service's error body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// As [`How::Early`], then reset the connection with the body unread: most clients lose the answer.
    EarlyReset {
        /// The HTTP status.
        status: u16,
        /// The service's error code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The service's error message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Headers beside the usual ones.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// The whole body instead of the service's error body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// Wait, then process as usual.
    Delay {
        /// How long to wait.
        ms: u64,
    },
    /// Process, then write the answer this slowly.
    Trickle {
        /// Bytes of the answer a second.
        bytes_per_s: u64,
    },
    /// Read the body this slowly, then process as usual.
    SlowRead {
        /// Bytes of the body a second.
        bytes_per_s: u64,
    },
    /// Stop reading the body for ever after this many bytes; the connection stays until the client goes.
    Stall {
        /// Bytes of the body that are read.
        after_bytes: u64,
    },
    /// Read this many bytes of the body, then wait until the rule is removed, and go on as usual.
    Hold {
        /// Bytes of the body that are read before the wait.
        #[serde(default)]
        after_bytes: u64,
    },
    /// Process, then answer when the rule is removed.
    HoldAnswer,
    /// Process, then never answer; the connection stays until the client goes.
    StallAnswer,
    /// Reset the connection at once, processing nothing.
    Reset,
    /// Write these bytes instead of an HTTP answer, then close. Nothing is processed.
    Raw {
        /// The bytes, as text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The bytes, in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// Answer 200 with a body that never ends.
    EndlessBody,
    /// Answer 200 with headers that never end.
    EndlessHeaders,
    /// Answer 307 to somewhere else.
    Redirect {
        /// The `Location`.
        location: String,
    },
    /// Treat the signature as expired (data plane).
    Expire,
    /// Store the part with one bit flipped; crc64 and ETag are those of what was stored.
    Corrupt {
        /// Which bit of the body, from its start. Bit 0 by default.
        #[serde(default)]
        bit: u64,
    },
    /// Store well, report a wrong crc64.
    WrongCrc,
    /// Store well, report a wrong ETag.
    WrongEtag,
    /// Forget the upload that the request speaks of, then go on; a begin's own upload is forgotten after it.
    Forget,
    /// 403 `InvalidAccessToken`.
    RefuseToken,
    /// Process, then answer this body in place of the true one, with the true status.
    BodyOverride {
        /// The body, as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json: Option<Value>,
        /// The body, as text, for what is not JSON or is too deep to be said in JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

impl How {
    /// [`How::Status`] with the service's usual error body.
    pub fn status(status: u16, code: &str) -> Self {
        Self::Status {
            status,
            code: (!code.is_empty()).then(|| code.to_owned()),
            message: None,
            headers: BTreeMap::new(),
            body: None,
            process: false,
        }
    }

    /// [`How::Status`] with the page of a load balancer or portal: what answers is not the service.
    pub fn page(status: u16) -> Self {
        let headers = BTreeMap::from([("Content-Type".to_owned(), "text/html".to_owned())]);
        let body = Some(format!("<html><head><title>{status}</title></head><body>nginx</body></html>"));
        Self::Status { status, code: None, message: None, headers, body, process: false }
    }

    /// [`How::Early`] with the service's usual error body.
    pub fn early(status: u16, code: &str) -> Self {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Self::Early { status, code, message: None, headers: BTreeMap::new(), body: None }
    }

    /// [`How::EarlyReset`] with the service's usual error body.
    pub fn early_reset(status: u16, code: &str) -> Self {
        let code = (!code.is_empty()).then(|| code.to_owned());
        Self::EarlyReset { status, code, message: None, headers: BTreeMap::new(), body: None }
    }

    /// [`How::Raw`] with these bytes.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        use base64::Engine as _;
        Self::Raw { text: None, base64: Some(base64::engine::general_purpose::STANDARD.encode(bytes)) }
    }

    /// [`How::BodyOverride`] with this text.
    pub fn body_text(text: impl Into<String>) -> Self {
        Self::BodyOverride { json: None, text: Some(text.into()) }
    }

    /// [`How::BodyOverride`] with this JSON.
    pub fn body_json(json: Value) -> Self {
        Self::BodyOverride { json: Some(json), text: None }
    }

    /// [`How::BodyOverride`] with an array nested this deep.
    pub fn body_nested(depth: usize) -> Self {
        Self::body_text(format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
    }
}
