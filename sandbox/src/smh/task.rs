//! Upload tasks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::store::Part;

/// How a task's bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Simple,
    Form,
    Multipart,
}

/// What to do about a taken name (smh §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    Ask,
    Rename,
    Overwrite,
}

impl Strategy {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "ask" => Some(Self::Ask),
            "rename" => Some(Self::Rename),
            "overwrite" => Some(Self::Overwrite),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Rename => "rename",
            Self::Overwrite => "overwrite",
        }
    }
}

/// What a client says about a file, at start or at confirm.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) category: Option<String>,
    pub(crate) local_creation_time: Option<String>,
    pub(crate) local_modification_time: Option<String>,
}

impl About {
    /// What is said later counts.
    pub(crate) fn updated_by(&mut self, later: Self) {
        self.metadata.extend(later.metadata);
        self.labels = later.labels.or(self.labels.take());
        self.category = later.category.or(self.category.take());
        self.local_creation_time = later.local_creation_time.or(self.local_creation_time.take());
        self.local_modification_time = later.local_modification_time.or(self.local_modification_time.take());
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) confirm_key: String,
    pub(crate) kind: Kind,
    /// Empty unless multipart.
    pub(crate) upload_id: String,
    /// The storage's path of it, with a leading slash.
    pub(crate) object_path: String,
    pub(crate) space: String,
    pub(crate) path: Vec<String>,
    pub(crate) strategy: Strategy,
    pub(crate) user: String,
    pub(crate) created_ms: i64,
    pub(crate) traffic_limit: Option<u64>,
    /// Counts signatures that were given out.
    pub(crate) generation: u64,
    pub(crate) about: About,
    pub(crate) parts: BTreeMap<u32, Part>,
    /// The file object that confirm answered.
    pub(crate) confirmed: Option<Value>,
    /// The object is being made of its parts, which therefore must stay as they are.
    pub(crate) sealed: bool,
    /// Held while the task is confirmed or cancelled.
    pub(crate) gate: Arc<tokio::sync::Mutex<()>>,
}

impl Task {
    /// Whether bytes may come.
    pub(crate) fn is_open(&self) -> bool {
        self.confirmed.is_none() && !self.sealed
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self.kind {
            Kind::Multipart => "application/octet-stream",
            _ => super::names::media(self.path.last().map_or("", String::as_str)).0,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tasks {
    by_key: HashMap<String, Task>,
    key_of_object: HashMap<String, String>,
    newest: Option<String>,
}

impl Tasks {
    pub(crate) fn add(&mut self, task: Task) {
        self.key_of_object.insert(task.object_path.clone(), task.confirm_key.clone());
        self.newest = Some(task.confirm_key.clone());
        self.by_key.insert(task.confirm_key.clone(), task);
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Task> {
        self.by_key.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Task> {
        self.by_key.get_mut(key)
    }

    /// The task whose bytes go to this path of the storage.
    pub(crate) fn of_object(&mut self, path: &str) -> Option<&mut Task> {
        self.by_key.get_mut(self.key_of_object.get(path)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.by_key.values()
    }

    pub(crate) fn newest_key(&self) -> Option<String> {
        self.newest.clone()
    }

    /// Removes a task and its bytes.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Task> {
        let task = self.by_key.remove(key)?;
        self.key_of_object.remove(&task.object_path);
        for part in task.parts.values() {
            crate::store::remove(part.file.as_deref());
        }
        Some(task)
    }

    /// Removes what was begun before that time and not confirmed.
    pub(crate) fn remove_before(&mut self, ms: i64) {
        let old = self.by_key.values().filter(|task| task.created_ms < ms && task.confirmed.is_none());
        let keys: Vec<String> = old.map(|task| task.confirm_key.clone()).collect();
        for key in keys {
            self.remove(&key);
        }
    }

    pub(crate) fn clear(&mut self) {
        let keys: Vec<String> = self.by_key.keys().cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }
}
