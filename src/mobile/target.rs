//! Where an upload goes to. The one file of this face that knows the services by name, as their requests differ.

use std::collections::HashMap;

use super::{NativeError, number::unsigned_or_none};
use crate::model;

mirror! {
    /// The services.
    Service of model::ServiceName: out {
        /// Tencent Smart Media Hosting.
        Smh,
        /// Huawei KooDrive.
        KooDrive,
    }
}

mirror! {
    /// How SMH takes the bytes.
    SmhMode of model::SmhMode: into {
        /// What suits the size.
        Auto,
        /// One PUT.
        Simple,
        /// One form POST.
        Form,
        /// Parts.
        Multipart,
    }
}

mirror! {
    /// The editions of KooDrive disagree in little things, and nothing that they answer tells which one it is.
    KooDriveEdition of model::KooDriveEdition: into {
        /// China, and the international one since 2025.
        Current,
        /// The international one by its text of July 2024: names of 80 characters.
        International2024,
        /// Of an operator.
        Carrier,
    }
}

/// A destination.
#[derive(Clone, uniffi::Enum)]
pub enum Target {
    /// A place in a library of Tencent Smart Media Hosting.
    Smh {
        /// `https://host[:port]`; plain `http://` makes the data plane plain too.
        endpoint: String,
        /// The account whose credential is asked for.
        account: String,
        /// The library.
        library: String,
        /// The space, `-` in a library with one tenant.
        space: String,
        /// Where to, split on `/` and encoded for you.
        path: String,
        /// How the bytes travel; what suits the size without it.
        #[uniffi(default = None)]
        mode: Option<SmhMode>,
        /// Acts as that user, with an admin token.
        #[uniffi(default = None)]
        user_id: Option<String>,
        /// A missing parent directory is created.
        #[uniffi(default)]
        create_parents: bool,
        /// The service's own metadata, `x-smh-meta-*`.
        #[uniffi(default)]
        meta: HashMap<String, String>,
        /// Tags.
        #[uniffi(default)]
        labels: Vec<String>,
        /// The person's own category.
        #[uniffi(default = None)]
        category: Option<String>,
        /// When the file was created on this device.
        #[uniffi(default = None)]
        created_unix_ms: Option<i64>,
        /// When it was last modified on this device.
        #[uniffi(default = None)]
        modified_unix_ms: Option<i64>,
        /// The speed that the service allows the signed links.
        #[uniffi(default = None)]
        traffic_limit_bytes_per_s: Option<i64>,
        /// The storage domain of the file to be replaced, if it can be had.
        #[uniffi(default)]
        prefer_same_origin: bool,
        /// The deployment that signs each part on its own. What its answers show wins over this.
        #[uniffi(default)]
        private: bool,
    },
    /// A place in a container of Huawei KooDrive.
    KooDrive {
        /// `https://host[:port]`.
        endpoint: String,
        /// The account whose credential is asked for.
        account: String,
        /// The container.
        container: String,
        /// The parent folder's id, or `root`.
        parent: String,
        /// The file's name.
        name: String,
        /// The user, for application authentication.
        #[uniffi(default = None)]
        user_id: Option<String>,
        /// The service's own number for the kind of file.
        #[uniffi(default = None)]
        file_type: Option<i32>,
        /// A shared folder that the upload goes into.
        #[uniffi(default = None)]
        shared_folder: Option<String>,
        /// The language of the service's messages.
        #[uniffi(default = None)]
        language: Option<String>,
        /// When the file was created on this device.
        #[uniffi(default = None)]
        created_unix_ms: Option<i64>,
        /// Which edition of the service answers there; the current one without it.
        #[uniffi(default = None)]
        edition: Option<KooDriveEdition>,
    },
}

impl TryFrom<Target> for model::Target {
    type Error = NativeError;

    fn try_from(target: Target) -> Result<model::Target, NativeError> {
        Ok(match target {
            Target::Smh {
                endpoint,
                account,
                library,
                space,
                path,
                mode,
                user_id,
                create_parents,
                meta,
                labels,
                category,
                created_unix_ms,
                modified_unix_ms,
                traffic_limit_bytes_per_s,
                prefer_same_origin,
                private,
            } => model::Target::Smh(model::SmhTarget {
                endpoint,
                account,
                library,
                space,
                path,
                mode: mode.map(Into::into).unwrap_or_default(),
                user_id,
                create_parents,
                meta: meta.into_iter().collect(),
                labels,
                category,
                created_unix_ms,
                modified_unix_ms,
                traffic_limit_bytes_per_s: unsigned_or_none("traffic_limit_bytes_per_s", traffic_limit_bytes_per_s)?,
                prefer_same_origin,
                private,
            }),
            Target::KooDrive {
                endpoint,
                account,
                container,
                parent,
                name,
                user_id,
                file_type,
                shared_folder,
                language,
                created_unix_ms,
                edition,
            } => model::Target::KooDrive(model::KooDriveTarget {
                endpoint,
                account,
                container,
                parent,
                name,
                user_id,
                file_type: unsigned_or_none("file_type", file_type)?,
                shared_folder,
                language,
                created_unix_ms,
                edition: edition.map(Into::into).unwrap_or_default(),
            }),
        })
    }
}
