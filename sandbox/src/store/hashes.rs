//! Digests of a finished object.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::random::to_hex;

/// Digests of a finished object, in hex.
#[derive(Debug)]
pub(crate) struct Hashes {
    pub(crate) md5: String,
    pub(crate) sha256: String,
    /// SHA-256 of the first MiB.
    pub(crate) beginning: String,
    /// The chain over all MiB (smh §9.1).
    pub(crate) full: String,
}

const BLOCK: u64 = 1 << 20;

pub(crate) fn hash_file(path: &Path) -> io::Result<Hashes> {
    let mut file = File::open(path)?;
    let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
    let mut block = Vec::new();
    let (mut beginning, mut chain) = (None, None::<sha2::digest::Output<Sha256>>);
    loop {
        block.clear();
        (&mut file).take(BLOCK).read_to_end(&mut block)?;
        if block.is_empty() && chain.is_some() {
            break;
        }
        md5.update(&block);
        sha256.update(&block);
        let mut link = Sha256::new();
        if let Some(before) = &chain {
            link.update(before);
        }
        link.update(&block);
        let link = link.finalize();
        beginning.get_or_insert_with(|| to_hex(&link));
        chain = Some(link);
        if block.is_empty() {
            break;
        }
    }
    Ok(Hashes {
        md5: to_hex(&md5.finalize()),
        sha256: to_hex(&sha256.finalize()),
        beginning: beginning.unwrap_or_default(),
        full: chain.map(|c| to_hex(&c)).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(size: usize) -> Hashes {
        let place = crate::store::Place::new(None).expect("temporary directory");
        let (_, scratch) = place.scratch().expect("file");
        let path = scratch.path().expect("path");
        std::fs::write(path, (0..size).map(|i| (i % 256) as u8).collect::<Vec<_>>()).expect("written");
        hash_file(path).expect("read")
    }

    #[test]
    fn the_chain_has_the_published_values() {
        let head = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83";
        let one = hashes(1 << 20);
        assert_eq!((one.beginning.as_str(), one.full.as_str()), (head, head));
        let two = hashes(2 << 20);
        assert_eq!(two.beginning, head);
        assert_eq!(two.full, "1265d50fb492427896c2dbd7250cca60f30440769b086cf7e74a540a2e514744");
        assert_eq!(hashes(0).md5, "d41d8cd98f00b204e9800998ecf8427e");
    }
}
