//! Uploads that are not complete.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::create_body::Wanted;
use super::midstate::Midstate;
use crate::store::Part;

/// What the client said about a part; its links are signed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) offset: Option<u64>,
    /// The state of SHA-256 before it.
    pub(crate) context: Option<[u32; 8]>,
}

/// A part that came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) part: Part,
    /// The state of SHA-256 after it; without a context only of part 1.
    pub(crate) end: Option<Midstate>,
}

/// A link that was given out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) until_ms: i64,
    pub(crate) used: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) file_id: String,
    pub(crate) upload_id: String,
    pub(crate) object_path: String,
    pub(crate) container: String,
    /// Where it will be: the folder's id, if it is not the root, and its name.
    pub(crate) path: Vec<String>,
    pub(crate) wanted: Wanted,
    pub(crate) user: String,
    pub(crate) share: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) plan: BTreeMap<u32, Planned>,
    pub(crate) parts: BTreeMap<u32, Came>,
    /// By signature.
    pub(crate) links: HashMap<String, Link>,
    /// How many were given out.
    pub(crate) links_signed: u64,
    pub(crate) change_state_failures: u32,
    /// The object is being made of its parts, which therefore must stay as they are.
    pub(crate) sealed: bool,
    /// Held while it is completed.
    pub(crate) gate: Arc<tokio::sync::Mutex<()>>,
}

impl Upload {
    /// Keeps a part; the one of its number that came before goes.
    pub(crate) fn keep(&mut self, number: u32, came: Came) {
        if let Some(old) = self.parts.insert(number, came) {
            crate::store::remove(old.part.file.as_deref());
        }
    }

    fn drop_parts(&self) {
        self.parts.values().for_each(|came| crate::store::remove(came.part.file.as_deref()));
    }
}

#[derive(Debug, Default)]
pub(crate) struct Uploads {
    by_id: HashMap<String, Upload>,
    id_of_object: HashMap<String, String>,
    newest: Option<String>,
}

impl Uploads {
    pub(crate) fn add(&mut self, upload: Upload) {
        self.id_of_object.insert(upload.object_path.clone(), upload.file_id.clone());
        self.newest = Some(upload.file_id.clone());
        self.by_id.insert(upload.file_id.clone(), upload);
    }

    pub(crate) fn get(&self, file_id: &str) -> Option<&Upload> {
        self.by_id.get(file_id)
    }

    pub(crate) fn get_mut(&mut self, file_id: &str) -> Option<&mut Upload> {
        self.by_id.get_mut(file_id)
    }

    /// The upload whose parts go to this path of the storage.
    pub(crate) fn of_object(&mut self, path: &str) -> Option<&mut Upload> {
        self.by_id.get_mut(self.id_of_object.get(path)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Upload> {
        self.by_id.values()
    }

    /// Removes an upload and its bytes.
    pub(crate) fn remove(&mut self, file_id: &str) -> Option<Upload> {
        let upload = self.by_id.remove(file_id)?;
        self.id_of_object.remove(&upload.object_path);
        upload.drop_parts();
        Some(upload)
    }

    pub(crate) fn forget_newest(&mut self) {
        if let Some(id) = self.newest.take() {
            self.remove(&id);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.by_id.values().for_each(Upload::drop_parts);
        *self = Self::default();
    }
}
