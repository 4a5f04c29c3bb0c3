//! Where an upload goes to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::from_json::{FromJson, from_json};

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// Tencent Smart Media Hosting.
    Smh,
    /// Huawei KooDrive.
    KooDrive,
}

from_json!(enum ServiceName { "smh" = Smh, "koodrive" = KooDrive });

impl ServiceName {
    /// The word that the command line and journals use.
    pub fn name(self) -> &'static str {
        match self {
            ServiceName::Smh => "smh",
            ServiceName::KooDrive => "koodrive",
        }
    }
}

/// A destination. One variant a service; only `service::open` looks inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "service", rename_all = "lowercase")]
pub enum Target {
    /// Tencent Smart Media Hosting.
    Smh(SmhTarget),
    /// Huawei KooDrive.
    KooDrive(KooDriveTarget),
}

impl FromJson for Target {
    fn from_json(value: Value) -> Option<Self> {
        match ServiceName::from_json(value.get("service")?.clone())? {
            ServiceName::Smh => SmhTarget::from_json(value).map(Target::Smh),
            ServiceName::KooDrive => KooDriveTarget::from_json(value).map(Target::KooDrive),
        }
    }
}

from_json!(serde Target);

impl Target {
    /// Which service it is.
    pub fn service(&self) -> ServiceName {
        match self {
            Target::Smh(_) => ServiceName::Smh,
            Target::KooDrive(_) => ServiceName::KooDrive,
        }
    }

    /// Where to, for people. Not for logs: it holds names.
    pub fn destination(&self) -> String {
        match self {
            Target::Smh(smh) => format!("{}/{}/{}", smh.library, smh.space, smh.path.trim_start_matches('/')),
            Target::KooDrive(koo) => format!("{}/{}/{}", koo.container, koo.parent, koo.name),
        }
    }

    /// `https://host[:port]` of the service.
    pub fn endpoint(&self) -> &str {
        match self {
            Target::Smh(smh) => &smh.endpoint,
            Target::KooDrive(koo) => &koo.endpoint,
        }
    }

    /// The account whose credential it needs.
    pub fn account(&self) -> &str {
        match self {
            Target::Smh(smh) => &smh.account,
            Target::KooDrive(koo) => &koo.account,
        }
    }
}

/// How SMH takes the bytes (smh §2-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SmhMode {
    /// What suits the size.
    #[default]
    Auto,
    /// One PUT.
    Simple,
    /// One form POST.
    Form,
    /// Parts.
    Multipart,
}

from_json!(enum SmhMode { "auto" = Auto, "simple" = Simple, "form" = Form, "multipart" = Multipart });

/// A place in an SMH library (smh §1).
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct SmhTarget {
    /// `https://host[:port]`; plain `http://` makes the data plane plain too.
    pub endpoint: String,
    /// The account whose credential is asked for.
    pub account: String,
    /// The library.
    pub library: String,
    /// The space, `-` in a library with one tenant.
    pub space: String,
    /// Where to, split on `/` and encoded by us.
    pub path: String,
    /// How the bytes travel.
    pub mode: SmhMode,
    /// Acts as that user, with an admin token.
    pub user_id: Option<String>,
    /// A missing parent directory is created.
    pub create_parents: bool,
    /// The service's own metadata, `x-smh-meta-*`.
    pub meta: BTreeMap<String, String>,
    /// Tags.
    pub labels: Vec<String>,
    /// The person's own category.
    pub category: Option<String>,
    /// When the file was created on this device.
    pub created_unix_ms: Option<i64>,
    /// When it was last modified on this device.
    pub modified_unix_ms: Option<i64>,
    /// The speed that the service allows the signed links.
    pub traffic_limit_bytes_per_s: Option<u64>,
    /// The storage domain of the file to be replaced, if it can be had.
    pub prefer_same_origin: bool,
    /// The deployment that signs each part on its own (smh §0.2). What the answers show wins over this.
    pub private: bool,
}

from_json!(struct SmhTarget {
    endpoint = default,
    account = default,
    library = default,
    space = default,
    path = default,
    mode = default,
    user_id,
    create_parents = default,
    meta = default,
    labels = default,
    category,
    created_unix_ms,
    modified_unix_ms,
    traffic_limit_bytes_per_s,
    prefer_same_origin = default,
    private = default,
});

/// A place in a KooDrive container.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct KooDriveTarget {
    /// `https://host[:port]`.
    pub endpoint: String,
    /// The account whose credential is asked for.
    pub account: String,
    /// The container.
    pub container: String,
    /// The parent folder's id, or `root`.
    pub parent: String,
    /// The file's name.
    pub name: String,
    /// The user, for application authentication.
    pub user_id: Option<String>,
    /// The service's own number for the kind of file.
    pub file_type: Option<u32>,
    /// A shared folder that the upload goes into.
    pub shared_folder: Option<String>,
    /// The language of the service's messages.
    pub language: Option<String>,
    /// When the file was created on this device.
    pub created_unix_ms: Option<i64>,
    /// Which edition of the service answers there.
    pub edition: KooDriveEdition,
}

from_json!(struct KooDriveTarget {
    endpoint = default,
    account = default,
    container = default,
    parent = default,
    name = default,
    user_id,
    file_type,
    shared_folder,
    language,
    created_unix_ms,
    edition = default,
});

/// The editions of KooDrive disagree in little things, and nothing that they answer tells which one it is (koodrive §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KooDriveEdition {
    /// China, and the international one since 2025: names of 250 characters, `yyyy-MM-dd'T'HH:mm:ss'Z'`.
    #[default]
    Current,
    /// The international one by its text of July 2024: names of 80 characters.
    International2024,
    /// Of an operator: `yyyy-MM-dd HH:mm:ss`.
    Carrier,
}

from_json!(enum KooDriveEdition {
    "current" = Current, "international2024" = International2024, "carrier" = Carrier
});

/// Names and places of a person: never printed.
impl std::fmt::Debug for SmhTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmhTarget").field("mode", &self.mode).field("private", &self.private).finish_non_exhaustive()
    }
}

/// Names and places of a person: never printed.
impl std::fmt::Debug for KooDriveTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KooDriveTarget").field("file_type", &self.file_type).finish_non_exhaustive()
    }
}
