//! A cheap hint whether a source is still the same one. Equal means trust; different means prove again by digest, never "changed".

use serde::Serialize;

use crate::from_json::from_json;

/// What the platform says of a source. A field that it does not give is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Size in bytes: the one field that every source has.
    pub size_bytes: u64,
    /// Last modification, nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
    /// Last change of the inode, nanoseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctime_ns: Option<i64>,
    /// The inode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// The device that the inode is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u64>,
}

from_json!(struct Identity { size_bytes, mtime_ns, ctime_ns, inode, device });

impl Identity {
    /// True when no field that both have differs, and there is a field beside the size to go by.
    pub fn same_as(&self, other: &Identity) -> bool {
        fn agree<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            !matches!((a, b), (Some(a), Some(b)) if a != b)
        }
        let told = |a: bool, b: bool| a && b;
        self.size_bytes == other.size_bytes
            && agree(&self.mtime_ns, &other.mtime_ns)
            && agree(&self.ctime_ns, &other.ctime_ns)
            && agree(&self.inode, &other.inode)
            && agree(&self.device, &other.device)
            && (told(self.mtime_ns.is_some(), other.mtime_ns.is_some())
                || told(self.ctime_ns.is_some(), other.ctime_ns.is_some())
                || told(self.inode.is_some(), other.inode.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Identity {
        Identity { size_bytes: 7, mtime_ns: Some(1), ctime_ns: Some(2), inode: Some(3), device: Some(4) }
    }

    #[test]
    fn each_field_tells() {
        assert!(full().same_as(&full()));
        assert!(!full().same_as(&Identity { size_bytes: 8, ..full() }));
        assert!(!full().same_as(&Identity { mtime_ns: Some(9), ..full() }));
        assert!(!full().same_as(&Identity { ctime_ns: Some(9), ..full() }));
        assert!(!full().same_as(&Identity { inode: Some(9), ..full() }));
        assert!(!full().same_as(&Identity { device: Some(9), ..full() }));
    }

    #[test]
    fn what_is_not_given_is_not_compared() {
        assert!(full().same_as(&Identity { inode: None, ctime_ns: None, ..full() }));
        let bare = Identity { size_bytes: 7, ..Identity::default() };
        assert!(!full().same_as(&bare), "a size alone proves nothing");
    }
}
