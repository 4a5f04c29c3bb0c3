//! What the service keeps: finished objects, as plain files, and directories.

mod hashes;
mod object;
mod place;
mod receive;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use hashes::{Hashes, hash_file};
pub use object::StoredObject;
pub(crate) use place::{Place, Scratch};
pub(crate) use receive::{NotTaken, Part, Receiver};

use crate::faults::Service;

/// A space and the names from its root.
pub(crate) type Location = (String, Vec<String>);

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) place: Place,
    objects: BTreeMap<u64, StoredObject>,
    names: BTreeMap<Location, u64>,
    directories: BTreeSet<Location>,
    everywhere: BTreeSet<Vec<String>>,
    last_id: u64,
}

/// What stands at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Nothing,
    Directory,
    Object(u64),
}

impl Store {
    /// `directories` exist in every space.
    pub(crate) fn new(directory: Option<&Path>, directories: &[String]) -> io::Result<Self> {
        let mut everywhere = BTreeSet::new();
        for text in directories {
            let names: Vec<String> = text.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect();
            everywhere.extend((1..=names.len()).map(|n| names[..n].to_vec()));
        }
        Ok(Self { place: Place::new(directory)?, everywhere, ..Self::hollow() })
    }

    /// Holds nothing and can't.
    pub(crate) fn hollow() -> Self {
        Self {
            place: Place::nowhere(),
            objects: BTreeMap::new(),
            names: BTreeMap::new(),
            directories: BTreeSet::new(),
            everywhere: BTreeSet::new(),
            last_id: 0,
        }
    }

    pub(crate) fn at(&self, space: &str, path: &[String]) -> Standing {
        let location = (space.to_owned(), path.to_vec());
        match self.names.get(&location) {
            Some(id) => Standing::Object(*id),
            None if path.is_empty() || self.everywhere.contains(path) || self.directories.contains(&location) => {
                Standing::Directory
            }
            None => Standing::Nothing,
        }
    }

    pub(crate) fn parent_exists(&self, space: &str, path: &[String]) -> bool {
        self.at(space, &path[..path.len().saturating_sub(1)]) == Standing::Directory
    }

    /// Makes a directory and its parents.
    ///
    /// # Errors
    /// When it or a file of its name, or of a parent's, exists.
    pub(crate) fn make_directory(&mut self, space: &str, path: &[String]) -> Result<(), ()> {
        let taken = |n: usize| matches!(self.at(space, &path[..n]), Standing::Object(_));
        if self.at(space, path) != Standing::Nothing || (1..path.len()).any(taken) {
            return Err(());
        }
        self.directories.extend((1..=path.len()).map(|n| (space.to_owned(), path[..n].to_vec())));
        Ok(())
    }

    pub(crate) fn object(&self, id: u64) -> Option<&StoredObject> {
        self.objects.get(&id)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &StoredObject> {
        self.objects.values()
    }

    pub(crate) fn objects_of(&self, service: Service) -> impl Iterator<Item = &StoredObject> {
        self.objects.values().filter(move |o| o.service == service)
    }

    pub(crate) fn bytes(&self, service: Service) -> u64 {
        self.objects_of(service).map(|o| o.size).sum()
    }

    /// Puts an object at its path, in place of the one that is there; its content is moved from `assembled`.
    pub(crate) fn insert(&mut self, mut object: StoredObject, assembled: Option<&Path>) -> io::Result<u64> {
        let location = (object.space.clone(), object.path.clone());
        let id = match self.names.get(&location) {
            Some(id) => *id,
            None => self.last_id + 1,
        };
        if let Some(from) = assembled {
            let file = self.place.object(id);
            std::fs::rename(from, &file)?;
            object.file = Some(file);
        }
        self.last_id = self.last_id.max(id);
        object.id = id;
        if let Some(old) = self.objects.get(&id) {
            object.created_ms = old.created_ms;
            object.overwritten = old.overwritten + 1;
            object.revision = old.revision + 1;
            if object.file.is_none() {
                remove(old.file.as_deref());
            }
        }
        self.names.insert(location, id);
        self.objects.insert(id, object);
        Ok(id)
    }

    pub(crate) fn set_hashes(&mut self, id: u64, revision: u64, hashes: &Hashes) {
        if let Some(object) = self.objects.get_mut(&id).filter(|o| o.revision == revision) {
            object.md5 = Some(hashes.md5.clone());
            object.sha256 = Some(hashes.sha256.clone());
            object.beginning_hash = Some(hashes.beginning.clone());
            object.full_hash = Some(hashes.full.clone());
        }
    }

    /// Objects whose digests are not known yet: id, revision, file.
    pub(crate) fn unhashed(&self, of_size: Option<u64>) -> Vec<(u64, u64, PathBuf)> {
        let wanted = |o: &&StoredObject| o.md5.is_none() && of_size.is_none_or(|size| o.size == size);
        self.objects.values().filter(wanted).filter_map(|o| Some((o.id, o.revision, o.file.clone()?))).collect()
    }

    pub(crate) fn clear(&mut self) {
        for object in self.objects.values() {
            remove(object.file.as_deref());
        }
        self.objects.clear();
        self.names.clear();
        self.directories.clear();
    }
}

/// A file that can't be removed is left: the sandbox's directory is the test's to throw away.
pub(crate) fn remove(file: Option<&Path>) {
    if let Some(file) = file {
        let _ = std::fs::remove_file(file);
    }
}
